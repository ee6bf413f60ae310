"""Panel 7 and the lines of a headless run: every kind of event in words, and what no version knows yet."""

from pathlib import Path

import pytest
import tomli_w

from grokterm.ancestry import find_parents
from grokterm.history import History
from grokterm.report import event_line
from grokterm.run.directory import create
from grokterm.run.events import Event, EventLog
from grokterm.tui.looks import Looks
from grokterm.tui.panels.log import Log, describe
from tests.forked import parent_and_fork

RESUMED: dict[str, object] = {
    "state": "resumed",
    "keeps": 3,
    "checkpoint": "checkpoints/000000600.safetensors",
    "why": "",
    "device": "cpu",
    "threads": 1,
    "knobs": {"lr": 1e-3},
}
DAMAGED = "000000700.safetensors cannot be read and is passed over"
EDIT: dict[str, object] = {"knob": "weight_decay", "old": 1.0, "new": 0.5, "moments": "kept"}
NAN = "train loss is nan at step 599: training has diverged; the last full checkpoint before it is that of step 500"


@pytest.mark.parametrize(
    ("kind", "data", "said", "style"),
    [
        ("state", RESUMED, "state: resumed on cpu, 1 thread", "quiet"),
        ("state", RESUMED | {"why": DAMAGED}, f"state: resumed: {DAMAGED}", "problem"),
        (
            "state",
            RESUMED | {"checkpoint": ""},
            "state: resumed from the beginning on cpu, 1 thread",
            "quiet",
        ),
        ("state", {"state": "resumed"}, "state: resumed", "quiet"),
        ("state", {"state": "detached"}, "state: detached: another process trains on", "quiet"),
        ("state", {"state": "training", "device": "cpu", "threads": 2}, "state: training on cpu, 2 threads", "quiet"),
        ("fork", {"run": "b-from-600", "at": 500, "request": "a"}, "fork: goes on as b-from-600 from step 500", "mark"),
        (
            "fork",
            {"run": "2027-03-04-113000-b-from-600", "at": 600, "from_step": 500},
            "fork: goes on as b-from-600 from step 600 (checkpoint 500)",
            "mark",
        ),
        ("fork", {"run": "b", "at": 600, "from_step": 600}, "fork: goes on as b from step 600", "mark"),
        ("fork", {"run": "b"}, "fork: goes on as b", "mark"),
        (
            "waited",
            {"why": "steps.npy: No space left", "seconds": 12.345},
            "waited: stood still 12 s: steps.npy: No space left",
            "problem",
        ),
        ("waited", {"why": "x", "seconds": 0.5}, "waited: stood still 0.5 s: x", "problem"),
        ("waited", {"why": "x", "seconds": 4500}, "waited: stood still 75 min: x", "problem"),
        ("waited", {"seconds": "long"}, "waited: stood still ? s: ", "problem"),
        ("waited", {"why": "x", "seconds": float("nan")}, "waited: stood still ? s: x", "problem"),
        ("edit", EDIT, "edit: wd 1 → 0.5", "edit"),
        (
            "edit",
            EDIT | {"moments": "reset", "scheduled": 0, "why": "at 600"},
            "edit: wd 1 → 0.5, moments reset, as planned",
            "edit",
        ),
        (
            "edit",
            EDIT | {"scheduled": 1, "why": "test_accuracy >= 0.5"},
            "edit: wd 1 → 0.5, as planned: test_accuracy >= 0.5",
            "edit",
        ),
        (
            "edit",
            {"knob": "steps", "old": 30000, "new": 4e4, "moments": "kept", "scheduled": 0, "why": ""},
            "edit: steps 30,000 → 40,000",
            "edit",
        ),
        (
            "error",
            {"message": NAN, "traceback": "", "diverged": True, "good": 500},
            "diverged: train loss is nan at step 599; the last good step is 500",
            "problem",
        ),
        ("error", {"message": NAN, "traceback": "", "diverged": True, "good": -1}, f"diverged: {NAN}", "problem"),
        (
            "phase",
            {"mark": "memorized_at", "at": 196, "why": "train accuracy ≥ 0.99 for 100 evaluations"},
            "mark: memorised at 196 (train accuracy ≥ 0.99 for 100 evaluations)",
            "phase",
        ),
        ("error", {"message": "OutOfMemoryError: x", "traceback": "…"}, "error: OutOfMemoryError: x", "problem"),
        ("cosmic_ray", {"energy": 3, "why": "x"}, "cosmic_ra: ", "quiet"),
    ],
)
def test_events_in_words(kind: str, data: dict[str, object], said: str, style: str) -> None:
    event = Event(600, 0.0, kind, data)
    assert describe(event)[2] == style
    assert ": ".join(describe(event)[:2]) == said
    assert event_line(event) == f"step    600  {said}"


@pytest.mark.parametrize("kind", ["state", "edit", "fork", "waited", "error", "phase", "snapshot", "note", "refused"])
def test_fields_of_other_types_do_no_harm(kind: str) -> None:
    names = ("state", "run", "at", "why", "seconds", "checkpoint", "device", "threads", "diverged", "good", "scheduled")
    for value in (None, -1, 1e308, float("inf"), 10**30, "\x1b[31m", [1], {"a": 1}, True):
        for some in (names, names[::2], names[1::2], ()):
            event = Event(600, 0.0, kind, dict.fromkeys(some, value))
            assert all(isinstance(text, str) for text in describe(event))
            line = event_line(event)
            assert line is None or "\x1b" not in line


def test_what_holds_no_longer_is_not_shown(tmp_path: Path) -> None:
    run = create(tmp_path, "told")
    log = EventLog(run.events_path)
    log.write("note", 5, text="before")
    log.write("note", 9, text="after")
    history = History(run)
    history.poll()
    log.write("state", 7, **{**RESUMED, "keeps": 1})
    log.write("waited", 8, why="steps.npy: No space left", seconds=3)
    history.poll()
    rows = Log().draw(history, Looks(), 70, 5).rows
    texts = ["".join(span.text for span in row).rstrip() for row in rows]
    assert texts == [
        "       5  note     before",
        "       7  state    resumed on cpu, 1 thread",
        "       8  waited   stood still 3.0 s: steps.npy: No space left",
        "",
        "",
    ]


def test_a_fork_tells_what_people_did_before_it_and_where_it_begins(tmp_path: Path) -> None:
    parent, child = parent_and_fork(tmp_path)
    EventLog(parent.events_path).write("note", 230, text="odd")
    config = child.read_config() or {}
    child.config_path.write_text(tomli_w.dumps({**config, "parent": {**config["parent"], "at": 290}}))
    EventLog(child.events_path).write("edit", 290, knob="lr", old=1e-3, new=2e-3, moments="kept", scheduled=0, why="")
    history = History(child)
    history.poll()
    find_parents(history)
    rows = Log().draw(history, Looks(), 120, 8).rows
    lines = [" ".join("".join(span.text for span in (row[0], *row[2:])).split()) for row in rows]  # without the time
    at = lines.index("250 fork of mother from step 290 (checkpoint 250)")
    assert lines[at - 3 : at] == ["200 edit wd 1 → 2", "200 note [bold]odd[/bold] ?[31m", "230 note odd"]
    assert lines[at + 1] == "290 edit lr 0.001 → 0.002"
    assert {span.style for row in rows[at - 2 : at] for span in row if span.text.strip()} == {"quiet"}
    assert not any("resumed" in line for line in lines)
    early = Log().draw(history, Looks(cursor=210), 90, 8).rows
    assert not any("of 2027" in span.text for row in early for span in row)
