"""Excluded loss in three dimensions: the training loss without the cosines of a + b − c at the key frequencies."""

from typing import Any

from grokterm.catalog import part
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.cosines import cube_losses


@part
def excluded_loss_3d(circuit: Circuit) -> dict[str, Any]:
    """Cross-entropy on train of L − Σ_key v_k u_k, u_k the unit cube cos(w_k(a + b − c)) (Nanda et al. 2023's code).

    excluded_loss_3d_k: the same with one frequency removed, (frequencies,).
    """
    found = cube_losses(circuit)
    return {"excluded_loss_3d": found.excluded.train, "excluded_loss_3d_k": found.without_each.train}
