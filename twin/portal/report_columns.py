"""How a person likes the report's tables: which columns, how dense. Kept in the account, the same on every device."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from twin.accounts.preferences import keep_preference, preferences_of
from twin.portal.report_table import ALWAYS_SHOWN
from twin.reports.columns import COLUMNS

HIDDEN: Final = "report.hidden_columns"
COMPACT: Final = "report.compact"


@dataclass(frozen=True)
class TableChoice:
    """Codes of the columns somebody hides, by section, and whether rows stand close."""

    hidden: dict[str, list[str]] = field(default_factory=dict)
    is_compact: bool = False

    def hidden_in(self, section: str) -> list[str]:
        return self.hidden.get(section, [])


def table_choice(user_id: int) -> TableChoice:
    """What the person chose; what the report does not know any more counts for nothing."""
    kept = preferences_of(user_id, (HIDDEN, COMPACT))
    hidden = kept.get(HIDDEN)
    return TableChoice(
        hidden={
            section: [code for code in codes if code in _choosable(section)]
            for section, codes in (hidden.items() if isinstance(hidden, dict) else ())
            if section in COLUMNS and isinstance(codes, list)
        },
        is_compact=kept.get(COMPACT) is True,
    )


def choose_columns(user_id: int, section: str, shown: Collection[str], *, is_compact: bool) -> None:
    """Keep which columns of a section are shown; those of other sections stay as they are."""
    before = table_choice(user_id)
    hidden = [code for code in _choosable(section) if code not in shown]
    keep_preference(user_id=user_id, name=HIDDEN, value={**before.hidden, section: hidden})
    keep_preference(user_id=user_id, name=COMPACT, value=is_compact)


def _choosable(section: str) -> list[str]:
    return [column.code for column in COLUMNS[section] if column.code not in ALWAYS_SHOWN]
