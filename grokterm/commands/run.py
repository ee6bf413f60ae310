"""`grokterm run`: train a preset and show it."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from grokterm.commands.options import RUNS, Debug, RunsFolder
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


def _presets(incomplete: str) -> list[str]:
    """Names for the shell to complete."""
    from grokterm.preset_files import packaged

    return [name for name in packaged() if name.startswith(incomplete)]


def run(
    preset: Annotated[
        str,
        typer.Argument(help="A preset: a path, with or without .toml, or a packaged name.", autocompletion=_presets),
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="A.B=V", help="Change a value of the preset, e.g. optimizer.lr=2e-3. Repeatable."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of weights and split.", min=0)] = None,
    steps: Annotated[int | None, typer.Option(help="How many optimizer steps to train.", min=1)] = None,
    device: DeviceOption = None,
    runs: RunsFolder = RUNS,
    name: Annotated[str | None, typer.Option(help="Name of the run instead of the preset's.")] = None,
    headless: HeadlessOption = False,
    detach: DetachOption = False,
    on_hangup: OnHangupOption = "detach",
    parts: PartsOption = None,
    frame_budget: FrameBudgetOption = FRAME_BUDGET,
    debug: Debug = False,
    into: Annotated[Path | None, typer.Option("--into", hidden=True)] = None,
    detached: DetachedOption = False,
    lock: LockOption = None,
) -> None:
    """Train a preset and show it live.

    In the screen, ? lists every key. Where stdout is no terminal, this behaves as with --headless.
    """
    _ = debug
    from grokterm.catalog import Catalog
    from grokterm.commands.show import begin, go_on, held_lock
    from grokterm.preset import read
    from grokterm.preset_files import find
    from grokterm.run.directory import RunDirectory, create

    shortcuts = {"training.seed": seed, "training.steps": steps, "training.device": device}
    given = [*(overrides or []), *(f"{key}={value}" for key, value in shortcuts.items() if value is not None)]
    catalog = Catalog(parts)
    manner = Manner(headless, detach, on_hangup, frame_budget, parts, None, detached, lock)
    if into is not None and (whole := RunDirectory(into)).config_path.exists():  # begun by whoever handed it over
        raise typer.Exit(go_on(whole, held_lock(whole, lock), catalog, manner))
    chosen = read(find(preset), given, catalog)
    is_new = not runs.exists()
    directory = create(runs, name or chosen.name) if into is None else RunDirectory(into)
    again = [*(f"--set={override}" for override in given), "--", preset]
    try:
        code = begin(directory, chosen, again, catalog, manner)
    finally:
        if is_new and not directory.path.exists():
            with contextlib.suppress(OSError):  # somebody else's run is in it by now
                runs.rmdir()
    raise typer.Exit(code)
