"""Neuron, attention and Fourier maps: the numbers, their order, and what the title says."""

from dataclasses import replace

import numpy as np
import pytest

from grokterm.circuit import waves
from grokterm.circuit.attention import periodicity
from grokterm.circuit.embedding import around
from grokterm.drawing.colour_map import LEVELS
from grokterm.tui.microscope.lens import Sight, Subject
from grokterm.tui.microscope.looking import Looking
from grokterm.tui.microscope.maps import Residues, component
from grokterm.tui.microscope.pictures.attention import Attention, AttentionFacts
from grokterm.tui.microscope.pictures.logit_spectrum import LogitSpectrum, LogitSpectrumFacts
from grokterm.tui.microscope.pictures.neuron import Neuron, NeuronFacts
from grokterm.tui.microscope.pictures.neuron_spectrum import NeuronSpectrum
from tests.drawn_maps import map_of, text_of
from tests.random_circuit import random_circuit

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
    assert Neuron().reading(facts, Sight((17, 3), reordered=True)) == Neuron().reading(facts, Sight((17, 3)))


def test_a_cursor_stays_on_its_pair_and_goes_on_from_where_that_stands() -> None:
    facts, looking = wave(30), Looking("1").moved(0, 0, (113, 113))
    order = Neuron().order(facts, looking.sight("1"))
    looking = looking.moved(17, 3, (113, 113), order)
    a, b = (place * pow(30, -1, 113) % 113 for place in (3, 17))
    assert looking.sight("1").cursor == (b, a)
    natural = replace(looking, reordered=False)
    assert Neuron().reading(facts, natural.sight("1")).startswith(f"a={a} b={b}: ")
    order = Neuron().order(facts, natural.sight("1"))
    assert natural.moved(1, 0, (113, 113), order).sight("1").cursor == (b + 1, a)
    assert looking.moved(500, -500, (113, 113), Neuron().order(facts, looking.sight("1"))).sight("1").cursor == (
        112 * pow(30, -1, 113) % 113,
        0,
    )


def test_the_order_is_told_as_far_as_there_is_room() -> None:
    titles = [Neuron().draw(wave(30), Sight(reordered=True), width, 16).title for width in (90, 64, 40)]
    assert titles[0].endswith("order 30·x mod 113 (o: 0, 1, 2 …)")
    assert titles[1].endswith("order 30·x mod 113")
    assert " · order 30·x · " in titles[2]
    assert Neuron().draw(wave(30), Sight(), 90, 16).title.endswith("period 3.77, blurred, o helps")


def test_a_wave_has_another_period_in_the_order_of_another_frequency() -> None:
    in_order = Residues.along(113, 3, reordered=True)
    assert in_order.period(3) == 113
    assert in_order.period(6) == in_order.period(107) == 113 / 2
    assert Residues.along(113, 3, reordered=False).period(6) == 113 / 6
    assert Residues.along(15, 3, reordered=True).period(3) == 15


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


def test_attention_reads_every_head_at_one_pair() -> None:
    facts = Attention().look(CIRCUIT, Subject())
    values = [f"{facts.to_a[head, 4, 2]:.4g}" for head in range(3)]
    assert Attention().reading(facts, Sight((2, 4))) == f"a=4 b=2: {'  '.join(values)}"
    ordered = replace(facts, frequencies=(1, 2, 2), head=1)
    assert Attention().reading(ordered, Sight((2, 4), reordered=True)).startswith(f"a=4 b=2: {values[0]}  ")


def test_all_heads_stand_in_the_order_of_the_chosen_one() -> None:
    heads = 1 + np.cos(2 * np.pi * np.multiply.outer((3, 6, 40), A.reshape(113, 113)) / 113)
    facts = AttentionFacts(heads, (3, 6, 40), (1.0, 1.0, 1.0), head=1)
    np.testing.assert_array_equal(Attention().order(facts, Sight(reordered=True)), around(113, 6))
    title = Attention().draw(facts, Sight(reordered=True), 130, 30).title
    assert "order 6·x mod 113 of head 1" in title
    assert "head 0: period 2.02, blurred" in title  # 3 is half of 6: a wave of 57 places of 113
    assert "head 2: period 2.83, blurred, o helps" in Attention().draw(facts, Sight(), 130, 30).title
    narrow = text_of(Attention().draw(facts, Sight(), 40, 30).rows)[0].split()
    assert narrow[:2] == ["head", "0"] or narrow[0] == "0"


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
    assert "log" in flipped.title
