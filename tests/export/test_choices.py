"""What a person may write for sizes and steps, and what is said of the rest."""

import pytest

from grokterm.errors import UsageError
from grokterm.export.choices import OPTIONS, Choices
from grokterm.export.formats import FORMATS, check_choices


@pytest.mark.parametrize(("text", "cells"), [("120x40", (120, 40)), (" 80X24 ", (80, 24)), ("100×30", (100, 30))])
def test_a_size_is_columns_and_rows(text: str, cells: tuple[int, int]) -> None:
    assert Choices(size=text).cells((1, 2)) == cells
    assert Choices().cells((1, 2)) == (1, 2)


@pytest.mark.parametrize("text", ["120", "axb", "120x40x3", "-1x20", "120x40\n9x9", "999999x20"])
def test_what_is_no_size_is_said_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="is no size; write columns and rows: 120x36"):
        Choices(size=text).cells((1, 2))


@pytest.mark.parametrize("text", ["19x24", "80x7", "401x20", "80x151"])
def test_a_size_that_cannot_be_is_said_with_those_that_can(text: str) -> None:
    with pytest.raises(UsageError, match="20x8 to 400x150 can"):
        Choices(size=text).cells((1, 2))


def test_steps_and_percentages() -> None:
    assert Choices().span(400) == (0, 400)
    assert Choices(first="25%", last="0.3k").span(400) == (100, 300)
    assert Choices().span(0) == (0, 0)
    assert Choices().span(400, 250) == (250, 400)  # a fork
    assert Choices(first="0").span(400, 250) == (0, 400)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("x", None, "--from 'x' is no step and no percentage; write 1200, 12k or 40%"),
        (None, "401", "--until 401: the run ends at step 400"),
        ("300", "200", "--from 300 is not before --until 200"),
        ("200", "200", "--from 200 is not before --until 200"),
    ],
)
def test_a_range_that_cannot_be(first: str | None, last: str | None, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        Choices(first=first, last=last).span(400)
    assert str(refused.value) == said


def test_every_choice_has_an_option_and_a_format_that_takes_it() -> None:
    every = {"first", "last", "seconds", "speed", "size", "colours", "frames", "frequency", "step"}
    assert set(OPTIONS) == every == {field for format_ in FORMATS.values() for field in format_.takes}
    for name, format_ in FORMATS.items():
        check_choices(name, Choices())
        for field in every:
            made = Choices(**{field: 1})  # type: ignore[arg-type]
            assert made.made() == {field}
            if field in format_.takes:
                check_choices(name, made)
            else:
                with pytest.raises(UsageError, match=f"{OPTIONS[field]} is not for --to {name}; it is for --to "):
                    check_choices(name, made)
