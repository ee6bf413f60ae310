"""What is asked of a checkpoint without torch, on two checkpoints of other people, against somebody else's numbers.

`COUNTERPARTS` has a function for each entry of expected.json that has a counterpart here; the last test minds the rest.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from grokterm.circuit import attention, cosines, embedding, products, unembedding, variants, waves
from grokterm.circuit.ablations import Ablation, ablated_logits
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.losses import Losses, losses
from grokterm.circuit.parameters import parameter_table
from tests import reference
from tests.reference import NAMES, NANDA
from tests.reference_circuits import circuit, expected

pytestmark = reference.needed

RTOL = {"float64": 1e-5, "float32": 1e-4}
"""Of a float64 and of a float32 forward pass; cross-entropies are float64 in both."""

WITHOUT_COUNTERPART = {
    "margin": "logit_margin is measured with torch alone (tests/measures/test_reference_values.py)",
    "loss_f32fwd_114way": "our W_U has no column for the token =, which is never an answer",
    "split": "words: how the training part was drawn (tests/measures/test_reference_values.py draws it)",
    "layout": "words: the layout of the file (tests/importers)",
}


def parts(found: Losses) -> dict[str, float]:
    return {"all": found.all, "train": found.train, "test": found.test}


def without(c: Circuit, k: int) -> Losses:
    return losses(ablated_logits(c, Ablation(frequencies=frozenset({k}))), c.task)


def without_block(c: Circuit, k: int, size: variants.Block) -> Losses:
    return losses(c.logits - variants.in_blocks(c.logits, [k], size), c.task)


def in_key_blocks(c: Circuit, size: variants.Block) -> Any:
    return variants.in_blocks(c.logits, c.keys, size)


def centred_share(part: Any, c: Circuit) -> float:
    """Of the logits, each class's mean taken away."""
    return float(np.square(part).sum() / np.square(c.logits - c.logits.mean(axis=0)).sum())


def edited(c: Circuit, **edit: Any) -> dict[str, float]:
    return parts(losses(ablated_logits(c, Ablation(**edit)), c.task))


def by_key(c: Circuit, values: Any) -> dict[str, float]:
    """Of an array with an entry a frequency, those of the key frequencies."""
    return {str(k): float(values[k - 1]) for k in c.keys}


def share(found: products.SumShare) -> dict[str, float]:
    return {"mean_unweighted": found.mean, "pooled": found.pooled}


def ginis(M: Any) -> dict[str, float]:
    norms = waves.component_norms(M)
    return {
        "components113": waves.gini(norms),
        "components112_noDC": waves.gini(norms[1:]),
        "pairs56": waves.gini(waves.paired(norms)),
        "sq113": waves.gini(norms**2),
    }


def leaders(M: Any, above: float) -> list[int]:
    """The frequencies whose norm is more than so much of the largest."""
    norms = waves.paired(waves.component_norms(M))
    return [int(k) + 1 for k in np.flatnonzero(norms > norms.max() * above)]


def tallest(M: Any) -> list[list[float]]:
    """The ten frequencies of the largest norms, with the norms rounded as the file has them."""
    norms = waves.paired(waves.component_norms(M))
    return [[int(k) + 1, round(float(norms[k]), 5)] for k in np.argsort(-norms)[:10]]


def attention_fits(c: Circuit) -> list[dict[str, Any]]:
    found = attention.periodicity(c.attention)
    columns = zip(found.frequency, found.fve, found.fve_2term, found.alpha, found.beta, strict=True)
    return [
        {"freq": k, "fve_5term": five, "fve_paper_2term": two, "alpha_beta": [alpha, beta]}
        for k, five, two, alpha, beta in columns
    ]


def largest_entries(c: Circuit) -> list[list[float]]:
    """The 24 largest entries of the 2D spectrum, descending, with their row and column."""
    order = np.argsort(-c.logit_spectrum, axis=None, kind="stable")[:24]
    return [[*map(int, np.unravel_index(i, (c.p, c.p))), float(c.logit_spectrum.flat[i])] for i in order]


def table1(c: Circuit) -> dict[str, dict[str, float]]:
    found = unembedding.key_shares(c)
    columns = {"u_cos": found.cos, "v_sin": found.sin, "u_both": found.cos_both, "v_both": found.sin_both}
    return {str(k): {name: float(column[k - 1]) for name, column in columns.items()} for k in c.keys}


def cosine_fit(c: Circuit) -> dict[str, Any]:
    found = cosines.cosines(c)
    return {
        "fve_uncentred": found.fve_uncentred,
        "fve_grandmean": found.fve_centred,
        "fve_percol": found.fve_class_centred,
        "fve_rowcentred": found.fve,
        "loss": parts(found.losses),
        "resid_frac": (1 - found.fve_uncentred) ** 0.5,
    }


def sums_of_squares(c: Circuit, names: list[str]) -> dict[str, float]:
    """By parameter; the file also names biases that are frozen at zero, which we do not have."""
    rows = {row.name: row.sumsq for row in parameter_table(c.network.parameters)}
    return {**dict.fromkeys(names, 0.0), **rows, "total": sum(rows.values())}


def counted(numbers: Any) -> dict[str, int]:
    return {str(k): int(n) for k, n in enumerate(numbers, 1) if n}


COUNTERPARTS: dict[str, Callable[[Circuit], Any]] = {
    "loss_f32fwd": lambda c: parts(c.losses),
    "loss_f64fwd": lambda c: parts(c.losses),
    "acc": lambda c: {"train": c.losses.train_accuracy, "test": c.losses.test_accuracy},
    "WE_norms": lambda c: waves.component_norms(c.W_E),
    "WL_norms": lambda c: waves.component_norms(c.W_L),
    "WE_pair": lambda c: waves.paired(waves.component_norms(c.W_E)),
    "WL_pair": lambda c: waves.paired(waves.component_norms(c.W_L)),
    "WE_top": lambda c: tallest(c.W_E),
    "WL_top": lambda c: tallest(c.W_L),
    "keys_WE_max4": lambda c: leaders(c.W_E, 1 / 4),
    "keys_WL_max10": lambda c: leaders(c.W_L, 1 / 10),
    "gini_WE": lambda c: ginis(c.W_E),
    "gini_WL": lambda c: ginis(c.W_L),
    "n_dead_neurons": lambda c: c.dead_neurons.sum(),
    "neuron_argmax_unique": lambda c: counted(np.bincount(c.neuron_frequencies)[1:]),
    "clusters_ge_0.85": lambda c: counted(c.clusters),
    "n_neurons_ge_0.85": lambda c: c.in_cluster.sum(),
    "neuron_fve_mean": lambda c: c.neuron_fve.max(axis=1).mean(),
    "neuron_fve_median": lambda c: np.sort(c.neuron_fve.max(axis=1))[(c.network.d_mlp - 1) // 2],  # the lower of two
    "keys_neuron085": lambda c: c.keys,
    "keys": lambda c: c.keys,
    "logit_fft2d_norm_top": largest_entries,
    "logit_fve_sumdirs": lambda c: products.sum_share(c, c.logits).pooled,
    "logit_fve_2x2": lambda c: centred_share(in_key_blocks(c, 2), c),
    "logit_fve_3x3": lambda c: centred_share(in_key_blocks(c, 3), c),
    "restricted_10dir": lambda c: edited(c, keep_only=frozenset(c.keys)),
    "restricted_10dir_no_bias": lambda c: parts(
        losses(c.wave_tables[c.key_frequencies].sum(axis=0)[c.sums], c.task),
    ),
    "restricted_2x2": lambda c: parts(losses(variants.mean_kept(in_key_blocks(c, 2), c.logits), c.task)),
    "restricted_3x3": lambda c: parts(losses(variants.mean_kept(in_key_blocks(c, 3), c.logits), c.task)),
    "excluded_2D_full": lambda c: edited(c, frequencies=frozenset(c.keys)),
    "excluded_2D_per": lambda c: {str(k): without(c, k).train for k in c.keys},
    "excluded_2D_all56_train": lambda c: c.without_each_frequency.train,
    "excluded_2D_max56": lambda c: c.without_each_frequency.train.max(),
    "ablate_freq_2x2_all": lambda c: {str(k): without_block(c, k, 2).all for k in c.keys},
    "ablate_freq_3x3_all": lambda c: {str(k): without_block(c, k, 3).all for k in c.keys},
    "ablate_freq_acc_all": lambda c: {str(k): without(c, k).accuracy for k in c.keys},
    "cos_coeff": lambda c: cosines.cosines(c).coefficients,
    "cos_coeff_key": lambda c: by_key(c, cosines.cosines(c).coefficients),
    "cos_sim_key": lambda c: by_key(c, cosines.cosines(c).similarities),
    "alpha_ols": lambda c: by_key(c, cosines.cosines(c).amplitudes),
    "logit_approx": cosine_fit,
    "excluded_3D_full": lambda c: parts(cosines.cube_losses(c).excluded),
    "excluded_3D_per": lambda c: by_key(c, cosines.cube_losses(c).without_each.train),
    "tldemo_restricted": lambda c: parts(variants.neuron_level_losses(c).restricted),
    "tldemo_excluded_resid": lambda c: parts(variants.neuron_level_losses(c).excluded),
    "tldemo_excluded_noresid": lambda c: parts(variants.neuron_level_losses(c).excluded_without_skip),
    "WL_rank10_resid_frac": lambda c: unembedding.residual(c.W_L, c.key_frequencies).ratio,
    "WL_rank10_resid_frac_sq": lambda c: unembedding.residual(c.W_L, c.key_frequencies).squared,
    "WL_svals_top14": lambda c: embedding.singular_values(c.W_L)[:14],
    "table1_fve": table1,
    "mlp_project_WL10": lambda c: parts(variants.read_losses(c).onto),
    "mlp_project_WL10_biascorr": lambda c: parts(variants.read_losses(c).onto_mean_kept),
    "mlp_project_nullspace": lambda c: parts(variants.read_losses(c).off),
    "mlp_project_nullspace_biascorr": lambda c: parts(variants.read_losses(c).off_mean_kept),
    "skip_zero_ablate": lambda c: edited(c, skip=True),
    "skip_mean_ablate": lambda c: edited(c, skip=True, how="mean"),
    "neurons_poly2": lambda c: edited(c, polynomial=True),
    "trig_ratio_pre": lambda c: share(products.sum_share(c, c.pre_activations)),
    "trig_ratio_post": lambda c: share(products.sum_share(c, c.neurons)),
    "trig_ratio_logit": lambda c: share(products.sum_share(c, c.logits)),
    "attn_mean_abe": lambda c: attention.mean_attention(c.attention),
    "attn_fit": attention_fits,
    "WE_svals_top16": lambda c: embedding.singular_values(c.W_E)[:16],
    "WE_svals_fro": lambda c: np.sqrt(np.square(embedding.singular_values(c.W_E)).sum()),
    "WE_centred_svals_top16": lambda c: np.linalg.norm(embedding.principal_components(c.W_E).coordinates, axis=0)[:16],
    "pos_cos_sim_01": lambda c: products.position_similarity(c.network.W_pos),
    "neuron_commut": lambda c: products.asymmetry(c.neurons),
}

OF_THEIR_OWN = {"sumsq", "n_params", *WITHOUT_COUNTERPART}

ROUNDING = {"cos_coeff": 1e-3}
"""What a float32 forward pass, which rounds each logit by up to 4e-6, leaves in numbers of seven magnitudes."""


def flat(found: Any) -> dict[str, float]:
    """Numbers by where they stand in dicts and lists."""
    if isinstance(found, dict):
        return {f"{key}/{rest}": n for key, value in found.items() for rest, n in flat(value).items()}
    if isinstance(found, list | tuple | np.ndarray):
        return {f"{i}/{rest}": n for i, value in enumerate(found) for rest, n in flat(value).items()}
    return {"": float(found)}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", RTOL)
@pytest.mark.parametrize("entry", COUNTERPARTS)
def test_number(name: str, dtype: str, entry: str) -> None:
    ours, theirs = flat(COUNTERPARTS[entry](circuit(name, dtype))), flat(expected(name, entry))
    assert ours.keys() == theirs.keys()
    found, wanted = np.array([ours[place] for place in theirs]), np.array([*theirs.values()])
    atol = ROUNDING.get(entry, 0.0) if dtype == "float32" else 0.0
    np.testing.assert_allclose(found, wanted, rtol=RTOL[dtype], atol=atol)


@pytest.mark.parametrize("name", NAMES)
def test_sums_of_squares_and_the_number_of_parameters(name: str) -> None:
    """The column of = in Nanda's W_U and TransformerLens's biases that are frozen at zero are not among ours."""
    c, found = circuit(name), reference.load(name)
    dropped = {"W_U": found.dropped_sq, "total": found.dropped_sq}
    for parameter, square in sums_of_squares(c, list(expected(name, "sumsq"))).items():
        assert square + dropped.get(parameter, 0.0) == pytest.approx(expected(name, "sumsq", parameter), rel=1e-8)
    table = parameter_table(c.network.parameters)
    not_ours = c.network.W_U.shape[0] if name == NANDA else 3 * 4 * 32 + 128 + 113  # b_Q, b_K, b_V, b_O, b_U
    assert sum(row.count for row in table) + not_ours == expected(name, "n_params")
    assert sum(row.share for row in table) == pytest.approx(1)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_in_the_file_is_forgotten(name: str) -> None:
    assert reference.load(name).expected.keys() <= COUNTERPARTS.keys() | OF_THEIR_OWN
