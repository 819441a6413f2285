"""The record of security: what happened at a company and beneath it, for its administrators."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from django.db import connections

from twin.companies.rules.employees import letters_folding_into
from twin.companies.rules.record import GROUPS, group_condition
from twin.companies.rules.tree import folded, is_searchable
from twin.companies.types import COMPANIES_WRITE, RecordedEvent, RecordPage, Scope
from twin.kernel.period import Period
from twin.kernel.tenancy import scoped
from twin.kernel.text import containing

RECORD_A_PAGE: Final = 50
MOST_RECORDED: Final = 50_000

# Row-level security says which events are in sight; a stranger to the organisation keeps name and number.
_SELECT: Final = """
    select e.id, e.at, e.event, e.user_id, coalesce(nullif(u.name, ''), u.email, ''), e.company_id,
        coalesce(c.name, ''), coalesce(host(e.address), ''), e.fields::text, coalesce((
            select coalesce(nullif(p.name, ''), p.email) from accounts_user p
            where p.id = case when e.fields ->> 'person_id' ~ '^[0-9]{1,9}$' then (e.fields ->> 'person_id')::int end
        ), ''), coalesce((
            select jsonb_object_agg(n.id, n.name) from companies_company n where n.id in (
                case when e.fields ->> 'buyer_id' ~ '^[0-9]{1,9}$' then (e.fields ->> 'buyer_id')::int end,
                case when e.fields ->> 'parent_id' ~ '^[0-9]{1,9}$' then (e.fields ->> 'parent_id')::int end,
                case when e.event = 'company.moved' and e.fields ->> 'before' ~ '^[0-9]{1,9}$'
                    then (e.fields ->> 'before')::int end)
        )::text, '{}')
    from kernel_securityevent e
    left join accounts_user u on u.id = e.user_id
    left join companies_company c on c.id = e.company_id
    where e.at >= %(start)s and e.at < %(end)s
"""
_FOLDED: Final = "replace(translate(normalize({}, NFKC), %(letters)s, %(small)s), 'ß', 'ss')"
_KEY: Final = "(e.fields ->> 'by_key')"
_MATCHES: Final = (
    f" and ({_FOLDED.format('u.name')} like %(part)s or u.email like %(part)s or c.search_name like %(part)s"
    f" or {_FOLDED.format(_KEY)} like %(part)s"
    " or host(e.address) like %(part)s or e.event like %(part)s"
    " or e.company_id::text = %(whole)s or e.user_id::text = %(whole)s)"
)


@scoped
def recorded_events(
    scope: Scope,
    *,
    period: Period,
    group: str = "",
    search: str = "",
    before: tuple[datetime, int] | None = None,
    limit: int = RECORD_A_PAGE,
) -> RecordPage:
    """What happened at the organisation and, while it lay beneath it, at what lies beneath it; newest first.

    `group` is one of `GROUPS`. `search` is part of a person's name or email, of a key's or a company's name,
    of an address or of an event, or a whole id. `before` goes on after the last event of the page before.
    """
    scope.require(COMPANIES_WRITE)
    search = search.strip()
    if not is_searchable(search):
        return RecordPage((), None)
    condition, asked = _asked(period, group, search)
    if before is not None:
        condition += " and (e.at, e.id) < (%(before)s, %(before_id)s)"
        asked |= {"before": before[0], "before_id": before[1]}
    if scope.kind == "company":
        condition += " and e.company_id = %(own)s"
        asked["own"] = scope.organisation_id
    with connections["default"].cursor() as cursor:
        cursor.execute(
            _SELECT + condition + " order by e.at desc, e.id desc limit %(limit)s",
            {**asked, "limit": min(limit, MOST_RECORDED) + 1},
        )
        found = [_event(row) for row in cursor.fetchall()]
    shown = tuple(found[:limit])
    return RecordPage(shown, (shown[-1].at, shown[-1].id) if len(found) > limit else None)


def _asked(period: Period, group: str, search: str) -> tuple[str, dict[str, Any]]:
    condition = ""
    asked: dict[str, Any] = {"start": period.start, "end": period.end}
    if group in GROUPS:
        names, patterns = group_condition(group)
        condition += " and (e.event = any(%(names)s) or e.event like any(%(patterns)s) and e.event <> all(%(others)s))"
        others = [] if group in ("signing_in", "refusals") else group_condition("refusals")[0]
        asked |= {"names": names, "patterns": patterns, "others": others}
    if search:
        part = folded(search)
        letters, small = letters_folding_into(part)
        condition += _MATCHES
        asked |= {"part": containing(part), "whole": search, "letters": letters, "small": small}
    return condition, asked


def _event(row: tuple[Any, ...]) -> RecordedEvent:
    event_id, at, event, person_id, person, company_id, company, address, fields, about, names = row
    known = json.loads(fields)
    return RecordedEvent(
        event_id, at, event, person_id, person, company_id, company, address, known, about, json.loads(names)
    )
