"""The edit dialog: any knob, old → new, keep or reset Adam's moments."""

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

from grokterm.drawing.ticks import format_setting
from grokterm.tui.knob_line import change_text, is_big_jump, understand
from grokterm.tui.screens.line import Line


@dataclass(frozen=True, slots=True)
class Edit:
    """What the person wants: a knob, its new value, and what becomes of Adam's moments."""

    knob: str
    value: float
    moments: str


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
            yield Line(placeholder="for instance: lr 2e-3")
            yield Static(id="preview")
            rows = [f"{name:<18}{format_setting(value)}" for name, value in self._knobs.items()]
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
            change = change_text(typed.knob, self._knobs[typed.knob], typed.value)
            sure = "   a big jump: enter once more if you mean it" if self._confirmed == text else ""
            said = f"{change}{sure}\n{moments}"
        self.query_one("#preview", Static).update(Content(said))
