"""Other people's definitions of what is measured of a circuit, side by side: they differ, and numbers get compared.

What papers and notebooks call restricted loss, excluded loss or FVE is not always what `grokterm measure` records.
"""

import numpy as np

from grokterm.circuit.ablations import Ablation, ablated_logits
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.cosines import Cosines, CubeLosses, cosines, cube_losses
from grokterm.circuit.losses import losses
from grokterm.circuit.network import Array
from grokterm.circuit.products import asymmetry, position_similarity, sum_share
from grokterm.circuit.variants import Block, in_blocks, mean_kept, neuron_level_losses, read_losses
from grokterm.probe.findings import CosineFacts, Definitions, Share, SumFacts, Variant

BLOCKS: tuple[Block, Block] = (2, 3)


def definitions(circuit: Circuit) -> Definitions:
    """All of them, with the key frequencies. Raises RunError where p is even, or the task has no sum."""
    in_key_blocks = {size: in_blocks(circuit.logits, circuit.keys, size) for size in BLOCKS}
    fit, cubes = cosines(circuit), cube_losses(circuit)
    sums = (("before the ReLU", circuit.pre_activations), ("after it", circuit.neurons), ("logits", circuit.logits))
    signed = residues(circuit)
    return Definitions(
        sum=signed,
        losses=_losses(circuit, signed, in_key_blocks, fit, cubes),
        cosines=_cosines(circuit, fit, cubes),
        logit_fve=_logit_fve(circuit, in_key_blocks, fit),
        sums=[SumFacts(what, **vars(sum_share(circuit, values))) for what, values in sums],
        neuron_asymmetry=asymmetry(circuit.neurons),
        logit_asymmetry=asymmetry(circuit.logits),
        position_similarity=position_similarity(circuit.network.W_pos),
    )


def residues(circuit: Circuit) -> str:
    """In whose waves the answers are expected: "a + b", "a − b", or "a ± b" where it is neither of them mod p."""
    a, b, _ = circuit.task.inputs.T
    signed = (("a + b", a + b), ("a − b", a - b))
    return next((said for said, values in signed if np.array_equal(values % circuit.p, circuit.sums)), "a ± b")


def _losses(
    circuit: Circuit, signed: str, in_key_blocks: dict[Block, Array], fit: Cosines, cubes: CubeLosses
) -> list[Variant]:
    task, key = circuit.task, frozenset(circuit.keys)
    without_mean = circuit.wave_tables[circuit.key_frequencies].sum(axis=0)[circuit.sums]
    by_neurons, read = neuron_level_losses(circuit), read_losses(circuit)
    restricted = [
        Variant("restricted", losses(ablated_logits(circuit, Ablation(keep_only=key)), task)),
        Variant("restricted, no means put back", losses(without_mean, task)),
        *(
            Variant(f"restricted, {size}×{size} blocks", losses(mean_kept(part, circuit.logits), task))
            for size, part in in_key_blocks.items()
        ),
        Variant("restricted, in the neurons", by_neurons.restricted),
        Variant(f"cosines of {signed} − c alone", fit.losses),
    ]
    excluded = [
        Variant("excluded", losses(ablated_logits(circuit, Ablation(frequencies=key)), task)),
        *(
            Variant(f"excluded, {size}×{size} blocks", losses(circuit.logits - part, task))
            for size, part in in_key_blocks.items()
        ),
        Variant(f"excluded, cosines of {signed} − c", cubes.excluded),
        Variant("excluded, in the neurons", by_neurons.excluded),
        Variant("excluded, in the neurons, no skip", by_neurons.excluded_without_skip),
    ]
    return [
        *restricted,
        *excluded,
        Variant("neurons on what W_L reads", read.onto),
        Variant("neurons on what W_L reads, means kept", read.onto_mean_kept),
        Variant("neurons off it", read.off),
        Variant("neurons off it, means kept", read.off_mean_kept),
    ]


def _cosines(circuit: Circuit, fit: Cosines, cubes: CubeLosses) -> list[CosineFacts]:
    waves = circuit.without_each_frequency.train
    without = {size: {k: _train_loss_without_block(circuit, k, size) for k in circuit.keys} for size in BLOCKS}
    return [
        CosineFacts(
            frequency=k,
            coefficient=float(fit.coefficients[k - 1]),
            similarity=float(fit.similarities[k - 1]),
            amplitude=float(fit.amplitudes[k - 1]),
            without_waves=float(waves[k - 1]),
            without_cosine=float(cubes.without_each.train[k - 1]),
            without_2x2=without[2][k],
            without_3x3=without[3][k],
        )
        for k in circuit.keys
    ]


def _train_loss_without_block(circuit: Circuit, k: int, size: Block) -> float:
    return losses(circuit.logits - in_blocks(circuit.logits, [k], size), circuit.task).train


def _logit_fve(circuit: Circuit, in_key_blocks: dict[Block, Array], fit: Cosines) -> list[Share]:
    centred = circuit.logits - circuit.logits.mean(axis=0)
    variance = float(np.square(centred, dtype=np.float64).sum())
    blocks = {size: float(np.square(part, dtype=np.float64).sum()) for size, part in in_key_blocks.items()}
    return [
        Share("cosines, less each input's mean", fit.fve),
        Share("cosines, less each class's mean", fit.fve_class_centred),
        Share("cosines, less the mean of all", fit.fve_centred),
        Share("cosines, no mean taken away", fit.fve_uncentred),
        Share("waves of the sum", sum_share(circuit, circuit.logits).pooled),
        *(Share(f"{size}×{size} blocks", power / variance if variance else 0.0) for size, power in blocks.items()),
    ]
