"""Representation quality index: the share of parallelograms of the embedding that close."""

from grokterm.catalog import part
from grokterm.circuit import parallelograms
from grokterm.circuit.circuit import Circuit


@part
def rqi(circuit: Circuit) -> float:
    """E_i + E_j = E_m + E_n, i + j = m + n mod p, within a tenth of the mean size (Liu et al. 2022, section 3.2)."""
    return parallelograms.rqi(circuit.W_E)
