"""Cells of a table as HTML: every part escaped, a title only where there is one."""

from __future__ import annotations

from twin.portal.report_table import Cell
from twin.portal.templatetags.cells import table_cells
from twin.portal.templatetags.fields import suggestions


def test_cells_stand_one_after_the_other_with_their_exact_figure() -> None:
    cells = [Cell("1 200,50", "c-x num", "1200.5", ""), Cell("0", "c-y zero", "0", "0.001, incomplete")]
    assert table_cells(cells) == (
        '<td class="c-x num" data-exact="1200.5">1 200,50</td>'
        '<td class="c-y zero" data-exact="0" title="0.001, incomplete">0</td>'
    )


def test_no_part_of_a_cell_is_markup() -> None:
    evil = '"><script>'
    written = table_cells([Cell(evil, evil, evil, evil)])
    assert "<script>" not in written
    assert written.count("&quot;&gt;&lt;script&gt;") == 4


def test_suggestions_stand_one_after_the_other_and_are_no_markup() -> None:
    assert suggestions(("Europe/Berlin", '"><b>')) == (
        '<option value="Europe/Berlin"></option><option value="&quot;&gt;&lt;b&gt;"></option>'
    )
