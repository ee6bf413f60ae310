"""What holds for every picture: exact sizes, cursors and their readings, facts that are small, odd networks too."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from grokterm.circuit.circuit import Circuit
from grokterm.drawing.cells import Markers
from grokterm.errors import RunError
from grokterm.tui.microscope.found import bytes_of
from grokterm.tui.microscope.lens import Lens, Sight, Subject
from grokterm.tui.microscope.lenses import LENSES
from tests.drawn_maps import text_of
from tests.random_circuit import P, grid_task, random_circuit, random_network

SIZES = ((1, 1), (3, 2), (9, 4), (20, 8), (38, 12), (64, 16), (130, 30))
TERMINALS: tuple[tuple[Markers, int], ...] = (("braille", 1 << 24), ("block", 256), ("braille", 16), ("ascii", 0))
each_lens = pytest.mark.parametrize("lens", LENSES, ids=[lens.name for lens in LENSES])


def seen(lens: Lens, circuit: Circuit, subject: Subject | None = None) -> Any:
    with np.errstate(all="ignore"):
        return lens.look(circuit, subject or Subject())


def cursors(lens: Lens, facts: Any) -> list[tuple[int, int] | None]:
    columns, rows = lens.extent(facts)
    return [None, (0, 0), (columns - 1, rows - 1)]


def check(lens: Lens, facts: Any) -> None:
    """Draw in every size, for every terminal, in every way."""
    for (width, height), cursor, (flipped, reordered), (markers, colours) in itertools.product(
        SIZES, cursors(lens, facts), ((False, False), (True, True)), TERMINALS
    ):
        sight = Sight(cursor, reordered, flipped, markers, colours)
        picture = lens.draw(facts, sight, width, height)
        assert [len(row) for row in text_of(picture.rows)] == [width] * height
        assert all(span.text for row in picture.rows for span in row)
        if markers == "ascii":
            assert all(row.isascii() for row in text_of(picture.rows))
        assert "\n" not in picture.title
        assert (lens.reading(facts, sight) == "") is (cursor is None)


def test_the_keys_are_as_the_help_has_them() -> None:
    assert "".join(lens.key for lens in LENSES) == "1234567890w"
    assert len({lens.name for lens in LENSES}) == len(LENSES)


@each_lens
def test_any_size_and_any_terminal(lens: Lens) -> None:
    check(lens, seen(lens, random_circuit(), Subject(neuron=3, frequency=2)))


@each_lens
def test_the_cursor_is_seen(lens: Lens) -> None:
    facts = seen(lens, random_circuit())
    columns, rows = lens.extent(facts)
    assert columns * rows > 1
    plain = lens.draw(facts, Sight(), 64, 20)
    for cursor in itertools.product({0, columns - 1}, {0, rows - 1}):
        assert lens.draw(facts, Sight(cursor), 64, 20).rows != plain.rows


@each_lens
def test_the_other_scale_is_another_picture(lens: Lens) -> None:
    facts = seen(lens, random_circuit())
    same = lens.draw(facts, Sight(flipped=True), 24, 20).rows == lens.draw(facts, Sight(), 24, 20).rows
    assert same is (lens.key == "w")


@each_lens
def test_facts_are_small(lens: Lens) -> None:
    facts = seen(lens, random_circuit())
    assert bytes_of(facts) <= 8 * 4 * P * P


def strange(what: str) -> Circuit:
    """Networks as training may leave them."""
    network = random_network(dtype=np.float32)
    if what == "zero":
        network = replace(network, **{name: np.zeros_like(weight) for name, weight in network.parameters.items()})
    elif what == "one nan":
        network = replace(network, W_E=_with(network.W_E, np.nan))
    elif what == "one inf":
        network = replace(network, W_U=_with(network.W_U, np.inf))
    else:
        network = replace(
            network, **{name: (weight * 1e18).astype(np.float32) for name, weight in network.parameters.items()}
        )
    return Circuit(network, grid_task())


def _with(weight: NDArray[Any], value: float) -> NDArray[Any]:
    changed = weight.copy()
    changed[2, 1] = value
    return changed


@pytest.mark.parametrize("what", ["zero", "one nan", "one inf", "huge"])
@each_lens
def test_strange_weights_are_drawn(lens: Lens, what: str) -> None:
    facts = seen(lens, strange(what))
    for width, height in ((9, 4), (64, 16)):
        for cursor, flipped, (markers, colours) in itertools.product(cursors(lens, facts), (False, True), TERMINALS):
            sight = Sight(cursor, flipped, flipped, markers, colours)
            rows = lens.draw(facts, sight, width, height).rows
            assert [len(row) for row in text_of(rows)] == [width] * height
            lens.reading(facts, sight)


@pytest.mark.parametrize("p", [3, 12])
@each_lens
def test_other_moduli(lens: Lens, p: int) -> None:
    circuit = Circuit(random_network(p), grid_task(p))
    needs_frequencies = p % 2 == 0 and lens.key not in "1270w"
    if needs_frequencies:
        with pytest.raises(RunError, match="p = 12 is even"):
            lens.look(circuit, Subject())
        return
    check(lens, seen(lens, circuit))


def test_a_task_without_a_sum_has_no_ablations() -> None:
    circuit = Circuit(random_network(), grid_task(sums=False))
    lens = next(lens for lens in LENSES if lens.key == "9")
    with pytest.raises(RunError, match="no sum"):
        lens.look(circuit, Subject())


def test_a_subject_that_there_is_not_is_the_nearest() -> None:
    circuit = random_circuit()
    neuron, circle = (next(lens for lens in LENSES if lens.key == key) for key in "16")
    assert neuron.look(circuit, Subject(neuron=900)).neuron == 19
    assert circle.look(circuit, Subject(frequency=900)).frequency == (P - 1) // 2
