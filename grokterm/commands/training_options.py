"""Options of the commands that train, so that they mean and say the same in each of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from grokterm.tui.live.budget import USUAL_SHARE

OnHangup = Literal["detach", "stop"]
Device = Literal["auto", "cpu", "cuda"]

DeviceOption = Annotated[Device | None, typer.Option("--device", help="auto is cuda where there is one.")]
HeadlessOption = Annotated[bool, typer.Option("--headless", help="No screen: progress lines and a closing report.")]
DetachOption = Annotated[
    bool,
    typer.Option(
        "--detach",
        help="Train in a process of its own and attach to it; without a screen, only start it.",
    ),
]
OnHangupOption = Annotated[
    OnHangup,
    typer.Option("--on-hangup", help="When the terminal goes away: train on without it, or save and stop."),
]
PartsOption = Annotated[
    Path | None,
    typer.Option(
        "--parts", help="A folder of your own tasks/, models/, optimizers/, measures/, panels/. Its code is run."
    ),
]
PanelsOption = Annotated[
    Path | None,
    typer.Option("--parts", help="The folder of your own panels that the run is watched with. Its code is run."),
]
FrameBudgetOption = Annotated[
    float,
    typer.Option("--frame-budget", help="Share of training throughput that watching may cost.", min=0.001, max=1.0),
]
FRAME_BUDGET = USUAL_SHARE

DetachedOption = Annotated[bool, typer.Option("--detached", hidden=True)]
"""Said by `grokterm.detached` only: nobody looks, but somebody may attach."""
LockOption = Annotated[int | None, typer.Option("--lock-fd", hidden=True)]
"""Said by `grokterm.detached` only: an inherited descriptor that holds the run's lock."""


@dataclass(frozen=True)
class Manner:
    """How training is shown, and what becomes of it when nobody looks any more."""

    headless: bool = False
    detach: bool = False
    on_hangup: OnHangup = "detach"
    frame_budget: float = FRAME_BUDGET
    parts: Path | None = None
    device: Device | None = None
    detached: bool = False
    lock: int | None = None

    @property
    def for_successors(self) -> tuple[str, ...]:
        """What another process is told that goes on with the run."""
        parts = () if self.parts is None else ("--parts", str(self.parts))
        return parts if self.device is None else (*parts, "--device", self.device)
