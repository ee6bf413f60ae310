"""A person's edits in terms of one circuit: p = 11, 3 heads, 20 neurons."""

import pytest

from grokterm.circuit.ablations import Ablation
from grokterm.errors import UsageError
from grokterm.probe.edits import check_inputs, each_ablation, together
from grokterm.probe.questions import read_questions
from tests.random_circuit import clustered_circuit, grid_task, random_circuit, random_network

ALL_PARTS = ("freq=2", "head=0", "neurons=3,17", "skip", "polynomials")


def test_every_edit_becomes_an_ablation_of_its_own() -> None:
    asked = read_questions(ablate=ALL_PARTS, keep_only="key")
    assert each_ablation(asked, clustered_circuit()) == [
        ("freq=2", Ablation(frequencies=frozenset({2}))),
        ("head=0", Ablation(heads=frozenset({0}))),
        ("neurons=3,17", Ablation(neurons=frozenset({3, 17}))),
        ("skip", Ablation(skip=True)),
        ("polynomials", Ablation(polynomial=True)),
        ("keep-only=key", Ablation(keep_only=frozenset({1, 3}))),
    ]


def test_the_mean_stands_for_heads_neurons_and_the_skip_path() -> None:
    each = each_ablation(read_questions(ablate=ALL_PARTS, mean=True), clustered_circuit())
    assert [what for what, _ in each] == [
        *("freq=2", "head=0 by mean", "neurons=3,17 by mean", "skip by mean", "polynomials"),
    ]
    assert [ablation.how for _, ablation in each] == ["zero", "mean", "mean", "mean", "zero"]


def test_together_they_do_all_that_each_does() -> None:
    asked = read_questions(ablate=(*ALL_PARTS, "head=2", "freq=key"), keep_only="4", mean=True)
    assert together([ablation for _, ablation in each_ablation(asked, clustered_circuit())]) == Ablation(
        frequencies=frozenset({1, 2, 3}),
        keep_only=frozenset({4}),
        heads=frozenset({0, 2}),
        neurons=frozenset({3, 17}),
        skip=True,
        how="mean",
        polynomial=True,
    )
    assert together([]) == Ablation()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("freq=6", "--ablate freq=6: there is no frequency 6; frequencies are 1 to 5, the nearest is 5"),
        ("freq=0", "--ablate freq=0: there is no frequency 0; frequencies are 1 to 5, the nearest is 1"),
        ("head=3", "--ablate head=3: there is no head 3; heads are 0 to 2, the nearest is 2"),
        ("neurons=3,20", "--ablate neurons=3,20: there is no neuron 20; neurons are 0 to 19, the nearest is 19"),
        (
            "polynomials",
            "--ablate polynomials: no neuron of this checkpoint belongs to a frequency (none has 85% of its variance "
            "in one), so there is nothing to replace",
        ),
    ],
)
def test_a_part_that_there_is_not_is_refused_with_the_nearest(asked: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        each_ablation(read_questions(ablate=[asked]), random_circuit())
    assert str(refused.value) == said


def test_without_key_frequencies_they_must_be_named() -> None:
    from grokterm.circuit.circuit import Circuit

    circuit = Circuit(random_network(), grid_task())
    assert circuit.keys == []
    for asked, option in (
        (read_questions(keep_only="key"), "--keep-only key"),
        (read_questions(ablate=["freq=key"]), "--ablate freq=key"),
    ):
        with pytest.raises(
            UsageError, match=f"{option}: this checkpoint has no key frequencies, .* name some of 1 to 5"
        ):
            each_ablation(asked, circuit)
    assert each_ablation(read_questions(keep_only="5"), circuit)


def test_inputs_and_neurons_are_checked() -> None:
    check_inputs(read_questions(inputs=["0,10", "10,0"], neurons="0,19"), random_circuit())
    with pytest.raises(
        UsageError, match=r"--inputs 3,11: 11 is no residue mod 11; they are 0 to 10, the nearest is 10"
    ):
        check_inputs(read_questions(inputs=["3,11"]), random_circuit())
    with pytest.raises(UsageError, match=r"--neurons 2,20: there is no neuron 20; neurons are 0 to 19"):
        check_inputs(read_questions(neurons="2,20"), random_circuit())
