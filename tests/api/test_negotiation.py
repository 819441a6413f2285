"""Which media type an Accept header chooses."""

from __future__ import annotations

import pytest

from twin.api.errors import NothingAcceptable
from twin.api.negotiation import chosen_type

JSON = "application/json"
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OFFERED = (JSON, CSV, XLSX)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/json", JSON),
        ("text/csv", CSV),
        ("TEXT/CSV; header=present", CSV),
        (XLSX, XLSX),
        ("text/*", CSV),
        ("application/*", JSON),
        ("text/csv, application/json", JSON),
        ("text/csv;q=0.9, application/json;q=0.1", CSV),
        ("text/csv;q=0, */*;q=0.1", JSON),
        ("application/json;q=0, */*", CSV),
        ("text/html, application/xhtml+xml, */*;q=0.8", JSON),
        ("text/csv;q=1.000, */*;q=0.5", CSV),
    ],
)
def test_the_most_wanted_type_is_chosen_and_json_wins_ties(accept: str, expected: str) -> None:
    assert chosen_type(accept, OFFERED) == expected


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/*", "text/csv;q=2", "*/*;q=0"])
def test_a_type_that_is_not_offered_is_refused(accept: str) -> None:
    with pytest.raises(NothingAcceptable):
        chosen_type(accept, OFFERED)
