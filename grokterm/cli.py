"""The command line: one small function a sub-command, and the one place where errors become exit codes."""

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from grokterm import __version__
from grokterm.errors import GroktermError

if TYPE_CHECKING:
    from grokterm.run.directory import RunDirectory

app = typer.Typer(
    name="grokterm",
    help="Watch and steer small neural networks while they grok, in the terminal.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"grokterm {__version__}")
        raise typer.Exit


def _presets(incomplete: str) -> list[str]:
    """Names for the shell to complete."""
    from grokterm.preset import packaged_folder

    return [path.stem for path in sorted(packaged_folder().glob("*.toml")) if path.stem.startswith(incomplete)]


@app.callback()
def grokterm(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Watch and steer small neural networks while they grok, in the terminal."""


@app.command()
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
    runs: Annotated[Path, typer.Option(envvar="GROKTERM_RUNS", help="Where run directories are kept.")] = Path("runs"),
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
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Train a preset and show it live.

    In the screen, ? lists every key. Where stdout is no terminal, this behaves as with --headless.
    """
    _ = debug  # read in `main`, which prints the error
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
        from grokterm.tui.app import watch
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


def main() -> None:
    """Run the program; every error ends as one sentence on stderr and its exit code."""
    try:
        app()
    except GroktermError as error:
        if "--debug" in sys.argv:
            raise
        print(f"grokterm: {error}", file=sys.stderr)
        _leave(error.exit_code)
    except SystemExit as end:
        _leave(end.code if isinstance(end.code, int) else 1 if end.code else 0)


def _leave(code: int) -> None:
    """End the process. Everything is written; taking torch's modules apart again would only cost a second."""
    with contextlib.suppress(OSError):  # a reader of stdout that has gone away
        sys.stdout.flush()
        sys.stderr.flush()
    if "torch" in sys.modules:
        os._exit(code)
    sys.exit(code)
