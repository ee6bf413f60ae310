"""Headless runs as a person starts them: real processes, real signals, a pseudo-terminal."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from grokterm.run.checkpoint import list_checkpoints, read_metadata
from grokterm.run.directory import RunDirectory
from grokterm.run.events import ask
from grokterm.run.lock import holder, is_alive
from tests.terminal import kill_trainers
from tests.waiting import wait_for

ROOT = Path(__file__).parent.parent
TINY = [
    f"--set={setting}"
    for setting in (
        "task.p=11",
        "task.train_fraction=0.6",
        "model.d_model=16",
        "model.n_heads=2",
        "model.d_mlp=32",
        "training.threads=1",
    )
]
ENDLESS = ["--steps", "1_000_000"]

SLOW_TO_STOP = """
import sys, threading
from pathlib import Path
from grokterm.headless import watch
from grokterm.run.directory import create

class Training(threading.Thread):
    preset_name, error = "[red]slow", None
    def run(self):
        while not Path(sys.argv[2]).exists():
            threading.Event().wait(0.01)
    def stop(self):
        Path(sys.argv[2] + "-asked").touch()

{before}
training = Training(daemon=True)
training.directory = create(Path(sys.argv[1]), "slow")
sys.exit(watch(training.directory, training))
"""


def command(runs: Path, *more: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "grokterm",
        "run",
        "presets/mod113-quick",
        "--headless",
        f"--runs={runs}",
        *TINY,
        *more,
    ]


@contextmanager
def started(arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process with its output in pipes; killed when the test fails."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(arguments, cwd=ROOT, text=True, **pipes)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def only_run(runs: Path) -> RunDirectory:
    (path,) = wait_for(lambda: list(runs.glob("*-*")), what="a run directory")
    return RunDirectory(path)


def rows(path: Path) -> int:
    return len(np.load(path)) if path.exists() else 0


def wait_for_rows(run: RunDirectory, enough: int) -> None:
    """The file's size counts, as RUN_FORMAT.md says; the header's count may lag behind."""
    wait_for(lambda: run.steps_path.exists() and run.steps_path.stat().st_size > 2000 + 90 * enough, what="steps.npy")


def assert_whole(run: RunDirectory, state: str) -> int:
    """Every table opens, its rows are consecutive, and the last checkpoint is a full one of the last step."""
    events = [json.loads(line) for line in run.events_path.read_text().splitlines()]
    assert events[-1]["event"] == "state"
    assert events[-1]["state"] == state
    last = int(events[-1]["step"])
    assert np.load(run.steps_path)["step"].tolist() == list(range(last))
    assert np.load(run.tests_path)["step"].tolist() == list(range(last + 1))
    checkpoint = list_checkpoints(run.checkpoints)[-1]
    assert checkpoint.step == last
    assert read_metadata(checkpoint.path).kind == "full"
    assert not is_alive(run)
    return last


def test_a_run_into_a_pipe_tells_its_progress_and_reports(tmp_path: Path) -> None:
    with started(command(tmp_path, "--steps=300", "--name=odd")) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    run = only_run(tmp_path)
    assert assert_whole(run, "finished") == 300
    lines = out.split("\n")
    assert lines[0] == f"mod113-quick in {run.path}"
    assert lines[1] == "step      0  state: training on cpu, 1 thread"
    assert "step      0  phase: memorization since 0 (training begins)" in lines
    assert "finished at step 300 of 300" in out
    assert re.search(r"^memorised at  never: train accuracy was 0\.\d+ at best, at \d+$", out, re.MULTILINE)
    assert re.search(r"^measures      took \d+\.\d% of the training time$", out, re.MULTILINE)
    assert f"run           {run.path}\n" in out
    assert "loss, log y   ⣿ train   ▞ test" in out
    assert max(map(len, out.partition("loss, log y")[2].split("\n"))) <= 80
    assert "\x1b" not in out


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_with_a_full_checkpoint(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    with started(command(tmp_path, *ENDLESS)) as process:
        run = only_run(tmp_path)
        wait_for_rows(run, 30)
        process.send_signal(sent)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (code, "")
    assert assert_whole(run, "stopped") >= 20
    assert "stopping: writing a full checkpoint" in out
    assert "stopped at step" in out


def test_ctrl_c_while_torch_is_loading_waits_in_the_inbox(tmp_path: Path) -> None:
    with started(command(tmp_path, *ENDLESS)) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    assert assert_whole(only_run(tmp_path), "stopped") == 0
    assert "stopped at step 0 of 1,000,000\n" in out


def test_training_that_fails_is_one_sentence_after_the_report(tmp_path: Path) -> None:
    measures = tmp_path / "parts" / "measures"
    measures.mkdir(parents=True)
    text = "from grokterm.catalog import part\n\n@part\ndef broken(logits):\n    raise RuntimeError('no luck')\n"
    (measures / "broken.py").write_text(text)
    with started(command(tmp_path / "runs", f"--parts={tmp_path / 'parts'}")) as process:
        out, err = process.communicate(timeout=60)
    run = only_run(tmp_path / "runs")
    assert process.returncode == 4
    again = f"`grokterm resume {run.path}` goes on from its last full checkpoint"
    assert err == f"grokterm: training failed: RuntimeError: no luck (see {run.log_path}); {again}\n"
    assert "step      0  error: RuntimeError: no luck" in out
    assert "failed at step 0" in out
    assert "Traceback" in run.log_path.read_text()


def slow(runs: Path, before: str = "") -> list[str]:
    return [sys.executable, "-c", SLOW_TO_STOP.format(before=before), str(runs), str(runs / "end")]


def test_a_second_ctrl_c_leaves_at_once(tmp_path: Path) -> None:
    with started(slow(tmp_path)) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("[red]slow in ")
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline().startswith("stopping: writing a full checkpoint")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=5)
    assert (process.returncode, err) == (130, "")
    assert out.startswith("left at once")
    assert (tmp_path / "end-asked").exists()


def test_nohup_outlives_its_terminal(tmp_path: Path) -> None:
    with started(slow(tmp_path, "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)")) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        (tmp_path / "end").touch()
        process.communicate(timeout=10)
    assert process.returncode == 0
    assert not (tmp_path / "end-asked").exists()


def test_a_reader_that_goes_away_does_not_end_the_run(tmp_path: Path) -> None:
    with started(slow(tmp_path)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        (tmp_path / "end").touch()
        assert process.wait(10) == 0
        assert process.stderr.read() == ""


@contextmanager
def on_a_terminal(
    arguments: list[str], columns: int, **environment: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process whose controlling terminal is a pseudo-terminal, and the descriptor of its other side."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    without = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR")}
    process = subprocess.Popen(
        arguments,
        cwd=ROOT,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        env={**without, "TERM": "xterm-256color", **environment},
    )
    os.close(slave)
    try:
        yield process, master
    finally:
        process.kill()
        process.wait()


def read_to_end(master: int) -> str:
    said = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # how Linux says that the other side was closed
            piece = b""
        if not piece:
            os.close(master)
            return said.decode()
        said += piece


def test_on_a_terminal_one_line_is_drawn_anew(tmp_path: Path) -> None:
    arguments = command(tmp_path, "--steps=300")
    with on_a_terminal(arguments, 100) as (process, master):
        said = read_to_end(master)
        assert process.wait(10) == 0
    assert said.count("\x1b[?25l") == said.count("\x1b[?25h") == 2  # the cursor comes back after either bar
    assert re.search(r"━.* step 300 / 300 .*train \d\.\d\de-\d\d {2}test \d\.\d\de.\d\d", said)
    assert "\r\x1b[2K" in said
    report = said.partition("\x1b[?25h")[2]
    chart = re.sub(r"\x1b\[[0-9;]*m", "", report.partition("loss, log y")[2])
    assert max(map(len, chart.splitlines())) == 100
    assert "\x1b[38;5;74m" in report


NOTED = """
from grokterm.run.events import EventLog
from tests.recorded import record
create = lambda runs, name: record(runs)
Training.run = lambda self: EventLog(self.directory.events_path).write("note", 400, text="[bold]odd[/bold] \x1b[31m")
"""


def test_no_color_is_obeyed(tmp_path: Path) -> None:
    arguments = slow(tmp_path, NOTED)
    with on_a_terminal(arguments, 80, NO_COLOR="1") as (process, master):
        said = read_to_end(master)
        assert process.wait(10) == 0
    assert "[bold]odd[/bold]" in said  # a note: no markup, no escape codes
    assert "loss, log y   ⣿ train   ▞ test" in said
    assert not re.search(r"\x1b\[[0-9;]*m", said)


def test_a_run_outlives_its_terminal(tmp_path: Path) -> None:
    """The system sends SIGHUP then, and every write fails."""
    with on_a_terminal(command(tmp_path, "--steps=1500"), 80) as (process, master):
        run = only_run(tmp_path)
        wait_for_rows(run, 30)
        os.close(master)
        assert process.wait(60) == 0
    assert assert_whole(run, "finished") == 1500


def test_a_terminal_that_closes_can_stop_the_run_with_a_full_checkpoint(tmp_path: Path) -> None:
    with on_a_terminal(command(tmp_path, *ENDLESS, "--on-hangup=stop"), 80) as (process, master):
        run = only_run(tmp_path)
        wait_for_rows(run, 30)
        os.close(master)
        assert process.wait(30) == 129
    assert_whole(run, "stopped")


def test_a_hang_up_that_leaves_the_terminal_there_shows_its_cursor(tmp_path: Path) -> None:
    with on_a_terminal(command(tmp_path, *ENDLESS), 80) as (process, master):
        wait_for_rows(only_run(tmp_path), 30)
        process.send_signal(signal.SIGHUP)
        said = b""
        while b"\x1b[?25h" not in said:
            said += os.read(master, 65536)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
        assert not re.search(r"stopped at step", read_to_end(master))


def test_what_goes_to_a_file_outlives_the_terminal(tmp_path: Path) -> None:
    with started(command(tmp_path, *ENDLESS)) as process:
        wait_for_rows(only_run(tmp_path), 30)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 143
    assert "stopped at step" in out


def test_an_error_is_red_on_a_terminal(tmp_path: Path) -> None:
    with on_a_terminal(command(tmp_path, "--set=optimizer.lr=1e30"), 100) as (process, master):
        said = read_to_end(master)
        assert process.wait(10) == 4
    assert re.search(r"\x1b\[1;31mstep +3 +diverged: train loss is nan", said)


def test_a_divergence_ends_a_run_that_nobody_can_attend_to(tmp_path: Path) -> None:
    with started(command(tmp_path, "--set=optimizer.lr=1e30")) as process:
        out, err = process.communicate(timeout=60)
    run = only_run(tmp_path)
    assert process.returncode == 4
    assert "failed at step 3 of" in out
    assert f"`grokterm fork {run.path}@0 --set optimizer.lr=…` goes on from there" in err


def test_a_rewind_is_followed_into_the_fork(tmp_path: Path) -> None:
    with started(command(tmp_path, *ENDLESS)) as process:
        run = only_run(tmp_path)
        wait_for_rows(run, 30)
        ask(run.path, "rewind", step=20, set={"lr": 1e-3}, moments="kept")
        fork = wait_for(lambda: [path for path in tmp_path.glob("*-from-20") if (path / "run.toml").exists()])[0]
        wait_for_rows(RunDirectory(fork), 30)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (143, "")
    assert assert_whole(RunDirectory(fork), "stopped") > 20
    assert f"training goes on in {fork}\n" in out
    assert out.count("phase: memorization since 0") == 1
    assert "edit: lr 0.005 → 0.001" in out
    assert f"run           {fork}\n" in out


def test_a_pause_tells_how_to_go_on(tmp_path: Path) -> None:
    with started(command(tmp_path, *ENDLESS)) as process:
        run = only_run(tmp_path)
        wait_for_rows(run, 30)
        ask(run.path, "pause")
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        assert f"paused: `grokterm ctl {run.path} resume` goes on\n" in lines
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 143


# -- a process of its own


def test_detached_it_is_told_where_it_is_once_it_has_begun(tmp_path: Path) -> None:
    try:
        with started(command(tmp_path, "--steps=1500", "--detach")) as process:
            out, err = process.communicate(timeout=60)
        run = only_run(tmp_path)
        assert (process.returncode, err) == (0, "")
        assert out == f"{run.name} goes on in the background; `grokterm attach {run.path}` comes back\n"
        assert run.events_path.exists()
        held = holder(run)
        assert held is not None
        assert os.getsid(held.pid) == held.pid != os.getsid(0)
        wait_for(lambda: not is_alive(run), 60, "its end")
        assert assert_whole(run, "finished") == 1500
    finally:
        kill_trainers(tmp_path)


def test_detached_it_pauses_when_it_has_diverged(tmp_path: Path) -> None:
    try:
        with started(command(tmp_path, "--set=optimizer.lr=1e30", "--detach")) as process:
            process.communicate(timeout=60)
        run = only_run(tmp_path)
        wait_for(lambda: '"paused"' in run.events_path.read_text(), what="a pause")
        assert is_alive(run)
    finally:
        kill_trainers(tmp_path)


def test_detached_what_fails_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with started(command(tmp_path / "runs", "--set=task.train_fraction=0.001", "--detach")) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err.startswith("grokterm: mod113-quick: train_fraction = 0.001 leaves 0 of 121 pairs to train on")
    assert not (tmp_path / "runs").exists()


def test_watching_needs_neither_torch_nor_textual() -> None:
    heavy = "import sys, grokterm.headless; print(sorted({'torch', 'textual', 'grokterm.engine'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", heavy], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
