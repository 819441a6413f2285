"""Reports as files."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest

from tests.reports.factories import cells, company, report
from twin.reports.columns import COLUMNS, SECTIONS
from twin.reports.exports import csv_chunks, csv_rows, xlsx_file
from twin.reports.rules.cells import fits_a_number, harmless

ACME, EVIL = company(7, 'Acme, "the" first'), company(9, "=cmd|' /C calc'!A0", "Sub Rhea")
USED = cells(
    (7, "sms.sent", 130, 140, 0, 0, 0),
    (7, "sms.delivered", 120, 131, 1_310_000_000, 2_100_000_001, 0),
    (7, "call.outgoing", 3, 3601, 2_000_000_000, 1_500_000_000, 0),
    (9, "sms.delivered", 1, 1, 123_456_789_012_345_678, 50_000_000, 1),
)
TITLES = {
    "messaging": "Id|Name|Delivered SMS|Price SMS|Sent Viber|Delivered Viber|Price Viber|Sent Whatsapp|"
    "Delivered Whatsapp|Price Whatsapp|Sent Email|Delivered Email|Price Email|Sent Push|Delivered Push|Price Push|"
    "Total price to Twin|Total price to reseller|Margin",
    "chat": "Id|Name|Operator messages|Operator messages price|Bot messages (with first)|Bot message price|"
    "User messages|Price of user messages|Operator messages Alice|Bot messages Alice|User messages Alice|"
    "Price Alice's messages|Total price to Twin|Total price to reseller|Margin",
    "telephony_legacy": "Id|Name|Calls|Total duration (seconds)|Total price to Twin|Total price to reseller|Margin",
    "telephony_new": "Id|Name|Calls|Total duration (seconds)|Total price to Twin|Total price to reseller|Margin",
    "bot": "Id|Name|Billable messages|Total price to Twin|Total price to reseller|Margin",
}


@pytest.mark.parametrize("section", list(TITLES))
def test_columns_are_the_source_documents_and_margin(section: str) -> None:
    assert "|".join(column.title for column in COLUMNS[section]) == TITLES[section]


def test_every_section_has_its_title() -> None:
    assert [section.title for section in SECTIONS.values()] == [
        "Text messaging service",
        "Chat service",
        "Telephony service (legacy)",
        "Telephony service (new)",
        "Bot service",
    ]


def test_csv_has_header_and_exact_rows_and_no_totals() -> None:
    table = list(csv.reader(StringIO("".join(csv_chunks(report([ACME, EVIL], USED), "messaging", "sell")))))
    assert table[0] == TITLES["messaging"].split("|")
    assert table[1] == [
        "7",
        'Acme, "the" first',
        "120",
        "2.100000001",
        *["0"] * 12,
        "1.31",
        "2.100000001",
        "0.790000001",
    ]
    assert table[2][:4] == ["9", "'=cmd|' /C calc'!A0", "1", "0.05"]
    assert table[2][-3:] == ["123456789.012345678", "0.05", "-123456788.962345678"]
    assert len(table) == 3


def test_price_columns_change_with_the_side_and_totals_do_not() -> None:
    rows = list(csv_rows(report([ACME, EVIL], USED), "messaging", "buy"))
    assert (rows[1][3], rows[1][-3:]) == ("1.31", ["1.31", "2.100000001", "0.790000001"])


def test_duration_is_the_real_one_in_seconds() -> None:
    rows = list(csv_rows(report([ACME, EVIL], USED), "telephony_legacy", "sell"))
    assert rows[1] == ["7", 'Acme, "the" first', "3", "3601", "2", "1.5", "-0.5"]


def test_a_long_csv_comes_in_pieces_without_losing_a_row() -> None:
    many = [company(number, f"C{number}") for number in range(1, 1502)]
    chunks = list(csv_chunks(report(many, cells()), "bot", "sell"))
    assert len(chunks) == 4
    assert "".join(chunks).count("\r\n") == 1502


@pytest.mark.parametrize(
    "name", ["=1", "+1", "-1", "@a", "\t=1", "\r1", "\n1", "\0", "＝1", "＋1", "－1", "＠1", " =1", "-5"]
)
def test_text_that_might_run_is_made_harmless(name: str) -> None:
    assert harmless(name) == "'" + name


@pytest.mark.parametrize("name", ["Acme", "", " ", "5 = five", "a-b", "'quoted"])
def test_ordinary_text_stays_as_it_is(name: str) -> None:
    assert harmless(name) == name


@pytest.mark.parametrize(
    ("amount", "fits"),
    [("0", True), ("-0.5", True), ("0.000000001", True), ("123456.123456789", True), ("1234567.123456789", False)],
)
def test_numbers_of_at_most_fifteen_digits_are_numbers(amount: str, fits: bool) -> None:
    assert fits_a_number(amount) is fits


def test_workbook_holds_question_sections_and_totals(tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    xlsx_file(report([ACME, EVIL], USED, search="c", has_expenses=True), "buy", path)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["About", *(section.title for section in SECTIONS.values())]
    about = {name.value: value.value for name, value in book["About"].iter_rows(max_col=2)}
    assert about["Reseller"] == "Rhea"
    assert about["From"] == "2026-03-01 01:00:00+01:00"
    assert about["To (not included)"] == "2026-04-01 02:00:00+02:00"
    assert (about["Time zone"], about["Prices of channels"]) == ("Europe/Berlin", "to Twin")
    assert (about["There are expenses"], about["Search"], about["Events without a price"]) == ("yes", "c", "1")
    sheet = book["Text messaging service"]
    assert [cell.value for cell in sheet[1]] == TITLES["messaging"].split("|")
    assert [cell.value for cell in sheet[2]][:4] == [7, 'Acme, "the" first', 120, 1.31]
    assert sheet["A4"].value == "Total"
    assert sheet["C4"].value == 121
    assert sheet.freeze_panes == "C2"


def test_workbook_writes_what_a_spreadsheet_would_round_as_text() -> None:
    buffer = BytesIO()
    xlsx_file(report([ACME, EVIL], USED, section="messaging", search="cmd"), "sell", buffer)
    sheet = openpyxl.load_workbook(buffer)["Text messaging service"]
    assert [cell.value for cell in sheet[2]][-3:] == ["123456789.012345678", 0.05, "-123456788.962345678"]
    assert sheet.max_row == 3


def test_workbook_has_no_formula_and_no_link() -> None:
    buffer = BytesIO()
    xlsx_file(report([ACME, EVIL, company(3, "https://evil.example/")], USED), "sell", buffer)
    book = openpyxl.load_workbook(buffer)
    assert book["Bot service"]["B4"].value == "=cmd|' /C calc'!A0"
    assert {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    with ZipFile(buffer) as archive:
        assert not [name for name in archive.namelist() if "rels" in name and "sheet" in name]


@pytest.mark.parametrize("name", ["a\ufffeb\uffff", "_x0041_", "<b>&\"'", "Ω😀", "a\u2028b"])
def test_workbook_keeps_any_name_readable(name: str) -> None:
    buffer = BytesIO()
    xlsx_file(report([company(3, name)], cells(), section="bot"), "sell", buffer)
    shown = openpyxl.load_workbook(buffer)["Bot service"]["B2"].value
    assert isinstance(shown, str)
    # Excel reads its own escapes back; openpyxl shows them.
    assert shown in (name, name.replace("_x0041_", "_x005F_x0041_")) or "\ufffe" in name
