"""Asks a circuit what a person wants to know of it: questions → findings. Pure."""

from dataclasses import dataclass

import numpy as np

from grokterm.circuit.ablations import Ablation, ablated_logits, without_each_head
from grokterm.circuit.attention import mean_attention, periodicity
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.losses import losses
from grokterm.circuit.waves import basis
from grokterm.probe.definitions import definitions
from grokterm.probe.edits import check_inputs, each_ablation, together
from grokterm.probe.findings import Cluster, Costliest, Findings, HeadFacts, NeuronFacts, Row
from grokterm.probe.inputs import Form, input_facts
from grokterm.probe.questions import Edit, Questions

AS_IT_IS = "as it is"
ALL = "all of these"
"""What the edits together are called where there are several."""
NOTHING = Ablation()


@dataclass(frozen=True)
class Place:
    """Which checkpoint is asked: the run's name, the step, and where its file lies."""

    run: str
    step: int
    checkpoint: str


def ask(circuit: Circuit, questions: Questions, place: Place) -> Findings:
    """Answer all that is asked; a summary where nothing is.

    Raises UsageError for a frequency, head, neuron or input that there is not, RunError for a task without a sum, or
    an even p, whose frequencies are asked for.
    """
    check_inputs(questions, circuit)
    with np.errstate(all="ignore"):  # the weights of a run that diverged: what is no number is told as it is
        edits = _edits(circuit, questions)
        rows, forms = [Row(AS_IT_IS, NOTHING, circuit.losses)], [Form(AS_IT_IS, NOTHING, circuit.logits)]
        logits = circuit.logits
        for what, ablation in edits:
            logits = ablated_logits(circuit, ablation)
            rows.append(Row(what, ablation, losses(logits, circuit.task)))
        if edits:
            forms.append(Form(f"with {', '.join(what for what, _ in edits if what != ALL)}", edits[-1][1], logits))
        return Findings(
            run=place.run,
            step=place.step,
            checkpoint=place.checkpoint,
            task=_task(circuit),
            p=circuit.p,
            parameters=sum(weight.size for weight in circuit.network.parameters.values()),
            neurons_in_all=circuit.network.d_mlp,
            heads_in_all=circuit.network.n_heads,
            key=[Cluster(k, int(circuit.clusters[k - 1])) for k in circuit.keys] if circuit.has_frequencies else None,
            losses=rows,
            costliest=_costliest(circuit) if questions.is_none else None,
            neurons=_neurons(circuit, questions),
            heads=_heads(circuit) if questions.heads else [],
            inputs=input_facts(circuit, forms, questions.inputs, questions.top),
            definitions=definitions(circuit) if questions.variants else None,
        )


def _edits(circuit: Circuit, questions: Questions) -> list[tuple[str, Ablation]]:
    """What is done to the network, by its words: each edit, and all at once where several were asked for."""
    if questions.is_none:
        return each_ablation(_summary(circuit), circuit)
    each = each_ablation(questions, circuit)
    return each if len(each) < 2 else [*each, (ALL, together([ablation for _, ablation in each]))]


def _summary(circuit: Circuit) -> Questions:
    """What a summary tells of a circuit: the key frequencies alone, without all of them, without each."""
    if circuit.task.sums is None or not circuit.has_frequencies or not circuit.keys:
        return Questions()
    each = [Edit(f"freq={k}", "freq", (k,)) for k in circuit.keys]
    both = Edit("keep-only=key", "keep-only", "key"), Edit("freq=key", "freq", "key")
    return Questions((*both, *(each if len(each) > 1 else ())))


def _costliest(circuit: Circuit) -> Costliest | None:
    if circuit.task.sums is None or not circuit.has_frequencies:
        return None
    on_train = circuit.without_each_frequency.train
    worst = int(on_train.argmax())
    return Costliest(worst + 1, float(on_train[worst]))


def _task(circuit: Circuit) -> str:
    """What is learned, in a formula where it is the sum or the difference."""
    a, b, _ = circuit.task.inputs.T
    for sign, results in (("+", a + b), ("−", a - b)):
        if np.array_equal(results % circuit.p, circuit.task.labels):
            return f"a {sign} b mod {circuit.p}"
    return f"a function of a and b mod {circuit.p}"


def _neurons(circuit: Circuit, questions: Questions) -> list[NeuronFacts]:
    if not questions.neurons:
        return []
    salient = circuit.saliency
    places = np.empty(len(salient), np.int64)
    places[np.argsort(-salient, kind="stable")] = np.arange(1, len(salient) + 1)
    facts = []
    for i in questions.neurons:
        activations, out = circuit.neurons[:, i], circuit.W_L[:, i]
        waves = np.square(basis(circuit.p, out.dtype) @ out)[1:].reshape(-1, 2).sum(axis=1)  # (frequencies,)
        k, fve = int(circuit.neuron_frequencies[i]), float(circuit.neuron_fve[i].max())
        largest = np.argsort(-np.abs(out), kind="stable")[: questions.top]
        facts.append(
            NeuronFacts(
                neuron=i,
                frequency=k,
                fve=fve,
                in_cluster=bool(circuit.in_cluster[i]),
                saliency=float(salient[i]),
                rank=int(places[i]),
                mean=float(activations.mean(dtype=np.float64)),
                active=float((activations > 0).mean()),
                out_frequency=int(waves.argmax()) + 1,
                out_share=float(waves.max() / np.square(out).sum()),
                weights=tuple((int(c), float(out[c])) for c in largest),
            )
        )
    return facts


def _heads(circuit: Circuit) -> list[HeadFacts]:
    fits, looks = periodicity(circuit.attention), mean_attention(circuit.attention)
    without, with_mean = without_each_head(circuit, "zero").all, without_each_head(circuit, "mean").all
    return [
        HeadFacts(
            head=head,
            frequency=int(fits.frequency[head]),
            fve=float(fits.fve[head]),
            fve_2term=float(fits.fve_2term[head]),
            alpha=float(fits.alpha[head]),
            beta=float(fits.beta[head]),
            attention=tuple(map(float, looks[head])),
            without=float(without[head]),
            with_mean=float(with_mean[head]),
        )
        for head in range(circuit.network.n_heads)
    ]
