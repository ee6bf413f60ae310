"""`grokterm plot`: a chart of a run on stdout, or a figure in a file."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grokterm.commands.options import RUNS, Debug, RunReference, RunsFolder
from grokterm.errors import RunError, UsageError

if TYPE_CHECKING:
    from grokterm.charts import BarChart, LineChart
    from grokterm.history import History

WIDTH, HEIGHT = 80, 20
"""Cells of a chart where stdout is no terminal; $COLUMNS overrides the width."""
LEAST_WIDTH, LEAST_HEIGHT = 20, 6
TALL = 8
"""Lines from which the curves' labels may stand below the run's name; in less the name gives way to them."""


def plot(
    run: RunReference = "-",
    measures: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MEASURE",
            help="Recorded numbers: test_loss, gini_embedding, lr; excluded_loss_k/14, fourier_embedding/14 for one "
            "frequency of an array; an array alone draws its spectrum. Without any: the losses.",
        ),
    ] = None,
    log_x: Annotated[bool, typer.Option("--log-x/--no-log-x", help="Steps on a logarithmic axis.")] = False,
    log_y: Annotated[
        bool | None,
        typer.Option(
            "--log-y/--no-log-y", help="Values on a logarithmic axis; by default for losses.", show_default=False
        ),
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="STEP", help="The first step shown, or a percentage: 12k, 40%.")
    ] = None,
    last: Annotated[
        str | None,
        typer.Option(
            "--until", metavar="STEP", help="The last step or percentage shown; of a spectrum, the one shown."
        ),
    ] = None,
    width: Annotated[
        int | None,
        typer.Option(help="Columns; as wide as the terminal, elsewhere $COLUMNS or 80.", min=LEAST_WIDTH, max=1000),
    ] = None,
    height: Annotated[
        int | None, typer.Option(help="Lines; 20, or what the terminal has.", min=LEAST_HEIGHT, max=1000)
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a figure instead: .png, .svg or .pdf. A file of that name is replaced."
        ),
    ] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours; there are none in a pipe anyway.")] = False,
    runs: RunsFolder = RUNS,
    debug: Debug = False,
) -> None:
    """Draw a run's losses, or any recorded numbers.

    On stdout, or into a figure with --save. grokterm plot - test_loss draws the newest run.
    """
    _ = debug
    from grokterm.commands.problems import tell_problems
    from grokterm.places import step_asked
    from grokterm.text import plain

    if save is not None:
        from grokterm.figures.files import check

        check(save)
        if width is not None or height is not None:
            raise UsageError("--width and --height are cells of a chart on stdout; a figure in a file has its own size")
    history = _opened(runs, run, measures or [])
    _mind_runs(runs, history, measures or [])
    tell_problems(history.problems)
    begin, end = (
        None if said is None else step_asked(said, history.step, option)
        for option, said in (("--from", first), ("--until", last))
    )
    chart = _chart(history, tuple(measures or ()), log_x, log_y, begin, end)
    if save is not None:
        from grokterm.figures.files import save_figure

        save_figure(chart, save, title=plain(history.run.name))
        typer.echo(plain(f"wrote {save}"))
        return
    _print(history, chart, width, height, colour=not no_color)


def _opened(runs: Path, reference: str, measures: list[str]) -> "History":
    """The run as it is now. Where a measure stands in the place of the run, the error says where it belongs."""
    from grokterm.ancestry import find_parents
    from grokterm.history import History
    from grokterm.run.finding import find, runs_in

    try:
        history = History(find(runs, reference))
    except RunError:
        for newest in runs_in(runs)[:1]:
            history = History(newest)
            with contextlib.suppress(RunError):  # what is wrong with that one is not what was asked
                history.poll()
            if {reference, reference.partition("/")[0]} & {*history.names(), *history.array_names()}:
                asked = " ".join([reference, *measures])
                raise UsageError(
                    f"{reference!r} is a measure, and the run comes first: `grokterm plot - {asked}` draws the newest"
                ) from None
        raise
    history.poll()
    find_parents(history)
    return history


def _mind_runs(runs: Path, history: "History", names: list[str]) -> None:
    """Say where a second run belongs."""
    from grokterm.ancestry import names as recorded

    for name in names:
        if name not in recorded(history) and any((folder / name / "run.toml").exists() for folder in (Path(), runs)):
            both = f"{history.run.name} {name}"
            raise UsageError(f"{name!r} is a run, and a plot is of one; `grokterm compare {both}` shows both")


def _chart(
    history: "History",
    names: tuple[str, ...],
    log_x: bool,
    log_y: bool | None,
    first: int | None,
    last: int | None,
) -> "LineChart | BarChart":
    from grokterm.ancestry import array_names
    from grokterm.ancestry import names as scalars
    from grokterm.measured import bar_chart, line_chart

    arrays = [name for name in names if name in array_names(history) and name not in scalars(history)]
    if not arrays:
        return line_chart(history, names, log_x=log_x, log_y=log_y, first=first, last=last)
    if len(names) > 1:
        raise UsageError(
            f"{arrays[0]} is a spectrum and is drawn alone; {arrays[0]}/1 is one component of it as a curve"
        )
    if log_x or log_y or first is not None:
        raise UsageError(
            f"{arrays[0]} is drawn as bars: --log-x, --log-y and --from are for curves; --until is its step"
        )
    return bar_chart(history, arrays[0], last)


def _print(
    history: "History", chart: "LineChart | BarChart", width: int | None, height: int | None, *, colour: bool
) -> None:
    import os
    import shutil
    import sys

    from grokterm.printed import printed
    from grokterm.tui.terminal import markers_for

    term, is_terminal = os.environ.get("TERM", ""), sys.stdout.isatty()
    size = shutil.get_terminal_size((WIDTH, HEIGHT))
    width = width or max(size.columns, LEAST_WIDTH)
    height = height or max(min(HEIGHT, size.lines - 2 if is_terminal else HEIGHT), LEAST_HEIGHT)
    title = ": ".join(filter(None, [history.run.name, chart.title]))
    text = printed(
        chart,
        title=title if len(title) + (20 if height >= TALL else 40) <= width else chart.title,
        width=width,
        height=height,
        colour=colour and is_terminal and term not in ("", "dumb", "unknown") and not os.environ.get("NO_COLOR"),
        markers=markers_for(sys.stdout.encoding or "", term),
    )
    typer.echo(text)
