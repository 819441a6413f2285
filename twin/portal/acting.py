"""The session of somebody who acts for a company: it keeps the number of the acting and parts the two names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest
from django.middleware.csrf import rotate_token

from twin.accounts.sessions import carry_session
from twin.companies.actions import end_acting
from twin.companies.types import Acting, ActingEnd
from twin.kernel.addresses import address_of

_KEPT: Final = "twin_acting"
_SEEN: Final = "twin_acting_seen"
_MOST_SEEN: Final = 200


def kept_acting(request: HttpRequest) -> Mapping[str, Any] | None:
    """What the session says of it, whether it lasts or not."""
    kept: Mapping[str, Any] | None = request.session.get(_KEPT)
    return kept


def is_first_sight(request: HttpRequest) -> bool:
    """Whether the page was not looked at before in this acting; asked once for each."""
    seen = request.session.get(_SEEN, [])
    if request.path in seen or len(seen) >= _MOST_SEEN:
        return False
    request.session[_SEEN] = [*seen, request.path]
    return True


def start(request: HttpRequest, acting: Acting) -> None:
    """From the next request on the session is in the company's name."""
    request.session[_KEPT] = {
        "id": acting.id,
        "organisation": acting.organisation_id,
        "company": acting.company_id,
        "name": acting.company_name,
        "until": acting.expires_at.timestamp(),
    }
    request.session[_SEEN] = []
    _part_from_before(request)


def stop(request: HttpRequest, by: ActingEnd) -> int | None:
    """The session is in the person's own name again; the company it was for."""
    kept = request.session.pop(_KEPT, None)
    request.session.pop(_SEEN, None)
    if kept is None:
        return None
    end_acting(organisation_id=kept["organisation"], acting_id=kept["id"], by=by, address=address_of(request))
    _part_from_before(request)
    return int(kept["company"])


def _part_from_before(request: HttpRequest) -> None:
    """No form that was opened in the other name is taken any more, and no request under way brings it back."""
    key = request.session.session_key
    request.session.cycle_key()
    carry_session(old_key=key, new_key=request.session.session_key)
    rotate_token(request)
