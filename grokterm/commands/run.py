"""`grokterm run`: train a preset and show it."""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from grokterm.commands.options import RUNS, Debug, RunsFolder

if TYPE_CHECKING:
    from grokterm.run.directory import RunDirectory


def _presets(incomplete: str) -> list[str]:
    """Names for the shell to complete."""
    from grokterm.preset import packaged_folder

    return [path.stem for path in sorted(packaged_folder().glob("*.toml")) if path.stem.startswith(incomplete)]


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
    device: Annotated[
        Literal["auto", "cpu", "cuda"] | None, typer.Option(help="auto is cuda where there is one.")
    ] = None,
    runs: RunsFolder = RUNS,
    name: Annotated[str | None, typer.Option(help="Name of the run instead of the preset's.")] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="No screen: progress lines and a closing report.")
    ] = False,
    parts: Annotated[
        Path | None,
        typer.Option(help="A folder of your own tasks/, models/, optimizers/, measures/, panels/. Its code is run."),
    ] = None,
    frame_budget: Annotated[
        float, typer.Option(help="Share of training throughput that watching may cost.", min=0.001, max=1.0)
    ] = 0.03,
    debug: Debug = False,
) -> None:
    """Train a preset and show it live.

    In the screen, ? lists every key. Where stdout is no terminal, this behaves as with --headless.
    """
    _ = debug
    from grokterm.catalog import Catalog
    from grokterm.preset import find, read
    from grokterm.run.directory import create
    from grokterm.training import TrainingThread

    shortcuts = {"training.seed": seed, "training.steps": steps, "training.device": device}
    given = [f"{key}={value}" for key, value in shortcuts.items() if value is not None]
    catalog = Catalog(parts)
    chosen = read(find(preset), [*(overrides or []), *given], catalog)
    is_new = not runs.exists()
    directory = create(runs, name or chosen.name)
    training = TrainingThread(directory, chosen, catalog)
    has_screen = not headless and sys.stdout.isatty() and sys.stdin.isatty()
    if not has_screen:
        from grokterm.headless import watch
    else:
        from grokterm.tui.live.app import watch
    try:
        code = watch(directory, training, frame_budget=frame_budget)
    finally:
        if training.ident is None:  # it never began: leave nothing half-made
            directory.discard()
        if is_new and not directory.path.exists():
            with contextlib.suppress(OSError):  # somebody else's run is in it by now
                runs.rmdir()
    if has_screen:
        _say_how_it_went(directory)
    raise typer.Exit(code)


def _say_how_it_went(directory: "RunDirectory") -> None:
    """After the screen has gone: what a run without one reports too, where a scrolling terminal keeps it."""
    from grokterm.history import History
    from grokterm.report import closing

    history = History(directory)
    history.poll()
    typer.echo(closing(history))
