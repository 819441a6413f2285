"""The report as files: what is in them, who gets them, long ones by a job and a mail."""

from __future__ import annotations

import asyncio
import csv
import json
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zipfile import ZipFile

import openpyxl
import pypdfium2
import pytest
import time_machine
from django.db import connections
from django.test import Client

from tests.outbox import all_messages
from tests.portal.people import People, employ
from tests.portal.usage import OCTOBER, record_october
from tests.world import World
from twin.companies.actions import update_company
from twin.kernel import clock
from twin.kernel.tenancy import tenant_transaction
from twin.kernel.typesetting import TypesettingFailed, typeset
from twin.portal import report_files
from twin.portal.filing import make_file
from twin.portal.jobs import forget_old_files, resume_stalled_exports
from twin.portal.printed_report import TEMPLATE
from twin.reports import actions, storage
from twin.reports.models import Export
from twin.reports.queries import export_of

PAGE = "/reports/reseller-companies"
PATH = f"{PAGE}/file?{OCTOBER}"


@pytest.fixture(scope="module", autouse=True)
def _usage(small_world: World, people: People) -> None:
    record_october(small_world)
    # One of these tests looks weeks later: no days of grace shall run out before.
    for person in people.users.values():
        person.second_factor_exempt = True
        person.save()


@pytest.fixture
def rhea(signed_in: Callable[[str], Client]) -> Client:
    return signed_in("rhea")


@pytest.fixture
def everything_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_files, "AT_ONCE", dict.fromkeys(report_files.AT_ONCE, 2))
    monkeypatch.setattr("twin.portal.views.files.AT_ONCE", dict.fromkeys(report_files.AT_ONCE, 2))


@pytest.fixture(autouse=True)
def _no_files_left(small_world: World) -> Iterator[None]:
    yield
    for party in small_world.parties.values():
        with tenant_transaction(party.id):
            Export.objects.all().delete()
    for file in storage.folder().iterdir():
        file.unlink()


def body(answer: Any) -> bytes:
    content = b"".join(answer.streaming_content)
    answer.close()
    return content


def pdf_texts(content: bytes) -> list[str]:
    """The text of each page."""
    document = pypdfium2.PdfDocument(content)
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()


# Made at once --------------------------------------------------------------------


def test_the_open_section_is_a_table_with_the_filters_of_the_page(rhea: Client, small_world: World) -> None:
    answer = rhea.get(f"{PATH}&has_expenses=true&format=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert (
        answer["Content-Disposition"]
        == f'attachment; filename="reseller-{small_world.rhea.id}-2026-10-01-messaging.csv"'
    )
    rows = list(csv.reader(StringIO(body(answer).decode())))
    assert [line[:4] for line in rows[1:]] == [[str(small_world.acme.id), "Acme", "1", "24691.34"]]


def test_a_file_of_what_is_shown_has_the_columns_that_are_shown(rhea: Client) -> None:
    shown = ["price_sms", "total_sell"]
    rhea.post("/preferences/report-columns", {"section": "messaging", "shown": shown, "next": PAGE})
    try:
        for form in ("csv", "xlsx"):
            answer = rhea.get(f"{PATH}&format={form}&extent=section")
            assert _titles(answer, form) == ["Id", "Name", "Price SMS", "Total price to reseller"]
        assert len(_titles(rhea.get(f"{PATH}&format=xlsx&extent=all"), "xlsx")) == 19
    finally:
        rhea.post("/preferences/report-columns", {"section": "messaging", "all": "yes", "next": PAGE})


def _titles(answer: Any, form: str) -> list[str]:
    if form == "csv":
        return next(csv.reader(StringIO(body(answer).decode())))
    sheet = openpyxl.load_workbook(BytesIO(body(answer)))["Text messaging service"]
    return [str(cell.value) for cell in sheet[1]]


def test_everything_as_tables_is_an_archive_of_five(rhea: Client, small_world: World) -> None:
    answer = rhea.get(f"{PATH}&has_expenses=true&search=acme&format=csv&extent=all")
    assert answer["Content-Type"] == "application/zip"
    archive = ZipFile(BytesIO(body(answer)))
    assert archive.namelist() == [
        "messaging.csv", "chat.csv", "telephony_legacy.csv", "telephony_new.csv", "bot.csv"
    ]  # fmt: skip
    rows = list(csv.reader(TextIOWrapper(archive.open("bot.csv"), "utf-8", newline="")))
    # No filter counts.
    assert sorted(line[1] for line in rows[1:]) == ["Acme", "Birch", "Cedar", "Sola"]


def test_a_workbook_of_everything_has_no_filter(rhea: Client) -> None:
    book = openpyxl.load_workbook(BytesIO(body(rhea.get(f"{PATH}&search=acme&format=xlsx&extent=all"))))
    about = {name.value: value.value for name, value in book["About"].iter_rows(max_col=2)}
    assert not about["Search"]
    assert book["Bot service"].max_row == 6


def test_nothing_is_left_on_the_disk_of_a_file_made_at_once(
    rhea: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert body(rhea.get(f"{PATH}&format=xlsx"))
    assert list(tmp_path.iterdir()) == []


def test_a_pdf_tells_whose_report_it_is_when_and_how_it_was_filtered(rhea: Client) -> None:
    answer = rhea.get(f"{PATH}&has_expenses=true&search=ac&format=pdf")
    assert answer["Content-Type"] == "application/pdf"
    text = "\n".join(pdf_texts(body(answer)))
    for words in (
        "Reseller and companies", "Rhea", "1 Oct 2026, 00:00:00 to 1 Nov 2026, 00:00:00, end not included (31 days)",
        "UTC", "There are expenses, search: “ac”", "24,691.34", "12,345.67", "Acme", "Page 1 / 2",
    ):  # fmt: skip
        assert words in text, words
    assert "Birch" not in text


def test_a_pdf_speaks_the_language_of_who_asks(rhea: Client) -> None:
    rhea.post("/preferences/language", {"language": "ru"})
    try:
        text = "\n".join(pdf_texts(body(rhea.get(f"{PATH}&format=pdf"))))
    finally:
        rhea.post("/preferences/language", {"language": "en"})
    assert "Реселлер и компании" in text
    assert "24\u00a0691,34" in text or "24 691,34" in text
    assert "end not included" not in text


def test_what_a_company_calls_itself_stays_text_on_paper(rhea: Client, small_world: World) -> None:
    evil = '#panic("x") *b* $x$ @ref <l> \\ `r` #read("/etc/passwd") // end'
    update_company(small_world.rhea.scope, company_id=small_world.birch.id, name=evil)
    try:
        pages = pdf_texts(body(rhea.get(f"{PATH}&format=pdf")))
    finally:
        update_company(small_world.rhea.scope, company_id=small_world.birch.id, name="Birch")
    assert "".join(evil.split()) in "".join(pages[0].split())


def test_typesetting_that_fails_says_so() -> None:
    with pytest.raises(TypesettingFailed, match="title"):
        typeset(TEMPLATE, {"paper": "a4"})


def test_a_long_pdf_is_refused_with_another_way(rhea: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("twin.portal.views.files.LARGEST_PDF", "twin.portal.file_pages.LARGEST_PDF"):
        monkeypatch.setattr(place, 3)
    answer = rhea.get(f"{PATH}&format=pdf")
    assert "Too long for a PDF" in answer.text
    assert "format=xlsx" in answer.text
    assert "Too long for a PDF" in rhea.post(f"{PATH}&format=pdf").text
    assert Export.objects.using("owner").count() == 0


@pytest.mark.parametrize("wrong", ["format=doc", "format=csv&sort=nothing", "from=x&format=csv", "format="])
def test_a_file_that_cannot_be_meant_leads_to_the_page(rhea: Client, wrong: str) -> None:
    answer = rhea.get(f"{PATH}&{wrong}")
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{PAGE}?")
    rhea.get(answer["Location"], follow=True)


def test_an_extent_that_does_not_exist_is_not_found(rhea: Client) -> None:
    assert rhea.get(f"{PATH}&format=csv&extent=half").status_code == 404


# By a job --------------------------------------------------------------------------


def asked_for(client: Client, what: str = "format=csv") -> int:
    """Ask for a long file; the id of the file to come."""
    answer = client.post(f"{PATH}&{what}")
    assert answer.status_code == 302, answer.text
    return int(answer["Location"].rpartition("/")[2])


def queued(export_id: int) -> list[dict[str, int]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute("select args from procrastinate_jobs where task_name = 'twin.portal.jobs.make_export'")
        every = [json.loads(row[0]) if isinstance(row[0], str) else row[0] for row in cursor.fetchall()]
    return [arguments for arguments in every if arguments["export_id"] == export_id]


@pytest.mark.usefixtures("everything_is_long")
class TestLong:
    def test_is_offered_to_be_made_and_nothing_happens_yet(self, rhea: Client) -> None:
        page = rhea.get(f"{PATH}&format=csv&extent=all").text
        assert "This file takes a while" in page
        assert "20 rows" in page
        assert Export.objects.using("owner").count() == 0

    def test_is_queued_for_the_organisation_that_asks(self, rhea: Client, small_world: World) -> None:
        export_id = asked_for(rhea)
        assert queued(export_id) == [{"organisation_id": small_world.rhea.id, "export_id": export_id}]
        page = rhea.get(f"/reports/files/{export_id}").text
        assert "Waiting" in page
        assert "data-under-way" in page

    @pytest.mark.parametrize(
        ("what", "start"),
        [
            ("format=csv", b"Id,Name,Delivered SMS"),
            ("format=csv&extent=all", b"PK"),
            ("format=xlsx", b"PK"),
            ("format=pdf", b"%PDF"),
        ],
    )
    def test_is_made_and_told_by_mail(self, rhea: Client, small_world: World, what: str, start: bytes) -> None:
        export_id = asked_for(rhea, what)
        make_file(small_world.rhea.id, export_id)
        [mail] = all_messages(channel="mail", to="rhea@example.com", purpose="export")[-1:]
        assert mail.link.endswith(f"/reports/files/{export_id}")
        assert "Ready" in rhea.get(f"/reports/files/{export_id}").text
        answer = rhea.get(f"/reports/files/{export_id}/download")
        assert body(answer).startswith(start)
        assert answer["Content-Disposition"].startswith("attachment; filename=")
        assert f"/reports/files/{export_id}/download" in rhea.get("/reports/files").text

    def test_holds_the_same_as_one_made_at_once(
        self, rhea: Client, small_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        export_id = asked_for(rhea, "format=csv&sort=-total_sell&search=c")
        make_file(small_world.rhea.id, export_id)
        late = body(rhea.get(f"/reports/files/{export_id}/download"))
        monkeypatch.setattr("twin.portal.views.files.AT_ONCE", dict.fromkeys(report_files.AT_ONCE, 100))
        assert late == body(rhea.get(f"{PATH}&format=csv&sort=-total_sell&search=c"))

    def test_is_made_for_the_reseller_that_platform_staff_chose(
        self, signed_in: Callable[[str], Client], small_world: World
    ) -> None:
        twin = signed_in("twin")
        export_id = asked_for(twin, f"format=csv&reseller={small_world.rhea.id}")
        make_file(small_world.twin.id, export_id)
        assert b"Acme" in body(twin.get(f"/reports/files/{export_id}/download"))

    def test_belongs_to_the_organisation_that_asked_alone(
        self, rhea: Client, small_world: World, signed_in: Callable[[str], Client]
    ) -> None:
        export_id = asked_for(rhea)
        make_file(small_world.rhea.id, export_id)
        for stranger in ("strand", "sola", "acme", "twin"):
            client = signed_in(stranger)
            for path in (f"/reports/files/{export_id}", f"/reports/files/{export_id}/download"):
                assert client.get(path).status_code == 404, stranger
            assert client.post(f"/reports/files/{export_id}/remove").status_code == 404
            assert str(export_id) not in client.get("/reports/files").text.partition("<main")[2]
        assert Client().get(f"/reports/files/{export_id}/download")["Location"].startswith("/login")
        assert body(rhea.get(f"/reports/files/{export_id}/download"))

    def test_is_open_to_a_colleague_and_closed_to_an_operator(
        self, rhea: Client, small_world: World, people: People
    ) -> None:
        export_id = asked_for(rhea)
        make_file(small_world.rhea.id, export_id)
        for role, status in (("finance", 200), ("chat_operator", 404)):
            client = Client()
            user = employ(small_world.rhea.id, f"{role}@rhea.example", role, role)  # type: ignore[arg-type]  # both are roles
            client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
            assert client.get(f"/reports/files/{export_id}").status_code == status, role

    def test_can_be_cancelled_before_it_is_made(self, rhea: Client, small_world: World) -> None:
        before = len(all_messages(purpose="export"))
        export_id = asked_for(rhea)
        assert rhea.post(f"/reports/files/{export_id}/remove").status_code == 302
        make_file(small_world.rhea.id, export_id)
        assert rhea.get(f"/reports/files/{export_id}").status_code == 404
        assert list(storage.folder().iterdir()) == []
        assert len(all_messages(purpose="export")) == before

    def test_cancelled_half_way_leaves_nothing(
        self, rhea: Client, small_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        export_id = asked_for(rhea)
        begin = actions.begin_export

        def begin_and_lose(*arguments: object, **named: object) -> bool:
            begun = begin(*arguments, **named)  # type: ignore[arg-type]  # handed on
            monkeypatch.setattr("twin.portal.filing.export_of", lose)
            return begun

        def lose(scope: object, wanted: int) -> object:
            found = export_of(scope, wanted)  # type: ignore[arg-type]  # handed on
            rhea.post(f"/reports/files/{wanted}/remove")
            return found

        monkeypatch.setattr(actions, "begin_export", begin_and_lose)
        make_file(small_world.rhea.id, export_id)
        assert list(storage.folder().iterdir()) == []

    def test_that_fails_says_so(
        self, rhea: Client, small_world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_: object) -> int:
            raise OSError("no space left")

        monkeypatch.setattr(report_files, "write_file", fail)
        export_id = asked_for(rhea)
        make_file(small_world.rhea.id, export_id)
        assert "could not be made" in rhea.get(f"/reports/files/{export_id}").text
        assert rhea.get(f"/reports/files/{export_id}/download").status_code == 302
        assert list(storage.folder().iterdir()) == []

    def test_made_twice_is_there_once(self, rhea: Client, small_world: World) -> None:
        export_id = asked_for(rhea)
        make_file(small_world.rhea.id, export_id)
        mails = len(all_messages(purpose="export"))
        make_file(small_world.rhea.id, export_id)
        assert len(list(storage.folder().iterdir())) == 1
        assert len(all_messages(purpose="export")) == mails

    def test_removed_goes_from_the_disk(self, rhea: Client, small_world: World) -> None:
        export_id = asked_for(rhea)
        make_file(small_world.rhea.id, export_id)
        rhea.post(f"/reports/files/{export_id}/remove")
        assert list(storage.folder().iterdir()) == []

    def test_cannot_be_fetched_after_a_week(
        self, rhea: Client, small_world: World, signed_in: Callable[[str], Client]
    ) -> None:
        export_id = asked_for(rhea)
        make_file(small_world.rhea.id, export_id)
        with time_machine.travel(clock.now() + timedelta(days=7, minutes=1)):
            storage.sweep(clock.now())
            assert list(storage.folder().iterdir()) == []
            rhea = signed_in("rhea")
            assert "time of this file is over" in rhea.get(f"/reports/files/{export_id}").text
            assert rhea.get(f"/reports/files/{export_id}/download")["Location"] == f"/reports/files/{export_id}"

    def test_five_under_way_are_enough(self, rhea: Client, small_world: World) -> None:
        for _ in range(5):
            asked_for(rhea)
        answer = rhea.post(f"{PATH}&format=csv", follow=True)
        assert "Five files are being made already" in answer.text
        with tenant_transaction(small_world.rhea.id):
            assert Export.objects.count() == 5

    def test_is_not_made_for_a_blocked_company(self, rhea: Client, small_world: World) -> None:
        export_id = asked_for(rhea)
        update_company(small_world.twin.scope, company_id=small_world.rhea.id, state="blocked", reason="unpaid")
        try:
            make_file(small_world.rhea.id, export_id)
        finally:
            update_company(small_world.twin.scope, company_id=small_world.rhea.id, state="active")
        assert list(storage.folder().iterdir()) == []


def test_a_job_whose_worker_died_is_tried_again() -> None:
    asked: list[dict[str, str]] = []
    tried: list[str] = []

    class Manager:
        async def get_stalled_jobs(self, **which: str) -> list[str]:
            asked.append(which)
            return ["job"]

        async def retry_job(self, job: str) -> None:
            tried.append(job)

    context: Any = SimpleNamespace(app=SimpleNamespace(job_manager=Manager()))
    asyncio.run(resume_stalled_exports(context, 0))
    assert (asked, tried) == ([{"queue": "exports"}], ["job"])


def test_old_files_go_with_the_clock() -> None:
    old = storage.path_of(storage.new_name("csv"))
    young = storage.growing_path_of(storage.new_name("csv"))
    for file in (old, young):
        file.write_text("x")
    with time_machine.travel(clock.now() + timedelta(days=8)):
        os.utime(young, (clock.now().timestamp(), clock.now().timestamp()))
        forget_old_files(0)
    assert (old.exists(), young.exists()) == (False, True)


def test_the_sweep_leaves_files_of_others_alone() -> None:
    strange = storage.folder() / "notes.txt"
    strange.write_text("mine")
    try:
        storage.sweep(clock.now() + timedelta(days=400))
        assert strange.exists()
    finally:
        strange.unlink()


@pytest.mark.parametrize("name", ["../secret-key", "x.csv", "a" * 32, "/etc/passwd", "0" * 32 + ".csv/.."])
def test_only_names_that_were_given_out_lead_to_files(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a file"):
        storage.path_of(name)
