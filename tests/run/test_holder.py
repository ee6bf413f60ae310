"""What a lock file says: fixed in length, harmless to print, and nobody where it is anything else."""

import json
import socket
from dataclasses import replace

import pytest

from grokterm.run.holder import FRESH_SECONDS, SIZE, Holder, said_in, this_host

SOMEBODY = Holder("elsewhere", 4711, 1_800_000_000.25, 1_800_000_060.5, "steps.npy: No space left on device")


def fields(**changed: object) -> bytes:
    return json.dumps({**SOMEBODY.__dict__, **changed}).encode()


@pytest.mark.parametrize(
    "trouble", ["", "no room", "é" * 80, "\udcff\x00", "x" * 10_000, "\U0001f600" * 600, '"\\' * 300]
)
def test_a_holder_is_read_as_it_was_written_in_a_fixed_size(trouble: str) -> None:
    content = replace(SOMEBODY, trouble=trouble).content()
    assert len(content) == SIZE
    assert content.endswith(b"\n")
    said = said_in(content)
    assert said is not None
    assert replace(said, trouble="") == replace(SOMEBODY, trouble="")
    whole = "".join(char for char in trouble if char.isprintable())
    assert said.trouble == whole or (len(trouble) > 60 and whole.startswith(said.trouble) and len(said.trouble) > 25)


def test_a_short_trouble_is_not_cut() -> None:
    assert said_in(SOMEBODY.content()) == SOMEBODY


def test_the_longest_host_still_fits() -> None:
    said = said_in(replace(SOMEBODY, host="h" * 64, pid=2**62).content())
    assert said is not None
    assert said.host == "h" * 64


def test_later_versions_may_say_more() -> None:
    assert said_in(fields(colour="red", trouble="")) == replace(SOMEBODY, trouble="")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" " * SIZE,
        b"\0" * SIZE,
        b"\xff" * SIZE,
        b"train me",
        b"4711",
        b"null",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"host":' * 100_000,
        fields()[:-1],
        fields() + b"," + fields(),
        fields(host=""),
        fields(host=7),
        fields(host="\x1b\x07"),
        fields(pid=True),
        fields(pid="4711"),
        fields(pid=4711.0),
        fields(pid=0),
        fields(pid=-1),
        fields(pid=10**30),
        fields(since=None),
        fields(since="2027"),
        fields(since=1e300),
        fields(since=-1.0),
        fields(beat=False),
        fields(beat=[]),
        fields(beat=float("nan")),
        fields(beat=float("inf")),
        fields().replace(b"1800000060.5", b"1e999"),
        fields().replace(b"1800000060.5", b"9" * 400),
        fields().replace(b'"beat"', b'"heat"'),
        fields(trouble="x" * SIZE),
    ],
    ids=lambda content: repr(content[:80]),
)
def test_anything_else_names_nobody(content: bytes) -> None:
    assert said_in(content) is None


def test_strangers_texts_are_made_harmless() -> None:
    said = said_in(fields(host="evil\x1b[31m\u202e", trouble="a\nb\x07"))
    assert said is not None
    assert (said.host, said.trouble) == ("evil[31m", "a b")
    assert said_in(fields(trouble=["x"])) == replace(SOMEBODY, trouble="")


@pytest.mark.parametrize(
    ("age", "is_fresh"), [(0, True), (59, True), (61, False), (3600, False), (-59, True), (-3600, False)]
)
def test_a_beat_is_young_in_both_directions(age: float, is_fresh: bool) -> None:
    assert SOMEBODY.is_fresh(SOMEBODY.beat + age) is is_fresh
    assert FRESH_SECONDS == 60


def test_this_process_is_not_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    me = Holder.here()
    assert not me.is_elsewhere
    assert me.is_same(replace(me, beat=0.0, trouble="x"))
    assert not me.is_same(replace(me, since=me.since + 1))
    monkeypatch.setattr(socket, "gethostname", lambda: "hal\u00e9\x1b" + "9" * 100)
    assert this_host() == "hal?" + "9" * 60
    assert me.is_elsewhere
