"""The main way through the API: company, prices, usage, report."""

from __future__ import annotations

from tests.api.client import Api, event
from tests.world import World

MARCH = "from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z"


def test_usage_sent_over_http_stands_in_the_report_of_the_reseller(api: Api, world: World) -> None:
    taken = api.usage(world.twin, event(world.acme.id, "1", data={"meter": "sms.sent", "quantity": 100}))
    assert taken.status == 200, taken.content
    assert taken.json == {"accepted": 1, "duplicates": 0, "unrated": 0, "conflicts": [], "rejected": []}
    answer = api.get(f"/reports/reseller-companies?{MARCH}", world.rhea)
    assert answer.status == 200, answer.content
    report = answer.json
    assert report["reseller"] == {"id": world.rhea.id, "name": "Rhea"}
    assert report["period"] == {
        "from": "2026-03-01T00:00:00Z",
        "to": "2026-04-01T00:00:00Z",
        "time_zone": "Europe/Berlin",
    }
    assert report["currency"] == "EUR"
    assert list(report["sections"]) == ["messaging", "chat", "telephony_legacy", "telephony_new", "bot"]
    rows = {row["company_name"]: row for row in report["sections"]["messaging"]["rows"]}
    assert rows["Acme"]["meters"]["sms.sent"] == {"count": 1, "quantity": 100, "buy": "1", "sell": "2"}
    assert (rows["Acme"]["total_buy"], rows["Acme"]["total_sell"], rows["Acme"]["margin"]) == ("1", "2", "1")
    assert rows["Cedar"]["path"] == ["Sola"]
    assert rows["Birch"]["total_sell"] == "0"
