"""Representation quality index: the share of parallelograms of the embedding that close."""

from grokterm.catalog import part
from grokterm.circuit import parallelograms
from grokterm.circuit.circuit import Circuit


@part
def rqi(circuit: Circuit) -> float:
    """Share with ‖E_i + E_j − E_m − E_n‖ under a tenth of the mean ‖E_x‖, i + j = m + n (Liu et al. 2022, section 3.2).

    Whole numbers, not mod p: 1 for tokens on a line. Those on circles do not close it: near 0 for modular circuits.
    """
    return parallelograms.rqi(circuit.W_E)
