"""From an empty machine to the reseller's report, over HTTP and by the commands of an operator."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.flows.installation import Client, Installation
from tests.flows.oracle import SECTIONS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

START = "2026-03-01T00:00:00Z"
PERIOD = "from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z"
REPORT = "/api/v1/reports/reseller-companies"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MESSAGING_HEADER = (
    "Id,Name,Delivered SMS,Price SMS,Sent Viber,Delivered Viber,Price Viber,Sent Whatsapp,Delivered Whatsapp,"
    "Price Whatsapp,Sent Email,Delivered Email,Price Email,Sent Push,Delivered Push,Price Push,"
    "Total price to Twin,Total price to reseller,Margin"
)
CHAT_HEADER = (
    "Id,Name,Operator messages,Operator messages price,Bot messages (with first),Bot message price,User messages,"
    "Price of user messages,Operator messages Alice,Bot messages Alice,User messages Alice,Price Alice's messages,"
    "Total price to Twin,Total price to reseller,Margin"
)
CALLS_HEADER = "Id,Name,Calls,Total duration (seconds),Total price to Twin,Total price to reseller,Margin"
BOT_HEADER = "Id,Name,Billable messages,Total price to Twin,Total price to reseller,Margin"


@dataclass
class Trade:
    """Platform, reseller Rhea, its companies Acme and Birch, and a key of each seller."""

    installation: Installation
    platform: Client
    rhea_client: Client
    twin: int
    rhea: int
    acme: int
    birch: int

    def price(self, seller: Client, buyer: int, rates: list[dict[str, Any]]) -> None:
        card = seller.post("/api/v1/rate-cards", {"name": f"for {buyer}"})
        assert card.status == 201, card.body
        body = {"rates": [{"effective_from": START, **rate} for rate in rates]}
        published = seller.post(f"/api/v1/rate-cards/{card.json['id']}/rates", body)
        assert (published.status, published.json) == (201, {"priced": 0, "pending": 0})
        choice = {"rate_card_id": card.json["id"], "effective_from": START}
        assigned = seller.ask("PUT", f"/api/v1/companies/{buyer}/rate-card", choice)
        assert assigned.status == 200, assigned.body

    def report(self, extra: str = "", **headers: str) -> Any:
        answer = self.rhea_client.get(f"{REPORT}?{PERIOD}{extra}", **headers)
        assert answer.status == 200, answer.body
        return answer


def found_company(client: Client, name: str, kind: str, **more: Any) -> int:
    body = {"name": name, "kind": kind, "time_zone": "Europe/Berlin", "effective_from": START, **more}
    answer = client.post("/api/v1/companies", body)
    assert answer.status == 201, answer.body
    expected = {"name": name, "kind": kind, "time_zone": "Europe/Berlin", "currency": "EUR", "state": "active"}
    assert answer.json.items() >= expected.items()
    return int(answer.json["id"])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, int, str]]:
    """One served installation for all the stories of this file, its platform and the platform's key."""
    installation = Installation(tmp_path_factory.mktemp("story") / "data")
    try:
        platform = installation.init()
        installation.serve()
        yield installation, platform, installation.key(platform)
    finally:
        installation.destroy()


@pytest.fixture
def trade(served: tuple[Installation, int, str]) -> Iterator[Trade]:
    """A reseller with two companies of its own for each test."""
    installation, twin, key = served
    platform = Client(installation.port, key)
    rhea = found_company(platform, "Rhea", "reseller")
    client = Client(installation.port, installation.key(rhea))
    acme = found_company(client, "Acme", "company", external_id=f"A-{rhea}")
    birch = found_company(client, "=Birch, Ltd", "company")
    made = Trade(installation, platform, client, twin, rhea, acme, birch)
    made.price(
        platform, rhea, [{"meter": "sms.delivered", "unit_price": "0.01"}, {"meter": "sms.sent", "unit_price": "0"}]
    )
    made.price(
        client,
        acme,
        [
            {"meter": "sms.delivered", "unit_price": "0.0745"},
            {"meter": "sms.delivered", "unit_price": "0.09", "selector": {"country": "DE"}},
            {"meter": "sms.sent", "unit_price": "0"},
            {"meter": "call.outgoing", "unit_price": "0.05", "per": 60, "minimum": 60, "setup_fee": "0.1"},
        ],
    )
    yield made
    platform.close()
    client.close()


def event(
    key: str, subject: object, meter: str, time: str = "2026-03-05T10:00:00+01:00", **data: Any
) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": "twin.usage",
        "source": "smsc-1",
        "id": key,
        "subject": str(subject),
        "time": time,
        "data": {"meter": meter, **data},
    }


def usage_of(trade: Trade) -> list[dict[str, Any]]:
    return [
        event("1", trade.acme, "sms.sent"),
        event("1d", trade.acme, "sms.delivered", quantity=2),
        event("2d", f"external:A-{trade.rhea}", "sms.delivered", attributes={"country": "DE"}),
        event("3", trade.acme, "call.outgoing", quantity=61),
        event("4", trade.acme, "sms.delivered", "2026-03-31T22:00:00-02:00"),  # the first instant after the period
    ]


def test_usage_sent_over_http_is_in_the_report_at_both_prices(trade: Trade) -> None:
    client = trade.platform
    sent = usage_of(trade)
    bad = event("5", 10**9, "sms.sent")
    answer = client.send_events(json.dumps([*sent[:4], bad, sent[4]]).encode()).json
    assert (answer["accepted"], answer["duplicates"], answer["conflicts"]) == (5, 0, [])
    assert [(item["index"], item["id"]) for item in answer["rejected"]] == [(4, "5")]
    assert answer["unrated"] == 1  # nobody has priced calls between Twin and Rhea
    answer = client.send_events(json.dumps(sent).encode()).json
    assert (answer["accepted"], answer["duplicates"], answer["rejected"]) == (0, 5, [])

    report = trade.report().json
    assert list(report["sections"]) == list(SECTIONS)
    assert report["reseller"] == {"id": trade.rhea, "name": "Rhea"}
    assert report["period"] == {
        "from": "2026-03-01T00:00:00Z",
        "to": "2026-04-01T00:00:00Z",
        "time_zone": "Europe/Berlin",
    }
    assert (report["currency"], report["has_expenses"], report["unrated"]) == ("EUR", False, 1)
    messaging = report["sections"]["messaging"]
    acme, birch = messaging["rows"]
    assert acme["meters"]["sms.delivered"] == {"count": 2, "quantity": 3, "buy": "0.03", "sell": "0.239"}
    assert acme["meters"]["sms.sent"] == {"count": 1, "quantity": 1, "buy": "0", "sell": "0"}
    assert (acme["total_buy"], acme["total_sell"], acme["margin"]) == ("0.03", "0.239", "0.209")
    assert (birch["company_name"], birch["total_sell"], birch["path"]) == ("=Birch, Ltd", "0", [])
    assert messaging["totals"]["margin"] == "0.209"
    [calls, _] = report["sections"]["telephony_legacy"]["rows"]
    assert calls["meters"]["call.outgoing"] == {"count": 1, "quantity": 61, "buy": "0", "sell": "0.150833333"}
    assert calls["unrated"] == 1
    shown = trade.report("&has_expenses=true").json["sections"]
    assert {code: len(section["rows"]) for code, section in shown.items()} == {
        "messaging": 1,
        "chat": 0,
        "telephony_legacy": 1,
        "telephony_new": 0,
        "bot": 0,
    }
    platform = client.get(f"{REPORT}?{PERIOD}&reseller={trade.twin}&search={trade.acme}").json["sections"]["messaging"][
        "totals"
    ]
    assert (platform["total_buy"], platform["total_sell"]) == ("0", "0.03")


def test_the_report_as_csv_and_as_a_workbook_shows_the_same_figures(trade: Trade) -> None:
    sent = usage_of(trade)
    assert trade.platform.send_events(json.dumps(sent).encode()).status == 200
    answer = trade.report("&section=messaging", Accept="text/csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.body.decode())))
    assert ",".join(rows[0]) == MESSAGING_HEADER
    zeros = ["0"] * 12
    assert rows[1:] == [
        [str(trade.acme), "Acme", "2", "0.239", *zeros, "0.03", "0.239", "0.209"],
        [str(trade.birch), "'=Birch, Ltd", "0", "0", *zeros, "0", "0", "0"],
    ]
    buy = trade.report("&section=messaging&side=buy", Accept="text/csv").body.decode()
    assert next(csv.reader(buy.splitlines()[1:]))[3] == "0.03"
    headers = {"chat": CHAT_HEADER, "telephony_legacy": CALLS_HEADER, "telephony_new": CALLS_HEADER, "bot": BOT_HEADER}
    for section, header in headers.items():
        table = trade.report(f"&section={section}", Accept="text/csv").body.decode()
        assert table.splitlines()[0] == header
    refused = trade.rhea_client.get(f"{REPORT}?{PERIOD}", Accept="text/csv")
    assert (refused.status, refused.headers["content-type"].split(";")[0]) == (422, "application/problem+json")

    book = openpyxl.load_workbook(io.BytesIO(trade.report(Accept=XLSX).body))
    assert len(book.worksheets) == 1 + len(SECTIONS)
    lines = list(book.worksheets[1].iter_rows(values_only=True))
    assert ",".join(str(cell) for cell in lines[0]) == MESSAGING_HEADER
    assert lines[1][:4] == (trade.acme, "Acme", 2, 0.239)
    assert lines[2][1] == "=Birch, Ltd"
    assert lines[3][-3:] == (0.03, 0.239, 0.209)
    assert all(cell.data_type != "f" for sheet in book.worksheets for row in sheet.iter_rows() for cell in row)


def test_a_gap_in_the_prices_is_listed_and_closed_in_one_call(trade: Trade) -> None:
    body = json.dumps([event(str(number), trade.acme, "bot.message") for number in range(3)]).encode()
    assert trade.platform.send_events(body).json["unrated"] == 3
    [group] = trade.rhea_client.get("/api/v1/usage/unrated").json["items"][:1]
    assert (group["meter"], group["count"]) == ("bot.message", 3)
    cards = trade.rhea_client.get("/api/v1/rate-cards").json["items"]
    rates = {"rates": [{"meter": "bot.message", "unit_price": "0.2", "effective_from": START}]}
    answer = trade.rhea_client.post(f"/api/v1/rate-cards/{cards[0]['id']}/rates", rates)
    assert (answer.status, answer.json) == (201, {"priced": 3, "pending": 0})
    assert trade.report().json["sections"]["bot"]["totals"]["total_sell"] == "0.6"
    dearer = {"rates": [{"meter": "bot.message", "unit_price": "0.3", "effective_from": START}]}
    refused = trade.rhea_client.post(f"/api/v1/rate-cards/{cards[0]['id']}/rates", dearer)
    assert refused.status == 409
    assert trade.report().json["sections"]["bot"]["totals"]["total_sell"] == "0.6"


def test_a_large_gap_is_closed_by_a_job_soon_after_the_call(trade: Trade) -> None:
    for start in range(0, 12_000, 6_000):
        batch = [event(str(number), trade.acme, "push.sent") for number in range(start, start + 6_000)]
        assert trade.platform.send_events(json.dumps(batch).encode()).json["unrated"] == 6_000
    card = trade.rhea_client.get("/api/v1/rate-cards").json["items"][0]["id"]
    rates = {"rates": [{"meter": "push.sent", "unit_price": "0.001", "effective_from": START}]}
    answer = trade.rhea_client.post(f"/api/v1/rate-cards/{card}/rates", rates)
    assert (answer.status, answer.json) == (201, {"priced": 10_000, "pending": 2_000})
    end = time.monotonic() + 60
    while trade.report().json["sections"]["messaging"]["totals"]["total_sell"] != "12":
        assert time.monotonic() < end
        time.sleep(0.5)


# Commands -----------------------------------------------------------------------


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


def test_a_file_of_usage_is_imported_once_with_and_without_the_server(trade: Trade, tmp_path: Path) -> None:
    sent = [event(str(number), trade.acme, "sms.delivered") for number in range(2_500)]
    file = tmp_path / "usage.ndjson"
    file.write_text("".join(json.dumps(one) + "\n" for one in sent))
    done = trade.installation.twin("usage", "import", str(file))
    assert last_line(done.stdout) == "accepted=2500 duplicates=0 conflicts=0 rejected=0 unrated=0"
    assert not (tmp_path / "usage.ndjson.rejected").exists()
    assert trade.report().json["sections"]["messaging"]["totals"]["total_sell"] == "186.25"
    assert trade.installation.stop() == 0
    done = trade.installation.twin("usage", "import", str(file))
    assert last_line(done.stdout) == "accepted=0 duplicates=2500 conflicts=0 rejected=0 unrated=0"
    arguments = ("--reseller", str(trade.rhea), "--from", START, "--to", "2026-04-01T00:00:00Z")
    report = json.loads(trade.installation.twin("report", "reseller-companies", *arguments).stdout)
    assert report["sections"]["messaging"]["totals"]["total_sell"] == "186.25"
    assert trade.installation.twin("metering", "verify").returncode == 0
    trade.installation.serve()


def test_bad_lines_of_a_file_are_put_aside_with_their_reasons(trade: Trade, tmp_path: Path) -> None:
    good = json.dumps(event("1", trade.acme, "sms.sent"))
    lines = [good, "{not json", json.dumps(event("2", 10**9, "sms.sent")), "", good]
    lines += [json.dumps(event("1", trade.acme, "sms.sent", quantity=2)), "[]"]
    file = tmp_path / "usage.ndjson"
    file.write_text("\n".join(lines) + "\n")
    done = trade.installation.twin("usage", "import", str(file), expect=3)
    assert last_line(done.stdout) == "accepted=1 duplicates=1 conflicts=1 rejected=3 unrated=0"
    aside = (tmp_path / "usage.ndjson.rejected").read_text()
    assert "{not json" in aside
    assert str(10**9) in aside


def test_a_table_of_usage_is_imported_with_its_attributes(trade: Trade, tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    file.write_text(
        "id,company,time,meter,quantity,attributes.country\n"
        f"1,{trade.acme},2026-03-05T10:00:00Z,sms.delivered,1,DE\n"
        f"2,{trade.acme},2026-03-05T10:00:00Z,sms.delivered,1,\n"
        f"3,{trade.acme},2026-03-05T10:00:00,sms.delivered,1,DE\n"
    )
    refused = trade.installation.twin("usage", "import", str(file), expect=None)
    assert refused.returncode not in (0, 3)  # a table does not say where it comes from
    done = trade.installation.twin("usage", "import", str(file), "--source", "pbx", expect=3)
    assert last_line(done.stdout) == "accepted=2 duplicates=0 conflicts=0 rejected=1 unrated=0"
    assert trade.report().json["sections"]["messaging"]["totals"]["total_sell"] == "0.1645"
    trace = trade.installation.twin("trace", "--company", str(trade.acme), "--source", "pbx", "--id", "1").stdout
    assert "0.09" in trace
    assert "0.01" in trace


@pytest.mark.parametrize("suffix", [".ndjson", ".csv"])
def test_a_file_that_is_not_there_is_one_line_and_exit_1(trade: Trade, tmp_path: Path, suffix: str) -> None:
    done = trade.installation.twin("usage", "import", str(tmp_path / f"none{suffix}"), "--source", "x", expect=1)
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_command_gives_the_report_in_all_three_formats(trade: Trade, tmp_path: Path) -> None:
    sent = [event("1", trade.acme, "sms.delivered", attributes={"country": "DE"})]
    trade.platform.send_events(json.dumps(sent).encode())
    base: tuple[str, ...] = ("report", "reseller-companies", "--reseller", str(trade.rhea))
    base = (*base, "--from", START, "--to", "2026-04-01T00:00:00Z")
    document = json.loads(trade.installation.twin(*base, "--format", "json").stdout)
    assert document == trade.report().json
    table = trade.installation.twin(*base, "--section", "messaging", "--format", "csv").stdout
    over_http = trade.report("&section=messaging", Accept="text/csv").body.decode()
    assert table.splitlines() == over_http.splitlines()
    book = tmp_path / "report.xlsx"
    trade.installation.twin(*base, "--has-expenses", "--side", "buy", "--format", "xlsx", "--output", str(book))
    lines = list(openpyxl.load_workbook(book).worksheets[1].iter_rows(values_only=True))
    assert lines[1][:4] == (trade.acme, "Acme", 1, 0.01)
    refused = trade.installation.twin(*base[:4], "--from", START, "--to", START, expect=None)
    assert refused.returncode != 0
    assert len(refused.stderr.strip().splitlines()) == 1


def test_an_installation_is_founded_once(trade: Trade) -> None:
    installation, company = trade.installation, trade.twin
    password = str(installation.data_dir.parent / "password")
    again = installation.twin("init", "--admin-email", "b@twin.example", "--admin-password-file", password, expect=None)
    assert again.returncode != 0
    assert len(again.stderr.strip().splitlines()) == 1
    unknown = installation.twin("api-key", "create", "--company", "999", "--scope", "usage:write", expect=None)
    assert (unknown.returncode != 0, unknown.stdout) == (True, "")
    wrong = installation.twin("api-key", "create", "--company", str(company), "--scope", "all", expect=None)
    assert (wrong.returncode != 0, wrong.stdout) == (True, "")
    missing = installation.twin("trace", "--company", str(company), "--source", "s", "--id", "k", expect=None)
    assert missing.returncode != 0
