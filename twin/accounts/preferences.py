"""How a person likes the pages: small choices, each kept under a name until it is changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from twin.accounts.models import Preference
from twin.kernel.errors import Invalid

LONGEST_VALUE: Final = 4_000


def preferences_of(user_id: int, names: Sequence[str]) -> dict[str, Any]:
    """What the person chose under those names; what was never chosen is not there."""
    return dict(Preference.objects.filter(user_id=user_id, name__in=names).values_list("name", "value"))


def keep_preference(*, user_id: int, name: str, value: Any) -> None:
    """Keep a choice in place of the last one of that name; raises `Invalid` when it is no small one."""
    if len(json.dumps(value)) > LONGEST_VALUE:
        raise Invalid(f"A choice is kept in at most {LONGEST_VALUE} characters.")
    Preference.objects.update_or_create(user_id=user_id, name=name, defaults={"value": value})
