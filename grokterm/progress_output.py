"""What a run without a screen prints: lines now and then, or one bar that is drawn anew, and a report at the end."""

import contextlib
import os
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Protocol, Self

from rich.progress import BarColumn, Progress, TextColumn

from grokterm.ancestry import find_parents
from grokterm.history import History
from grokterm.plot import loss_chart
from grokterm.report import closing, progress_line, short_line
from grokterm.tui.status import planned_steps
from grokterm.tui.terminal import markers_for

CHART_ROWS = 18
LEAST_BAR = 10
SHOW_CURSOR = b"\x1b[?25h\n"


class Show(Protocol):
    """How progress is shown."""

    def say(self, line: str, *, problem: bool = False) -> None:
        """Tell something that stays."""
        ...

    def progress(self, history: History) -> None:
        """Tell how far training is, when it is time to."""
        ...

    def end(self) -> None:
        """Leave the terminal as it was."""
        ...


class Output:
    """Stdout, which may not know every character, and may go away: training goes on without it."""

    def __init__(self) -> None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")
        self.is_terminal = sys.stdout.isatty()
        self._on_terminal = [descriptor for descriptor in (1, 2) if os.isatty(descriptor)]
        term = os.environ.get("TERM", "")
        self.is_live = self.is_terminal and term not in ("", "dumb", "unknown")
        self._markers = markers_for(sys.stdout.encoding or "", term)

    def say(self, text: str) -> None:
        """Print and flush."""
        with self.may_vanish():
            print(text, flush=True)

    @contextlib.contextmanager
    def may_vanish(self) -> Iterator[None]:
        """A closed terminal or pipe: from then on everything is written to nowhere."""
        try:
            yield
        except OSError:
            _to_nowhere([1])

    def let_go_of_the_terminal(self) -> None:
        """Write to nowhere from now on what would go to the terminal; what goes to a file still does."""
        if self.is_live:
            with self.may_vanish():  # it may still be there, and the bar has hidden its cursor
                os.write(1, SHOW_CURSOR)
        _to_nowhere(self._on_terminal)

    def report(self, history: History) -> None:
        """Print the closing report with a chart of the losses that fits. Raises RunError as `History.poll` does."""
        history.poll()
        find_parents(history)
        width = 80
        if self.is_terminal:
            with contextlib.suppress(OSError):
                width = os.get_terminal_size(sys.stdout.fileno()).columns or width
        colour = self.is_live and not os.environ.get("NO_COLOR")
        chart = loss_chart(history, width=width, height=CHART_ROWS, colour=colour, markers=self._markers)
        self.say(f"\n{closing(history)}\n\n{chart}")


class Lines:
    """Plain lines, flushed: after 1, 2, 5, 10, 20, 30 … seconds of training, and for everything that happens."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._due = _due_times()
        self._next = next(self._due)
        self._began: float | None = None

    def say(self, line: str, *, problem: bool = False) -> None:  # noqa: ARG002 - plain text has no colours
        """Print it now."""
        self._output.say(line)

    def progress(self, history: History) -> None:
        """Print a line when one is due."""
        if not history.times().steps.size or history.state == "stopping":
            return
        now = time.monotonic()
        self._began = now if self._began is None else self._began
        if now - self._began >= self._next:
            self._output.say(progress_line(history))
            while now - self._began >= self._next:
                self._next = next(self._due)

    def end(self) -> None:
        """Nothing is left behind."""


class Counted:
    """A Progress as a context manager: plain lines "LABEL 45 of 250", after 1, 2, 5, 10, 20, 30 … seconds."""

    def __init__(self, label: str, output: Output) -> None:
        self._label, self._output = label, output
        self._due = _due_times()
        self._next, self._began = next(self._due), time.monotonic()
        self._done, self._total = 0, 0

    def begin(self, total: int, before: int = 0) -> None:
        """Say how much there is to do in all, and how much of it was done before."""
        self._done, self._total = before, total

    def advance(self, more: int) -> None:
        """Say how much more has been done."""
        self._done += more
        passed = time.monotonic() - self._began
        if passed >= self._next and self._done < self._total:
            self._output.say(f"{self._label:<14}{self._done:,} of {self._total:,}")
            while passed >= self._next:
                self._next = next(self._due)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left behind."""


class Bar:
    """One line at the bottom of the terminal that is drawn anew; what happened scrolls away above it."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._bar = Progress(
            BarColumn(bar_width=None), TextColumn("{task.description}", markup=False), auto_refresh=False, expand=True
        )
        self._task = self._bar.add_task("loading torch", total=1)
        self._shown = ""
        with self._output.may_vanish():
            self._bar.start()

    def say(self, line: str, *, problem: bool = False) -> None:
        """Print it above the bar, in red where it is about a problem."""
        style = "bold red" if problem else None
        with self._output.may_vanish():
            self._bar.console.print(line, style=style, markup=False, highlight=False, emoji=False, soft_wrap=True)

    def progress(self, history: History) -> None:
        """Draw the bar, and beside it as many of the numbers as there is room for."""
        if not history.times().steps.size:
            return
        line, planned = short_line(history, self._bar.console.width - LEAST_BAR), planned_steps(history)
        if line == self._shown:
            return
        self._shown = line
        self._bar.update(self._task, description=line, total=planned or 1, completed=min(history.step, planned))
        with self._output.may_vanish():
            self._bar.refresh()

    def end(self) -> None:
        """Show the cursor again."""
        with self._output.may_vanish():
            self._bar.stop()


def _to_nowhere(descriptors: Iterable[int]) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in descriptors:
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _due_times() -> Iterator[float]:
    yield from (1.0, 2.0, 5.0)
    yield from (10.0 * number for number in count(1))
