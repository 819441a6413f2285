"""Measurements of a real installation, each beside its anchor: `python -m bench`."""
