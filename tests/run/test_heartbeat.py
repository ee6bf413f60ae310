"""Signs of life in an open file: regular, in place, at an end at once, and no matter to anybody when they fail."""

import errno
import gc
import os
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grokterm.run import heartbeat
from grokterm.run.heartbeat import Heartbeat
from grokterm.run.holder import SIZE, Holder, said_in
from tests.waiting import wait_for

HERE = Holder("here", 4711, 1000.0, 1000.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "lock"
    path.write_bytes(HERE.content())
    return path


@pytest.fixture
def file(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDWR)
    yield file
    os.close(file)


def said(path: Path) -> Holder:
    found = said_in(path.read_bytes())
    assert found is not None
    return found


def beating() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "heartbeat"]


def test_it_beats_in_place_until_it_is_stopped(path: Path, file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "BEAT_SECONDS", 0.001)
    os.utime(path, (1000, 1000))
    inode = path.stat().st_ino
    heart = Heartbeat(file, HERE)
    wait_for(lambda: said(path).beat > HERE.beat)
    first = said(path)
    wait_for(lambda: said(path).beat > first.beat)
    heart.stop()
    last = path.read_bytes()
    assert abs(path.stat().st_mtime - said(path).beat) < 10
    assert (path.stat().st_size, path.stat().st_ino) == (SIZE, inode)
    assert said(path).is_same(HERE)
    assert beating() == []
    heart.tell("too late")
    assert path.read_bytes() == last


def test_it_ends_at_once_and_leaves_nothing_to_collect(file: int) -> None:
    heart = Heartbeat(file, HERE)
    assert len(beating()) == 1
    assert beating()[0].daemon
    begun = time.monotonic()
    heart.stop()
    assert time.monotonic() - begun < 1
    assert beating() == []
    gone = weakref.ref(heart)
    gc.disable()
    try:
        del heart
        assert gone() is None
    finally:
        gc.enable()


def test_trouble_is_told_at_once_and_only_when_it_changes(
    path: Path, file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    heart = Heartbeat(file, HERE)
    try:
        heart.tell("no room")
        assert (said(path).trouble, said(path).beat > HERE.beat) == ("no room", True)
        before = path.read_bytes()
        heart.tell("no room")
        assert path.read_bytes() == before
        heart.tell("")
        assert said(path).trouble == ""
    finally:
        heart.stop()


def test_what_cannot_be_written_now_is_told_with_a_later_beat(
    path: Path, file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "BEAT_SECONDS", 0.001)
    write, refused = os.pwrite, []
    is_full = threading.Event()
    is_full.set()

    def refuse(*arguments: object) -> int:
        if is_full.is_set():
            refused.append(arguments)
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "pwrite", refuse)
    heart = Heartbeat(file, HERE)
    try:
        heart.tell("no room")
        wait_for(lambda: len(refused) > 3)
        assert said(path) == HERE
        is_full.clear()
        wait_for(lambda: said(path).trouble == "no room")
    finally:
        heart.stop()


def test_a_file_that_names_somebody_else_is_left_alone(path: Path, file: int) -> None:
    heart = Heartbeat(file, HERE)
    try:
        rival = Holder("elsewhere", 1, 2000.0, 2000.0).content()
        path.write_bytes(rival)
        assert heart.is_overwritten()
        heart.tell("no room")
        assert path.read_bytes() == rival
        path.write_bytes(b"somebody's editor")
        assert not heart.is_overwritten()
        heart.tell("a full disk")
        assert said(path).trouble == "a full disk"
    finally:
        heart.stop()


def test_who_gave_the_lock_does_not_take_it_back_by_a_late_beat(path: Path, file: int) -> None:
    heir = Holder("here", 4712, 2000.0, 2000.0)
    heart = Heartbeat(file, heir, giver=HERE)
    try:
        path.write_bytes(replace(HERE, beat=2001.0).content())
        assert not heart.is_overwritten()
        heart.tell("no room")
        assert said(path).is_same(heir)
        path.write_bytes(Holder("here", 4713, 3000.0, 3000.0).content())
        assert heart.is_overwritten()
    finally:
        heart.stop()
