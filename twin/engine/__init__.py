"""Starts and shares the embedded database; knows the three roles and nothing of Django."""
