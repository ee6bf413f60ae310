"""Which events hold after a run was resumed, once, twice, from an earlier checkpoint, after any torn line."""

import json
import time
from pathlib import Path
from random import Random

import pytest

from grokterm.run.events import Event, EventLog, LineTail, event_from
from grokterm.run.story import Story, is_resumption
from tests.retold import Retold

LINE = '{"event": "note", "step": 7, "time": 1.5, "text": "é", "request": "a1"}'


def note(name: str) -> Event:
    return Event(0, 0.0, "note", {"text": name})


def resumed(keeps: object) -> Event:
    return Event(0, 0.0, "state", {"state": "resumed", "keeps": keeps})


def told(*events: Event) -> Story:
    story = Story()
    for event in events:
        story.add(event)
    return story


def texts(story: Story) -> str:
    return "".join(str(event.data.get("text", "R")) for event in story.events)


def read(path: Path) -> Story:
    return told(*[event for line in LineTail(path).new() if (event := event_from(line)) is not None])


def test_without_a_resumption_every_event_holds() -> None:
    story = Story()
    assert [story.add(note(name)) for name in "abc"] == [False] * 3
    assert (texts(story), story.count) == ("abc", 3)
    assert not is_resumption(note("a"))


def test_a_resumption_takes_back_what_came_after_its_checkpoint() -> None:
    story = told(*map(note, "abcd"))
    assert story.add(resumed(2))
    assert not story.add(note("e"))
    assert (texts(story), story.count) == ("abRe", 6)


def test_a_checkpoint_that_holds_everything_takes_nothing_back() -> None:
    story = told(*map(note, "ab"))
    assert not story.add(resumed(2))
    assert (texts(story), story.count) == ("abR", 3)


def test_a_second_resumption_counts_events_that_hold_no_longer_too() -> None:
    story = told(*map(note, "abcd"), resumed(2), *map(note, "ef"))  # lines 0 to 6
    assert story.add(resumed(6))  # the checkpoint was written after "e", line 5
    assert (texts(story), story.count) == ("abReR", 8)


def test_a_fall_back_to_a_checkpoint_of_an_earlier_life_takes_back_the_resumption_too() -> None:
    story = told(*map(note, "abcd"), resumed(3), note("e"))
    assert story.add(resumed(1))
    assert texts(story) == "aR"
    assert story.add(resumed(0))
    assert (texts(story), story.count) == ("R", 8)


@pytest.mark.parametrize("keeps", [-1, 4, 10**30, None, "2", 2.0, True, False, [1]])
def test_a_keeps_that_cannot_be_meant_takes_nothing_back(keeps: object) -> None:
    story = told(*map(note, "abc"))
    assert not story.add(resumed(keeps))
    assert texts(story) == "abcR"


def test_a_resumption_that_says_no_keeps_takes_nothing_back() -> None:
    story = told(note("a"), Event(0, 0.0, "state", {"state": "resumed"}))
    assert texts(story) == "aR"


def test_what_somebody_has_not_seen_yet() -> None:
    story = told(*map(note, "abcd"))
    seen = story.count
    assert story.since(seen) == []
    story.add(note("e"))
    assert [event.data["text"] for event in story.since(seen)] == ["e"]
    story.add(resumed(1))
    assert [event.kind for event in story.since(seen)] == ["state"]
    assert len(story.since(0)) == 2
    story.add(note("f"))
    assert len(story.since(seen)) == 2


def test_many_resumptions_of_a_long_story_cost_no_more_than_many_events() -> None:
    begun = time.process_time()
    story, event = told(*[note("x")] * 50_000), note("y")
    for _ in range(20_000):
        story.add(event)
        story.add(resumed(story.count - 1))
    assert len(story.events) == 70_000
    assert time.process_time() - begun < 10  # going through all that holds at each takes minutes


@pytest.mark.parametrize("offset", range(len(LINE.encode()) + 1))
def test_a_line_torn_anywhere_is_ended_and_counted_once(tmp_path: Path, offset: int) -> None:
    path = tmp_path / "events.jsonl"
    before = EventLog(path)
    for step in range(3):
        before.write("phase", step, phase="x", at=step)
    keeps = before.count
    before.write("edit", 3, knob="lr", old=1.0, new=2.0)
    with path.open("ab") as file:
        file.write(LINE.encode()[:offset])
    log = EventLog(path)
    assert log.count == 4  # what is not ended cannot be counted on
    log.write("state", 3, state="resumed", keeps=keeps)
    whole = offset == len(LINE.encode())
    assert log.count == 5 + whole
    later = log.count
    log.write("edit", 3, knob="lr", old=1.0, new=3.0)
    story = read(path)
    assert story.count == log.count
    assert [event.data.get("new", event.data.get("state")) for event in story.events[3:]] == ["resumed", 3.0]
    log.write("state", 3, state="resumed", keeps=later)
    assert [event.kind for event in read(path).events] == ["phase"] * 3 + ["state"] * 2


@pytest.mark.parametrize("seed", range(20))
def test_what_holds_is_what_the_trainer_knows(tmp_path: Path, seed: int) -> None:
    random, trainer = Random(seed), Retold(tmp_path)
    for _ in range(30):
        trainer.act(random)
        story = read(trainer.run.events_path)
        assert [(event.kind, event.step, event.data) for event in story.events] == trainer.now.events
        assert story.count == trainer.log.count
        lines = trainer.run.events_path.read_bytes().split(b"\n")
        assert story.count == len([line for line in lines if _is_whole(line)])


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
