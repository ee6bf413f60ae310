"""The lines around the panels: header, key hints, notices. Pure: a run's history in, rows of cells out."""

from collections.abc import Sequence
from math import isfinite

from grokterm.drawing.cells import ASCII_SIGNS, Markers, Row, Span, one_cell_each, row_of
from grokterm.drawing.ticks import format_setting, format_value
from grokterm.history import History
from grokterm.run.configuration import setting, steps_asked
from grokterm.run.events import Request
from grokterm.run.finding import without_date
from grokterm.run.outcome import step_count
from grokterm.tui.panel import short_knob
from grokterm.tui.panels.log import number_text

STATES = {
    "loading": ("◌", "quiet", "loading torch"),
    "training": ("●", "good", "training"),
    "paused": ("‖", "pending", "paused"),
    "stopping": ("◌", "pending", "stopping"),
    "detached": ("◌", "pending", "handing over …"),
    "stopped": ("■", "strong", "stopped"),
    "finished": ("✓", "good", "finished"),
    "failed": ("✗", "problem", "failed"),
    "interrupted": ("✗", "pending", "interrupted"),
}
BEING_TRAINED = frozenset({"training", "paused"})
"""The states in which the knobs in force are worth more than a longer notice."""
MOST_BAR, LEAST_BAR = 24, 5
"""Cells of the progress bar."""
LEAST_NAME = 8
"""Cells of a run's name that are worth showing where it does not fit."""
HEADER_KNOBS = ("lr", "weight_decay", "beta1", "beta2")


def header(
    history: History,
    run: str,
    preset: str,
    width: int,
    height: int,
    markers: Markers,
    transport: str = "",
    *,
    losses: bool = True,
    state: str = "",
    notice: Sequence[str] = (),
    aside: tuple[str, str] | None = None,
) -> tuple[Row, ...]:
    """The run and its progress; below it (where height is 2) state, phase, knobs and what is pending.

    `run` is the name of its directory; the preset is told where there is room and the run is not called by it.
    `transport` says how a replay moves and takes the place of the training's speed. Where it is narrow, the newest
    `losses` are told too. `state` is how the run stands, where that is not what it told last; `notice` is what a person
    must know as long as it is so, in several lengths, the longest first: the first that fits is told, in red. `aside`
    is what goes on beside it: a name, and how far it is.
    """
    state = state or history.state
    rows = [_progress_line(history, run, preset, width, state, transport)]
    if height > 1:
        rows.append(_state_line(history, width, state, notice, aside, losses=losses))
    return tuple(_translated(row, markers) for row in rows[:height])


def hints(keys: Sequence[tuple[str, str]], width: int, markers: Markers) -> Row:
    """Key hints, as many as fit."""
    spans: list[Span] = []
    left = width - 1
    for key, does in keys:
        needed = len(key) + len(does) + 1 + (2 if spans else 0)
        if needed > left:
            break
        spans += [Span("  ", "")] if spans else []
        spans += [Span(key, "key"), Span(f" {does}", "quiet")]
        left -= needed
    return _translated(row_of([Span(" ", ""), *spans], width), markers)


def notice(text: str, style: str, width: int, markers: Markers) -> Row:
    """A sentence in the place of the key hints; one that is too long ends in …"""
    told = f" {one_cell_each(text)}"
    if len(told) > width:
        told = f"{told[: max(width - 1, 0)]}…"
    return _translated(row_of([Span(told, style)], width), markers)


def longest_that_fits(texts: Sequence[str], room: int) -> str:
    """The first of these, the longest coming first, that is no longer than `room`; the last one when none is."""
    return next((text for text in texts if len(text) <= room), texts[-1])


def duration(seconds: float) -> str:
    """1:05, 12:46, 3:07:00; from 100 hours on in days; ? for what is no time."""
    if not isfinite(seconds):
        return "?"
    whole = int(seconds)
    if whole >= 360_000:
        return f"{whole // 86_400} d"
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def planned_steps(history: History) -> int:
    """How far the run is to train, as far as is known; 0 while it is not."""
    config = history.config or {}
    in_config = setting(config, "training.steps")
    return steps_asked(config, history.step) or step_count(history.knobs.get("steps")) or step_count(in_config) or 0


def _progress_line(history: History, run: str, preset: str, width: int, state: str, transport: str) -> Row:
    planned, step = planned_steps(history), history.step
    share = min(step / planned, 1.0) if planned else 0.0
    rate = history.rate() if state == "training" else 0.0
    tail = f" {share:4.0%}" if planned else ""
    if transport:
        tail += f"  {transport}"
    elif rate > 0:
        left = duration((planned - step) / rate) if planned > step else ""
        tail += f"  {rate:.3g}/s" + (f"  {left} left" if left and width >= 60 else "")
    count = f"step {step:,} / {planned:,}" if planned else f"step {step:,}"
    program = Span("replay " if transport else "grokterm ", "quiet")
    name = Span(one_cell_each(without_date(run)), "strong")
    more = one_cell_each(preset) if preset not in ("", without_date(run)) else ""
    ways = (
        ([program, name, Span(f" · {more}", "quiet")] if more else [program, name], MOST_BAR),
        ([program, name], LEAST_BAR),
        ([name], 0),
    )
    for called, least in ways:
        room = width - _cells(called) - len(count) - len(tail) - 6
        if room >= least:
            cells = min(MOST_BAR, room) if room >= LEAST_BAR else 0
            full = round(share * cells)
            right = [
                Span(f"{count}  ", ""),
                Span("█" * full, "train"),
                Span("░" * (cells - full), "axis"),
                Span(tail, ""),
            ]
            return row_of([Span(" ", ""), *called, Span(" " * (room - cells + 2), ""), *right], width)
    if len(count) + len(tail) + 1 > width:
        return row_of([Span(f" {count}", "")], width)
    room = width - len(count) - len(tail) - 3
    fitting = name.text if len(name.text) <= room else f"{name.text[: room - 1]}…" if room >= LEAST_NAME else ""
    return row_of([Span(f" {count}{tail}  ", ""), Span(fitting, "strong")], width)


def _state_line(
    history: History,
    width: int,
    state: str,
    notice: Sequence[str],
    aside: tuple[str, str] | None,
    *,
    losses: bool,
) -> Row:
    wide = width >= 100
    sign, style, word = STATES.get(state, ("●", "quiet", state))
    apart = Span("   " if wide else "  ", "")
    spans = [Span(f" {sign} ", style)]
    if wide or notice or state != "training" or not history.phases:
        spans.append(Span(word, style if state != "training" else ""))
    phase: list[Span] = []
    if history.phases and (wide or not notice):
        newest = history.phases[-1]
        phase = [Span(" " if len(spans) > 1 else "", ""), Span(newest.phase.upper(), "strong")]
        phase.append(Span(f" since {newest.at:,}" if wide else "", "quiet"))
    shown = [knob for knob in (HEADER_KNOBS if wide else HEADER_KNOBS[:2]) if knob in history.knobs]
    knobs = [[apart, *_knob(history, knob)] for knob in shown]
    if notice:
        beside = sum(map(_cells, (phase, *knobs))) if state in BEING_TRAINED else 0
        spans.append(Span(f"  {longest_that_fits(notice, width - _cells(spans) - 2 - beside)}", "problem"))
    troubles = [[Span(f"  {text}", "problem")] for text in (_troubles(history) if wide or not notice else ())]
    asked = [[Span(f"  {text} (asked)", "pending")] for text in _other_requests(history)]
    for part in (phase, *troubles, *knobs, *asked):
        if not notice or _cells(spans) + _cells(part) < width:  # beside a notice nothing is told by halves
            spans += part
    if wide and {"lr", "weight_decay"} <= history.knobs.keys():
        decay = history.knobs["lr"] * history.knobs["weight_decay"]
        spans += [apart, Span("lr·wd ", "quiet"), Span(format_value(decay), "")]
    extra = [] if aside is None else [aside]
    extra += _extra_wide(history) if wide else _extra_narrow(history) if losses else []
    room = width - _cells(spans) - 2
    for label, text in extra:
        needed = len(label) + len(text) + 4
        if needed <= room:
            spans += [apart, Span(f"{label} " if label else "", "quiet"), Span(text, "")]
            room -= needed
    return row_of(spans, width)


def _cells(spans: Sequence[Span]) -> int:
    return sum(len(span.text) for span in spans)


def _troubles(history: History) -> list[str]:
    """What went wrong and stays wrong: it is told as long as it lasts."""
    losses = history.series("train_loss").values
    diverged = [f"TRAIN LOSS {format_value(float(losses[-1]))}"] if len(losses) and not isfinite(losses[-1]) else []
    errors = len(history.errors)
    return diverged + ([f"{errors} error{'s' if errors > 1 else ''}, see 7"] if errors else [])


def _knob(history: History, knob: str) -> list[Span]:
    spans = [Span(f"{short_knob(knob)} ", "quiet"), Span(format_setting(history.knobs[knob]), "")]
    asked = pending_value(history, knob)
    if asked is not None:
        spans.append(Span(f" → {format_setting(asked)} (asked)", "pending"))
    return spans


def pending_value(history: History, knob: str) -> float | None:
    """The value of a knob that was asked for last, to come into force at once, and is not answered yet."""
    asked = [r.data.get("value") for r in history.pending.values() if _turns(r, knob) and "at" not in r.data]
    numbers = [float(value) for value in asked if isinstance(value, int | float)]
    return numbers[-1] if numbers else None


def _turns(request: Request, knob: str) -> bool:
    return request.do == "set" and request.data.get("knob") == knob


def _other_requests(history: History) -> list[str]:
    """What was asked and does not show in the header's knobs; what is held back until a step, with that step."""
    texts = []
    for request in history.pending.values():
        knob, at = str(request.data.get("knob", "")), request.data.get("at")
        if request.do == "set" and knob in HEADER_KNOBS and at is None:
            continue
        match request.do:
            case "set":
                text = f"{short_knob(knob)} → {number_text(request.data.get('value'))}"
            case "rewind":
                text = "undo" if request.data.get("undo") else "fork"
            case text:
                pass
        texts.append(text if at is None else f"{text} at {number_text(at)}")
    return texts


def _extra_wide(history: History) -> list[tuple[str, str]]:
    extra = []
    share = history.series("measures_share").values
    if len(share) >= 3:  # the first evaluation is a cold one
        extra.append(("measures", f"{share[-1]:.0%}"))
    device = next((event.data for event in reversed(history.events) if "device" in event.data), None)
    if device:
        extra.append(("", f"{device['device']} × {device.get('threads', '?')}"))
    return extra


def _extra_narrow(history: History) -> list[tuple[str, str]]:
    """Where only one panel is in sight, the other numbers that matter most."""
    names = (("train", "train_loss"), ("test", "test_loss"), ("acc", "test_accuracy"))
    found = ((label, history.series(name).values) for label, name in names)
    return [(label, format_value(float(values[-1]))) for label, values in found if len(values)]


def _translated(row: Row, markers: Markers) -> Row:
    if markers != "ascii":
        return row
    return tuple(Span(span.text.translate(ASCII_SIGNS), span.style) for span in row)
