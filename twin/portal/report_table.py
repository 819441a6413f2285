"""One section of the report as a table ready to be printed: every figure already text.

The template loops over thousands of cells, so nothing is computed there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from twin.kernel.money import NANO, amount_text
from twin.portal.asking import Asked
from twin.portal.report_words import CHANNEL_TITLES
from twin.portal.rules.channels import channel_of, channels_of
from twin.portal.rules.figures import count_text, exact_text, money_text
from twin.portal.rules.headings import two_line_width
from twin.reports.columns import SECTIONS, Column
from twin.reports.types import AfterStatement, Row, Section, Totals

PINNED: Final = ("total_buy", "total_sell", "margin")
ALWAYS_SHOWN: Final = ("company_id", "company_name")
_NARROWEST, _WIDEST = 9, 24


class Head(NamedTuple):
    """A column heading: `href` sorts by it, `aria_sort` says how rows stand now, `channel` is where figures lead."""

    code: str
    channel: str
    title: str
    help: str
    css: str
    href: str
    aria_sort: str
    arrow: str


class Cell(NamedTuple):
    text: str
    css: str
    exact: str
    title: str


class Line(NamedTuple):
    company_id: int
    name: str
    href: str
    path: str
    unrated: str
    cells: list[Cell]
    after: str = ""
    after_words: str = ""


class Choice(NamedTuple):
    """A column in the chooser."""

    code: str
    title: str
    shown: bool


@dataclass(frozen=True)
class Table:
    heads: list[Head]
    lines: list[Line]
    totals: list[Cell]
    groups: list[tuple[str, str]]
    width_css: str
    incomplete: bool
    choices: list[Choice]
    after: str = ""

    @property
    def shown_count(self) -> int:
        return len(self.heads)

    @property
    def column_count(self) -> int:
        return len(self.choices) + len(ALWAYS_SHOWN)


def table_of(
    section: Section,
    asked: Asked,
    *,
    path: str,
    language: str,
    has_seller: bool,
    hidden: Collection[str] = (),
) -> Table:
    """The section as asked for; `has_seller` is False for the platform, which nobody charges.

    `hidden` are codes of columns that the person does not want to see.
    """
    every = SECTIONS[section.code].columns
    columns = tuple(column for column in every if column.code not in hidden or column.code in ALWAYS_SHOWN)
    printer = _Printer(asked, language, columns, path=path, has_seller=has_seller)
    lines = [printer.line(row) for row in section.rows]
    totals = printer.figures(section.totals)
    pins = sum(column.code in PINNED for column in columns)
    groups = {channel_of(column.code) for column in columns}
    return Table(
        heads=[_head(column, asked, path, printer.css[column.code]) for column in columns],
        lines=lines,
        totals=totals,
        groups=[(code, str(CHANNEL_TITLES[code])) for code in channels_of(section.code) if code in groups],
        width_css=f"ids-{_id_width(lines)} pins-{_pin_width([*(line.cells for line in lines), totals], pins)}",
        choices=[
            Choice(column.code, _(column.title), column in columns)
            for column in every
            if column.code not in ALWAYS_SHOWN
        ],
        incomplete=section.totals.unrated > 0,
        after=all_after_words(section.totals.after, language) if section.totals.after else "",
    )


class _Printer:
    """Knows the columns, the language and the side; turns rows into cells."""

    def __init__(
        self, asked: Asked, language: str, columns: tuple[Column, ...], *, path: str, has_seller: bool
    ) -> None:
        self.side = asked.side
        self.section = asked.section
        self.path = path
        self.question = urlencode([*asked.period_pairs(), ("section", asked.section)])
        self.language = language
        self.columns = [column for column in columns if column.kind not in ("id", "name")]
        self.css = column_css(columns, asked)
        self.has_seller = has_seller

    def line(self, row: Row) -> Line:
        unrated = ngettext("%(n)s not rated", "%(n)s not rated", row.unrated) if row.unrated else ""
        words = unrated % {"n": count_text(row.unrated, self.language)} if unrated else ""
        path = _("under %(path)s") % {"path": " / ".join(row.path)} if row.path else ""
        href = f"{self.path}/{row.company_id}?{self.question}"
        after = row.after
        told = ("", "") if after is None else (short_text(after.sell, self.language), after_words(after, self.language))
        return Line(row.company_id, row.company_name, href, path, words, self.figures(row), *told)

    def figures(self, figures: Row | Totals) -> list[Cell]:
        return [self._cell(column, figures) for column in self.columns]

    def _cell(self, column: Column, figures: Row | Totals) -> Cell:
        value = column.figures(figures, self.side)
        css = self.css[column.code]
        if column.kind != "money":
            return Cell(count_text(value, self.language), f"{css} zero" if value == 0 else css, str(value), "")
        exact = amount_text(value)
        if value == 0 and self._is_unknown(column, figures):
            return Cell(_("not rated"), f"{css} zero", exact, "")
        if column.code == "margin" and figures.unrated:
            css = f"{css} incomplete"
        elif value == 0:
            css = f"{css} zero"
        if value < 0:
            css = f"{css} loss"
        notes = [exact] if value % (NANO // 100) else []
        if column.code == "margin" and figures.unrated:
            notes.append(_("incomplete"))
        return Cell(money_text(value, self.language), css, exact, ", ".join(notes))

    def _is_unknown(self, column: Column, figures: Row | Totals) -> bool:
        """Nothing although there is usage without a price: not nothing, but not known."""
        if not figures.unrated or column.code == "margin":
            return False
        if column.meters:
            side_is_priced = self.side == "sell" or self.has_seller
            return side_is_priced and any(figures.meters[meter].unrated for meter in column.meters)
        return column.code == "total_sell" or self.has_seller


def after_words(after: AfterStatement, language: str) -> str:
    """`After the closed statement of the month: 3 events came, 2 charges changed; …`."""
    came = ngettext("%(n)s event came", "%(n)s events came", after.came) % {"n": count_text(after.came, language)}
    changed = ngettext("%(n)s charge changed", "%(n)s charges changed", after.changed)
    changed %= {"n": count_text(after.changed, language)}
    counts = [words for number, words in ((after.came, came), (after.changed, changed)) if number]
    return _("After the closed statement of the month: %(what)s; that changes the price to reseller by %(amount)s") % {
        "what": ", ".join(counts),
        "amount": signed_text(after.sell, language),
    }


def all_after_words(after: AfterStatement, language: str) -> str:
    """What the marks beside the names mean, and all of them together."""
    return _("Marked beside the name: what closed statements have not seen. %(all)s") % {
        "all": after_words(after, language)
    }


def signed_text(nano: int, language: str) -> str:
    """Exact, with the sign of a difference: `+1.205`."""
    text = exact_text(nano, language)
    return f"+{text}" if nano > 0 else text


def short_text(nano: int, language: str) -> str:
    """The same as the figures of the table are read; what would round to nothing stays exact."""
    if abs(nano) < NANO // 200:
        return signed_text(nano, language)
    text = money_text(nano, language)
    return f"+{text}" if nano > 0 else text


def column_css(columns: Sequence[Column], asked: Asked) -> dict[str, str]:
    """The classes of each column's cells: kind, channel, where a channel begins, place from the right, sorted by."""
    sorted_by = asked.sort.removeprefix("-")
    css: dict[str, str] = {}
    before = ""
    pinned = [column.code for column in columns if column.code in PINNED][::-1]
    for column in columns:
        group = "" if column.code in PINNED or column.kind in ("id", "name") else channel_of(column.code)
        names = [
            f"c-{column.code}" if column.code in PINNED or column.kind in ("id", "name") else f"g g-{group or 'all'}"
        ]
        if group and group != before:
            names.append("first")
        if column.code in PINNED:
            names.append(f"pin pin-{pinned.index(column.code)}")
            if column.code == pinned[-1]:
                names.append("pin-first")
        if column.sort == sorted_by:
            names.append("sorted")
        css[column.code] = " ".join(names)
        before = group or before
    return css


def _head(column: Column, asked: Asked, path: str, css: str) -> Head:
    key = asked.sort.removeprefix("-")
    descending = asked.sort.startswith("-")
    is_sorted = column.sort == key
    # Names are read from A, figures from the largest.
    first = column.sort if column.kind in ("id", "name") else f"-{column.sort}"
    other = column.sort if descending else f"-{column.sort}"
    title = _(column.title)
    return Head(
        code=column.code,
        channel="" if column.code in PINNED or column.kind in ("id", "name") else channel_of(column.code),
        title=title,
        help=_(column.help),
        css=css if column.code in PINNED else f"{css} t-{min(two_line_width(title), _WIDEST)}",
        href=asked.address(path, sort=other if is_sorted else first),
        aria_sort=("descending" if descending else "ascending") if is_sorted else "",
        arrow=("↓" if descending else "↑") if is_sorted else "",
    )


def _id_width(lines: list[Line]) -> int:
    """How many digits the longest id has; the name is pinned right behind it."""
    return max(3, *(len(str(line.company_id)) for line in lines), 3)


def _pin_width(rows: Iterable[list[Cell]], pins: int) -> int:
    """How many digits wide the pinned columns must be, so that no amount is cut."""
    longest = max((len(cell.text) for row in rows for cell in row[len(row) - pins :]), default=_NARROWEST)
    return min(max(longest, _NARROWEST), _WIDEST)
