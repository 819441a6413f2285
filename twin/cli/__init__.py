"""The operator's commands: each parses, asks one action or query, and prints."""
