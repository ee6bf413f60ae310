"""What theory says of a network that has grokked, read from the drawn pictures of one that somebody else trained.

Nanda et al. 2023: the network of the reference file adds with the frequencies 16, 30 and 56 (tests/reference.py).
"""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from grokterm.circuit.circuit import Circuit
from grokterm.tui.microscope.lens import Sight, Subject
from grokterm.tui.microscope.lenses import LENSES
from tests import reference
from tests.drawn_maps import NONE, dots_of, levels_of, map_of, text_of
from tests.reference_circuits import circuit, expected

pytestmark = reference.needed
NAME = reference.TRANSFORMER_LENS
KEYS = (16, 30, 56)
LENS = {lens.key: lens for lens in LENSES}
ONE_TO_ONE = (119, 59)
"""Cells in which a map of p = 113 has one value a block."""


@cache
def network() -> Circuit:
    return circuit(NAME)


def drawn(
    key: str, sight: Sight | None = None, size: tuple[int, int] = (64, 20)
) -> tuple[str, list[str], NDArray[np.int64]]:
    """Title, text and levels of a picture."""
    facts = LENS[key].look(network(), Subject())
    picture = LENS[key].draw(facts, sight or Sight(), *size)
    return picture.title, text_of(picture.rows), levels_of(picture.rows)


def strongest(wave: NDArray[np.float64]) -> int:
    """The frequency that a function on the residues has most of."""
    return int(np.abs(np.fft.rfft(wave - wave.mean())).argmax())


@pytest.mark.parametrize("neuron", [0, 17, 100, 421])
def test_a_neurons_map_is_periodic_with_its_frequency(neuron: int) -> None:
    facts = LENS["1"].look(network(), Subject(neuron=neuron))
    levels = map_of(LENS["1"].draw(facts, Sight(), *ONE_TO_ONE).rows).astype(float)
    k = int(network().neuron_frequencies[neuron])
    assert k in KEYS
    if network().in_cluster[neuron]:
        assert strongest(levels.mean(axis=1)) == k
        assert strongest(levels.mean(axis=0)) == k
    assert f"Neuron {neuron} · frequency {k}" in LENS["1"].draw(facts, Sight(), 64, 20).title


def test_ordered_by_its_frequency_a_neuron_is_one_wave() -> None:
    neuron = int(network().neuron_fve[:, 29].argmax())
    facts = LENS["1"].look(network(), Subject(neuron=neuron))
    levels = map_of(LENS["1"].draw(facts, Sight(reordered=True), 64, 20).rows).astype(float)
    assert strongest(levels.mean(axis=1)) == strongest(levels.mean(axis=0)) == 1


def test_every_head_looks_at_a_in_waves_of_one_key_frequency() -> None:
    _, rows, levels = drawn("2", sight=Sight(reordered=True), size=(460, 70))
    fits = expected(NAME, "attn_fit")
    for head, fit in enumerate(fits):
        assert fit["freq"] in KEYS
        assert f"head {head} · frequency {fit['freq']} · FVE {fit['fve_5term']:.3f}" in rows[0]
    there = (levels != NONE).any(axis=0)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], there.astype(int), [0]])))
    assert len(edges) == 8
    for fit, start, end in zip(fits, edges[::2], edges[1::2], strict=True):
        one = levels[:, start:end]
        one = one[(one != NONE).all(axis=1)].astype(float)
        in_order = fit["freq"] * pow(fits[0]["freq"], -1, 113) % 113  # of the first head
        assert strongest(one.mean(axis=0)) == min(in_order, 113 - in_order)


def test_the_logits_have_nothing_but_the_key_blocks() -> None:
    title, _, _ = drawn("3")
    facts = LENS["3"].look(network(), Subject())
    levels = map_of(LENS["3"].draw(facts, Sight(), *ONE_TO_ONE).rows)
    blocks = {(2 * k - 1 + i, 2 * k - 1 + j) for k in KEYS for i in (0, 1) for j in (0, 1)}
    bright = {tuple(place) for place in np.argwhere(levels >= 3).tolist()}
    assert bright == blocks
    assert "% in blocks 16 30 56" in title
    assert sum(facts.block_shares[k - 1] for k in KEYS) == pytest.approx(expected(NAME, "logit_fve_2x2"), rel=1e-4)


def test_a_neuron_in_the_fourier_basis_has_one_frequency() -> None:
    facts = LENS["4"].look(network(), Subject(neuron=0))
    levels = map_of(LENS["4"].draw(facts, Sight(), *ONE_TO_ONE).rows)
    k = int(network().neuron_frequencies[0])
    far = np.abs(levels - 16)
    assert {*np.unique(np.argwhere(far > 4)).tolist()} <= {0, 2 * k - 1, 2 * k}


def test_three_clusters_hold_nearly_every_neuron() -> None:
    title, rows, _ = drawn("5", size=(78, 20))
    sizes = expected(NAME, "clusters_ge_0.85")
    assert title == f"FVE by frequency · {expected(NAME, 'n_neurons_ge_0.85')} of 512 neurons in 3 clusters"
    assert rows[-1].split() == [word for k in KEYS for word in (f"{k}:", str(sizes[str(k)]))]


@pytest.mark.parametrize("k", KEYS)
def test_the_circle_is_a_circle(k: int) -> None:
    facts = LENS["6"].look(network(), Subject(frequency=k))
    rows = LENS["6"].draw(facts, Sight(), 56, 34).rows
    dots = dots_of(rows, "bar.key")
    radius = np.hypot(dots[:, 0] - 28, dots[:, 1] - 34)
    assert len(dots) > 90
    assert radius.std() < 0.08 * radius.mean()
    steps = np.diff(np.unwrap(np.arctan2(*facts.places[facts.order].T[::-1])))
    assert np.abs(np.abs(steps) - 2 * np.pi / 113).max() < 0.15


def test_a_frequency_that_is_not_key_is_no_circle() -> None:
    facts = LENS["6"].look(network(), Subject(frequency=11))
    dots = dots_of(LENS["6"].draw(facts, Sight(), 56, 34).rows, "bar.key")
    radius = np.hypot(dots[:, 0] - 28, dots[:, 1] - 34)
    assert radius.std() > 0.3 * radius.mean()


def test_the_key_frequencies_lead_the_embedding() -> None:
    facts = LENS["6"].look(network(), Subject())
    assert {int(k) + 1 for k in np.argsort(-facts.norms)[:3]} == {*KEYS}
    assert facts.frequency == 16
    assert {k for k, _ in facts.waves} <= {*KEYS}


def test_few_singular_values_are_above_random() -> None:
    title, _, _ = drawn("7")
    facts = LENS["7"].look(network(), Subject())
    np.testing.assert_allclose(facts.values[:16], expected(NAME, "WE_svals_top16"), rtol=1e-4)
    assert "the first 8 above random" in title


def test_most_neurons_are_explained() -> None:
    title, _, _ = drawn("8", size=(78, 20))
    mean, median = expected(NAME, "neuron_fve_mean"), expected(NAME, "neuron_fve_median")
    assert title.endswith(f"495 ≥ 0.85 · median {median:.3f}, mean {mean:.3f}")


def test_only_the_key_frequencies_matter() -> None:
    facts = LENS["9"].look(network(), Subject())
    rows = LENS["9"].draw(facts, Sight(), 64, 20).rows
    heights = [sum(" ▁▂▃▄▅▆▇█".index(row[5 + k - 1]) for row in text_of(rows)[:-2]) for k in range(1, 57)]
    assert {k for k in range(1, 57) if heights[k - 1] > 40} == {*KEYS}
    np.testing.assert_allclose(facts.train, expected(NAME, "excluded_2D_all56_train"), rtol=1e-4)
    assert text_of(rows)[-1].split() == ["16", "30", "56"]


def test_saliency_is_skewed() -> None:
    facts = LENS["0"].look(network(), Subject())
    assert facts.skewness > 2
    counts = facts.bins.counts
    assert counts[:10].sum() > 0.8 * counts.sum()


def test_the_weights_are_those_of_the_file() -> None:
    facts = LENS["w"].look(network(), Subject())
    sumsq = expected(NAME, "sumsq")
    for row in facts.parameters:
        assert row.sumsq == pytest.approx(sumsq[row.name], rel=1e-5)
