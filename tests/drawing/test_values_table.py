"""Tables: aligned columns, the most telling ones first, and the row that is pointed at."""

from grokterm.drawing.values_table import Column, draw_table
from tests.drawn_maps import text_of

COLUMNS = (
    Column("name", ("W_E", "W_pos", "b", "all"), 9, "left", ""),
    Column("shape", ("5 × 3", "2 × 3", "7", ""), 1, "left", "quiet"),
    Column("sum", ("12.5", "3", "-1", "14.5"), 5),
)


def test_a_golden_table() -> None:
    drawing = draw_table(COLUMNS, width=26, height=6, last_apart=True, cursor=1)
    assert text_of(drawing.rows) == [
        " name   shape   sum       ",
        " W_E    5 × 3  12.5       ",
        "▸W_pos  2 × 3     3       ",
        " b      7        -1       ",
        " all           14.5       ",
        "                          ",
    ]
    assert drawing.notes == ()
    assert {span.style for span in drawing.rows[4] if span.text.strip()} == {"strong"}


def test_columns_of_least_worth_go_first() -> None:
    assert text_of(draw_table(COLUMNS, width=14, height=2).rows)[0] == " name    sum  "
    assert text_of(draw_table(COLUMNS, width=8, height=2).rows)[0] == " name   "


def test_rows_that_have_no_room_are_counted_and_the_cursors_and_the_last_stay() -> None:
    drawing = draw_table(COLUMNS, width=14, height=4, last_apart=True, cursor=2)
    assert [row.split()[0] for row in text_of(drawing.rows)] == ["name", "W_pos", "▸b", "all"]
    assert drawing.notes == ("1 more row",)


def test_in_ascii() -> None:
    rows = text_of(draw_table(COLUMNS, width=26, height=5, cursor=0, markers="ascii").rows)
    assert rows[1] == ">W_E    5 x 3  12.5       "
    assert all(row.isascii() for row in rows)


def test_exactly_so_many_cells() -> None:
    for width in (1, 2, 7, 30):
        for height in (1, 2, 3, 9):
            rows = text_of(draw_table(COLUMNS, width=width, height=height, last_apart=True, cursor=3).rows)
            assert [len(row) for row in rows] == [width] * height
