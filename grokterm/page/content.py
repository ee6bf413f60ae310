"""What a report of a run says, as data: `html.py` and `markdown.py` write the same content. Pure.

All text that comes from the run is plain here: one line, no control characters. It is not escaped: that is the
writers' business.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import tomli_w

from grokterm import __version__
from grokterm.ancestry import forked_at
from grokterm.charts import Chart
from grokterm.history import History
from grokterm.page.charts import Once, charts_of, recorded_once
from grokterm.report import fork_of, hindsight_of, how_it_stands, measures_cost, results
from grokterm.run.events import Event
from grokterm.run.outcome import INTERRUPTED, standing
from grokterm.text import plain
from grokterm.tui.panels.fourier import key_frequencies
from grokterm.tui.panels.log import number_text

MOST_ROWS = 200
"""Of a table; the rest is counted."""
LONGEST_CELL = 1_000
LONGEST_LISTING = 20_000
"""Characters; a page is to stay small whatever somebody pasted into a note."""


@dataclass(frozen=True)
class Table:
    """Rows of text below their heads; without heads the first column says what the second is."""

    rows: tuple[tuple[str, ...], ...]
    heads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Paragraph:
    """A sentence or a few."""

    text: str


@dataclass(frozen=True)
class Listing:
    """Lines to be shown as they are: a configuration, a traceback."""

    text: str
    language: str = ""


@dataclass(frozen=True, eq=False)
class Figure:
    """A chart and the sentence under it."""

    chart: Chart
    caption: str


Block = Table | Paragraph | Listing | Figure


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """A whole report."""

    title: str
    description: str
    sections: tuple[Section, ...]
    foot: str


def page_of(history: History, *, alive: bool) -> Page:
    """The report of a run as its history tells it now. `alive`: a trainer holds it, and there is more to come."""
    config = history.config or {}
    figures = tuple(Figure(chart, caption) for chart, caption in charts_of(history))
    once = recorded_once(history)
    sections = [
        Section("Summary", (Table(tuple(_summary(history, alive=alive).items())),)),
        Section("Figures", figures or (Paragraph("Nothing was recorded that could be drawn."),)),
        *([Section("Recorded at one step", (_once(once),))] if once else []),
        Section("Phases", (_phases(history),)),
        Section("Interventions", _interventions(history)),
    ]
    if history.snapshots or history.notes:
        sections.append(Section("Snapshots and notes", _written_down(history)))
    if history.errors:
        sections.append(Section("Errors", _errors(history)))
    listing = Listing(_shortened(tomli_w.dumps(config), LONGEST_LISTING), "toml")
    sections.append(Section("Configuration", (Paragraph(_of_when(history)), listing)))
    return Page(
        title=plain(history.run.name),
        description=_cell(config.get("description", "")),
        sections=tuple(sections),
        foot=f"Written by grokterm {__version__} from what the run recorded up to step {history.step:,}.",
    )


def _of_when(history: History) -> str:
    """When the configuration held."""
    parent = forked_at(history)
    if parent is None:
        return "As the run began; interventions are above."
    return (
        f"As at step 0, before any fork. Interventions are above; those before step {parent.step:,} were made in "
        f"{_cell(parent.run)}."
    )


def _summary(history: History, *, alive: bool) -> dict[str, str]:
    """What a person wants to know first, by label."""
    config = history.config or {}
    said = {"state": _state(history, alive=alive)}
    said |= {"fork of": _cell(parent)} if (parent := fork_of(history)) else {}
    for label, text in results(history).items():
        said[label] = ", ".join(" ".join(part.split()) for part in re.split(r"   (?=accuracy|not finite)", text))
    if history.problems:
        said["left out"] = _cell("; ".join(history.problems))
    if history.phase:
        said["phase"] = plain(history.phase)
    clusters = history.array("neuron_clusters")
    if len(clusters.steps):
        keys = key_frequencies(history, None)
        named = " ".join(map(str, keys)) or "none: no frequency has a cluster of neurons"
        said["key frequencies"] = f"{named} (live: of the weights at step {int(clusters.steps[-1]):,})"
    if history.hindsight is not None:
        said["hindsight"] = hindsight_of(history)
    if len(history.series("measures_share").values):
        said["measures"] = measures_cost(history)
    said |= {label: _cell(config[label]) for label in ("preset", "seed") if label in config}
    said |= {"started": _when(config["started"])} if "started" in config else {}
    said |= {"device": device} if (device := _device(history, config)) else {}
    programs = [name for name in ("grokterm", "torch", "numpy", "python") if name in config]
    said |= {"versions": ", ".join(f"{name} {_cell(config[name])}" for name in programs)} if programs else {}
    return said


def _state(history: History, *, alive: bool) -> str:
    if history.state == "loading" and history.step:
        said = f"no state was recorded; the rows go up to step {history.step:,}"
    else:
        said = how_it_stands(history)
    if alive:
        return f"{said}; it goes on, and this page is of that moment"
    if history.state != "loading" and standing(history.state, alive=False) == INTERRUPTED:
        return f"{said}; nobody trains it any more, and it did not say why"
    return said


def _device(history: History, config: Mapping[str, object]) -> str:
    """What it ran on, and after that, where it was resumed on something else."""
    told = [event.data for event in history.events if "device" in event.data] or [config]
    said = []
    for data in told:
        threads = data.get("threads")
        count = f", {_cell(threads)} thread{'' if threads == 1 else 's'}" if threads else ""
        said += [_cell(data["device"]) + count] if "device" in data else []
    return "; then ".join(text for text, before in zip(said, ["", *said], strict=False) if text != before)


def _when(started: object) -> str:
    """Unix seconds as a date; in UTC, so that the page does not depend on who writes it."""
    try:
        return f"{datetime.fromtimestamp(float(str(started)), UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return _cell(started)


def _once(values: Sequence[Once]) -> Block:
    """What has no figure because a curve needs two points."""
    rows = [(_cell(value.label), f"{value.step:,}", f"{value.value:.6g}") for value in values[:MOST_ROWS]]
    return Table(tuple(rows), ("what", "step", "value"))


def _phases(history: History) -> Block:
    """Phases and marks in the order of the steps at which they began."""
    rows: list[tuple[int, tuple[str, ...]]] = []
    for event in history.events:
        told = event.data.get("phase", event.data.get("mark"))
        if event.kind == "phase" and isinstance(told, str) and isinstance(at := event.data.get("at"), int):
            mark = str(event.data.get("mark", "")).replace("_at", "").replace("memorized", "memorised")
            name = f"{mark} for good" if mark else event.data.get("phase", "")
            rows.append((int(at), (_cell(name), _cell(event.data.get("why", "")), f"{event.step:,}")))
    rows.sort(key=lambda row: row[0])
    if not rows:
        return Paragraph("None was told apart.")
    return Table(
        tuple((number_text(at), *cells) for at, cells in rows), ("from step", "phase", "why", "certain at step")
    )


def _interventions(history: History) -> tuple[Block, ...]:
    def row(event: Event) -> tuple[str, ...]:
        old, new = _cell(number_text(event.data.get("old"))), _cell(number_text(event.data.get("new")))
        knob = plain(str(event.data.get("knob")))
        return f"{event.step:,}", _cell(knob), f"{old} → {new}", _cell(event.data.get("moments", ""))

    if not history.edits:
        return (Paragraph("No knob was turned while it trained."),)
    return _tabled(history.edits, row, ("step", "knob", "old → new", "moments"))


def _written_down(history: History) -> tuple[Block, ...]:
    def row(event: Event) -> tuple[str, ...]:
        text = event.data.get("note" if event.kind == "snapshot" else "text", "")
        return f"{event.step:,}", event.kind, _cell(text), _cell(event.data.get("checkpoint", ""))

    both = [event for event in history.events if event.kind in ("snapshot", "note")]
    return _tabled(both, row, ("step", "what", "text", "checkpoint"))


def _errors(history: History) -> tuple[Block, ...]:
    def row(event: Event) -> tuple[str, ...]:
        return f"{event.step:,}", _cell(event.data.get("message", ""))

    told = [str(event.data.get("traceback", "")) for event in history.errors]
    last = next((trace for trace in reversed(told) if trace.strip()), "")
    lines = [line for text in last.split("\n") if (line := plain(text.replace("\t", "    ")))]
    listings = (Listing(_shortened("\n".join(lines), LONGEST_LISTING)),) if lines else ()
    return (*_tabled(history.errors, row, ("step", "message")), *listings)


def _tabled(
    events: Sequence[Event], row: Callable[[Event], tuple[str, ...]], heads: tuple[str, ...]
) -> tuple[Block, ...]:
    """The events as a table; of very many the first, and how many more there are."""
    table = Table(tuple(row(event) for event in events[:MOST_ROWS]), heads)
    more = len(events) - MOST_ROWS
    return (table, Paragraph(f"And {more:,} more in the run's events.jsonl.")) if more > 0 else (table,)


def _cell(value: object) -> str:
    return _shortened(plain(str(value)), LONGEST_CELL)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]} … ({len(text) - most:,} characters more)"
