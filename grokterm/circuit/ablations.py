"""What becomes of the answers without a part of the network: frequencies, heads, neurons, the skip path.

Heads, neurons and the skip path are edited in the forward pass, frequencies in the logits that come out of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.diverged import quiet
from grokterm.circuit.losses import PartLosses, cross_entropies, in_parts
from grokterm.circuit.network import Array
from grokterm.circuit.polynomials import polynomials
from grokterm.circuit.waves import sum_table, wave_tables
from grokterm.errors import RunError

How = Literal["zero", "mean"]
"""What stands where something is taken out: nothing, or its mean over all inputs."""
TOP_COUNTS = (1, 4, 16, 64)
"""How many of the most salient neurons are deleted together."""


@dataclass(frozen=True)
class Ablation:
    """What is taken out of the network before it is asked again; by default nothing.

    frequencies: removed from the logits along the sum directions c_k and s_k. keep_only: only these stay in the logits,
    and each class's mean over the inputs (the logits of the restricted loss); one that is in both is removed. heads,
    neurons: by their numbers from 0. skip: the residual stream before the MLP does not reach the logits past the
    neurons, and neither does b_out. how: what stands in the place of heads, neurons and the skip path. polynomial: each
    neuron that belongs to a frequency is replaced by its part of degree 2 there, before `neurons` are taken out.
    """

    frequencies: frozenset[int] = frozenset()
    keep_only: frozenset[int] | None = None
    heads: frozenset[int] = frozenset()
    neurons: frozenset[int] = frozenset()
    skip: bool = False
    how: How = "zero"
    polynomial: bool = False

    @property
    def in_forward_pass(self) -> bool:
        """Whether it changes more than the logits."""
        return bool(self.heads or self.neurons or self.skip or self.polynomial)


@quiet
def ablated_logits(circuit: Circuit, ablation: Ablation) -> Array:
    """The logits that are left, (p², p); `losses(ablated_logits(…), circuit.task)` is what it costs.

    Raises RunError for a head, neuron or frequency that there is not, and for frequencies where the task has no sum.
    """
    if ablation.frequencies or ablation.keep_only is not None:
        _check("frequency", ablation.frequencies | (ablation.keep_only or set()), range(1, (circuit.p + 1) // 2))
    edited = ablation.in_forward_pass
    logits = _forward(circuit, ablation) if edited else circuit.logits
    if ablation.keep_only is None and not ablation.frequencies:
        return logits
    return _without_waves(circuit, logits, ablation)


@quiet
def ablated_activations(circuit: Circuit, ablation: Ablation) -> tuple[Array, Array, Array]:
    """What reaches the logits: the skip path (p² or 1, d_model), the neurons (p², d_mlp) and b_out (d_model,).

    The skip path has a single row where that stands for every input. Frequencies are edits of the logits, and do not
    show here. Raises RunError for a head or neuron that there is not.
    """
    network = circuit.network
    _check("head", ablation.heads, range(network.n_heads))
    _check("neuron", ablation.neurons, range(network.d_mlp))
    residual, neurons, b_out = circuit.residual, circuit.neurons, network.b_out
    if ablation.heads:
        residual = _residual_without(circuit, sorted(ablation.heads), ablation.how)
        neurons = np.maximum(network.pre_activations(residual), 0)
    if ablation.polynomial:
        neurons = polynomials(neurons, np.where(circuit.in_cluster, circuit.neuron_frequencies, 0))
    if ablation.neurons:
        columns = sorted(ablation.neurons)
        instead = neurons[:, columns].mean(axis=0) if ablation.how == "mean" else 0
        neurons = neurons.copy()
        neurons[:, columns] = instead
    if ablation.skip:
        residual = residual.mean(axis=0, keepdims=True)
        if ablation.how == "zero":
            residual, b_out = np.zeros_like(residual), np.zeros_like(b_out)
    return residual, neurons, b_out


@quiet
def without_each_head(circuit: Circuit, how: How = "zero") -> PartLosses:
    """The losses with one head taken out, each (heads,); those of `ablated_logits` for each head, in half the time."""
    heads = range(circuit.network.n_heads)
    each = [cross_entropies(_logits_without(circuit, head, how), circuit.task.labels) for head in heads]
    return in_parts(np.stack(each, axis=1), circuit.task)


@quiet
def without_top_neurons(circuit: Circuit, counts: tuple[int, ...] = TOP_COUNTS) -> PartLosses:
    """The losses with the so many most salient neurons set to zero, each (counts,); counts ascending.

    More than there are neurons are all of them.
    """
    order = np.argsort(-circuit.saliency, kind="stable")
    logits, deleted, each = circuit.logits.copy(), 0, []
    for count in counts:
        next_ones = order[deleted:count]
        logits -= circuit.neurons[:, next_ones] @ circuit.W_L[:, next_ones].T
        deleted = max(deleted, count)
        each.append(cross_entropies(logits, circuit.task.labels))
    return in_parts(np.stack(each, axis=1), circuit.task)


def _check(what: str, asked: Iterable[int], there: range) -> None:
    wrong = sorted(number for number in asked if number not in there)
    if wrong:
        raise RunError(f"there is no {what} {wrong[0]}; they are {there.start} … {there.stop - 1}")


def _forward(circuit: Circuit, ablation: Ablation) -> Array:
    residual, neurons, b_out = ablated_activations(circuit, ablation)
    said = circuit.neuron_logits if neurons is circuit.neurons else neurons @ circuit.W_L.T
    past = circuit.skip_logits if residual is circuit.residual else (residual + b_out) @ circuit.network.W_U
    logits: Array = said + past
    return logits


def _residual_without(circuit: Circuit, heads: list[int], how: How) -> Array:
    network, attention = circuit.network, circuit.attention
    kept = [head for head in range(network.n_heads) if head not in heads]
    attended = network.attended(attention, kept)
    if how == "mean":
        attended += network.attended(attention, heads).mean(axis=0)
    return network.residual(attended)


def _logits_without(circuit: Circuit, head: int, how: How) -> Array:
    """The logits without one head, (p², p); p rows at a time, which stay in the processor's cache.

    What a head adds to the neurons is three numbers times what can stand at the three positions, so it is taken away
    from the pre-activations that there are.
    """
    network, p = circuit.network, circuit.p
    attention, written = circuit.attention[head], [each[head] for each in network.written()]
    in_neurons, in_logits = ([each @ weight for each in written] for weight in (network.W_in, network.W_U))
    mean = _mean_added(attention, written) if how == "mean" else np.zeros_like(written[2][0])
    logits: Array = (circuit.skip_logits + mean @ network.W_U).reshape(p, p, -1)
    pre, mean_in = circuit.pre_activations.reshape(p, p, -1), mean @ network.W_in
    left = np.empty((2, p, network.d_mlp), pre.dtype)
    for a, looks in enumerate(attention):
        np.subtract(pre[a], _added(looks, a, in_neurons, left), out=left[0])
        left[0] += mean_in
        logits[a] += np.maximum(left[0], 0, out=left[0]) @ circuit.W_L.T
        logits[a] -= _added(looks, a, in_logits, np.empty((2, p, p), pre.dtype))
    return logits.reshape(p * p, -1)


def _mean_added(attention: Array, written: list[Array]) -> Array:
    """The mean over all inputs of what a head adds, (d_model,): attention (p, p, 3)."""
    at_a, at_b, at_end = attention[..., 0].mean(axis=1), attention[..., 1].mean(axis=0), attention[..., 2].mean()
    mean: Array = (at_a @ written[0] + at_b @ written[1]) / len(attention) + at_end * written[2][0]
    return mean


def _added(looks: Array, a: int, written: list[Array], space: Array) -> Array:
    """What a head adds for one a and every b, (p, n): looks (p, 3) times what it writes at the three positions.

    space (2, p, n) is written over: to ask for new memory would take longer than the products.
    """
    added: Array = np.multiply(looks[:, 1:2], written[1], out=space[0])
    added += np.matmul(looks[:, ::2], np.stack([written[0][a], written[2][0]]), out=space[1])
    return added


def _without_waves(circuit: Circuit, logits: Array, ablation: Ablation) -> Array:
    """The edit of the logits as a function of the sum, in the precision of the logits."""
    table = circuit.sum_table if logits is circuit.logits else sum_table(logits, circuit.sums)
    parts = circuit.wave_tables if logits is circuit.logits else wave_tables(table)
    if ablation.keep_only is None:
        removed = parts[[k - 1 for k in sorted(ablation.frequencies)]].sum(axis=0)
        left: Array = logits - removed.astype(logits.dtype)[circuit.sums]
        return left
    kept = parts[[k - 1 for k in sorted(ablation.keep_only - ablation.frequencies)]].sum(axis=0)
    kept += table.mean(axis=0)  # the waves have no mean; every sum has p inputs, so this is the mean over inputs
    restricted: Array = kept.astype(logits.dtype)[circuit.sums]
    return restricted
