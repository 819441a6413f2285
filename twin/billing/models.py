"""No ORM models: the tables of billing are written and read by SQL.

Their definitions stand in `migrations/`, their use in `actions/` and `queries/`. What each holds: README.md.
"""
