"""JSON lines as they are written, torn, mixed and read."""

import errno
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from grokterm.errors import RunError
from grokterm.run.events import (
    Event,
    EventLog,
    LineTail,
    Request,
    append_line,
    ask,
    decode,
    encode,
    event_from,
    request_from,
)


def test_not_finite_numbers_survive_strict_json(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    values = {"values": [math.inf, -math.inf, 0.1, 7], "knobs": {"lr": math.nan}}
    append_line(path, values)
    assert json.loads(path.read_text(), parse_constant=pytest.fail) == {
        "values": ["inf", "-inf", 0.1, 7],
        "knobs": {"lr": "nan"},
    }
    (line,) = LineTail(path).new()
    assert line["values"] == [math.inf, -math.inf, 0.1, 7]
    assert isinstance(knobs := line["knobs"], dict)
    assert math.isnan(knobs["lr"])


def test_numpy_scalars_and_tuples_are_written_as_numbers_and_lists() -> None:
    assert encode({"at": np.int64(3), "betas": (np.float32(0.5), np.float64(-math.inf))}) == {
        "at": 3,
        "betas": [0.5, "-inf"],
    }
    with pytest.raises(TypeError, match="a PosixPath cannot be written as JSON"):
        encode({"path": Path("run.toml")})


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**400])
def test_integer_that_no_reader_would_accept_is_not_written(tmp_path: Path, number: int) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    with pytest.raises(ValueError, match="bits does not fit 64 bits"):
        log.write("edit", 1, knob="steps", old=12, new=number)
    assert not log.path.exists()
    log.write("edit", 1, largest=2**63 - 1, least=-(2**63))
    (line,) = LineTail(log.path).new()
    assert (line["largest"], line["least"]) == (2**63 - 1, -(2**63))


def test_text_that_spells_a_number_stays_text() -> None:
    line = {"event": "note", "step": 1, "time": 2.0, "text": "nan", "note": "inf", "value": "nan"}
    decoded = decode(line)
    assert isinstance(decoded, dict)
    assert decoded["text"] == "nan"
    assert decoded["note"] == "inf"
    assert math.isnan(decoded["value"])


def test_event_log_writes_what_a_tail_reads(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.sync()
    before = time.time()
    written = log.write("edit", 120, knob="weight_decay", old=1.0, new=0.3, moments="kept", request="ab")
    log.sync()
    (line,) = LineTail(log.path).new()
    assert list(line) == ["event", "step", "time", "knob", "old", "new", "moments", "request"]
    event = event_from(line)
    assert event == written
    assert event == Event(
        120, written.time, "edit", {"knob": "weight_decay", "old": 1.0, "new": 0.3, "moments": "kept", "request": "ab"}
    )
    assert before <= written.time <= time.time()


@pytest.mark.parametrize(
    "line",
    [
        *({}, {"event": "note", "step": "3", "time": 1.0}, {"event": 1, "step": 3, "time": 1.0}),
        *({"event": "note", "step": True, "time": 1.0}, {"event": "note", "step": 3, "time": False}),
        {"event": "note", "step": 3.0, "time": 1.0},
    ],
)
def test_line_that_is_no_event_is_none(line: dict[str, object]) -> None:
    assert event_from(line) is None


def test_torn_last_line_is_left_for_the_next_call(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail = LineTail(path)
    assert tail.new() == []
    with path.open("ab", buffering=0) as file:
        file.write(b'{"a": 1}\n{"b"')
        assert tail.new() == [{"a": 1}]
        assert tail.new() == []
        file.write(b": 2}\n")
    assert tail.new() == [{"b": 2}]
    assert tail.skipped == 0


@pytest.mark.parametrize(
    "bad", [b"not json", b"[1]", b'"text"', b'{"x": NaN}', b"\xff\xfe", b"[" * 100_000, b'{"x": 1' + b"0" * 30 + b"}"]
)
def test_bad_line_is_skipped_and_counted(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"a": 1}\n' + bad + b'\n\n{"b": 2}\n')
    tail = LineTail(path)
    assert tail.new() == [{"a": 1}, {"b": 2}]
    assert tail.skipped == 1


def test_line_after_a_torn_one_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"a": 1}\n{"torn')
    append_line(path, {"b": 2})
    tail = LineTail(path)
    assert tail.new() == [{"a": 1}, {"b": 2}]
    assert tail.skipped == 1


def test_a_carriage_return_ends_no_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"a":\r1}\r\n\r\n{"b": 2}\n')
    assert LineTail(path).new() == [{"a": 1}, {"b": 2}]


def test_an_event_log_counts_the_events_that_are_there_already(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(
        b'{"event": "note", "step": 1, "time": "nan"}\n\nrubbish\n{"event": "note", "step": "1", "time": 1}\n[1]\n'
        b'{"event": "later version", "step": 2, "time": 3}\n'
    )
    log = EventLog(path)
    assert log.count == 2
    log.write("note", 3, text="x")
    assert log.count == EventLog(path).count == 3
    assert EventLog(tmp_path / "none").count == 0


@pytest.mark.parametrize("taken", range(0, 90, 7))
@pytest.mark.parametrize("before", [b"", b'{"event": "note", "step": 1, "time": 1}\n', b'{"torn'])
def test_an_event_that_the_disk_took_a_part_of_is_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int, before: bytes
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(before)
    log, tail = EventLog(path), LineTail(path)
    _refuse_after(monkeypatch, taken)
    with pytest.raises(OSError, match="No space left"):
        log.write("edit", 5, knob="lr", old=1.0, new=2.0, moments="kept", request="0123456789ab")
    assert path.read_bytes() == before
    seen = tail.new()
    monkeypatch.undo()
    log.write("edit", 5, knob="lr", old=1.0, new=2.0, moments="kept", request="0123456789ab")
    seen += tail.new()
    assert [line["event"] for line in seen if line["step"] == 5] == ["edit"]
    assert log.count == EventLog(path).count == len(seen)


def test_a_part_that_cannot_be_taken_back_is_counted_if_it_is_a_whole_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.write("note", 1)
    size = log.path.stat().st_size
    _refuse_after(monkeypatch, -1)
    monkeypatch.setattr("os.ftruncate", _refuse)
    for _ in range(3):
        with pytest.raises(OSError, match="No space left"):
            log.write("note", 2)
    assert log.path.read_bytes()[size:].count(b"\n") == 2
    monkeypatch.undo()
    log.write("note", 3)
    assert log.count == EventLog(log.path).count == 5


def _refuse_after(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    """Let the next writes take so many bytes of a line (-1: all but the last), and then nothing more."""
    real, rest = os.write, {"is full": False}

    def write(file: int, content: bytes) -> int:
        rest["is full"] = not rest["is full"]
        part = content[:taken]
        return real(file, part) if rest["is full"] and part else _refuse()

    monkeypatch.setattr("os.write", write)


def _refuse(*_: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


MANY = """
import sys
from pathlib import Path
from grokterm.run.events import ask
for number in range(200):
    ask(Path(sys.argv[1]), "note", text="x" * 500, writer=int(sys.argv[2]), number=number)
"""


def test_writers_in_several_processes_never_mix_their_lines(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", MANY, str(tmp_path), str(writer)]) for writer in range(4)]
    assert [writer.wait(timeout=60) for writer in writers] == [0] * 4
    tail = LineTail(tmp_path / "inbox.jsonl")
    lines = tail.new()
    assert tail.skipped == 0
    assert sorted((line["writer"], line["number"]) for line in lines) == [(w, n) for w in range(4) for n in range(200)]
    assert len({line["id"] for line in lines}) == 800


def test_request_reaches_the_inbox(tmp_path: Path) -> None:
    request = ask(tmp_path, "set", knob="lr", value=math.inf, moments="reset")
    (line,) = LineTail(tmp_path / "inbox.jsonl").new()
    assert list(line) == ["id", "time", "from", "do", "knob", "value", "moments"]
    assert str(line["from"]).rpartition(":")[2].isdigit()
    assert request_from(line) == request
    assert request == Request(request.id, "set", {"knob": "lr", "value": math.inf, "moments": "reset"})
    assert request_from({"do": "set"}) is None


def test_request_to_a_missing_run_is_a_run_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="missing cannot be asked to pause: No such file"):
        ask(tmp_path / "missing", "pause")
