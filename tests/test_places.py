"""Places in a run as a person writes them."""

import pytest

from grokterm.errors import UsageError
from grokterm.places import no_step, step_asked, step_from


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("1200", 1200),
        ("1,200", 1200),
        ("1_200", 1200),
        ("12k", 12_000),
        ("1.5M", 1_500_000),
        ("40%", 400),
        (" 2.5 % ", 25),
        ("0", 0),
        ("step 12k", 12_000),
        ("Step=40%", 400),
        ("100%", 1000),
        ("step", None),
        ("step step 3", None),
        ("101%", None),
        ("200 %", None),
        ("", None),
        ("-3", None),
        ("%", None),
        ("k", None),
        ("nan", None),
        ("inf", None),
        ("1e400", None),
        ("half", None),
    ],
)
def test_what_a_person_writes_for_a_place(text: str, step: int | None) -> None:
    assert step_from(text, 1000) == step


def test_an_option_that_is_no_place_is_named() -> None:
    assert step_asked("40%", 1000, "--from") == 400
    with pytest.raises(UsageError, match=r"^--from 'half' is no step and no percentage; write 1200, 12k or 40%$"):
        step_asked("half", 1000, "--from")
    with pytest.raises(
        UsageError, match=r"^--from '200%' is beyond the end: percentages are of the run and go up to 100%$"
    ):
        step_asked("200%", 1000, "--from")
    assert no_step("half") in "--from 'half' is no step and no percentage; write 1200, 12k or 40%"
