"""What a person types about several knobs."""

import pytest

from grokterm.tui.knob_line import change_text, understand, understand_several

KNOBS = {"lr": 1e-3, "weight_decay": 1.0, "beta1": 0.9, "beta2": 0.98, "eps": 0.0, "steps": 400}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("  ", {}),
        ("lr 2e-3", {"lr": 2e-3}),
        ("lr 2e-3 wd 0.5", {"lr": 2e-3, "weight_decay": 0.5}),
        ("lr=2e-3,wd=.5", {"lr": 2e-3, "weight_decay": 0.5}),
        ("optimizer.lr = 2e-3; training.steps 900", {"lr": 2e-3, "steps": 900}),
        ("betas [0.8, 0.9]", {"beta1": 0.8, "beta2": 0.9}),
        ("beta1 0.8 beta2=0.9", {"beta1": 0.8, "beta2": 0.9}),
        ("steps 1,030,000 lr 2", {"steps": 1_030_000, "lr": 2}),
        ("steps=30,000,lr=2", {"steps": 30_000, "lr": 2}),
    ],
)
def test_a_line_of_changes(text: str, values: dict[str, float]) -> None:
    changes = understand_several(text, KNOBS)
    assert (dict(changes.values), changes.problem) == (values, "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("lr", "write KNOB=VALUE"),
        ("lr 2e-3 wd", "write KNOB=VALUE"),
        ("lrr 2", "did you mean 'lr'"),
        ("lr -1", "lr must be a finite number, 0 or more"),
        ("lr 1e999", "lr must be a finite number"),
        ("steps 2.5", "steps must be a whole number of at least 1"),
        ("steps 0", "steps must be a whole number of at least 1"),
        ("steps 1e999", "steps must be a finite number"),
        ("lr 2e-3 steps 0", "steps must be"),
        ("2e-3 0.5", "write KNOB=VALUE"),
    ],
)
def test_a_line_that_cannot_be_meant(text: str, problem: str) -> None:
    changes = understand_several(text, KNOBS)
    assert problem in changes.problem
    assert not changes.values


@pytest.mark.parametrize("text", ["steps inf", "steps nan", "lr inf", "steps 1e400"])
def test_a_number_without_an_end_is_no_value(text: str) -> None:
    assert "must be a finite number" in understand(text, KNOBS).problem


def test_a_change_in_words() -> None:
    assert change_text("lr", 1e-3, 2e-3) == "lr 0.001 → 0.002  (× 2)"
    assert change_text("eps", 0.0, 1e-8) == "eps 0 → 1e-08"
    assert change_text("steps", 30_000, 6e4) == "steps 30,000 → 60,000  (× 2)"


def test_a_number_may_be_typed_as_it_is_shown() -> None:
    assert understand("steps 30,000", KNOBS).value == 30_000
    assert understand("steps 30_000", KNOBS).value == 30_000
    assert understand("steps", {"steps": 3e4}).problem == "steps is 30,000; type its new value"
    for odd in ("lr 0.9,200", "steps 3,00", "steps 3,0000", "steps ,300"):
        assert understand(odd, KNOBS).problem
