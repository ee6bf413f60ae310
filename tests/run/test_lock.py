"""Who holds a run: real processes that hold, die, race and inherit; other hosts by what they would have written."""

import contextlib
import errno
import fcntl
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from grokterm.errors import RunError, TakenOverError
from grokterm.run.directory import RunDirectory
from grokterm.run.holder import SIZE, Holder, said_in, this_host
from grokterm.run.lock import Lock, holder, is_alive
from tests.waiting import wait_for

HERE = os.uname().nodename

HOLD = """
import sys
from pathlib import Path
from grokterm.run.directory import RunDirectory
from grokterm.run.lock import Lock
with Lock(RunDirectory(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
assert "torch" not in sys.modules
"""

RACE = """
import sys, time
from pathlib import Path
from grokterm.errors import RunError
from grokterm.run.directory import RunDirectory
from grokterm.run.lock import Lock
print("ready", flush=True)
while line := sys.stdin.readline():
    start, path = line.rstrip("\\n").split(" ", 1)
    while time.time() < float(start):
        pass
    try:
        with Lock(RunDirectory(Path(path))) as lock:
            print("won", flush=True)
            sys.stdin.readline()
            lock.check()
    except RunError as error:
        print(error, flush=True)
        sys.stdin.readline()
"""

GIVE = """
import subprocess, sys
from pathlib import Path
from grokterm.run.directory import RunDirectory
from grokterm.run.lock import Lock
with Lock(RunDirectory(Path(sys.argv[1]))) as lock:
    shared = lock.share()
    heir = [sys.executable, "-c", sys.argv[2], sys.argv[1], str(shared)]
    subprocess.Popen(heir, pass_fds=[shared], start_new_session=True)
"""

ADOPT = """
import sys
from pathlib import Path
from grokterm.run.directory import RunDirectory
from grokterm.run.lock import Lock
print("born", flush=True)
sys.stdin.readline()
with Lock.adopt(RunDirectory(Path(sys.argv[1])), int(sys.argv[2])) as lock:
    print("adopted", flush=True)
    sys.stdin.readline()
    lock.check()
print("ended", flush=True)
"""


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    run = RunDirectory(tmp_path / "a")
    run.path.mkdir()
    return run


@contextlib.contextmanager
def process(script: str, *arguments: object, first: str = "") -> Iterator["subprocess.Popen[str]"]:
    """A Python process that is killed at the end; `first`: the line that it says first."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        try:
            assert not first or hear(started) == first
            yield started
        finally:
            started.kill()


def hear(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def tell(process: "subprocess.Popen[str]", line: str = "") -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def elsewhere(run: RunDirectory, age: float, host: str = "elsewhere") -> Holder:
    """Somebody of another host whose last sign of life is `age` seconds old stands in the lock file."""
    now = time.time()
    somebody = Holder(host, 4711, now - 1000, now - age)
    run.lock_path.write_bytes(somebody.content())
    return somebody


@contextlib.contextmanager
def locked(run: RunDirectory) -> Iterator[None]:
    """Somebody, who writes nothing into it, has locked the lock file."""
    file = os.open(run.lock_path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(file)


def refused(run: RunDirectory) -> str:
    """The sentence with which a lock is refused."""
    with pytest.raises(RunError) as caught, Lock(run):
        pytest.fail("two trainers hold one run")
    return str(caught.value)


# -- one host


def test_lock_of_a_living_process_is_respected_and_dies_with_it(run: RunDirectory) -> None:
    with process(HOLD, run.path, first="held") as living:
        content = run.lock_path.read_bytes()
        assert len(content) == SIZE
        for _ in range(2):
            assert is_alive(run)
            said = refused(run)
            assert said.startswith(f"{run.path} is being trained by process {living.pid} on {HERE} (since 20")
            assert "sign of life" not in said
        found = holder(run)
        assert found is not None
        assert (found.host, found.pid, found.trouble) == (HERE, living.pid, "")
        assert abs(time.time() - found.since) < 60
        assert run.lock_path.read_bytes() == content
        living.send_signal(signal.SIGKILL)
        living.wait()
        assert not is_alive(run)
        assert holder(run) is None
        assert run.lock_path.read_bytes() == content
    with Lock(run):
        assert is_alive(run)
        assert json.loads(run.lock_path.read_bytes())["pid"] == os.getpid()
    assert not is_alive(run)


def test_a_clean_end_empties_the_file(run: RunDirectory) -> None:
    run.lock_path.write_bytes(b"x" * 10_000)
    with Lock(run):
        assert run.lock_path.stat().st_size == SIZE
    assert run.lock_path.read_bytes() == b""
    with process(HOLD, run.path, first="held") as living:
        _, _ = living.communicate()
        assert living.returncode == 0
    assert run.lock_path.read_bytes() == b""


def test_asking_creates_nothing_and_does_not_lock(run: RunDirectory) -> None:
    assert not is_alive(run)
    assert holder(run) is None
    assert list(run.path.iterdir()) == []
    run.lock_path.touch()
    assert not is_alive(run)
    with Lock(run):
        assert is_alive(run)
    assert [path.name for path in run.path.iterdir()] == ["lock"]


def test_lock_outlasts_somebody_who_only_asks(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    run.lock_path.touch()
    asking = os.open(run.lock_path, os.O_RDONLY)
    fcntl.flock(asking, fcntl.LOCK_SH)
    waits: list[float] = []

    def let_go(seconds: float) -> None:
        waits.append(seconds)
        os.close(asking)

    monkeypatch.setattr(time, "sleep", let_go)
    with Lock(run):
        assert is_alive(run)
    assert len(waits) == 1


def test_holder_that_wrote_nothing_is_another_process(run: RunDirectory) -> None:
    with locked(run):
        assert refused(run).endswith("a is being trained by another process")
        assert is_alive(run)
        assert holder(run) is None


def test_lock_in_a_missing_run_is_a_run_error(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "missing")
    assert "missing cannot be locked: No such file" in refused(run)
    assert not is_alive(run)


def test_a_clock_that_is_set_back_or_forward_changes_nothing_on_one_host(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.time
    for shift in (-3600.0, 3600.0):
        with process(HOLD, run.path, first="held"), monkeypatch.context() as patched:
            patched.setattr(time, "time", lambda shift=shift: clock() + shift)
            assert is_alive(run)
            assert "is being trained by process" in refused(run)
        assert not is_alive(run)
        with Lock(run) as lock:
            lock.check()


def test_trouble_is_seen_by_those_who_ask(run: RunDirectory) -> None:
    with Lock(run) as lock:
        lock.trouble("steps.npy: No space left on device")
        found = holder(run)
        assert found is not None
        assert found.trouble == "steps.npy: No space left on device"
        lock.trouble("")
        after = holder(run)
        assert after is not None
        assert after.is_same(found)
        assert (after.trouble, after.beat >= found.beat) == ("", True)
    lock.trouble("too late")
    assert run.lock_path.read_bytes() == b""


def test_a_lock_that_has_ended_leaves_no_thread_and_nothing_to_collect(run: RunDirectory) -> None:
    with Lock(run) as lock:
        assert "heartbeat" in [thread.name for thread in threading.enumerate()]
    assert "heartbeat" not in [thread.name for thread in threading.enumerate()]
    gone = weakref.ref(lock)
    gc.disable()
    try:
        del lock
        assert gone() is None
    finally:
        gc.enable()


def test_a_fork_of_the_process_does_not_end_its_lock(run: RunDirectory) -> None:
    with Lock(run) as lock:
        content = run.lock_path.read_bytes()
        child = os.fork()
        if child == 0:
            try:
                lock.__exit__(None, None, None)
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert is_alive(run)
        assert run.lock_path.read_bytes() == content
        lock.check()


def test_a_child_that_has_a_copy_of_the_descriptor_does_not_keep_the_lock(run: RunDirectory) -> None:
    waits, ends = os.pipe()
    with Lock(run):
        child = os.fork()
        if child == 0:
            os.close(ends)
            os.read(waits, 1)
            os._exit(0)
    assert not is_alive(run)
    os.close(ends)
    os.waitpid(child, 0)
    os.close(waits)


# -- other hosts


def test_a_living_process_of_another_host_is_respected(run: RunDirectory) -> None:
    for age in (12.0, -30.0):
        somebody = elsewhere(run, age)
        assert is_alive(run)
        assert holder(run) == somebody
        said = refused(run)
        assert "a is being trained by process 4711 on elsewhere (since 20" in said
        assert f", last sign of life {abs(age):.0f} s ago)" in said
        with locked(run):
            assert is_alive(run)
            assert "on elsewhere" in refused(run)
        assert run.lock_path.read_bytes() == somebody.content()


@pytest.mark.parametrize("age", [61.0, 86_400.0, -61.0, -3600.0])
def test_a_dead_process_of_another_host_is_not(run: RunDirectory, age: float) -> None:
    elsewhere(run, age)
    inode = run.lock_path.stat().st_ino
    assert not is_alive(run)
    assert holder(run) is None
    with Lock(run) as lock:
        assert is_alive(run)
        lock.check()
    assert run.lock_path.stat().st_ino == inode


@pytest.mark.parametrize("age", [61.0, -3600.0])
def test_a_lock_that_a_dead_host_left_is_replaced(run: RunDirectory, age: float) -> None:
    elsewhere(run, age)
    with locked(run):
        assert not is_alive(run)
        with Lock(run) as lock:
            assert is_alive(run)
            assert f"process {os.getpid()} on {HERE}" in refused(run)
            lock.check()
            found = holder(run)
            assert found is not None
            assert found.host == this_host()
        assert not is_alive(run)
        with Lock(run):
            pass
    assert [path.name for path in run.path.iterdir()] == ["lock"]
    assert run.lock_path.read_bytes() == b""


def test_a_lock_is_not_abandoned_because_somebody_asks(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere(run, 100)
    inode = run.lock_path.stat().st_ino
    asking = os.open(run.lock_path, os.O_RDONLY)
    fcntl.flock(asking, fcntl.LOCK_SH)
    monkeypatch.setattr(time, "sleep", lambda _: os.close(asking))
    with Lock(run):
        assert run.lock_path.stat().st_ino == inode


def test_a_replacement_that_is_replaced_in_turn_is_given_up(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere(run, 100)
    replace = Path.replace

    def both(fresh: Path, target: Path) -> Path:
        replace(fresh, target)
        (run.path / "other").write_bytes(Holder("another", 7, time.time(), time.time()).content())
        return replace(run.path / "other", target)

    with locked(run), monkeypatch.context() as patched:
        patched.setattr(Path, "replace", both)
        assert "is being trained by process 7 on another" in refused(run)
    assert [path.name for path in run.path.iterdir()] == ["lock"]
    assert "heartbeat" not in [thread.name for thread in threading.enumerate()]


def test_a_replacement_that_cannot_be_written_leaves_nothing(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    content = elsewhere(run, 100).content()
    with locked(run), monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        assert "a cannot be locked: No space left on device" in refused(run)
    assert [path.name for path in run.path.iterdir()] == ["lock"]
    assert run.lock_path.read_bytes() == content


def test_one_who_was_taken_for_dead_is_told(run: RunDirectory) -> None:
    with Lock(run) as lock:
        lock.check()
        elsewhere(run, 3600)  # it would stand there if this process were stopped for an hour, and seen by another host
        with process(HOLD, run.path, first="held") as rival:
            with pytest.raises(TakenOverError, match=f"a was taken over by process {rival.pid} on {HERE}"):
                lock.check()
            content = run.lock_path.read_bytes()
            lock.trouble("nobody sees that")
            assert run.lock_path.read_bytes() == content
            lock.__exit__(None, None, None)
            assert is_alive(run)
            assert run.lock_path.read_bytes() == content


def test_somebody_else_s_name_in_the_same_file_is_a_take_over(run: RunDirectory) -> None:
    with Lock(run) as lock:
        somebody = elsewhere(run, 0)
        with pytest.raises(TakenOverError, match="a was taken over by process 4711 on elsewhere"):
            lock.check()
    assert run.lock_path.read_bytes() == somebody.content()
    assert is_alive(run)


def test_a_lock_file_that_was_removed_or_replaced_is_lost_and_a_vanished_directory_is_not(run: RunDirectory) -> None:
    away = run.path.with_name("away")
    with Lock(run) as lock:
        run.path.rename(away)
        lock.check()
        run.path.mkdir()
        with pytest.raises(TakenOverError, match="a was taken over by another process"):
            lock.check()
        run.path.rmdir()
        away.rename(run.path)
        lock.check()
        run.lock_path.write_text("somebody's editor")
        lock.check()
        shutil.copy(run.lock_path, run.path / "copy")
        (run.path / "copy").rename(run.lock_path)
        with pytest.raises(TakenOverError, match="a was taken over by another process"):
            lock.check()
    assert run.lock_path.read_text() == "somebody's editor"


def test_a_file_system_that_does_not_answer_is_no_take_over(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> os.stat_result:
        raise OSError(errno.EIO, "Input/output error")

    with Lock(run) as lock, monkeypatch.context() as patched:
        patched.setattr(os, "lstat", fails)
        lock.check()


def test_a_stale_handle_is_a_take_over(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(_: int) -> os.stat_result:
        raise OSError(errno.ESTALE, "Stale file handle")

    with Lock(run) as lock, monkeypatch.context() as patched:
        patched.setattr(os, "fstat", stale)
        with pytest.raises(TakenOverError):
            lock.check()


# -- two at once


@pytest.fixture(scope="module")
def racers() -> Iterator[list["subprocess.Popen[str]"]]:
    with process(RACE, first="ready") as one, process(RACE, first="ready") as two:
        yield [one, two]


@pytest.mark.parametrize("state", ["missing", "empty", "stale", "abandoned"])
def test_of_two_at_once_exactly_one_wins(run: RunDirectory, racers: list["subprocess.Popen[str]"], state: str) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(int(os.environ.get("GROKTERM_RACES", "10"))):
            run.lock_path.unlink(missing_ok=True)
            if state == "empty":
                run.lock_path.touch()
            elif state != "missing":
                elsewhere(run, 100)
            if state == "abandoned":
                stack.enter_context(locked(run))
            start = time.time() + 0.01
            for racer in racers:
                tell(racer, f"{start} {run.path}")
            said = [hear(racer) for racer in racers]
            found = holder(run)
            for racer in racers:
                tell(racer)
            assert said.count("won") == 1, said
            winner, loser = racers[said.index("won")], said[1 - said.index("won")]
            assert found is not None
            assert found.pid == winner.pid
            assert loser.startswith(f"{run.path} is being trained by process {winner.pid} on {HERE}")
            wait_for(lambda: run.lock_path.read_bytes() == b"")
            stack.close()
    assert [path.name for path in run.path.iterdir()] == ["lock"]


def test_a_lock_replaced_between_opening_and_locking_it_is_not_taken(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.lock_path.touch()
    flock = fcntl.flock
    replaced: list[int] = []

    def meanwhile(file: int, kind: int) -> None:
        if not replaced and Path(f"/proc/self/fd/{file}").resolve() == run.lock_path.resolve():
            replaced.append(file)
            (run.path / "other").write_bytes(b"")
            (run.path / "other").rename(run.lock_path)
        flock(file, kind)

    monkeypatch.setattr(fcntl, "flock", meanwhile)
    with Lock(run) as lock:
        assert len(replaced) == 1
        lock.check()
        assert is_alive(run)


# -- given from process to process


@pytest.fixture
def heir(run: RunDirectory) -> Iterator["subprocess.Popen[str]"]:
    """A process that has given its lock to a child and ended; stdin and stdout are the child's."""
    with process(GIVE, run.path, ADOPT, first="born") as parent:
        parent.wait()
        assert parent.returncode == 0
        yield parent


def test_a_lock_is_inherited_when_its_giver_is_gone(run: RunDirectory, heir: "subprocess.Popen[str]") -> None:
    assert is_alive(run)  # given and not adopted yet
    assert f"by process {heir.pid} on {HERE}" in refused(run)
    tell(heir)
    assert hear(heir) == "adopted"
    found = holder(run)
    assert found is not None
    assert found.pid not in (heir.pid, os.getpid())
    assert f"by process {found.pid} on {HERE}" in refused(run)
    tell(heir)
    assert hear(heir) == "ended"
    assert not is_alive(run)
    assert run.lock_path.read_bytes() == b""


def test_an_inherited_lock_dies_with_the_heir(run: RunDirectory, heir: "subprocess.Popen[str]") -> None:
    tell(heir)
    assert hear(heir) == "adopted"
    found = holder(run)
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(run))
    with Lock(run):
        assert is_alive(run)


def test_who_shared_goes_on_until_its_end_which_lets_go_of_nothing(run: RunDirectory) -> None:
    with Lock(run) as lock:
        shared = lock.share()
        assert os.get_inheritable(shared)
        lock.trouble("no room")
        lock.check()
        found = holder(run)
        assert found is not None
        assert found.trouble == "no room"
    content = run.lock_path.read_bytes()
    assert said_in(content) == found
    assert is_alive(run)
    with Lock.adopt(run, shared) as adopted:
        assert not os.get_inheritable(shared)
        assert is_alive(run)
        adopted.check()
    assert not is_alive(run)
    assert run.lock_path.read_bytes() == b""
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(shared)


def test_who_shared_is_told_when_somebody_has_adopted(run: RunDirectory) -> None:
    with Lock(run) as lock:
        heir = Lock.adopt(run, lock.share())
        with pytest.raises(TakenOverError):
            lock.check()
        lock.trouble("nobody sees that")
        heir.check()
        found = holder(run)
        assert found is not None
        assert found.trouble == ""
        with heir:
            pass


def test_what_was_shared_in_vain_is_taken_back(run: RunDirectory) -> None:
    with Lock(run) as lock:
        lock.take_back(lock.share())
        lock.check()
        assert is_alive(run)
    assert run.lock_path.read_bytes() == b""
    with lock:
        shared = lock.share()
    assert is_alive(run)
    lock.take_back(shared)
    assert not is_alive(run)
    assert run.lock_path.read_bytes() == b""


def test_a_lock_that_was_shared_once_is_let_go_of_the_next_time(run: RunDirectory) -> None:
    with Lock(run) as lock:
        shared = lock.share()
    with Lock.adopt(run, shared):
        pass
    with lock:
        pass
    assert not is_alive(run)
    assert run.lock_path.read_bytes() == b""


def test_only_a_held_lock_is_shared(run: RunDirectory) -> None:
    lock = Lock(run)
    with pytest.raises(RunError, match="a is not held by this process"):
        lock.share()
    with lock:
        pass
    with pytest.raises(RunError, match="a is not held by this process"):
        lock.share()


def test_a_descriptor_that_is_not_the_held_lock_is_not_adopted(run: RunDirectory, tmp_path: Path) -> None:
    run.lock_path.write_bytes(Holder.here().content())
    content = run.lock_path.read_bytes()
    with run.lock_path.open("r+b") as file, (tmp_path / "other").open("w+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(RunError, match=f"descriptor {other.fileno()} is not .*lock, so it does not hold this run"):
            Lock.adopt(run, other.fileno())
        for hindrance in (contextlib.nullcontext(), locked(run)):
            with hindrance, pytest.raises(RunError, match=f"descriptor {file.fileno()} is .*lock, and holds no lock"):
                Lock.adopt(run, file.fileno())
        gone = os.dup(file.fileno())
        os.close(gone)
        with pytest.raises(RunError, match=f"a cannot be held by descriptor {gone}: Bad file descriptor"):
            Lock.adopt(run, gone)
    assert run.lock_path.read_bytes() == content
    assert not is_alive(run)


# -- file systems without locks


def test_without_locks_the_signs_of_life_decide(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    assert not is_alive(run)
    with Lock(run) as lock:
        assert is_alive(run)
        assert f"is being trained by process {os.getpid()}" in refused(run)
        lock.check()
        shared = lock.share()
    with Lock.adopt(run, shared):
        assert is_alive(run)
    assert not is_alive(run)
    now = time.time()
    for host in (HERE, "elsewhere"):
        elsewhere(run, 30, host)
        assert is_alive(run)
        assert f"on {host}" in refused(run)
        elsewhere(run, 70, host)
        assert not is_alive(run)
        with Lock(run) as lock:
            found = holder(run)
            assert found is not None
            assert found.since >= now
            elsewhere(run, 0, host)
            with pytest.raises(TakenOverError):
                lock.check()


# -- strangers' files


@pytest.mark.parametrize(
    "content",
    [
        b"train me",
        b"\0" * SIZE,
        b"\xff" * (1 << 20),
        b"[" * 100_000,
        b'{"host": "elsewhere", "pid": true, "since": 1e9, "beat": 1e9}',
        b'{"host": "elsewhere", "pid": 1, "since": 1e9, "beat": NaN}',
        b'{"host": ["elsewhere"], "pid": 1, "since": 1e9, "beat": {}}',
    ],
    ids=["text", "zeros", "large", "deep", "boolean", "nan", "lists"],
)
def test_a_stranger_s_file_names_nobody(run: RunDirectory, content: bytes) -> None:
    run.lock_path.write_bytes(content)
    assert not is_alive(run)
    assert holder(run) is None
    with locked(run):
        assert is_alive(run)
        assert holder(run) is None
        assert refused(run).endswith("is being trained by another process")
    with Lock(run) as lock:
        lock.check()
        assert run.lock_path.stat().st_size == SIZE


def test_a_stranger_s_words_are_harmless(run: RunDirectory) -> None:
    elsewhere(run, 0, "evil\x1b[31m")
    assert "on evil[31m (since" in refused(run)


def test_a_lock_that_is_no_plain_file_is_a_run_error(run: RunDirectory, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    made: Mapping[str, object] = {
        "directory": run.lock_path.mkdir,
        "link": lambda: run.lock_path.symlink_to(precious),
        "pipe": lambda: os.mkfifo(run.lock_path),
    }
    for kind, make in made.items():
        assert callable(make)
        make()
        with pytest.raises(RunError, match="lock cannot be read"):
            is_alive(run)
        assert "cannot be locked" in refused(run), kind
        run.lock_path.rmdir() if kind == "directory" else run.lock_path.unlink()
    assert precious.read_text() == "kept"


def test_a_lock_that_may_not_be_written_is_a_run_error(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    run.lock_path.touch()
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        assert "a cannot be locked: No space left on device" in refused(run)
    assert not is_alive(run)
