"""What a network answers to one input, and which parts of it speak for that answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grokterm.circuit.ablations import Ablation, ablated_activations
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.losses import cross_entropies
from grokterm.circuit.network import Array
from grokterm.probe.findings import Answer, InputFacts, Reply, Speaker


@dataclass(frozen=True, eq=False)
class Form:
    """A form of the network that answers: as it is, or with something taken out. logits (p², p)."""

    what: str
    ablation: Ablation
    logits: Array


def input_facts(
    circuit: Circuit, forms: Sequence[Form], inputs: Sequence[tuple[int, int]], top: int
) -> list[InputFacts]:
    """What each input (a, b) is answered by every form, and who speaks for the answer in the last one."""
    if not inputs:
        return []
    in_force = forms[-1].ablation
    residual, neurons, b_out = ablated_activations(circuit, in_force)
    W_U, W_L = circuit.network.W_U, circuit.W_L
    facts = []
    for a, b in inputs:
        row = a * circuit.p + b
        replies = tuple(_reply(form, circuit, row, top) for form in forms)
        answer = replies[-1].answers[0].answer
        reads = W_L[answer] - W_L.mean(axis=0)  # (d_mlp,): a constant added to all logits says nothing
        raises = neurons[row] * reads
        direction = W_U[:, answer] - W_U.mean(axis=1)
        skipped = residual[row] if len(residual) > 1 else residual[0]  # one row where its mean stands for all
        facts.append(
            InputFacts(
                a=a,
                b=b,
                right=int(circuit.task.labels[row]),
                part=_part(circuit, row),
                replies=replies,
                attention=tuple(tuple(map(float, look)) for look in circuit.attention[:, a, b]),
                without=tuple(sorted(in_force.heads)),
                answer=answer,
                speakers=_speakers(circuit, neurons[row], raises, top),
                by_neurons=float(raises.sum()),
                by_skip=float(skipped @ direction),
                by_bias=float(b_out @ direction),
                waves_out=bool(in_force.frequencies) or in_force.keep_only is not None,
            )
        )
    return facts


def _reply(form: Form, circuit: Circuit, row: int, top: int) -> Reply:
    logits, right = form.logits[row], circuit.task.labels[row]
    order = np.argsort(-logits, kind="stable")  # what is no number comes last
    shares = np.exp(logits.astype(np.float64) - logits.max())
    shares /= shares.sum()
    best = tuple(Answer(int(c), float(logits[c]), float(shares[c])) for c in order[:top])
    loss = float(cross_entropies(form.logits[row : row + 1], circuit.task.labels[row : row + 1])[0])
    place = int(np.flatnonzero(order == right)[0]) + 1
    return Reply(form.what, loss, len(order) if np.isnan(logits).any() else place, best)  # NaN answers nothing


def _speakers(circuit: Circuit, activations: Array, raises: Array, top: int) -> tuple[Speaker, ...]:
    best = [i for i in np.argsort(-raises, kind="stable")[:top] if raises[i] > 0]
    frequencies = circuit.neuron_frequencies.tolist() if circuit.has_frequencies else [None] * len(raises)
    return tuple(Speaker(int(i), frequencies[i], float(activations[i]), float(raises[i])) for i in best)


def _part(circuit: Circuit, row: int) -> str:
    parts = (("train", circuit.task.train), ("test", circuit.task.test))
    return next((name for name, rows in parts if row in rows), "")
