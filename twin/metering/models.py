"""No ORM models: the tables of usage are written by COPY and read by SQL.

Their definitions stand in `migrations/0001_initial.py`, their use in `store.py`
and `queries/`. What each holds: README.md.
"""
