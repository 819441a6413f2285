"""What documents say of a party: its details as they were when the document was issued."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from twin.companies.rules.information import FIELDS, YES, is_asked

# How the company works is no business of its documents.
_LEFT_OUT: Final = ("time_zone", "max_dialogs")


def frozen(values: Mapping[str, str]) -> dict[str, str]:
    """The details that count in the company's country, the empty ones left out."""
    country = values.get("country", "")
    same = values.get("postal_same") == YES
    return {
        name: values[name]
        for name in FIELDS
        if values.get(name)
        and name not in _LEFT_OUT
        and is_asked(name, country)
        and not (name.startswith("postal_") and same)
    }
