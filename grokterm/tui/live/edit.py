"""The edit dialog: any knob, old → new, keep or reset Adam's moments."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from grokterm.drawing.ticks import format_value
from grokterm.errors import nearest

WHOLE = ("steps", "test_every", "measure_every", "checkpoint_every")
BIG_JUMP = 10.0
"""A change by this factor or more is asked about once more."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What the person wants: a knob, its new value, and what becomes of Adam's moments."""

    knob: str
    value: float
    moments: str


@dataclass(frozen=True, slots=True)
class Typed:
    """What the line says so far: a knob and a value, or the sentence that says what is missing."""

    knob: str = ""
    value: float = math.nan
    problem: str = ""


def understand(text: str, knobs: Mapping[str, float]) -> Typed:
    """Read `lr=2e-3`, `lr 2e-3` or `wd 0.5`."""
    name, _, number = text.replace("=", " ").strip().partition(" ")
    name = {"wd": "weight_decay", "weight-decay": "weight_decay"}.get(name, name)
    if not name:
        return Typed(problem="type a knob and its new value, for instance lr 2e-3")
    if name not in knobs:
        return Typed(problem=f"no knob {name!r}; {nearest(name, knobs)}")
    if not number.strip():
        return Typed(name, problem=f"{name} is {format_value(knobs[name])}; type its new value")
    try:
        value = float(number.replace("_", ""))
    except ValueError:
        return Typed(name, problem=f"{number.strip()!r} is no number")
    if name in WHOLE and not (value >= 1 and value == int(value)):
        return Typed(name, problem=f"{name} must be a whole number of at least 1")
    if not 0 <= value < math.inf:
        return Typed(name, problem=f"{name} must be a finite number, 0 or more")
    return Typed(name, value)


def is_big_jump(old: float, new: float) -> bool:
    """Whether a change is so large that it may be a slip: by a factor of ten, or to or from zero."""
    if old == new:
        return False
    return old <= 0 or new <= 0 or max(new / old, old / new) >= BIG_JUMP


class EditScreen(ModalScreen[Edit | None]):
    """A line to type in, the change it stands for, and every knob with its value."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "dismiss(None)", "cancel", priority=True),
        Binding("ctrl+r", "moments", "keep or reset Adam's moments"),
        Binding("tab", "complete", "complete the knob's name", priority=True),
    ]

    def __init__(self, knobs: Mapping[str, float]) -> None:
        super().__init__()
        self._knobs = dict(knobs)
        self._moments = "kept"
        self._confirmed = ""

    def compose(self) -> ComposeResult:
        """Input, preview, list."""
        with Vertical(classes="box") as box:
            box.border_title = "Edit a knob"
            box.border_subtitle = "enter · tab completes · ctrl+r moments · esc cancels"
            yield Input(placeholder="for instance: lr 2e-3")
            yield Static(id="preview")
            rows = [f"{name:<18}{format_value(value)}" for name, value in self._knobs.items()]
            yield Static(Content("\n".join(rows)), id="knobs")

    def on_mount(self) -> None:
        """Say at once what to type."""
        self._preview("")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._preview(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        typed = understand(event.value, self._knobs)
        if typed.problem:
            return
        if is_big_jump(self._knobs[typed.knob], typed.value) and self._confirmed != event.value:
            self._confirmed = event.value
            self._preview(event.value)
            return
        self.dismiss(Edit(typed.knob, typed.value, self._moments))

    def action_moments(self) -> None:
        """Switch between keeping and resetting Adam's moments."""
        self._moments = "reset" if self._moments == "kept" else "kept"
        self._preview(self.query_one(Input).value)

    def action_complete(self) -> None:
        """Complete the knob's name as far as it is unique."""
        line = self.query_one(Input)
        matches = [knob for knob in self._knobs if knob.startswith(line.value.strip())]
        if len(matches) == 1:
            line.value = f"{matches[0]} "
            line.action_end()

    def _preview(self, text: str) -> None:
        typed = understand(text, self._knobs)
        moments = f"Adam's moments: {self._moments}"
        if typed.problem:
            said = f"{typed.problem}\n{moments}"
        else:
            old = self._knobs[typed.knob]
            factor = f"  (× {typed.value / old:.3g})" if old else ""
            sure = "   a big jump: enter once more if you mean it" if self._confirmed == text else ""
            said = f"{typed.knob} {format_value(old)} → {format_value(typed.value)}{factor}{sure}\n{moments}"
        self.query_one("#preview", Static).update(Content(said))
