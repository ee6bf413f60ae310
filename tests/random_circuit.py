"""A small network of random weights, biases too, and a small modulus: no theory holds in it, the algebra does."""

import numpy as np
from numpy.typing import DTypeLike

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.network import Network
from grokterm.run.recorded_task import RecordedTask

P = 11


def grid_task(p: int = P, *, subtract: bool = False, sums: bool = True) -> RecordedTask:
    """a + b or a − b mod p, a third of the pairs to train on."""
    a, b = np.divmod(np.arange(p * p), p)
    labels = (a - b if subtract else a + b) % p
    order = np.random.default_rng(0).permutation(p * p)
    inputs = np.stack([a, b, np.full_like(a, p)], axis=1)
    cut = p * p // 3
    return RecordedTask(inputs, labels, order[:cut], order[cut:], p, p, labels if sums else None)


def random_network(
    p: int = P, *, d_model: int = 12, heads: int = 3, d_mlp: int = 20, seed: int = 0, dtype: DTypeLike = np.float64
) -> Network:
    """Weights of the size that logits of a few units need."""
    shapes = {
        "W_E": (p + 1, d_model),
        "W_pos": (3, d_model),
        **dict.fromkeys(("W_Q", "W_K", "W_V"), (heads, d_model, d_model // heads)),
        "W_O": (heads, d_model // heads, d_model),
        "W_in": (d_model, d_mlp),
        "b_in": (d_mlp,),
        "W_out": (d_mlp, d_model),
        "b_out": (d_model,),
        "W_U": (d_model, p),
    }
    rng = np.random.default_rng(seed)
    tensors = {f"model/{name}": rng.normal(size=shape) / 2 for name, shape in shapes.items()}
    return Network.of(tensors, dtype)


def random_circuit(p: int = P, *, subtract: bool = False, dtype: DTypeLike = np.float64) -> Circuit:
    """A circuit of them, its key frequencies given, as a random network has none."""
    keys = np.zeros((p - 1) // 2, np.bool_)
    keys[[0, 2]] = True
    return Circuit(random_network(p, dtype=dtype), grid_task(p, subtract=subtract), key_frequencies=keys)


def clustered_circuit() -> Circuit:
    """The same where the first five neurons count as those of a cluster, as none of a random network does."""
    circuit = random_circuit()
    vars(circuit)["in_cluster"] = np.arange(circuit.network.d_mlp) < 5
    return circuit
