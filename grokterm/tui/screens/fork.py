"""The question before a fork: which knobs it changes, old → new, and what becomes of Adam's moments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from grokterm.ancestry import ancestors, first_step
from grokterm.history import History
from grokterm.run.branches import branch_at, origins
from grokterm.run.directory import RunDirectory
from grokterm.tui.knob_line import change_text, is_big_jump, understand_several
from grokterm.tui.screens.line import Line

LONGEST_LINE = 200


@dataclass(frozen=True, slots=True)
class Fork:
    """What the person wants changed in the fork: knobs with their new values, none too, and Adam's moments."""

    set: Mapping[str, float] = field(default_factory=dict)
    moments: Literal["kept", "reset"] = "kept"


class ForkScreen(ModalScreen[Fork | None]):
    """A line of changes, what they come to, and what a fork means here; enter makes it, also without a change."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "dismiss(None)", "cancel", priority=True),
        Binding("ctrl+r", "moments", "keep or reset Adam's moments", priority=True),
    ]

    def __init__(self, title: str, about: str, knobs: Mapping[str, float], *, asks_twice: bool = True) -> None:
        """`about` says what will happen; `knobs` are those of the step that is forked at.

        asks_twice: whether a big jump may be a slip. After a divergence it is what one is here for.
        """
        super().__init__()
        self._title, self._about = title, about
        self._knobs = dict(knobs)
        self._asks_twice = asks_twice
        self._moments: Literal["kept", "reset"] = "kept"
        self._confirmed = ""

    def compose(self) -> ComposeResult:
        """What happens, input, preview."""
        with Vertical(classes="box") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = "enter · ctrl+r moments · esc cancels"
            yield Static(Content(self._about))
            yield Line(placeholder="nothing, or knobs to change: lr 2e-3 wd 0.5", max_length=LONGEST_LINE, id="line")
            yield Static(id="preview")

    def on_mount(self) -> None:
        """Say at once what an empty line means."""
        self._preview("")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._preview(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        changes = understand_several(event.value, self._knobs)
        if changes.problem:
            return
        is_big = any(is_big_jump(self._knobs[knob], new) for knob, new in changes.values.items())
        if self._asks_twice and is_big and self._confirmed != event.value:
            self._confirmed = event.value
            self._preview(event.value)
            return
        self.dismiss(Fork(changes.values, self._moments))

    def action_moments(self) -> None:
        """Switch between keeping and resetting Adam's moments."""
        self._moments = "reset" if self._moments == "kept" else "kept"
        self._preview(self.query_one(Input).value)

    def _preview(self, text: str) -> None:
        changes = understand_several(text, self._knobs)
        if changes.problem:
            said = changes.problem
        elif not changes.values:
            said = "no knob changes"
        else:
            said = "\n".join(change_text(knob, self._knobs[knob], new) for knob, new in changes.values.items())
            said += "   a big jump: enter once more if you mean it" if self._confirmed == text else ""
        moments = f"\nAdam's moments: {self._moments}" if changes.values else ""
        self.query_one("#preview", Static).update(Content(f"{said}{moments}"))


def goes_back_to(run: RunDirectory, step: int) -> str:
    """From which checkpoint a fork at this step starts, in a sentence; "" when it is that of the step itself.

    Raises UsageError where there is none, and RunError for runs that cannot be read.
    """
    begins = next(origins(branch_at(run, step))).info.step
    return (
        ""
        if begins == step
        else f"It starts from the checkpoint at step {begins:,} and computes the steps since again."
    )


def knobs_before(history: History, step: int) -> dict[str, float]:
    """Every knob's value before the edits of a step: what a fork at this step begins with.

    A step before a fork's own first one is asked of the run that it was forked from.
    """
    for run in (history, *reversed(ancestors(history))):
        if run.parent is not None and step < first_step(run):
            continue
        past = run.at(step)
        knobs = dict(past.knobs)
        for event in reversed(past.edits):
            match event.data:
                case {"knob": str(knob), "old": int() | float() as old} if event.step == step:
                    knobs[knob] = float(old)
        if knobs:
            return knobs
    return {}
