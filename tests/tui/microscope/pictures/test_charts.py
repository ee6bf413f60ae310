"""Clusters, circle, singular values, histograms, ablations and the table: the numbers and what is said of them."""

import numpy as np
import pytest

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.embedding import random_control, singular_values
from grokterm.circuit.waves import waves
from grokterm.tui.microscope.lens import Sight, Subject
from grokterm.tui.microscope.looking import Looking
from grokterm.tui.microscope.pictures.embedding_circle import EmbeddingCircle
from grokterm.tui.microscope.pictures.frequency_ablation import FrequencyAblation
from grokterm.tui.microscope.pictures.neuron_frequencies import NeuronFrequencies, NeuronFrequenciesFacts
from grokterm.tui.microscope.pictures.neuron_fve import NeuronFve
from grokterm.tui.microscope.pictures.saliency import Saliency
from grokterm.tui.microscope.pictures.singular_values import SingularValues, SingularValuesFacts
from grokterm.tui.microscope.pictures.weights import Weights
from tests.drawn_maps import dots_of, text_of
from tests.random_circuit import P, grid_task, random_circuit, random_network

CIRCUIT = random_circuit()
CLUSTERS = NeuronFrequenciesFacts(
    frequency=np.array([1, 3, 3, 3, 5, 1]),
    fve=np.array([0.2, 0.9, 0.95, 0.5, 0.86, 0.0]),
    dead=np.array([False, False, False, False, False, True]),
    clusters=np.array([0, 0, 2, 0, 1]),
)


def circle_circuit(k: int, radius: float = 3.0) -> Circuit:
    """A network whose embedding is little but a circle."""
    network = random_network()
    W_E = network.W_E * 0.01
    W_E[:P, :2] += radius * waves(P)[k - 1].T
    return Circuit(type(network)(**{**network.parameters, "W_E": W_E}), grid_task())


def test_clusters_are_counted_and_the_rest_lies_below_the_cut() -> None:
    picture = NeuronFrequencies().draw(CLUSTERS, Sight(), 84, 16)
    assert picture.title == "FVE by frequency · 3 of 6 neurons in 2 clusters · 1 off for every input"
    picture = NeuronFrequencies().draw(CLUSTERS, Sight(), 64, 16)
    assert picture.title == "FVE by frequency · 3 of 6 neurons in 2 clusters · 1 off"
    assert len(dots_of(picture.rows, "bar.key")) == 3
    assert len(dots_of(picture.rows, "bar")) == 2
    rows = text_of(picture.rows)
    cut = next(2 * y + 2 for y, row in enumerate(rows) if "FVE 0.85" in row)
    assert (dots_of(picture.rows, "bar.key")[:, 1] <= cut).all()
    assert (dots_of(picture.rows, "bar")[:, 1] > cut).all()
    assert rows[-1].split() == ["3:", "2", "5:", "1"]


def test_unexplained_shares_on_a_log_axis_turn_the_order_round() -> None:
    rows = NeuronFrequencies().draw(CLUSTERS, Sight(flipped=True), 64, 16).rows
    assert dots_of(rows, "bar.key")[:, 1].min() > dots_of(rows, "bar")[:, 1].max()


def test_a_frequencys_neurons_are_told() -> None:
    read = NeuronFrequencies().reading
    assert read(CLUSTERS, Sight((2, 0))) == "frequency 3: 3 neurons, 2 in its cluster, best neuron 2 (FVE 0.9500)"
    assert read(CLUSTERS, Sight((0, 0))) == "frequency 1: 1 neuron, 0 in its cluster, best neuron 0 (FVE 0.2000)"
    assert read(CLUSTERS, Sight((1, 0))) == "frequency 2: no neuron"


@pytest.mark.parametrize("k", [1, 2, 4])
def test_tokens_lie_on_a_circle_in_the_order_of_the_strongest_frequency(k: int) -> None:
    facts = EmbeddingCircle().look(circle_circuit(k), Subject())
    assert facts.frequency == k
    radius = np.hypot(*facts.places.T)
    assert radius.std() < 0.03 * radius.mean()
    angles = np.unwrap(np.arctan2(*facts.places[facts.order].T[::-1]))
    np.testing.assert_allclose(np.abs(np.diff(angles)), 2 * np.pi / P, atol=0.1)
    picture = EmbeddingCircle().draw(facts, Sight(), 64, 16)
    assert f"frequency {k} and principal components" in picture.title
    assert f"frequency {k} · radius ±" in text_of(picture.rows)[0]
    assert facts.waves[0][0] == facts.waves[1][0] == k


def test_a_narrow_place_has_one_plane_and_the_other_scale_the_other_one() -> None:
    facts = EmbeddingCircle().look(circle_circuit(2), Subject())
    title = EmbeddingCircle().draw(facts, Sight(), 30, 20).title
    assert title.startswith("Embedding · frequency 2, the strongest · radius")
    other = EmbeddingCircle().draw(facts, Sight(flipped=True), 30, 20).title
    assert other.startswith("Embedding · principal components 1 and 2")


def test_another_frequency_may_be_chosen_and_the_cursor_goes_round() -> None:
    facts = EmbeddingCircle().look(circle_circuit(2), Subject(frequency=5))
    assert facts.frequency == 5
    assert "strongest" not in EmbeddingCircle().draw(facts, Sight(), 30, 20).title
    looking = Looking("6")
    for place in range(P):
        looking = looking.moved(1, 0, EmbeddingCircle().extent(facts), EmbeddingCircle().order(facts, Sight()))
        token = int(EmbeddingCircle().reading(facts, looking.sight("6")).split()[1].rstrip(":"))
        assert 5 * token % P == place


def test_an_embedding_of_one_dimension_is_drawn_too() -> None:
    thin = Circuit(random_network(d_model=1, heads=1), grid_task())
    facts = EmbeddingCircle().look(thin, Subject())
    assert facts.components.shape == (P, 2)
    for width in (30, 64):
        picture = EmbeddingCircle().draw(facts, Sight(), width, 16)
        assert len(picture.rows) == 16
    assert "components (" in EmbeddingCircle().reading(facts, Sight((0, 0)))


def test_singular_values_and_their_control() -> None:
    facts = SingularValues().look(CIRCUIT, Subject())
    np.testing.assert_array_equal(facts.values, singular_values(CIRCUIT.W_E))
    np.testing.assert_array_equal(facts.control, random_control(CIRCUIT.W_E))
    made = SingularValuesFacts((4, 6), np.array([5.0, 4.0, 0.5, 0.1]), np.array([3.0, 2.0, 1.5, 1.0]))
    picture = SingularValues().draw(made, Sight(), 64, 16)
    assert picture.title == "Singular values of W_E, 4 × 6 · the first 2 above random"
    assert "random, same shape and norm" in text_of(picture.rows)[0]
    assert SingularValues().reading(made, Sight((2, 0))) == "singular value 3: 0.5, random 1.5"
    low = SingularValuesFacts((1, 1), np.array([1.0]), np.array([1.0]))
    assert "none above random" in SingularValues().draw(low, Sight(), 64, 16).title


def test_fve_histogram_counts_every_neuron() -> None:
    facts = NeuronFve().look(CIRCUIT, Subject())
    fve = CIRCUIT.neuron_fve.max(axis=1)
    assert facts.bins.counts.sum() == len(fve)
    assert facts.bins.counts[34:].sum() == facts.in_cluster == (fve >= 0.85).sum()
    at = int(fve[0] * 40)
    told = NeuronFve().reading(facts, Sight((at, 0)))
    assert told.startswith(f"FVE {at / 40:.3f} – {(at + 1) / 40:.3f}: {facts.bins.counts[at]} neuron")
    assert f"median {np.median(fve):.3f}" in NeuronFve().draw(facts, Sight(), 64, 16).title


def test_ablation_bars_are_the_losses_without_each_frequency() -> None:
    facts = FrequencyAblation().look(CIRCUIT, Subject())
    np.testing.assert_array_equal(facts.all, CIRCUIT.without_each_frequency.all)
    picture = FrequencyAblation().draw(facts, Sight(), 64, 16)
    assert picture.title == f"Loss without one frequency, log y · with all {CIRCUIT.losses.all:.4g}"
    assert text_of(picture.rows)[-1].split() == ["1", "3"]
    told = FrequencyAblation().reading(facts, Sight((2, 0)))
    assert told.startswith(f"without 3: all {facts.all[2]:.4g} (with it {CIRCUIT.losses.all:.4g}), train ")


def test_saliency_is_counted_and_its_largest_named() -> None:
    facts = Saliency().look(CIRCUIT, Subject())
    assert facts.bins.counts.sum() == 20
    assert facts.top[0] == (int(CIRCUIT.saliency.argmax()), CIRCUIT.saliency.max())
    assert f"(neuron {facts.top[0][0]})" in Saliency().draw(facts, Sight(), 64, 16).title
    count = int(facts.bins.counts[0])
    assert Saliency().reading(facts, Sight((0, 0))).endswith(f": {count} neuron{'' if count == 1 else 's'}")


def test_the_table_has_every_parameter_and_their_sum() -> None:
    facts = Weights().look(CIRCUIT, Subject())
    rows = text_of(Weights().draw(facts, Sight((0, 1)), 100, 16).rows)
    assert [row.split()[0] for row in rows[1:12]] == ["W_E", "▸W_pos", *[*CIRCUIT.network.parameters][2:]]
    assert rows[12].split()[:2] == ["all", f"{sum(w.size for w in CIRCUIT.network.parameters.values()):,}"]
    total = sum(np.square(weight).sum() for weight in CIRCUIT.network.parameters.values())
    assert f"{total:.4g}" in rows[12]
    assert "100.0%" in rows[12]
    squares = np.square(CIRCUIT.network.W_pos).sum()
    told = Weights().reading(facts, Sight((0, 1)))
    assert told.startswith(f"W_pos: norm² {squares:.6g} ({squares / total:.2%}), RMS")


def test_the_bars_of_the_table_are_shares_of_the_largest() -> None:
    facts = Weights().look(CIRCUIT, Subject())
    rows = text_of(Weights().draw(facts, Sight(), 100, 16).rows)
    longest = max(facts.parameters, key=lambda row: row.share)
    for row, line in zip(facts.parameters, rows[1:12], strict=True):
        assert abs(line.count("█") - 16 * row.share / longest.share) <= 1
    assert "█" not in rows[12]
