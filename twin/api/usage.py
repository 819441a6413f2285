"""`/usage`: events in, and what could not be taken or priced."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from twin.api import admission
from twin.api.auth import ApiKey, scope_of
from twin.api.cursors import CONFLICTS, UNRATED, cursor_of, read_place
from twin.api.fields import Cursor, Limit, QueryInput
from twin.api.schemas import ConflictOut, ConflictPage, TakenOut, UnratedOut, UnratedPage, UsageEvent, schema_of
from twin.companies.types import REPORTS_READ, USAGE_WRITE
from twin.kernel.metrics import count_usage
from twin.kernel.period import instant_text
from twin.metering import actions
from twin.metering import queries as metering
from twin.metering.errors import KeyOutdated

BATCH = "application/cloudevents-batch+json"
SINGLE = "application/cloudevents+json"
router = Router(tags=["Usage"])
_encoder = msgspec.json.Encoder()
# Items are judged one by one: a bad one is named in the answer and does not spoil its batch,
# so the document allows any JSON there beside the shape that is taken.
_ITEM: dict[str, Any] = {
    "anyOf": [{"$ref": "#/components/schemas/UsageEvent"}, {"description": "Anything else is named in `rejected`."}]
}
_BODY = {
    "required": True,
    "content": {
        BATCH: {"schema": {"type": "array", "items": _ITEM, "description": "At most 10,000 events; more is 413."}},
        SINGLE: {"schema": _ITEM},
    },
}


_door = ApiKey(USAGE_WRITE, reads=(BATCH, SINGLE), may_remember=True, admission=admission.usage)


@router.post(
    "/usage/events",
    auth=_door,
    response=TakenOut,
    openapi_extra={"requestBody": _BODY},
)
def take_events(request: HttpRequest) -> HttpResponse:
    """Take usage in, once: what is sent twice is answered as a duplicate.

    Good items are taken and bad ones named. When 200 has been answered the events are on disk,
    charged and in the next report.
    """
    batch = request.META["CONTENT_TYPE"].split(";")[0].strip().lower() == BATCH
    try:
        taken = actions.take_events(scope_of(request), request.body, batch=batch)
    except KeyOutdated:
        taken = actions.take_events(_door.look_again(request), request.body, batch=batch)
    count_usage(
        accepted=taken.accepted,
        duplicates=taken.duplicates,
        conflicts=len(taken.conflicts),
        rejected=len(taken.rejected),
    )
    return HttpResponse(_encoder.encode(taken), content_type="application/json")


class ListQuery(QueryInput):
    limit: Limit = 10_000
    cursor: Cursor | None = None


@router.get("/usage/conflicts", auth=ApiKey(REPORTS_READ, USAGE_WRITE, query=ListQuery), response=ConflictPage)
def list_conflicts(request: HttpRequest, query: Query[ListQuery]) -> ConflictPage:
    """Keys that came again with other billing fields: refused, recorded once per variant, not charged. Newest first."""
    found = metering.conflicts_page(scope_of(request), after=read_place(query.cursor, CONFLICTS), limit=query.limit)
    items = [
        ConflictOut(
            company_id=conflict.company_id,
            source=conflict.source,
            id=conflict.id,
            meter=conflict.meter,
            quantity=conflict.quantity,
            time=instant_text(conflict.event_time),
            attributes=dict(conflict.attributes),
            recorded_at=instant_text(conflict.recorded_at),
        )
        for conflict in found.items
    ]
    return ConflictPage(items=items, next_cursor=cursor_of(found.following))


@router.get("/usage/unrated", auth=ApiKey(REPORTS_READ, USAGE_WRITE, query=ListQuery), response=UnratedPage)
def list_unrated(request: HttpRequest, query: Query[ListQuery]) -> UnratedPage:
    """Usage that lacks a price, grouped so that one rate mends each group; by seller, buyer and meter."""
    found = metering.unrated_page(scope_of(request), after=read_place(query.cursor, UNRATED), limit=query.limit)
    items = [
        UnratedOut(
            seller_id=group.seller_id,
            buyer_id=group.buyer_id,
            meter=group.meter,
            attributes=dict(group.attributes),
            count=group.count,
            first_at=instant_text(group.first_at),
            last_at=instant_text(group.last_at),
        )
        for group in found.items
    ]
    return UnratedPage(items=items, next_cursor=cursor_of(found.following))


def event_schema() -> dict[str, Any]:
    """The schema of one event, for the document."""
    return schema_of(UsageEvent)
