"""`grokterm compare`: several runs over one another on a screen, or as a table and what they were told differently."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from grokterm.commands.options import RUNS, Debug, RunReferences, RunsFolder

if TYPE_CHECKING:
    from grokterm.run.directory import RunDirectory

WIDTH = 100
"""Columns of what is printed where stdout is no terminal."""


def compare(
    runs_named: RunReferences,
    since_memorised: Annotated[
        bool, typer.Option("--since-memorised", help="Begin where each run had memorised its training data.")
    ] = False,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="Show runs that differ in the seed alone as median and min–max band.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print results and differing settings as JSON.")] = False,
    runs: RunsFolder = RUNS,
    debug: Debug = False,
) -> None:
    """Compare 2 to 16 runs on the same panels; one that is a fork, with its parent.

    v changes what a panel shows, ↑ ↓ point out a run, t begins x where each had memorised, B bundles seeds, c shows
    what the runs were told to do differently, ? lists every key. Where stdout is no terminal: the results and the
    differing settings as text.
    """
    _ = debug
    from grokterm.run.finding import find
    from grokterm.tui.compare.comparison import with_parent

    found = with_parent([find(runs, reference) for reference in runs_named])
    if sys.stdin.isatty() and sys.stdout.isatty() and not as_json:
        from grokterm.tui.compare.app import watch

        raise typer.Exit(watch(found, since_memorised=since_memorised, bundled=bundle))
    _print(found, as_json=as_json)


def _print(found: "list[RunDirectory]", *, as_json: bool) -> None:
    import shutil

    from grokterm.commands.problems import tell_problems
    from grokterm.tui.compare.compared import Followed
    from grokterm.tui.compare.comparison import Comparison, check
    from grokterm.tui.compare.printed import comparison_json, comparison_text

    check(found)
    comparison = Comparison([Followed(run).now for run in found])
    tell_problems(run.problem for run in comparison.runs if run.problem)
    width = shutil.get_terminal_size((WIDTH, 20)).columns
    typer.echo(comparison_json(comparison) if as_json else comparison_text(comparison, width))
