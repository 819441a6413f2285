"""What billing tells."""

from twin.billing.queries.settings import logo_of, settings_of

__all__ = ["logo_of", "settings_of"]
