"""The quick start: from a key to the report in steps that run as they stand, for the shell and for Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from twin.kernel.period import instant_text

TONGUES: Final[dict[str, str]] = {"curl": "curl", "python": "Python"}
NEEDED: Final = ("usage:write", "reports:read", "companies:write", "prices:write")


@dataclass(frozen=True)
class Step:
    """One step; `code` in the order of the steps makes one program."""

    title: Promise
    text: Promise
    code: str


_TITLES: Final = (
    (
        _("Where, and by which key"),
        _("Make a key with the permissions named above and put it where programs find it, not into their source."),
    ),
    (_("A company"), _("It lies beneath the company of the key, from an instant on that may lie in the past.")),
    (
        _("A rate card with a price"),
        _("A rate is never edited: another one with a later instant, or the same one, takes its place."),
    ),
    (_("The card of the company"), _("From that instant on the company pays by it.")),
    (
        _("Usage"),
        _("Events are taken once, however often they are sent: the source and the id say which one it is."),
    ),
    (_("The report"), _("What was used and what it costs, to the last unit.")),
)

_CURL: Final = (
    """\
API={base}/api/v1
KEY=${{TWIN_KEY:?put your key into TWIN_KEY}}

send() {{
  curl -fsS -w '\\n' -X "$1" "$API$2" -d "$3" \\
    -H "Authorization: Bearer $KEY" -H "Content-Type: ${{4:-application/json}}"
}}
id_of() {{ sed -n 's/^{{"id": *\\([0-9]*\\).*/\\1/p'; }}
""",
    """\
COMPANY=$(send POST /companies '{{"name": "Quick start", "kind": "company",
  "time_zone": "Europe/Berlin", "effective_from": "{start}"}}' | id_of)
echo "company $COMPANY"
""",
    """\
CARD=$(send POST /rate-cards '{{"name": "Quick start"}}' | id_of)
send POST "/rate-cards/$CARD/rates" '{{"rates": [
  {{"meter": "sms.delivered", "unit_price": "0.0745", "effective_from": "{start}"}}]}}'
""",
    """\
send PUT "/companies/$COMPANY/rate-card" \\
  '{{"rate_card_id": '"$CARD"', "effective_from": "{start}"}}'
""",
    """\
send POST /usage/events '[{{"specversion": "1.0", "type": "twin.usage", "source": "quick-start",
  "id": "first-'"$COMPANY"'", "subject": "'"$COMPANY"'", "time": "{start}",
  "data": {{"meter": "sms.delivered", "quantity": 2}}}}]' application/cloudevents-batch+json
""",
    """\
curl -fsS -G "$API/reports/usage" -H "Authorization: Bearer $KEY" \\
  -d company="$COMPANY" -d section=messaging \\
  -d from={start} -d to={end}
""",
)

_PYTHON: Final = (
    """\
import json, os, urllib.parse, urllib.request

API = "{base}/api/v1"
KEY = os.environ["TWIN_KEY"]

def send(method, path, body=None, kind="application/json"):
    data = json.dumps(body).encode() if body is not None else None
    headers = {{"Authorization": f"Bearer {{KEY}}", "Content-Type": kind}}
    request = urllib.request.Request(API + path, data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)
""",
    """\
company = send("POST", "/companies", {{
    "name": "Quick start", "kind": "company",
    "time_zone": "Europe/Berlin", "effective_from": "{start}",
}})["id"]
print("company", company)
""",
    """\
card = send("POST", "/rate-cards", {{"name": "Quick start"}})["id"]
send("POST", f"/rate-cards/{{card}}/rates", {{"rates": [
    {{"meter": "sms.delivered", "unit_price": "0.0745", "effective_from": "{start}"}},
]}})
""",
    """\
send("PUT", f"/companies/{{company}}/rate-card", {{
    "rate_card_id": card, "effective_from": "{start}",
}})
""",
    """\
event = {{
    "specversion": "1.0", "type": "twin.usage", "source": "quick-start",
    "id": f"first-{{company}}", "subject": str(company), "time": "{start}",
    "data": {{"meter": "sms.delivered", "quantity": 2}},
}}
print(send("POST", "/usage/events", [event], "application/cloudevents-batch+json"))
""",
    """\
asked = urllib.parse.urlencode({{
    "company": company, "section": "messaging", "from": "{start}", "to": "{end}",
}})
print(json.dumps(send("GET", f"/reports/usage?{{asked}}"), indent=2))
""",
)
_CODE: Final = {"curl": _CURL, "python": _PYTHON}


def quick_start(tongue: str, base: str, now: datetime) -> Sequence[Step]:
    """The steps for an installation at `base`, with instants a moment ago."""
    start = now.replace(second=0, microsecond=0)
    values = {"base": base, "start": instant_text(start), "end": instant_text(start + timedelta(days=1))}
    return [
        Step(title, text, code.format(**values).rstrip("\n"))
        for (title, text), code in zip(_TITLES, _CODE[tongue], strict=True)
    ]
