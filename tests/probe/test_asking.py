"""What is found out about a circuit, against the definitions, on random weights; and on the reference network."""

from dataclasses import replace

import numpy as np
import pytest

from grokterm.circuit.ablations import Ablation, ablated_logits
from grokterm.circuit.attention import periodicity
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.losses import losses
from grokterm.circuit.network import Network
from grokterm.errors import RunError
from grokterm.probe.asking import Place, ask
from grokterm.probe.findings import Findings
from grokterm.probe.questions import Questions, read_questions
from tests import reference_circuits
from tests.random_circuit import P, clustered_circuit, grid_task, random_circuit, random_network
from tests.reference import TRANSFORMER_LENS, needed

PLACE = Place("run", 400, "runs/run/checkpoints/000000400.safetensors")
PARTS = {
    "freq=2": Ablation(frequencies=frozenset({2})),
    "head=0": Ablation(heads=frozenset({0})),
    "neurons=3,17": Ablation(neurons=frozenset({3, 17})),
    "skip": Ablation(skip=True),
    "polynomials": Ablation(polynomial=True),
}


def found(circuit: Circuit, questions: Questions) -> Findings:
    return ask(circuit, questions, PLACE)


def test_each_ablation_alone_and_then_all_together() -> None:
    circuit = clustered_circuit()
    rows = found(circuit, read_questions(ablate=list(PARTS), keep_only="key")).losses
    assert [row.what for row in rows] == ["as it is", *PARTS, "keep-only=key", "all of these"]
    assert rows[0].losses == circuit.losses
    everything = Ablation(
        frozenset({2}), frozenset({1, 3}), frozenset({0}), frozenset({3, 17}), skip=True, polynomial=True
    )
    expected = [*PARTS.values(), Ablation(keep_only=frozenset({1, 3})), everything]
    assert [row.ablation for row in rows[1:]] == expected
    for row in rows[1:]:
        assert row.losses == losses(ablated_logits(circuit, row.ablation), circuit.task)
    distinct = {row.losses.all for row in rows}
    assert len(distinct) == len(rows)


def test_one_ablation_is_not_told_twice() -> None:
    assert [row.what for row in found(random_circuit(), read_questions(ablate=["skip"])).losses] == ["as it is", "skip"]


def test_without_questions_it_is_a_summary() -> None:
    circuit = random_circuit()
    summary = found(circuit, Questions())
    assert (summary.run, summary.step, summary.task) == ("run", 400, "a + b mod 11")
    assert (summary.p, summary.heads_in_all, summary.neurons_in_all) == (P, 3, 20)
    assert summary.parameters == sum(weight.size for weight in circuit.network.parameters.values())
    assert [cluster.frequency for cluster in summary.key or ()] == [1, 3]
    assert [row.what for row in summary.losses] == ["as it is", "keep-only=key", "freq=key", "freq=1", "freq=3"]
    assert summary.losses[2].ablation == Ablation(frequencies=frozenset({1, 3}))
    each = circuit.without_each_frequency.train
    assert summary.costliest is not None
    assert (summary.costliest.frequency, summary.costliest.loss) == (int(each.argmax()) + 1, float(each.max()))
    assert (list(summary.neurons), list(summary.heads), list(summary.inputs)) == ([], [], [])


def test_a_summary_without_key_frequencies_or_without_waves() -> None:
    none = found(Circuit(random_network(), grid_task()), Questions())
    assert [row.what for row in none.losses] == ["as it is"]
    assert none.costliest is not None
    elsewhere = Circuit(random_network(), replace(grid_task(sums=False), labels=np.arange(P * P) % 7))
    other = found(elsewhere, Questions())
    assert (other.task, other.costliest) == ("a function of a and b mod 11", None)
    assert found(random_circuit(subtract=True), Questions()).task == "a − b mod 11"
    with pytest.raises(RunError, match="no sum"):
        found(elsewhere, read_questions(ablate=["freq=2"]))


def test_neurons() -> None:
    circuit = random_circuit()
    facts = found(circuit, read_questions(neurons="3,17", top=4)).neurons
    assert [neuron.neuron for neuron in facts] == [3, 17]
    for neuron in facts:
        i = neuron.neuron
        assert neuron.frequency == circuit.neuron_fve[i].argmax() + 1
        assert neuron.fve == circuit.neuron_fve[i].max()
        assert not neuron.in_cluster
        assert neuron.saliency == circuit.saliency[i]
        assert neuron.rank == 1 + (circuit.saliency > circuit.saliency[i]).sum()
        assert neuron.mean == pytest.approx(circuit.neurons[:, i].mean())
        assert neuron.active == (circuit.pre_activations[:, i] > 0).mean()
        spectrum = np.abs(np.fft.rfft(circuit.W_L[:, i]))[1:] ** 2
        assert neuron.out_frequency == spectrum.argmax() + 1
        total = np.square(circuit.W_L[:, i]).sum()
        assert neuron.out_share == pytest.approx(2 / P * spectrum.max() / total)
        sizes = [abs(weight) for _, weight in neuron.weights]
        assert len(sizes) == 4
        assert sizes == sorted(np.abs(circuit.W_L[:, i]), reverse=True)[:4]
        assert all(weight == circuit.W_L[answer, i] for answer, weight in neuron.weights)


def test_heads() -> None:
    circuit = random_circuit()
    facts = found(circuit, read_questions(heads=True)).heads
    assert [head.head for head in facts] == [0, 1, 2]
    for head in facts:
        assert sum(head.attention) == pytest.approx(1)
        fit = periodicity(circuit.attention)
        assert (head.alpha, head.beta) == (fit.alpha[head.head], fit.beta[head.head])
        assert head.attention[1] == pytest.approx(circuit.attention[head.head, :, :, 1].mean())
        for how, loss in (("zero", head.without), ("mean", head.with_mean)):
            ablation = Ablation(heads=frozenset({head.head}), how=how)  # type: ignore[arg-type]
            assert loss == pytest.approx(losses(ablated_logits(circuit, ablation), circuit.task).all)


def test_an_input() -> None:
    circuit = random_circuit()
    facts, other = found(circuit, read_questions(inputs=["5,9", "0,0"], top=3)).inputs
    row = 5 * P + 9
    logits = circuit.logits[row]
    shares = np.exp(logits) / np.exp(logits).sum()
    (reply,) = facts.replies
    assert (facts.a, facts.b, facts.right, reply.what) == (5, 9, 3, "as it is")
    assert [one.answer for one in reply.answers] == np.argsort(-logits)[:3].tolist()
    assert [one.logit for one in reply.answers] == sorted(logits, reverse=True)[:3]
    assert [one.probability for one in reply.answers] == pytest.approx(sorted(shares, reverse=True)[:3])
    assert reply.rank == 1 + (logits > logits[3]).sum()
    assert reply.loss == pytest.approx(-np.log(shares[3]))
    assert np.array(facts.attention) == pytest.approx(circuit.attention[:, 5, 9])
    assert facts.part == ("train" if row in circuit.task.train else "test")
    assert (other.a, other.b, other.right) == (0, 0, 0)


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize(
    "parts", [(), ("head=0",), ("neurons=3,17",), ("skip",), ("polynomials",), ("head=1", "skip", "neurons=2")]
)
def test_what_speaks_for_an_answer_adds_up(parts: tuple[str, ...], mean: bool) -> None:
    """Neurons, skip path and b_out together are the answer's logit above the mean, whatever is taken out."""
    circuit = clustered_circuit()
    mean = mean and any(part.partition("=")[0] in ("head", "neurons", "skip") for part in parts)
    found_ = found(circuit, read_questions(ablate=parts, mean=mean, inputs=["5,9"], top=20))
    (facts,) = found_.inputs
    logits = ablated_logits(circuit, found_.losses[-1].ablation)[5 * P + 9]
    assert facts.answer == logits.argmax()
    assert facts.by_neurons + facts.by_skip + facts.by_bias == pytest.approx(logits.max() - logits.mean())
    assert len(facts.replies) == (2 if parts else 1)
    assert facts.replies[-1].answers[0].logit == logits.max()
    raises = [one.raises for one in facts.speakers]
    assert raises == sorted(raises, reverse=True)
    assert all(raised > 0 for raised in raises)
    assert all(one.frequency == circuit.neuron_frequencies[one.neuron] for one in facts.speakers)


def test_ablations_are_in_force_for_inputs_all_together() -> None:
    circuit = random_circuit()
    facts = found(circuit, read_questions(ablate=["head=1", "freq=2"], inputs=["5,9"])).inputs[0]
    logits = ablated_logits(circuit, Ablation(frequencies=frozenset({2}), heads=frozenset({1})))[5 * P + 9]
    assert [reply.what for reply in facts.replies] == ["as it is", "with head=1, freq=2"]
    assert facts.replies[1].answers[0].logit == logits.max()
    assert facts.replies[0].answers[0].logit == circuit.logits[5 * P + 9].max()
    assert (facts.without, facts.waves_out) == ((1,), True)


def test_an_even_modulus_has_losses_and_answers_but_no_frequencies() -> None:
    circuit = Circuit(random_network(10), grid_task(10))
    summary = found(circuit, Questions())
    assert (summary.key, summary.costliest, [row.what for row in summary.losses]) == (None, None, ["as it is"])
    asked = found(circuit, read_questions(ablate=["head=0", "neurons=3", "skip"], inputs=["5,9"]))
    assert [row.what for row in asked.losses] == ["as it is", "head=0", "neurons=3", "skip", "all of these"]
    assert asked.losses[1].losses == losses(ablated_logits(circuit, Ablation(heads=frozenset({0}))), circuit.task)
    assert {speaker.frequency for speaker in asked.inputs[0].speakers} == {None}
    for about_waves in (
        read_questions(ablate=["freq=2"]),
        read_questions(ablate=["freq=key"]),
        read_questions(ablate=["polynomials"]),
        read_questions(heads=True),
        read_questions(variants=True),
    ):
        with pytest.raises(RunError, match="p = 10 is even"):
            found(circuit, about_waves)


def test_logits_that_are_no_numbers_are_no_right_answer() -> None:
    weights = {f"model/{name}": weight.copy() for name, weight in random_network().parameters.items()}
    weights["model/W_U"][:] = np.nan
    (asked,) = found(Circuit(Network.of(weights), grid_task()), read_questions(inputs=["0,0"])).inputs
    assert (asked.right, asked.replies[0].rank) == (0, P)


def test_weights_that_are_no_numbers_are_told_without_a_warning() -> None:
    weights = {f"model/{name}": weight.copy() for name, weight in random_network().parameters.items()}
    weights["model/W_U"][:] = np.nan
    weights["model/W_in"][0] = np.inf
    circuit = Circuit(Network.of(weights), grid_task())
    everything = read_questions(ablate=["skip", "freq=1"], neurons="0", heads=True, inputs=["1,2"], variants=True)
    for asked in (Questions(), everything):
        answer = found(circuit, asked)
        assert np.isnan(answer.losses[0].losses.all)
    assert np.isnan(answer.inputs[0].replies[0].answers[0].logit)


@needed
def test_the_reference_network() -> None:
    summary = found(reference_circuits.circuit(TRANSFORMER_LENS), Questions())
    assert [(cluster.frequency, cluster.neurons) for cluster in summary.key or ()] == [(16, 196), (30, 103), (56, 196)]
    as_it_is, restricted, excluded, *each = summary.losses
    assert as_it_is.losses.train == pytest.approx(8.85925e-8, rel=1e-4)
    assert as_it_is.losses.test == pytest.approx(1.88475e-7, rel=1e-4)
    assert restricted.losses.all == pytest.approx(5.56835e-8, rel=1e-4)
    assert excluded.losses.train == pytest.approx(9.05578, rel=1e-4)
    per_k = reference_circuits.expected(TRANSFORMER_LENS, "excluded_2D_per")
    assert len(each) == 3
    for row in each:
        (k,) = row.ablation.frequencies
        assert row.losses.train == pytest.approx(per_k[str(k)], rel=1e-4)
