"""The embedding's frequencies, circles and directions, with NumPy: what a viewer can say of W_E without torch."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.diverged import quiet
from grokterm.circuit.network import Array
from grokterm.circuit.waves import basis

Floats = NDArray[np.float64]

CONTROLS = 8
"""How many Gaussian matrices a random control is the mean of; their singular values scatter by a few thousandths."""


def on_circle(W_E: Floats, wave: Floats) -> Floats:
    """Where the tokens lie on the plane of one frequency, (p, 2): `wave` is its cos and sin (2, p), W_E (p, d_model).

    The axes are the directions in which W_E has the cos and the sin, F[2k−1]·W_E and F[2k]·W_E; a token's coordinates
    are its embedding's components along them, in the unit of W_E. Where the frequency is all that W_E has in these
    directions, the tokens lie on an ellipse, a circle when both are equally long: token x at the angle 2πkx/p, with
    the radius √(2/p) times the direction's length. Whatever else W_E has there moves them off it.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        directions = wave @ W_E  # (2, d_model)
        lengths = np.sqrt(np.square(directions).sum(axis=1, keepdims=True))
        units = np.divide(directions, lengths, out=np.zeros_like(directions), where=lengths > 0)
        places: Floats = W_E @ units.T
    return places


def around(p: int, frequency: int) -> NDArray[np.intp]:
    """The tokens in the order in which they lie on the circle of a frequency, (p,)."""
    return np.argsort(frequency * np.arange(p) % p, kind="stable")


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of the embedding over the vocabulary, by the variance that they explain.

    coordinates (p, n): where each token lies along each, in the unit of W_E. shares (n,): of the variance.
    """

    coordinates: Floats
    shares: Floats

    @property
    def in_waves(self) -> Floats:
        """The components in the Fourier basis, F · coordinates, (p, n); p odd."""
        transformed: Floats = basis(len(self.coordinates)) @ self.coordinates
        return transformed

    @property
    def plane_shares(self) -> Floats:
        """How much of each of the first two components every frequency has, (frequencies, 2); p odd."""
        waves = self.in_waves[1:, :2]
        power = np.square(waves).reshape(-1, 2, 2).sum(axis=1)
        total = np.square(waves).sum(axis=0)  # they are centred: the constant has nothing
        shares: Floats = np.divide(power, total, out=np.zeros_like(power), where=total != 0)
        return shares


@dataclass(frozen=True)
class Circularity:
    """How much of the first two principal components is waves of one frequency, 0 … 1, and of which."""

    power: float
    frequency: int


def singular_values(M: Array) -> Floats:
    """Of a matrix as it is, nothing centred: descending, float64; NaN where it has values that are no numbers."""
    if not np.isfinite(M).all():
        return np.full(min(M.shape), np.nan)
    values: Floats = np.linalg.svd(M.astype(np.float64), compute_uv=False)
    return values


@quiet
def random_control(M: Array) -> Floats:
    """What the singular values of M would be without structure: the mean of those of Gaussian matrices of its norm."""
    control: Floats = np.sqrt(np.square(M, dtype=np.float64).sum()) * _gaussian_spectrum(*M.shape)
    return control


@lru_cache(maxsize=8)
def _gaussian_spectrum(rows: int, columns: int) -> Floats:
    """Mean singular values of seeded Gaussian matrices of Frobenius norm 1."""
    noise = np.random.default_rng(0).normal(size=(CONTROLS, rows, columns))
    values = np.linalg.svd(noise, compute_uv=False)
    mean: Floats = (values / np.linalg.norm(values, axis=1, keepdims=True)).mean(axis=0)
    mean.flags.writeable = False
    return mean


@quiet
def principal_components(W_E: Array) -> Components:
    """All min(p, d_model) of the embedding (p, d_model), centred over the tokens; NaN where it has no numbers.

    They are two at least, a plane: where d_model = 1 the second is zero.
    """
    count = max(min(W_E.shape), 2)
    if not np.isfinite(W_E).all():
        return Components(np.full((len(W_E), count), np.nan), np.full(count, np.nan))
    centred = W_E.astype(np.float64)
    centred -= centred.mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    coordinates, power = np.zeros((len(W_E), count)), np.zeros(count)
    coordinates[:, : len(values)], power[: len(values)] = left * values, np.square(values)
    total = power.sum()
    return Components(coordinates, power / total if total else power)


@quiet
def circularity(components: Components) -> Circularity:
    """Mean over the first two principal components of the share of each that one frequency has (Liu et al. 2022).

    The frequency is the one for which this is largest. 1: the tokens lie on a circle (or an ellipse) in the plane of
    the two; noise of p tokens gives about 4 · ln(p) / p. Embeddings with several circles of like size have principal
    components that mix them. p odd.
    """
    shares = components.plane_shares.mean(axis=1)
    best = int(shares.argmax())
    return Circularity(power=float(shares[best]), frequency=best + 1)
