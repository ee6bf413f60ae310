"""A run in words: the progress line, what happened, the closing report. Pure: a run's history in, plain text out.

Names, notes and messages come from the run; they are shown literally, without their control characters.
"""

import math
from collections.abc import Sequence

import numpy as np

from grokterm.ancestry import forked_at, whole_series
from grokterm.drawing.ticks import format_value
from grokterm.history import History
from grokterm.phases import HELD_FOR
from grokterm.run.events import Event
from grokterm.run.outcome import ENDED
from grokterm.text import plain
from grokterm.tui.panels.log import describe
from grokterm.tui.status import duration, planned_steps

SURE_AFTER = 1.0
"""Seconds of training from which on its speed says something about the time left."""
_LEFT_TO_THE_REPORT = ENDED | {"stopping"}


def progress_line(history: History) -> str:
    """The present state as one aligned line."""
    return "  ".join(_facts(history).values()).rstrip()


def short_line(history: History, room: int) -> str:
    """The present state in at most `room` cells: what matters less is left out."""
    texts = {name: " ".join(text.split()) for name, text in _facts(history).items() if text}
    kept: set[str] = set()
    for name in ("step", "left", "speed", "train", "test", "accuracy", "phase"):
        wanted = kept | {name}
        if len("  ".join(text for key, text in texts.items() if key in wanted)) <= room:
            kept = wanted
    return "  ".join(text for name, text in texts.items() if name in kept)


def _facts(history: History) -> dict[str, str]:
    planned, rate = planned_steps(history), history.rate()
    of = f" / {planned:>6,}" if planned else ""
    return {
        "step": f"step {history.step:>{max(len(f'{planned:,}'), 6)},}{of}",
        "speed": f"{f'{rate:,.1f}' if rate < 100 else f'{rate:,.0f}':>7}/s",
        "train": f"train {_loss(_latest(history, 'train_loss'))}",
        "test": f"test {_loss(_latest(history, 'test_loss'))}",
        "accuracy": f"test acc {_share(_latest(history, 'test_accuracy'))}",
        "phase": plain(history.phase),
        "left": time_left(history),
    }


def time_left(history: History) -> str:
    """How long the rest takes at the speed of the last seconds: "1:05 left"; nothing while nobody can know."""
    if history.state in ("paused", "stopping"):
        return history.state
    times, rate = history.times().values, history.rate()
    rest = planned_steps(history) - history.step
    if rest <= 0 or rate <= 0 or abs(times[-1] - times[0]) < SURE_AFTER:  # also where a clock was set back
        return ""
    return f"{duration(rest / rate)} left"


def event_line(event: Event) -> str | None:
    """What happened as one line; None for the end of the run, which the closing report tells."""
    if event.kind == "state" and str(event.data.get("state")) in _LEFT_TO_THE_REPORT:
        return None
    kind, text, _ = describe(event)
    return f"step {event.step:>6,}  {plain(kind)}: {plain(text)}"


def closing(history: History) -> str:
    """The closing report without its chart."""
    widest = max((len(plain(phase.phase)) for phase in history.phases), default=0)
    phases = [
        f"{phase.at:>8,}  {plain(phase.phase):<{widest}}  {plain(phase.why)}".rstrip() for phase in history.phases
    ]
    lines = [how_it_stands(history), ""]
    lines += _labelled("fork of", [fork_of(history)]) if fork_of(history) else []
    for label, text in results(history).items():
        lines += _labelled(label, [text])
    lines += _labelled("phases", [text.removeprefix("  ") for text in phases] or ["none was told apart"])
    lines += _labelled("measures", [measures_cost(history)])
    lines += _labelled("hindsight", [hindsight_of(history)]) if history.hindsight is not None else []
    lines += _labelled("run", [plain(str(history.run.path))])
    return "\n".join(lines)


def how_it_stands(history: History) -> str:
    """The state, the step, and how long after the beginning that was: "finished at step 500 of 500, 0:49 after …"."""
    planned = planned_steps(history)
    of = f" of {planned:,}" if planned else ""
    seconds = history.times().values
    is_known = seconds.size > 1 and seconds[-1] >= seconds[0]  # else the clock was set back meanwhile
    took = f", {duration(float(seconds[-1] - seconds[0]))} after it began" if is_known else ""
    return f"{plain(history.state)} at step {history.step:,}{of}{took}"


def fork_of(history: History) -> str:
    """The run that a fork was made from, and where; "" for a run that is no fork."""
    parent = forked_at(history)
    return "" if parent is None else f"{plain(parent.run)} at {parent.place}"


def results(history: History) -> dict[str, str]:
    """What came of it, by label: the last losses and accuracies, when it memorised and grokked, the delay."""
    said = {}
    for part in ("train", "test"):
        loss, accuracy = (whole_series(history, f"{part}_{what}").values for what in ("loss", "accuracy"))
        losses = f"loss {format_value(float(loss[-1])):>9}" if loss.size else "loss not measured"
        shares = f"accuracy {_share(float(accuracy[-1]))}" if accuracy.size else "accuracy not measured"
        said[part] = f"{losses}   {shares}{_broken(history, f'{part}_loss')}"
    said["memorised at"] = _mark(history, "memorized_at", "train_accuracy")
    said["grokked at"] = _mark(history, "grokked_at", "test_accuracy")
    if {"memorized_at", "grokked_at"} <= history.marks.keys():
        said["delay"] = _delay(history.marks["memorized_at"], history.marks["grokked_at"])
    return said


def measures_cost(history: History) -> str:
    """What share of the training time the measures took."""
    enough = len(history.series("measures_share").values) >= 3  # the first evaluation is a cold one
    share = _latest(history, "measures_share") if enough else math.nan
    return f"took {share:.1%} of the training time" if math.isfinite(share) else "too few to say"


def hindsight_of(history: History) -> str:
    """What was measured again with the key frequencies of the end; "" where nothing was."""
    about = history.hindsight
    if about is None:
        return ""
    of = f"{history.measured:,} of {about.checkpoints:,} checkpoints"
    keys = " ".join(map(str, about.key_frequencies)) or "none"
    return f"{of} measured with the key frequencies of step {about.final_step:,}: {keys}"


def _mark(history: History, mark: str, series: str) -> str:
    """The step of a mark, or how far the run is from one."""
    if mark in history.marks:
        return f"{history.marks[mark]:>6,}"
    found = whole_series(history, series)
    if not found.steps.size:
        return "never: it was not measured"
    part = series.partition("_")[0]
    there = found.values >= 0.99
    if there[-1]:
        last_below = np.flatnonzero(~there)
        since = int(last_below[-1]) + 1 if last_below.size else 0
        held = len(there) - since
        if held >= HELD_FOR:  # an imported run, in which nobody said so while it trained
            return f"{found.steps[since]:>6,}, as its rows tell; no mark was recorded"
        certain = "not certain" if history.state in ENDED else "not certain yet"  # nothing follows the end
        return (
            f"{certain}: {part} accuracy ≥ 0.99 since {found.steps[since]:,}, "
            f"for {held} of the {HELD_FOR} evaluations that make it certain"
        )
    if there.any():
        first = int(found.steps[np.argmax(there)])
        return f"never: {part} accuracy was ≥ 0.99 at {first:,}, and did not stay there for {HELD_FOR} evaluations"
    values = np.nan_to_num(found.values, nan=-1.0)
    best = int(np.argmax(values))
    if values[best] < 0:
        return f"never: {part} accuracy was not a number"
    return f"never: {part} accuracy was {values[best]:.3f} at best, at {found.steps[best]:,}"


def _delay(memorized: int, grokked: int) -> str:
    if grokked <= memorized:
        return "none: the test data were not later than the training data"
    times = f", {grokked / memorized:.1f} times as many as to memorise" if memorized else ""
    return f"{grokked - memorized:>6,} steps between them; {grokked:,} to grok{times}"


def _broken(history: History, name: str) -> str:
    count = int(np.count_nonzero(~np.isfinite(whole_series(history, name).values)))
    return f"   not finite {count:,} times" if count else ""


def _labelled(label: str, texts: Sequence[str]) -> list[str]:
    return [f"{label if not index else '':<14}{text}" for index, text in enumerate(texts)]


def _latest(history: History, name: str) -> float:
    values = history.series(name).values
    return float(values[-1]) if values.size else math.nan


def _loss(value: float) -> str:
    """As wide whatever it is: progress lines stand under each other. Anywhere else a loss is `format_value`."""
    return f"{value:8.2e}" if math.isfinite(value) else f"{value:>8}"


def _share(value: float) -> str:
    return f"{value:5.3f}"
