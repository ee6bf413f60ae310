"""`grokterm resume`: go on with a run from its last full checkpoint."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grokterm.commands.options import RUNS, Debug, RunReference, RunsFolder
from grokterm.commands.training_options import (
    FRAME_BUDGET,
    DetachedOption,
    DetachOption,
    DeviceOption,
    FrameBudgetOption,
    HeadlessOption,
    LockOption,
    Manner,
    OnHangupOption,
    PartsOption,
)

if TYPE_CHECKING:
    from grokterm.run.directory import RunDirectory


def resume(
    run: RunReference = "-",
    steps: Annotated[
        int | None, typer.Option(metavar="N", help="Train to step N instead; a finished run needs a larger N.", min=1)
    ] = None,
    device: DeviceOption = None,
    runs: RunsFolder = RUNS,
    headless: HeadlessOption = False,
    detach: DetachOption = False,
    on_hangup: OnHangupOption = "detach",
    parts: PartsOption = None,
    frame_budget: FrameBudgetOption = FRAME_BUDGET,
    debug: Debug = False,
    detached: DetachedOption = False,
    lock: LockOption = None,
) -> None:
    """Go on with a run where it was stopped or interrupted.

    It continues from the last full checkpoint, bit for bit on the same device. Rows after that checkpoint are computed
    and recorded again; what was asked for since then is done again at its step.
    """
    _ = debug
    from grokterm.catalog import Catalog
    from grokterm.commands.show import go_on, held_lock
    from grokterm.run.events import ask
    from grokterm.run.finding import find

    found = find(runs, run)
    config = _config(found)
    checkpoint = newest_full(found)
    asks = not detached and _is_another_end(found, config, steps, checkpoint or 0)
    held = held_lock(found, lock)
    if asks:
        ask(found.path, "set", knob="steps", value=steps, moments="kept")
    if not detached:
        _say(found, config, checkpoint, device)
    manner = Manner(headless, detach, on_hangup, frame_budget, parts, device, detached, lock)
    raise typer.Exit(go_on(found, held, Catalog(parts), manner))


def newest_full(run: "RunDirectory") -> int | None:
    """The step of the newest full checkpoint, as far as its metadata tell; None when there is none."""
    from grokterm.errors import RunError
    from grokterm.run.checkpoint import list_checkpoints, read_metadata

    for info in reversed(list_checkpoints(run.checkpoints)):
        try:
            if read_metadata(info.path).kind == "full":
                return info.step
        except RunError:  # the trainer tells which one it passes over
            continue
    return None


def _config(run: "RunDirectory") -> Mapping[str, Any]:
    """The run's configuration. Raises RunError for what cannot be resumed."""
    from grokterm.errors import RunError
    from grokterm.run.configuration import is_imported
    from grokterm.run.directory import no_run

    config = run.read_config()
    if config is None:
        raise no_run(run.path)
    if is_imported(config):
        raise RunError(f"{run.path} was imported: its file says nothing of the optimizer, so it cannot go on")
    return config


def _is_another_end(run: "RunDirectory", config: Mapping[str, Any], steps: int | None, checkpoint: int) -> bool:
    """Whether the run is to be trained to another step than planned. Raises UsageError when that is not ahead of it."""
    from grokterm.errors import UsageError
    from grokterm.run.configuration import setting
    from grokterm.run.outcome import read_outcome, step_count

    told = read_outcome(run.events_path)
    reached = told.step if told.state == "finished" else checkpoint
    if steps is None:
        if told.state == "finished":
            raise UsageError(f"{run.path} has finished at step {reached:,}; --steps N with a larger N trains it on")
        return False
    if steps <= reached:
        raise UsageError(f"--steps {steps:,}: {run.path} has reached step {reached:,}; a larger N trains it on")
    return steps != (told.steps or step_count(setting(config, "training.steps")))


def _say(run: "RunDirectory", config: Mapping[str, Any], checkpoint: int | None, device: str | None) -> None:
    """Say from where the run goes on and, on stderr, what is not as it was."""
    import socket

    from grokterm.preset import versions
    from grokterm.run.living import recorded
    from grokterm.run.outcome import read_outcome
    from grokterm.text import plain

    begin = "the beginning, for it has no full checkpoint" if checkpoint is None else f"step {checkpoint:,}"
    lost = max(read_outcome(run.events_path).step, recorded(run)) - (checkpoint or 0)
    steps = "the step after it is" if lost == 1 else f"the {lost:,} steps after it are"
    typer.echo(f"{plain(run.name)} goes on from {begin}" + (f": {steps} computed again" if lost > 0 else ""))
    now = {**versions(), "host": socket.gethostname()}
    if device not in (None, "auto") and not str(config.get("device", device)).startswith(str(device)):
        now["device"] = device
    other = [
        f"{name} was {plain(str(config[name]))} and is {now[name]}"
        for name in ("torch", "grokterm", "host", "device")
        if name in config and name in now and config[name] != now[name]
    ]
    if other:
        typer.echo(f"grokterm: {', '.join(other)}: the last digits may differ", err=True)
