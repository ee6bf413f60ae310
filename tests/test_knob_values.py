"""Knobs by name, without torch: which there are, what they may be, and what a person types."""

from dataclasses import fields

import pytest

from grokterm import values
from grokterm.catalog import REQUIRED, Catalog, Setting
from grokterm.engine.knobs import Cadence
from grokterm.errors import UsageError
from grokterm.knob_values import CADENCES, checked_knob, knob_names, knobs_of_text

ADAMW = Catalog().settings("optimizers", "adamw")
KNOBS = ("lr", "weight_decay", "beta1", "beta2", "eps", *CADENCES)


def setting(annotation: object, name: str = "rates") -> Setting:
    return Setting(name, annotation, REQUIRED)


def test_the_cadences_are_the_trainers() -> None:
    assert tuple(field.name for field in fields(Cadence)) == CADENCES


@pytest.mark.parametrize(
    ("annotation", "names"),
    [
        (float, ("rates",)),
        (values.Positive, ("rates",)),
        (values.Count, ("rates",)),
        (tuple[values.Beta, values.Beta], ("rate1", "rate2")),
        (tuple[float, int, values.Beta], ("rate1", "rate2", "rate3")),
        (tuple[float, ...], ()),
        (tuple[float, str], ()),
        (str, ()),
        (float | None, ()),
    ],
)
def test_numbers_are_knobs_and_tuples_of_numbers_one_an_element(annotation: object, names: tuple[str, ...]) -> None:
    assert knob_names(setting(annotation)) == names


def test_each_element_of_a_tuple_has_its_own_bounds() -> None:
    settings = (setting(tuple[values.Beta, values.Positive]),)
    assert checked_knob(settings, "rate1", 0) == 0.0
    assert checked_knob(settings, "rate2", 5) == 5.0
    with pytest.raises(UsageError, match=r"^rate1 = 1: must be less than 1"):
        checked_knob(settings, "rate1", 1)
    with pytest.raises(UsageError, match=r"^rate2 = 0: must be greater than 0"):
        checked_knob(settings, "rate2", 0)


def test_values_have_the_knobs_type() -> None:
    assert isinstance(checked_knob(ADAMW, "lr", 1), float)
    assert isinstance(checked_knob(ADAMW, "steps", 200.0), int)
    assert checked_knob((), "test_every", 7) == 7


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("lrr", 1, "there is no knob 'lrr'; did you mean 'lr'?"),
        ("beta3", 1, "there is no knob 'beta3'; did you mean 'beta"),
        ("lr", True, "lr = True: must be a number"),
        ("lr", float("nan"), "lr = nan: must be"),
        ("steps", 1.5, "steps = 1.5: must be a whole number of at least 1"),
    ],
)
def test_refusals(name: str, value: object, sentence: str) -> None:
    """The trainer's own refusals, the same sentences, are in engine/test_knobs.py."""
    with pytest.raises(UsageError) as caught:
        checked_knob(ADAMW, name, value)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("lr=2e-3", {"lr": 2e-3}),
        ("lr=2e-3 wd=0.5", {"lr": 2e-3, "weight_decay": 0.5}),
        (" lr = 2e-3,wd= .5 ;eps=1e-7 ", {"lr": 2e-3, "weight_decay": 0.5, "eps": 1e-7}),
        ("optimizer.lr=2e-3", {"lr": 2e-3}),
        ("training.steps=5000", {"steps": 5000}),
        ("steps=5_000", {"steps": 5000}),
        ("optimizer.betas=[0.9,0.98]", {"beta1": 0.9, "beta2": 0.98}),
        ("betas = [0.9, 0.98] lr=1", {"beta1": 0.9, "beta2": 0.98, "lr": 1}),
        ("beta2=0.5", {"beta2": 0.5}),
        ("weight-decay=3", {"weight_decay": 3}),
        ("lr=-1", {"lr": -1}),
        ("lr=inf", {"lr": float("inf")}),
    ],
)
def test_what_people_type(text: str, found: dict[str, float]) -> None:
    assert knobs_of_text(text, KNOBS) == found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("lrr=1", "there is no knob 'lrr'; did you mean 'lr'?"),
        ("task.p=7", "there is no knob 'task.p'; "),
        ("optimizer.lrr=1", "there is no knob 'optimizer.lrr'; did you mean 'lr'?"),
        ("lr=fast", "lr = fast: must be a number"),
        ("lr=[1,2]", "lr = [1,2]: must be a number"),
        ("betas=0.9", "betas = 0.9: must be 2 numbers in brackets, for beta1 and beta2"),
        ("betas=[0.9]", "betas = [0.9]: must be 2 numbers in brackets"),
        ("betas=[0.9,x]", "beta2 = x: must be a number"),
        ("beta=[0.9,0.98]", "there is no knob 'beta'; "),
        ("lr=1 lr=2", "'lr=1 lr=2': lr is set twice"),
        ("wd=1 weight_decay=2", "'wd=1 weight_decay=2': weight_decay is set twice"),
        ("lr", "'lr': write KNOB=VALUE, for instance lr=2e-3, several with spaces between them"),
        ("lr=", "'lr=': write KNOB=VALUE"),
        ("lr=1 wd", "'lr=1 wd': write KNOB=VALUE"),
        ("steps=5,000", "'steps=5,000': write KNOB=VALUE"),
        ("", "'': write KNOB=VALUE"),
    ],
)
def test_what_people_mistype(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        knobs_of_text(text, KNOBS)
    assert str(caught.value).startswith(sentence)


def test_a_whole_number_keeps_all_its_digits() -> None:
    assert knobs_of_text(f"steps={10**30 + 1}", KNOBS) == {"steps": 10**30 + 1}
    assert isinstance(knobs_of_text("steps=5", KNOBS)["steps"], int)
