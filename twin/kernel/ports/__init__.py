"""What Twin needs of the outside world to reach a person; `adapters` fulfils it."""
