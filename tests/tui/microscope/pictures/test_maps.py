"""Neuron, attention and Fourier maps: the numbers, their order, and what the title says."""

from dataclasses import replace

import numpy as np
import pytest

from grokterm.circuit import waves
from grokterm.circuit.attention import periodicity
from grokterm.drawing.colour_map import LEVELS
from grokterm.tui.microscope.lens import Sight, Subject
from grokterm.tui.microscope.maps import component
from grokterm.tui.microscope.pictures.attention import Attention
from grokterm.tui.microscope.pictures.logit_spectrum import LogitSpectrum, LogitSpectrumFacts
from grokterm.tui.microscope.pictures.neuron import Neuron, NeuronFacts
from grokterm.tui.microscope.pictures.neuron_spectrum import NeuronSpectrum
from tests.drawn_maps import map_of, text_of
from tests.random_circuit import P, random_circuit

CIRCUIT = random_circuit()
A, B = np.divmod(np.arange(113 * 113), 113)
FVE = np.eye(56)[29]


def wave(k: int) -> NeuronFacts:
    """A neuron of p = 113 that is a wave of a alone."""
    activations = 1 + np.cos(2 * np.pi * k * A / 113).reshape(113, 113)
    return NeuronFacts(7, 512, activations, np.eye(56)[k - 1])


def test_a_neuron_is_that_of_the_whole_network() -> None:
    facts = Neuron().look(CIRCUIT, Subject(neuron=5))
    np.testing.assert_allclose(facts.activations.ravel(), CIRCUIT.neurons[:, 5], atol=1e-12)
    np.testing.assert_allclose(facts.fve, CIRCUIT.neuron_fve[5], atol=1e-12)
    assert facts.frequency == CIRCUIT.neuron_frequencies[5]


def test_every_value_of_a_neuron_stands_at_its_pair() -> None:
    facts = wave(3)
    drawn = map_of(Neuron().draw(facts, Sight(), 119, 59).rows)
    assert drawn.shape == (113, 113)
    expected = np.minimum((facts.activations - facts.activations.min()) / np.ptp(facts.activations) * 32, 31)
    np.testing.assert_array_equal(drawn, expected.astype(int))
    assert (drawn == drawn[:, :1]).all()  # a goes down: a wave of a alone is the same in every column


def test_residues_in_the_order_of_the_frequency_make_one_wave() -> None:
    drawn = map_of(Neuron().draw(wave(30), Sight(reordered=True), 119, 59).rows)[:, 0]
    assert (np.diff(drawn[:57]) <= 0).all()
    assert (np.diff(drawn[57:]) >= 0).all()
    title = Neuron().draw(wave(30), Sight(reordered=True), 64, 16).title
    assert title == "Neuron 7 · frequency 30 · FVE 1.000 · order 30·x mod 113"


def test_the_reading_is_of_the_residues_whatever_their_order() -> None:
    facts = wave(30)
    assert Neuron().reading(facts, Sight((17, 3))) == f"a=3 b=17: {1 + np.cos(2 * np.pi * 90 / 113):.4g}"
    a = 3 * pow(30, -1, 113) % 113
    b = 17 * pow(30, -1, 113) % 113
    value = 1 + np.cos(2 * np.pi * 3 / 113)
    assert Neuron().reading(facts, Sight((17, 3), reordered=True)) == f"a={a} b={b}: {value:.4g}"


def test_a_title_says_when_waves_are_finer_than_blocks() -> None:
    assert "period 3.77, blurred" in Neuron().draw(wave(30), Sight(), 64, 16).title
    assert "blurred" not in Neuron().draw(wave(30), Sight(), 119, 59).title
    assert "blurred" not in Neuron().draw(wave(2), Sight(), 64, 16).title
    assert "blurred" not in Neuron().draw(wave(30), Sight(reordered=True), 64, 16).title


def test_a_neuron_that_is_off() -> None:
    facts = replace(wave(3), activations=np.zeros((113, 113)), fve=np.zeros(56))
    assert Neuron().draw(facts, Sight(), 64, 16).title == "Neuron 7 · off for every input"
    assert NeuronFacts(1, 2, np.ones((12, 12)), np.zeros(0)).title == "Neuron 1"


def test_a_spectrum_stands_beside_the_map_where_there_is_room() -> None:
    rows = text_of(Neuron().draw(wave(30), Sight(), 196, 46).rows)
    assert "share of its variance, by frequency" in rows[0]
    assert rows[-1].rstrip().endswith("30")
    assert "share" not in text_of(Neuron().draw(wave(30), Sight(), 124, 46).rows)[0]


def test_attention_is_fitted_head_by_head() -> None:
    facts = Attention().look(CIRCUIT, Subject())
    np.testing.assert_array_equal(facts.to_a, CIRCUIT.attention[..., 0])
    fit = periodicity(CIRCUIT.attention)
    assert facts.frequencies == tuple(fit.frequency)
    rows = text_of(Attention().draw(facts, Sight(), 150, 30).rows)
    for head, k in enumerate(fit.frequency):
        assert f"head {head} · frequency {k} · FVE {fit.fve[head]:.3f}" in rows[0]


def test_attention_reads_every_head_at_its_own_pair() -> None:
    facts = Attention().look(CIRCUIT, Subject())
    values = [f"{facts.to_a[head, 4, 2]:.4g}" for head in range(3)]
    assert Attention().reading(facts, Sight((2, 4))) == f"a=4 b=2: {'  '.join(values)}"
    told = Attention().reading(replace(facts, frequencies=(1, 2, 2)), Sight((2, 4), reordered=True))
    half = pow(2, -1, P)
    assert told.startswith(f"a=4 b=2: {facts.to_a[0, 4, 2]:.4g}  a={4 * half % P} b={2 * half % P}: ")


def test_components_have_names() -> None:
    assert [component(index, "a") for index in (0, 1, 2, 27)] == ["1", "cos 1a", "sin 1a", "cos 14a"]


def test_a_wave_of_the_sum_has_one_block() -> None:
    logits = np.cos(2 * np.pi * 3 * ((A + B)[:, None] - np.arange(5)) / 113)
    norms = np.sqrt(np.square(waves.transformed(logits)).sum(axis=2))
    facts = LogitSpectrumFacts(norms, (3,))
    picture = LogitSpectrum().draw(facts, Sight(), 119, 59)
    drawn = map_of(picture.rows)
    assert {*map(tuple, np.argwhere(drawn > 0))} == {(5, 5), (5, 6), (6, 5), (6, 6)}
    assert "100.0% in blocks 3" in picture.title
    np.testing.assert_allclose(facts.block_shares, np.eye(56)[2], atol=1e-9)
    share = norms[5, 6] ** 2 / np.square(norms).sum()
    assert LogitSpectrum().reading(facts, Sight((6, 5))).startswith("cos 3a · sin 3b: ")
    assert f"({share:.1%} of the variance)" in LogitSpectrum().reading(facts, Sight((6, 5)))


def test_no_peak_is_lost_in_a_small_map() -> None:
    norms = np.zeros((113, 113))
    norms[31, 32] = 5.0
    for width, height in ((30, 8), (38, 12), (78, 20)):
        drawn = map_of(LogitSpectrum().draw(LogitSpectrumFacts(norms, (16,)), Sight(), width, height).rows)
        assert drawn.max() == LEVELS["map"] - 1
        assert (drawn > 0).sum() == 1


def test_a_neurons_components_are_centred_and_have_signs() -> None:
    facts = NeuronSpectrum().look(CIRCUIT, Subject(neuron=5))
    assert abs(facts.coefficients[0, 0]) < 1e-9
    power = np.square(facts.coefficients)
    k = int(facts.fve.argmax()) + 1
    block = [0, 2 * k - 1, 2 * k]
    assert power[np.ix_(block, block)].sum() / power.sum() == pytest.approx(facts.fve[k - 1])
    drawn = map_of(NeuronSpectrum().draw(facts, Sight(), 40, 20).rows)
    assert drawn.min() < LEVELS["around"] // 2 < drawn.max()
    flipped = NeuronSpectrum().draw(facts, Sight(flipped=True), 40, 20)
    assert "size, log" in flipped.title
