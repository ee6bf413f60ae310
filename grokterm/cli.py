"""The command line: every sub-command of `commands/`, and the one place where errors become exit codes."""

import contextlib
import io
import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from grokterm import __version__
from grokterm.commands.attach import attach
from grokterm.commands.compare import compare
from grokterm.commands.ctl import ctl
from grokterm.commands.export import export
from grokterm.commands.fork import fork
from grokterm.commands.importing import import_
from grokterm.commands.measure import measure
from grokterm.commands.options import Command
from grokterm.commands.plot import plot
from grokterm.commands.presets import presets
from grokterm.commands.probe import probe
from grokterm.commands.replay import replay
from grokterm.commands.report import report
from grokterm.commands.resume import resume
from grokterm.commands.run import run
from grokterm.commands.runs import runs
from grokterm.errors import GroktermError
from grokterm.text import plain

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


@app.callback()
def grokterm(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Watch and steer small neural networks while they grok, in the terminal."""


COMMANDS: dict[str, Callable[..., None]] = {
    "run": run,
    "presets": presets,
    "attach": attach,
    "ctl": ctl,
    "resume": resume,
    "fork": fork,
    "replay": replay,
    "compare": compare,
    "runs": runs,
    "measure": measure,
    "plot": plot,
    "probe": probe,
    "report": report,
    "export": export,
    "import": import_,
}
for name, command in COMMANDS.items():
    app.command(name, cls=Command)(command)


def main() -> None:
    """Run the program; every error ends as one sentence on stderr and its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name may have a letter that this terminal has not
            stream.reconfigure(errors="replace")
    try:
        app()
    except GroktermError as error:
        if "--debug" in sys.argv:
            raise
        print(f"grokterm: {plain(str(error))}", file=sys.stderr)
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
