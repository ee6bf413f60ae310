"""The workshop answers the newest wish, drops what nobody wants any more, and keeps what it found, but no network."""

import gc
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.reading import read_circuit
from grokterm.run.checkpoint import CheckpointInfo, list_checkpoints
from grokterm.run.directory import RunDirectory
from grokterm.tui.microscope import workshop as module
from grokterm.tui.microscope.checkpoints import Saved
from grokterm.tui.microscope.found import Answer, Answers, Question, bytes_of
from grokterm.tui.microscope.lens import Subject
from grokterm.tui.microscope.looking import Sizes
from grokterm.tui.microscope.workshop import Wish, Workshop
from tests.random_circuit import random_network
from tests.recorded_networks import STEPS, record_networks, write_network
from tests.small_lenses import Seen, SmallLens
from tests.waiting import wait_for


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return record_networks(tmp_path)


@pytest.fixture
def workshop(run: RunDirectory) -> Iterator[Workshop]:
    workshop = Workshop(run)
    yield workshop
    workshop.close()


def saved(run: RunDirectory, step: int) -> Saved:
    found = Saved.seen(next(info for info in list_checkpoints(run.checkpoints) if info.step == step))
    assert found is not None
    return found


def answer(workshop: Workshop, wish: Wish, lens: SmallLens) -> Answer:
    question = Question.of(wish.saved, lens, wish.subject)
    found = wait_for(lambda: workshop.answer(question), what=f"an answer to {question}")
    assert found is not None
    return found


def done(workshop: Workshop) -> None:
    wait_for(lambda: not workshop.is_busy, what="the end of the computing")


def test_a_wish_is_answered_the_first_picture_first(run: RunDirectory, workshop: Workshop) -> None:
    lenses = [SmallLens("1", "one"), SmallLens("2", "two", gate=threading.Event())]
    wish = Wish(saved(run, 200), lenses, Subject())
    workshop.ask(wish)
    found = answer(workshop, wish, lenses[0])
    assert found.facts.weight == random_network(seed=200).W_E[0, 0]
    assert workshop.answer(Question.of(wish.saved, lenses[1], wish.subject)) is None
    assert workshop.is_busy
    assert workshop.opened(wish.saved).sizes == Sizes(20, 3, 5)  # type: ignore[union-attr]
    assert workshop.opened(wish.saved).kind == "weights"  # type: ignore[union-attr]
    lenses[1].gate.set()  # type: ignore[union-attr]
    done(workshop)
    assert answer(workshop, wish, lenses[1]).facts.weight == found.facts.weight


def test_what_was_found_is_not_computed_again(run: RunDirectory, workshop: Workshop) -> None:
    lens = SmallLens("1", "one", "neuron")
    for step, neuron in ((100, 3), (200, 3), (100, 3), (100, 4), (100, 3)):
        workshop.ask(Wish(saved(run, step), [lens], Subject(neuron=neuron, frequency=neuron)))
        done(workshop)
    assert lens.looked == [3, 3, 4]


def test_a_newer_wish_drops_what_has_not_begun(run: RunDirectory, workshop: Workshop) -> None:
    gate = threading.Event()
    first, second = SmallLens("1", "one", gate=gate), SmallLens("2", "two")
    workshop.ask(Wish(saved(run, 100), [first, second], Subject()))
    wait_for(lambda: first.looked)
    between = Wish(saved(run, 200), [second], Subject())
    workshop.ask(between)
    wish = Wish(saved(run, 300), [second], Subject())
    workshop.ask(wish)
    gate.set()
    done(workshop)
    assert len(second.looked) == 1
    assert answer(workshop, wish, second).facts.weight == random_network(seed=300).W_E[0, 0]
    assert workshop.answer(Question.of(saved(run, 100), first, Subject())) is not None  # it was under way
    assert workshop.newest("1").question.saved.step == 100  # type: ignore[union-attr]


def test_under_a_key_held_down_only_first_pictures_are_computed(
    run: RunDirectory, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HURRY_SECONDS", 600.0)
    monkeypatch.setattr(module, "REST_SECONDS", 600.0)
    first, second, at = SmallLens("1", "one", "neuron"), SmallLens("2", "two", "neuron"), saved(run, 100)
    workshop.ask(Wish(at, [first, second], Subject(neuron=0)))
    done(workshop)
    assert second.looked == [0]  # a single key is no hurry
    for neuron in (1, 2, 3):
        wish = Wish(at, [first, second], Subject(neuron=neuron))
        workshop.ask(wish)
        answer(workshop, wish, first)
    assert (first.looked, second.looked) == ([0, 1, 2, 3], [0])
    monkeypatch.setattr(module, "REST_SECONDS", 0.0)
    workshop.ask(Wish(at, [first, second], Subject(neuron=4)))
    done(workshop)
    assert second.looked == [0, 4]  # after the rest they come


def test_a_picture_that_cannot_be_computed_says_so_and_the_others_come(run: RunDirectory, workshop: Workshop) -> None:
    bad = SmallLens("1", "one", fails=lambda: np.linalg.LinAlgError("SVD did not converge"))
    good = SmallLens("2", "two")
    wish = Wish(saved(run, 100), [bad, good], Subject())
    workshop.ask(wish)
    assert answer(workshop, wish, good).trouble == ""
    assert answer(workshop, wish, bad).trouble == "SVD did not converge"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_is_told_and_ends_nothing_else(run: RunDirectory, workshop: Workshop) -> None:
    good = SmallLens("1", "one")
    wish = Wish(saved(run, 100), [good, SmallLens("2", "two", fails=lambda: KeyError("x"))], Subject())
    workshop.ask(wish)
    wait_for(lambda: workshop.fault)
    done(workshop)
    assert workshop.fault == "KeyError: 'x'"
    assert answer(workshop, wish, good).trouble == ""
    other = Wish(saved(run, 200), [good], Subject())
    workshop.ask(other)
    assert answer(workshop, other, good).trouble == ""
    assert workshop.fault == ""


def test_files_that_cannot_be_read_are_told_in_a_sentence(run: RunDirectory, workshop: Workshop) -> None:
    lens = SmallLens("1", "one")
    (run.checkpoints / "000000100.safetensors").write_bytes(b"torn")
    for step, expected in ((100, "cannot be read as a checkpoint"), (200, "has no task.npz")):
        wish = Wish(saved(run, step), [lens], Subject())
        if step == 200:
            run.task_path.unlink()
        workshop.ask(wish)
        done(workshop)
        opened = workshop.opened(wish.saved)
        assert opened is not None
        assert expected in opened.trouble
    assert lens.looked == []


def test_what_could_not_be_read_is_tried_again(run: RunDirectory, workshop: Workshop) -> None:
    lens, task = SmallLens("1", "one"), run.task_path.read_bytes()
    run.task_path.unlink()
    wish = Wish(saved(run, 100), [lens], Subject())
    workshop.ask(wish)
    done(workshop)
    run.task_path.write_bytes(task)
    again = Wish(wish.saved, [lens], Subject())
    workshop.ask(again)
    assert answer(workshop, again, lens).trouble == ""
    assert workshop.opened(wish.saved).trouble == ""  # type: ignore[union-attr]


def test_a_file_that_is_replaced_meanwhile_is_another_checkpoint(run: RunDirectory, workshop: Workshop) -> None:
    lens, before = SmallLens("1", "one"), saved(run, 100)
    write_network(run, 100, random_network(seed=7))
    workshop.ask(Wish(before, [lens], Subject()))
    done(workshop)
    assert "was replaced while it was read" in workshop.opened(before).trouble  # type: ignore[union-attr]
    wish = Wish(saved(run, 100), [lens], Subject())
    workshop.ask(wish)
    assert answer(workshop, wish, lens).facts.weight == random_network(seed=7).W_E[0, 0]


def test_one_network_is_held_and_none_after_closing(run: RunDirectory) -> None:
    alive: weakref.WeakSet[Circuit] = weakref.WeakSet()
    at_once = []

    class Watching(SmallLens):
        def look(self, circuit: Circuit, subject: Subject) -> Seen:
            alive.add(circuit)
            gc.collect()
            at_once.append(len(alive))
            return super().look(circuit, subject)

    workshop, lens = Workshop(run), Watching("1", "one")
    for step in STEPS:
        workshop.ask(Wish(saved(run, step), [lens], Subject()))
        done(workshop)
    assert at_once == [1, 1, 1, 1]
    assert len(alive) == 1
    workshop.close()
    wait_for(lambda: gc.collect() >= 0 and not alive, what="the end of the network")
    assert workshop.newest("1") is None


def test_the_network_before_is_gone_when_the_next_is_loaded(
    run: RunDirectory, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: weakref.WeakSet[Circuit] = weakref.WeakSet()
    left = []

    def watched(of: RunDirectory, info: CheckpointInfo) -> Circuit:
        gc.collect()
        left.append(len(alive))
        circuit = read_circuit(of, info)
        alive.add(circuit)
        return circuit

    monkeypatch.setattr(module, "read_circuit", watched)
    for step in STEPS[:2]:
        workshop.ask(Wish(saved(run, step), [SmallLens("1", "one")], Subject()))
        done(workshop)
    assert left == [0, 0]


def test_closing_while_something_is_computed_leaves_the_rest(run: RunDirectory) -> None:
    gate = threading.Event()
    first, second = SmallLens("1", "one", gate=gate), SmallLens("2", "two")
    workshop = Workshop(run)
    workshop.ask(Wish(saved(run, 100), [first, second], Subject()))
    wait_for(lambda: first.looked)
    workshop.close()
    gate.set()
    wait_for(lambda: not workshop.is_busy)
    assert second.looked == []


def test_time_that_was_spent_is_told_once(run: RunDirectory, workshop: Workshop) -> None:
    workshop.ask(Wish(saved(run, 100), [SmallLens("1", "one")], Subject()))
    done(workshop)
    assert workshop.spent() > 0
    assert workshop.spent() == 0


# -- what is kept


def question(step: int) -> Question:
    return Question(Saved(step, Path("x"), step, 0, 0), "1", None)


def facts(size: int) -> Seen:
    return Seen(None, 0.0, np.zeros(size))


def test_what_was_wanted_least_recently_goes_first() -> None:
    answers = Answers(most_bytes=28_000)
    for step in (1, 2, 3):
        answers.keep(question(step), facts(1000))
    answers.get(question(1))
    answers.keep(question(4), facts(500))
    assert [step for step in (1, 2, 3, 4) if answers.get(question(step))] == [1, 3, 4]
    answers.keep(question(5), facts(100_000))  # too large to be kept with others, but what was found last stays
    assert [step for step in (1, 2, 3, 4, 5) if answers.get(question(step))] == [5]


def test_of_a_view_only_what_is_seen_is_kept() -> None:
    answers, large = Answers(), np.zeros((1000, 10))
    answers.keep(question(1), Seen(None, 0.0, large[:, 3]))
    kept = answers.get(question(1))
    assert kept is not None
    assert kept.facts.table.base is None
    assert bytes_of(kept.facts) == 8000
