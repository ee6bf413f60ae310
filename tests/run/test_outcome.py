"""What events come to, and what a state means."""

import json
from pathlib import Path
from random import Random

import pytest

from grokterm.history import History
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import LineTail, event_from
from grokterm.run.outcome import ENDED, INTERRUPTED, Outcome, read_outcome, standing, step_count
from grokterm.run.story import Story
from tests.retold import Retold


@pytest.mark.parametrize(
    ("told", "alive", "state"),
    [
        ("training", True, "training"),
        ("training", False, INTERRUPTED),
        ("stopping", False, INTERRUPTED),
        ("", True, "loading"),
        ("", False, INTERRUPTED),
        ("loading", False, INTERRUPTED),
        *((end, alive, end) for end in sorted(ENDED) for alive in (True, False)),
    ],
)
def test_a_run_without_an_end_and_without_a_trainer_was_interrupted(told: str, alive: bool, state: str) -> None:
    assert standing(told, alive=alive) == state


@pytest.mark.parametrize(
    ("said", "steps"),
    [
        *((1, 1), (16_000, 16_000), (500.0, 500)),
        *((wrong, None) for wrong in (0, -3, float("nan"), float("inf"), 1e300, 10**400)),
        *((wrong, None) for wrong in ("many", None, [5], {"steps": 5})),
    ],
)
def test_only_a_number_of_steps_is_one(said: object, steps: int | None) -> None:
    assert step_count(said) == steps


LINES: list[dict[str, object]] = [
    {"event": "state", "step": 0, "time": "nan", "state": "training", "knobs": {"steps": "nan"}},
    {"event": "state", "step": 1, "time": "inf", "state": "training", "knobs": {"steps": 70}},
    {"event": "phase", "step": 2, "time": "nan", "phase": "cleanup", "at": 2},
    {"event": "phase", "step": 3, "time": 1, "mark": "grokked_at", "at": 2},
    {"event": "phase", "step": 4, "time": "noon", "phase": "never", "at": 4},
    {"event": 3, "step": 5, "time": 1, "state": "failed", "phase": "never"},
    {"event": "edit", "step": 6, "time": 1, "knob": "steps", "new": 80},
    {"event": "edit", "step": 7, "time": 1, "knob": "steps", "new": "inf"},
    {"event": "state", "step": 8, "time": "nan", "state": "finished", "knobs": {"steps": 90}},
]


@pytest.mark.parametrize("count", range(len(LINES) + 1))
def test_what_counts_as_an_event_is_the_same_for_lists_and_for_screens(tmp_path: Path, count: int) -> None:
    run = _with_events(tmp_path, LINES[:count])
    told, history = read_outcome(run.events_path), History(run)
    history.poll()
    assert (told.state or "loading", told.step) == (history.state, history.step)
    assert (told.phase, told.marks) == (history.phase, history.marks)


def test_a_plan_that_is_no_number_does_not_replace_one_that_is(tmp_path: Path) -> None:
    assert read_outcome(_with_events(tmp_path, LINES).events_path).steps == 80


def test_a_resumed_run_trains_and_what_was_taken_back_is_not_so(tmp_path: Path) -> None:
    trainer = Retold(tmp_path)
    trainer.train(10)
    trainer.phase()
    trainer.save()
    trainer.train(10)
    trainer.tell("phase", phase="never", at=19, why="")
    trainer.tell("phase", mark="grokked_at", at=19, why="")
    trainer.tell("edit", knob="steps", old=1000, new=30, moments="kept")
    trainer.tell("state", state="stopped")
    told = read_outcome(trainer.run.events_path)
    assert (told.state, told.step, told.steps, told.marks) == ("stopped", 20, 30, {"grokked_at": 19})
    trainer.resume()
    told = read_outcome(trainer.run.events_path)
    assert (told.state, told.step, told.steps) == ("training", 10, 1000)
    assert (told.phase, told.marks) == ("phase 1", {})
    trainer.tell("state", state="paused")
    assert read_outcome(trainer.run.events_path).state == "paused"


def test_an_edit_of_the_plan_that_the_checkpoint_holds_is_told_by_the_resumption(tmp_path: Path) -> None:
    trainer = Retold(tmp_path)
    trainer.tell("edit", knob="steps", old=1000, new=30, moments="kept")
    trainer.save()
    trainer.log.write("state", 0, state="resumed", keeps=2, knobs={"lr": 1.0, "steps": 30})
    assert read_outcome(trainer.run.events_path).steps == 30


@pytest.mark.parametrize("seed", range(40))
def test_lists_say_what_every_event_together_says(tmp_path: Path, seed: int) -> None:
    """A list of runs parses few lines of a file; what it says of any file is what taking in every line says."""
    path = tmp_path / "events.jsonl"
    random = Random(seed)
    for _ in range(12):
        with path.open("ab") as file:
            file.write(b"".join(_random_line(random) for _ in range(random.randint(1, 6))))
        story, told = Story(), Outcome()
        for line in LineTail(path).new():
            if (event := event_from(line)) is not None:
                story.add(event)
        for event in story.events:
            told.take_in(event)
        assert read_outcome(path) == told
        history = History(RunDirectory(tmp_path))
        history.poll()
        assert (told.state or "loading", told.phase, told.marks) == (history.state, history.phase, history.marks)
        assert told.step == (history.events[-1].step if history.events else 0)


def _random_line(random: Random) -> bytes:
    """A line of events.jsonl: right, wrong, torn, blank; resumed in a part of the files."""
    resumed = {"state": "resumed", "keeps": random.choice([0, 2, random.randint(-2, 40), "3", None])}
    data: dict[str, object] = random.choice(
        [
            {"event": "state", "state": random.choice(["training", "paused", "finished", "detached"])},
            {"event": "state", "state": "training", "knobs": {"steps": random.choice([70, "nan", 90])}},
            {"event": "state", **resumed, "knobs": {"lr": 1.0, "steps": random.randint(1, 99)}},
            {"event": "state", "state": 3},
            {"event": "edit", "knob": random.choice(["lr", "steps"]), "old": 1, "new": random.randint(1, 99)},
            {"event": "phase", "phase": f"phase {random.randint(0, 9)}", "at": 1},
            {"event": "phase", "mark": random.choice(["memorized_at", "grokked_at"]), "at": random.randint(0, 9)},
            {"event": "note", "text": "resumed"},
            {"event": "snapshot", "state": "in no state"},
            {"event": 5, "state": "failed"},
        ]
    )
    stamp = {"step": random.choice([random.randint(0, 99), random.randint(0, 99), "7"]), "time": 1.5}
    whole = json.dumps({**data, **stamp}).encode() + b"\n"
    ends = [whole] * 8 + [whole[: random.randrange(len(whole))] + b"\n", b"\n", b"[1]\n", b"{} \n"]
    return random.choice(ends)


def _with_events(runs: Path, lines: list[dict[str, object]]) -> RunDirectory:
    run = create(runs, "told")
    run.events_path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return run
