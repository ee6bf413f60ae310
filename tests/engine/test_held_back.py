"""Requests for a later step outlive the trainer they were asked of: a stop, a death, a rewind into a fork."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
import torch

from grokterm.catalog import Catalog
from grokterm.engine.launch import Ended, resume, train
from grokterm.engine.trainer import Trainer
from grokterm.preset import read
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import Event, LineTail, Request, ask, request_from
from tests.hosts import alone
from tests.run_equality import history

TINY = """
[task]
name = "modular"
p = 5
train_fraction = 0.5
[model]
name = "transformer"
d_model = 4
n_heads = 2
d_mlp = 4
[optimizer]
name = "adamw"
lr = 1e-3
[training]
steps = 20
threads = 1
device = "cpu"
"""


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """A run sets torch's number of threads for its process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    (tmp_path / "tiny.toml").write_text(TINY)
    return create(tmp_path / "runs", "tiny")


def begin(run: RunDirectory) -> Ended:
    return train(run, read(run.path.parent.parent / "tiny.toml", (), Catalog()), Catalog(), alone())


def go_on(run: RunDirectory) -> Ended:
    """Resume it as a trainer does that finds requests to an earlier one."""
    return resume(run, Catalog(), alone(), {request.id for request in asked(run)})


def asked(run: RunDirectory) -> list[Request]:
    return [request for line in LineTail(run.inbox_path).new() if (request := request_from(line)) is not None]


def answer(run: RunDirectory, request: Request) -> tuple[str, int, object] | None:
    """Kind, step and reason of the one event that answers a request; None while there is none."""
    found: list[Event] = [event for event in history(run).events if event.data.get("request") == request.id]
    assert len(found) <= 1
    return (found[0].kind, found[0].step, found[0].data.get("why")) if found else None


def test_a_stop_leaves_what_is_for_a_later_step(run: RunDirectory) -> None:
    turn = ask(run.path, "set", knob="lr", value=0.5, at=12)
    pause = ask(run.path, "pause", at=14)
    going_on = ask(run.path, "resume", at=14)
    ask(run.path, "stop", at=8)
    late = ask(run.path, "stop", at=16)
    assert begin(run) == Ended("stopped")
    assert history(run).pending.keys() == {turn.id, pause.id, going_on.id, late.id}
    assert go_on(run) == Ended("stopped")
    assert answer(run, turn) == ("edit", 12, None)
    assert answer(run, pause) == answer(run, going_on) == ("state", 14, None)
    assert answer(run, late) == ("state", 16, None)
    assert history(run).pending == {}


def test_a_stop_refuses_what_came_too_late(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(run.path, "stop", at=8)
    late: list[Request] = []
    end = Trainer.end

    def asked_meanwhile(trainer: Trainer, state: Literal["stopped"]) -> None:
        places: tuple[dict[str, object], ...] = ({}, {"at": 7}, {"at": 8})
        late.extend(ask(run.path, "set", knob="lr", value=0.5, **place) for place in places)
        end(trainer, state)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "end", asked_meanwhile)
        begin(run)
    refused = ("refused", 8, "training has ended at step 8")
    assert [answer(run, request) for request in late] == [refused, refused, None]
    go_on(run)
    assert answer(run, late[2]) == ("edit", 8, None)


def test_a_finished_run_refuses_everything(run: RunDirectory) -> None:
    ask(run.path, "set", knob="steps", value=10, at=5)
    beyond = ask(run.path, "set", knob="lr", value=0.5, at=15)
    assert begin(run) == Ended("finished")
    assert answer(run, beyond) == ("refused", 10, "training has ended at step 10")


def test_a_death_leaves_even_what_is_about_the_pace(run: RunDirectory) -> None:
    ask(run.path, "stop", at=8)
    begin(run)
    lines = run.events_path.read_bytes().splitlines(keepends=True)
    run.events_path.write_bytes(b"".join(lines[:-1]))  # as if it had died before it told its end
    stop, now = ask(run.path, "stop", at=15), ask(run.path, "pause")
    assert go_on(run) == Ended("stopped")
    assert answer(run, stop) == ("state", 15, None)
    assert answer(run, now) == ("refused", 8, "asked of a trainer that has ended without an answer")


@pytest.mark.parametrize("where", [{}, {"undo": True}, {"step": 6}])
def test_a_rewind_asks_the_fork_instead(run: RunDirectory, where: dict[str, object]) -> None:
    ask(run.path, "set", knob="weight_decay", value=0.5, at=6)
    stop = ask(run.path, "stop", at=15)
    turn = ask(run.path, "set", knob="lr", value=0.5, moments="reset", at=12)
    ask(run.path, "rewind", at=9, **where)
    meanwhile = ask(run.path, "note", text="inf", at=9)
    ended = begin(run)
    child = ended.goes_on_in
    assert child is not None
    why = f"asked of the fork {child.name}, in which training goes on"
    for request in (stop, turn, meanwhile):
        assert answer(run, request) == ("refused", 9, why)
    assert {request.id: request for request in asked(child)} == {each.id: each for each in (stop, turn, meanwhile)}
    assert go_on(child) == Ended("stopped")
    assert answer(child, turn) == ("edit", 12, None)
    assert answer(child, meanwhile) == ("note", 9, None)
    assert answer(child, stop) == ("state", 15, None)


def test_a_rewind_refuses_what_names_no_step(run: RunDirectory) -> None:
    ask(run.path, "rewind")
    late = ask(run.path, "note", text="now")
    assert begin(run).goes_on_in is not None
    assert answer(run, late) == ("refused", 0, "training has ended at step 0")


def test_what_lies_beyond_the_end_is_refused_at_once(run: RunDirectory) -> None:
    beyond, last = ask(run.path, "note", text="a", at=21), ask(run.path, "note", text="b", at=20)
    begin(run)
    assert answer(run, beyond) == ("refused", 0, "at = 21: training ends at step 20")
    assert answer(run, last) == ("note", 20, None)


def test_a_knob_that_has_the_value_already_is_not_turned(run: RunDirectory) -> None:
    same = ask(run.path, "set", knob="lr", value=0.001, moments="kept")
    steps = ask(run.path, "set", knob="steps", value=20)
    anew = ask(run.path, "set", knob="lr", value=0.001, moments="reset")
    begin(run)
    assert answer(run, same) == ("refused", 0, "lr is 0.001 already")
    assert answer(run, steps) == ("refused", 0, "steps is 20 already")
    assert answer(run, anew) == ("edit", 0, None)
