"""Attention periodicity: which frequency each head's attention follows, and how closely."""

from typing import Any

from grokterm.catalog import part
from grokterm.circuit.attention import periodicity
from grokterm.circuit.circuit import Circuit


@part
def attention_periodicity(circuit: Circuit) -> dict[str, Any]:
    """Attention to the first number, fitted by waves of one frequency, each (heads,) (Nanda et al. 2023, section 4.2).

    attention_fve: of 1, cos and sin of w_k a and of w_k b, at the best k; attention_fve_2term: of the differences of
    cosines and of sines alone.
    """
    found = periodicity(circuit.attention)
    return {
        "attention_frequency": found.frequency,
        "attention_fve": found.fve,
        "attention_fve_2term": found.fve_2term,
    }
