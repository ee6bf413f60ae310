"""Arguments and options that several commands share, so that they mean and say the same everywhere."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

RUNS = Path("runs")
"""Where run directories are kept unless somebody says otherwise."""


def _runs_for_the_shell(context: typer.Context, incomplete: str) -> list[str]:
    from grokterm.run.finding import runs_in

    folder = context.params.get("runs") or RUNS
    return [run.name for run in runs_in(Path(folder)) if run.name.startswith(incomplete)]


def _living_runs_for_the_shell(context: typer.Context, incomplete: str) -> list[str]:
    from grokterm.errors import RunError
    from grokterm.run.finding import find
    from grokterm.run.lock import is_alive

    folder, names = Path(context.params.get("runs") or RUNS), _runs_for_the_shell(context, incomplete)
    try:
        return [name for name in names if is_alive(find(folder, name))]
    except RunError:  # a shell that completes has no place for a sentence
        return names


class Command(TyperCommand):
    """A command to which -@40% means @40%, a step of the newest run, and no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # typer's own type of it is private
        """Read the command line as typer does; no option begins with -@."""
        return super().parse_args(ctx, [argument[1:] if argument.startswith("-@") else argument for argument in args])


RunsFolder = Annotated[Path, typer.Option("--runs", envvar="GROKTERM_RUNS", help="Where run directories are kept.")]
RunReference = Annotated[
    str,
    typer.Argument(
        metavar="[RUN]",
        help="A run: a directory, a name, the beginning of one; nothing or - for the newest.",
        autocompletion=_runs_for_the_shell,
    ),
]
LivingRun = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run in training: a directory, a name, the beginning of one; - for the newest of them.",
        autocompletion=_living_runs_for_the_shell,
    ),
]
MaybeLivingRun = Annotated[
    str,
    typer.Argument(
        metavar="[RUN]",
        help="A run in training: a directory, a name, the beginning of one; nothing or - for the newest of them.",
        autocompletion=_living_runs_for_the_shell,
    ),
]
RunAndStep = Annotated[
    str,
    typer.Argument(
        metavar="RUN[@STEP]",
        help="A run, and a step of it or a percentage: mod113@600, @40% for the newest; without one, its newest step.",
        autocompletion=_runs_for_the_shell,
    ),
]
RunAndCheckpoint = Annotated[
    str,
    typer.Argument(
        metavar="[RUN[@STEP]]",
        help="A run: a directory, a name, the beginning of one; nothing or - for the newest. @STEP is the step of a "
        "checkpoint, @40% the one nearest to there; by default the newest.",
        autocompletion=_runs_for_the_shell,
    ),
]
RunReferences = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN...",
        help="Runs: directories, names, beginnings of names; - for the newest.",
        autocompletion=_runs_for_the_shell,
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
"""Read by `grokterm.cli.main`, which prints the error; a command only has to accept it."""
