"""How the options of `grokterm probe` are read, and what is said of those that are wrong."""

from typing import Any

import pytest

from grokterm.errors import UsageError
from grokterm.probe.questions import Edit, Questions, read_questions


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("freq=14", Edit("freq=14", "freq", (14,))),
        (" Frequencies = 23, 14,14", Edit("freq=14,23", "freq", (14, 23))),
        ("freq=key", Edit("freq=key", "freq", "key")),
        ("head=0", Edit("head=0", "head", (0,))),
        ("heads=2,0", Edit("head=0,2", "head", (0, 2))),
        ("neuron=3", Edit("neurons=3", "neurons", (3,))),
        ("skip", Edit("skip", "skip")),
        ("polynomials", Edit("polynomials", "polynomials")),
    ],
)
def test_a_part_to_take_out(text: str, edit: Edit) -> None:
    assert read_questions(ablate=[text]).edits == (edit,)


def test_what_is_kept_comes_after_what_is_taken_out() -> None:
    asked = read_questions(ablate=["skip", "head=1", "skip"], keep_only="23,14", mean=True)
    assert [edit.said for edit in asked.edits] == ["skip", "head=1", "keep-only=14,23"]
    assert asked.mean
    assert read_questions(keep_only="KEY").edits == (Edit("keep-only=key", "keep-only", "key"),)


def test_neurons_heads_and_inputs() -> None:
    asked = read_questions(neurons="17,3", heads=True, inputs=["5,9", "0,0", "5, 9"], top=2)
    assert asked == Questions(neurons=(3, 17), heads=True, inputs=((5, 9), (0, 0)), top=2)


def test_nothing_asked_is_known_as_such() -> None:
    assert read_questions(top=3).is_none
    for asked in ({"heads": True}, {"neurons": "1"}, {"inputs": ["1,2"]}, {"ablate": ["skip"]}, {"variants": True}):
        assert not read_questions(**asked).is_none


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"ablate": ["frec=14"]}, "--ablate frec=14: there is no part 'frec' of the network; did you mean 'freq'?"),
        ({"ablate": ["x"]}, "there is no part 'x' of the network; valid names: freq, head, neurons, polynomials, skip"),
        ({"ablate": ["freq"]}, "--ablate freq does not say which; write freq=14,23 or freq=key"),
        ({"ablate": ["head="]}, "--ablate head= does not say which; write head=0"),
        ({"ablate": ["head=key"]}, "--ablate head=key: 'key' is no whole number from 0 on; write head=0"),
        ({"ablate": ["freq=1,,2"]}, "'' is no whole number from 0 on"),
        ({"ablate": ["neurons=-1"]}, "'-1' is no whole number from 0 on; write neurons=3,17"),
        ({"ablate": ["freq=²"]}, "'²' is no whole number"),
        ({"ablate": ["head=" + "9" * 5000]}, "is no whole number"),
        ({"ablate": ["skip=1"]}, "--ablate skip=1: skip takes no numbers; write --ablate skip"),
        ({"keep_only": "14;23"}, "--keep-only 14;23: '14;23' is no whole number from 0 on; write key or 14,23"),
        ({"neurons": "a"}, "--neurons a: 'a' is no whole number from 0 on; write 3,17"),
        ({"inputs": ["5"]}, "--inputs 5: write the two numbers a,b of one input: 5,9"),
        ({"inputs": ["5,9,1"]}, "--inputs 5,9,1: write the two numbers a,b of one input: 5,9"),
        ({"inputs": ["5,b"]}, "--inputs 5,b: 'b' is no whole number from 0 on"),
        ({"mean": True, "ablate": ["freq=1"]}, "--mean is about what stands in the place of a head, neurons or skip"),
        ({"mean": True}, "--mean is about what stands in the place of a head, neurons or skip; --ablate names one"),
    ],
)
def test_what_cannot_be_read_is_said_with_an_example(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_questions(**asked)
    assert said in str(refused.value)
