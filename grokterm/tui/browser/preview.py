"""The run at the browser's cursor: its loss curves and what there is to know of it in a few lines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import wrap

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.cells import Markers, Row, Span, one_cell_each, row_of
from grokterm.drawing.chart import Entry, Line, Mark, Pattern, View, draw_lines, legend
from grokterm.errors import RunError
from grokterm.growing import ROWS_AT_ONCE
from grokterm.listing import count_text, loss_text, share_text, size_text, tags_text, time_text
from grokterm.run.cuts import Cuts
from grokterm.run.directory import RunDirectory
from grokterm.run.table import TableReader
from grokterm.summary import Summary
from grokterm.tui.panel import short_knob
from grokterm.tui.status import STATES

SECTIONS = ("task", "optimizer", "model", "training")
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curve:
    """A loss over training: steps (n,) and values (n,)."""

    steps: Floats = field(default_factory=lambda: np.zeros(0))
    values: Floats = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, eq=False)
class Losses:
    """The two curves on which grokking is seen, or why they cannot be read."""

    train: Curve = field(default_factory=Curve)
    test: Curve = field(default_factory=Curve)
    problem: str = ""


class LossReader:
    """Reads the losses of one run and nothing else of its tables, and what is added to them later."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._cuts = Cuts(RunDirectory(path))
        self._forget()

    def _forget(self) -> None:
        self._train = _Column(self.path / "steps.npy", "train_loss")
        self._test = _Column(self.path / "tests.npy", "test_loss")

    def read(self, wanted: Callable[[], bool] = lambda: True) -> Losses | None:
        """Return the losses as they are now; None when they are not wanted any more before all is read."""
        try:
            cut = self._cuts.new()
            while True:
                if cut:
                    self._forget()
                if not (self._train.poll(wanted) and self._test.poll(wanted)):
                    return None
                cut = self._cuts.new()
                if not cut:
                    return Losses(self._train.curve(), self._test.curve())
        except RunError as error:
            return Losses(problem=str(error))


class _Column:
    """One column of a table that grows."""

    def __init__(self, path: Path, name: str) -> None:
        self._reader = TableReader(path)
        self._name = name
        self._read = Curve()

    def poll(self, wanted: Callable[[], bool]) -> bool:
        steps, values = [self._read.steps], [self._read.values]
        while wanted():
            rows = self._reader.new_rows(ROWS_AT_ONCE)
            if self._reader.restarted:
                steps, values = [], []
            if len(rows) and all(_is_number(rows.dtype, name) for name in ("step", self._name)):
                steps.append(rows["step"].astype(np.float64))
                values.append(rows[self._name].astype(np.float64))
            if not self._reader.behind:
                self._read = Curve(_joined(steps), _joined(values))
                return True
        self._reader, self._read = TableReader(self._reader.path), Curve()  # what was read is given up
        return False

    def curve(self) -> Curve:
        return self._read


def _is_number(dtype: np.dtype[np.void], name: str) -> bool:
    return name in (dtype.names or ()) and dtype[name].kind in "fiu" and not dtype[name].shape


def _joined(parts: Sequence[Floats]) -> Floats:
    return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros(0)


def chart_rows(losses: Losses, summary: Summary, width: int, height: int, markers: Markers) -> tuple[Row, ...]:
    """Train and test loss on a log axis over all steps, a legend above, marks where the run memorised and grokked."""
    if width < 1 or height < 1:
        return ()
    if losses.problem:
        return filled(
            [row_of([Span(line, "problem")], width) for line in _problem(losses.problem, summary, width)], width, height
        )
    curves: tuple[tuple[str, Pattern, str, Curve], ...] = (
        ("train", "solid", "*", losses.train),
        ("test", "long", "o", losses.test),
    )
    entries = [Entry(name, name, pattern, _last(curve), marker) for name, pattern, marker, curve in curves]
    top = legend(entries, width, 1, markers=markers) if height >= 4 else ()
    lines = [Line(name, curve.steps, curve.values, name, pattern, marker) for name, pattern, marker, curve in curves]
    told = (("memorised", summary.memorized_at), ("grokked", summary.grokked_at))
    drawing = draw_lines(
        lines[::-1],
        width=width,
        height=height - len(top),
        view=View(x_min=0, x_max=float(max(summary.step, 1)), log_y=True),
        marks=[Mark(at, label, "mark") for label, at in told if at is not None],
        markers=markers,
    )
    return (*top, *drawing.rows)


def _last(curve: Curve) -> str:
    return loss_text(float(curve.values[-1])) if len(curve.values) else ""


def fact_rows(summary: Summary, width: int, height: int, markers: Markers) -> tuple[Row, ...]:
    """What there is to know of a run, the most telling first, in at most `height` rows."""
    rows = [row_of([Span(summary.name, "strong")], width)]
    if summary.problem:
        rows += [row_of([Span(line, "problem")], width) for line in _problem(summary.problem, summary, width)]
    sign, style, word = STATES.get(summary.state, ("✗", "problem", summary.state))
    of = f" of {count_text(summary.steps)}" if summary.steps and summary.steps != summary.step else ""
    rows.append(row_of([Span(f"{sign} {word}", style), Span(f" at step {count_text(summary.step)}{of}", "")], width))
    for pairs in (_results(summary), _looks(summary), *_settings(summary)):
        rows += flowed(pairs, width)
    if markers == "ascii":
        rows = [tuple(Span(one_cell_each(span.text, ascii_only=True), span.style) for span in row) for row in rows]
    return filled(rows, width, height)


def _results(summary: Summary) -> list[tuple[str, str]]:
    return [
        ("train", loss_text(summary.train_loss)),
        ("acc", share_text(summary.train_accuracy)),
        ("test", loss_text(summary.test_loss)),
        ("acc", share_text(summary.test_accuracy)),
        ("phase", summary.phase),
        ("memorised", count_text(summary.memorized_at)),
        ("grokked", count_text(summary.grokked_at)),
        ("delay", count_text(summary.delay)),
        ("key", " ".join(map(str, summary.key_frequencies))),
    ]


def _looks(summary: Summary) -> list[tuple[str, str]]:
    return [
        ("tags", tags_text(summary.tags)),
        ("started", time_text(summary.started)),
        ("size", size_text(summary.size)),
        ("", "imported" if summary.imported else ""),
        ("fork of", summary.parent),
    ]


def _settings(summary: Summary) -> list[list[tuple[str, str]]]:
    """The settings, section by section; those of the task and the optimizer are what runs differ in first."""
    found = [("preset", summary.preset), ("seed", "" if summary.seed is None else str(summary.seed))]
    sections = [found]
    for name in SECTIONS:
        section = summary.config.get(name)
        if isinstance(section, dict):
            kept = ((short_knob(key), _setting(value)) for key, value in section.items() if key != "seed")
            sections.append([(name, _setting(section.get("name", ""))), *(pair for pair in kept if pair[0] != "name")])
    return sections


def _setting(value: object) -> str:
    try:
        return f"{value:.6g}" if isinstance(value, float) else str(value)
    except ValueError:  # an integer of more digits than Python cares to write
        return "…"


def flowed(pairs: Sequence[tuple[str, str]], width: int) -> list[Row]:
    """Labels and values one after the other, as many a row as fit; pairs without a value are left out."""
    rows: list[list[Span]] = []
    left = 0
    for label, value in pairs:
        text = one_cell_each(value)
        needed = len(label) + len(text) + (1 if label else 0)
        if not text:
            continue
        if rows and needed + 3 <= left:
            rows[-1].append(Span("   ", ""))
            left -= needed + 3
        else:
            rows.append([])
            left = width - needed
        rows[-1] += [Span(f"{label} ", "quiet")] if label else []
        rows[-1].append(Span(text, ""))
    return [row_of(row, width) for row in rows]


def _problem(text: str, summary: Summary, width: int) -> list[str]:
    """A sentence about a file of the run, in lines; which run that is stands beside it."""
    return wrap(one_cell_each(text.replace(f"{summary.path}/", "")), max(width, 1))


def filled(rows: Sequence[Row], width: int, height: int) -> tuple[Row, ...]:
    """Exactly `height` rows."""
    return (*rows[:height], *(row_of((), width) for _ in range(height - len(rows))))
