"""The logits as a sum of cosines cos(w_k(a ± b − c)): how much of them is what trigonometry predicts."""

from dataclasses import dataclass

import numpy as np

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.diverged import quiet
from grokterm.circuit.losses import Losses, PartLosses, losses, without_each_wave
from grokterm.circuit.network import Array
from grokterm.circuit.waves import Floats, waves


@dataclass(frozen=True, eq=False)
class Cosines:
    """The logits' part along each unit cube u_k = cos(w_k(a ± b − c)) / ‖·‖, L as a vector of p³ numbers.

    coefficients v_k = ⟨L, u_k⟩, similarities v_k / ‖L‖ and amplitudes, those of the cosines themselves, each
    (frequencies,). fve: the share of L − mean in Σ_key v_k u_k; what the mean is taken of changes it, up to ninefold on
    one reference model: of each input's logits (softmax ignores it, so this is the one to quote), of each class's, of
    all, or no mean taken away. losses: of Σ_key v_k u_k as logits.
    """

    coefficients: Floats
    similarities: Floats
    amplitudes: Floats
    fve: float
    fve_class_centred: float
    fve_centred: float
    fve_uncentred: float
    losses: Losses


@dataclass(frozen=True, eq=False)
class CubeLosses:
    """The losses without the key frequencies' cubes, and without each frequency's alone, (frequencies,)."""

    excluded: Losses
    without_each: PartLosses


@quiet
def cosines(circuit: Circuit) -> Cosines:
    """Fit the cosines to the logits, in float64 (Nanda et al. 2023, section 4.2 and appendix).

    Raises RunError for a task without a sum.
    """
    p, table = circuit.p, circuit.sum_table
    tables = cube_tables(table)
    v = _coefficients(table)
    approximation = np.square(v[circuit.key_frequencies]).sum()
    L = circuit.logits
    squares = float(np.einsum("nc,nc->", L, L, dtype=np.float64))
    means = {
        "fve": p * np.square(L.mean(axis=1, dtype=np.float64)).sum(),
        "fve_class_centred": p * p * np.square(table.mean(axis=0)).sum(),
        "fve_centred": p**3 * table.mean() ** 2,
        "fve_uncentred": 0.0,
    }
    shares = {name: _share(approximation, squares - mean) for name, mean in means.items()}
    norm = np.sqrt(squares)
    return Cosines(
        coefficients=v,
        similarities=v / norm if norm else v,
        amplitudes=v / np.sqrt(p**3 / 2),
        losses=losses(tables[circuit.key_frequencies].sum(axis=0)[circuit.sums], circuit.task),
        **shares,
    )


@quiet
def cube_losses(circuit: Circuit) -> CubeLosses:
    """The 3D variant of the excluded losses: L − v_k u_k where the 2D one takes P_k L away (Nanda et al. 2023's code).

    Raises RunError for a task without a sum.
    """
    tables, sums = cube_tables(circuit.sum_table), circuit.sums
    removed: Array = tables[circuit.key_frequencies].sum(axis=0).astype(circuit.logits.dtype)
    return CubeLosses(
        excluded=losses(circuit.logits - removed[sums], circuit.task),
        without_each=without_each_wave(circuit.logits, tables, sums, circuit.task),
    )


def cube_tables(sum_table: Floats) -> Floats:
    """v_k u_k for every k as a function of the sum, (frequencies, p, p), from the logits' sum table (p, p)."""
    p = len(sum_table)
    each = waves(p)
    unit = each.transpose(0, 2, 1) @ each / np.sqrt(2 * p)  # cos(w_k(s − c)) = cos·cos + sin·sin
    tables: Floats = unit * _coefficients(sum_table)[:, None, None]
    return tables


def _coefficients(sum_table: Floats) -> Floats:
    """v_k, (frequencies,)."""
    each = waves(len(sum_table))
    v: Floats = np.sqrt(len(sum_table) / 2) * ((each @ sum_table) * each).sum(axis=(1, 2))
    return v


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else 0.0
