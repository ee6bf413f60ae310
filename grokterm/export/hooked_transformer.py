"""Our network in TransformerLens's words: the keys of HookedTransformer.state_dict() and what its config has to say.

Names and shapes are the same but for where they stand in the model. What ours has not is there as the demo has it:
b_Q, b_K, b_V, b_O and b_U zero. b_in and b_out, which the demo freezes at zero, are trained in ours and given as they
are.
"""

from collections.abc import Mapping

import numpy as np

from grokterm.circuit.network import POSITIONS, Array, Network

ATTENTION, MLP = "blocks.0.attn.", "blocks.0.mlp."
LARGEST_SEED = 2**32
"""HookedTransformerConfig hands its seed to NumPy, which takes no larger one."""


def state_dict(network: Network) -> dict[str, Array]:
    """The weights as HookedTransformer has them; mask and IGNORE are its buffers, True where a position may be seen."""
    n_heads, d_model, d_head = network.W_Q.shape
    dtype = network.W_E.dtype
    return {
        "embed.W_E": network.W_E,
        "pos_embed.W_pos": network.W_pos,
        **{ATTENTION + name: getattr(network, name) for name in ("W_Q", "W_K", "W_V", "W_O")},
        **{ATTENTION + name: np.zeros((n_heads, d_head), dtype) for name in ("b_Q", "b_K", "b_V")},
        f"{ATTENTION}b_O": np.zeros(d_model, dtype),
        f"{ATTENTION}mask": np.tril(np.ones((POSITIONS, POSITIONS), np.bool_)),
        f"{ATTENTION}IGNORE": np.array(-np.inf, np.float32),
        **{MLP + name: getattr(network, name) for name in ("W_in", "b_in", "W_out", "b_out")},
        "unembed.W_U": network.W_U,
        "unembed.b_U": np.zeros(network.p, dtype),
    }


def config(network: Network, seed: object) -> Mapping[str, object]:
    """Keyword arguments of HookedTransformerConfig; `seed` where it can be one."""
    n_heads, d_model, d_head = network.W_Q.shape
    said: dict[str, object] = {
        "n_layers": 1,
        "n_heads": n_heads,
        "d_model": d_model,
        "d_head": d_head,
        "d_mlp": network.d_mlp,
        "act_fn": "relu",
        "normalization_type": None,
        "d_vocab": network.p + 1,
        "d_vocab_out": network.p,
        "n_ctx": POSITIONS,
        "attention_dir": "causal",
        "positional_embedding_type": "standard",
    }
    if network.W_E.dtype != np.float32:  # else the weights would be cut to single precision when they are loaded
        said["dtype"] = network.W_E.dtype
    is_seed = isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed < LARGEST_SEED
    return {**said, "seed": seed} if is_seed else said
