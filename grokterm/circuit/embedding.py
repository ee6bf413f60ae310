"""The embedding in the Fourier basis, with NumPy: what a viewer can say of a checkpoint's W_E without torch.

`fourier.py` is the training side's form of the same basis.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def waves(p: int) -> Floats:
    """cos and sin of every frequency k = 1 … (p−1)/2 over the p residues, each of norm 1: (frequencies, 2, p), p odd.

    They are the rows 2k−1 and 2k of the basis of Nanda et al. 2023, appendix C.
    """
    x, k = np.arange(p), np.arange(1, (p + 1) // 2)
    angles = 2 * np.pi / p * ((k[:, None] * x) % p)
    each: Floats = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.sqrt(2 / p)
    return each


def frequency_norms(W_E: Floats, each: Floats) -> Floats:
    """How much of the embedding (p, d_model) each frequency has: hypot of its cos and sin component, (frequencies,)."""
    with np.errstate(over="ignore", invalid="ignore"):  # the weights of a run that diverged
        norms: Floats = np.sqrt(np.square(each @ W_E).sum(axis=(1, 2)))
    return norms


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
