"""`grokterm runs`: the runs that there are, as a table, as JSON, or as a screen to browse them."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grokterm.commands.options import RUNS, Debug, RunsFolder

if TYPE_CHECKING:
    from grokterm.run.directory import RunDirectory
    from grokterm.summary import Summary


def runs(
    listed: Annotated[bool, typer.Option("--list", help="Print a table, on a terminal too.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON array with all that is known of each run.")
    ] = False,
    words: Annotated[
        str | None,
        typer.Option(
            "--filter",
            metavar="WORDS",
            help="Only runs for which every word holds, such as 'lr>=1e-3 state:done p:113 tag:good -mod97'. Keys are "
            "those of --json and every setting; a word alone is looked for in name, preset and tags.",
        ),
    ] = None,
    runs: RunsFolder = RUNS,
    debug: Debug = False,
) -> None:
    """List the runs, the newest first.

    On a terminal and without flags: a screen to browse, preview, open, compare, rename, tag and discard them.
    """
    _ = debug
    _check(runs)
    from grokterm.run.finding import runs_in

    directories = runs_in(runs)
    has_screen = sys.stdin.isatty() and sys.stdout.isatty() and not (listed or as_json or words is not None)
    if has_screen and (directories or _has_trash(runs)):
        from grokterm.tui.browser.app import browse

        browse(runs, _go_on)
    elif not directories and not as_json:
        typer.echo(f"there is no run in {runs}; `grokterm run mod113-quick` makes one", err=True)
    else:
        from grokterm.summary import summarize

        there = [summary for run in directories if (summary := summarize(run)) is not None]
        chosen = _filtered(there, words or "")
        if as_json:
            typer.echo(_json_of(chosen))
        elif chosen:
            typer.echo(_table_of(chosen))
        else:
            typer.echo(f"none of the {len(there):,} runs in {runs} fits {words!r}", err=True)


def _go_on(fork: "RunDirectory") -> None:
    """Train a fork that was made in a replay, beside the live screen."""
    from grokterm.catalog import Catalog
    from grokterm.commands.show import go_on, held_lock
    from grokterm.commands.training_options import Manner

    go_on(fork, held_lock(fork), Catalog(), Manner())


def _check(folder: Path) -> None:
    """Say what is wrong with a folder that cannot hold runs. A missing one holds none, and that is no error."""
    from grokterm.errors import UsageError

    if os.path.exists(folder / "run.toml"):  # noqa: PTH110 - Path.exists raises where a name is too long
        raise UsageError(f"--runs {folder}: that is a run itself; name the folder that runs are kept in")
    if os.path.isfile(folder):  # noqa: PTH113
        raise UsageError(f"--runs {folder}: that is a file; name the folder that runs are kept in")


def _has_trash(folder: Path) -> bool:
    """Whether there is something that the browser could bring back."""
    from grokterm.run.curation import discarded_runs

    return bool(discarded_runs(folder))


def _filtered(summaries: "list[Summary]", words: str) -> "list[Summary]":
    from grokterm.run.configuration import setting_names
    from grokterm.run_filter import read

    chosen = read(words, setting_names(summary.config for summary in summaries))
    return [summary for summary in summaries if chosen.holds(summary)]


def _json_of(summaries: "list[Summary]") -> str:
    """One object a line, as strict JSON."""
    from grokterm.summary import as_json

    return "[" + ",\n ".join(map(as_json, summaries)) + "]"


def _table_of(summaries: "list[Summary]") -> str:
    """On a terminal the columns that fit, and below them what is wrong with damaged runs; all of it elsewhere."""
    import shutil

    from grokterm.drawing.cells import one_cell_each
    from grokterm.listing import table
    from grokterm.text import plain

    if not sys.stdout.isatty():
        return "\n".join(table(summaries, None, lambda text: text if text.isprintable() else plain(text)))
    lines = table(summaries, shutil.get_terminal_size().columns, one_cell_each)
    broken = [f"{plain(summary.name)}: {plain(summary.problem)}" for summary in summaries if summary.problem]
    return "\n".join([*lines, *([""] if broken else []), *broken])
