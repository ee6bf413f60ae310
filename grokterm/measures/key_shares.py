"""Key shares: how purely the network computes cos(w(a + b)) and sin(w(a + b)) at each key frequency."""

from typing import Any

from grokterm.catalog import part
from grokterm.circuit import unembedding
from grokterm.circuit.circuit import Circuit


@part
def key_shares(circuit: Circuit) -> dict[str, Any]:
    """Share of what W_L reads along cos(w_k c) that is cos(w_k(a + b)), and of sin, (frequencies,); 0 where not key.

    Nanda et al. 2023, section 4.3, table 1.
    """
    found = unembedding.key_shares(circuit)
    return {"key_share_cos": found.cos, "key_share_sin": found.sin}
