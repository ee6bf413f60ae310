"""`grokterm measure`: every measure at every checkpoint, with the key frequencies that the run ended with."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from grokterm.commands.options import RUNS, Debug, RunReference, RunsFolder
from grokterm.commands.training_options import DetachedOption, OnHangup, PartsOption

if TYPE_CHECKING:
    from grokterm.catalog import Catalog
    from grokterm.engine.hindsight import Done
    from grokterm.run.directory import RunDirectory

LOWER_PRIORITY = 10
"""What a process that nobody waits for is nicer by."""
PATIENCE = 30.0
"""Seconds that the measuring of a run that has just finished waits for one that began before it was trained again."""


def measure(
    run: RunReference = "-",
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Processes at once, two a processor at most; by default one a processor, up to 8.", min=1
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Measure everything anew, not only what is missing.")] = False,
    runs: RunsFolder = RUNS,
    parts: PartsOption = None,
    debug: Debug = False,
    detached: DetachedOption = False,
) -> None:
    """Measure every checkpoint of a run with hindsight.

    That is with the key frequencies of its last one, as the paper does, which are not known while it trains. Panels
    show these curves beside the live ones. What was interrupted goes on where it was; a run that finishes is measured
    by itself, unless training.measure_on_end is false.
    """
    _ = debug
    from grokterm.catalog import Catalog
    from grokterm.commands.problems import tell_problems
    from grokterm.engine.hindsight import measure as measure_run
    from grokterm.engine.hindsight import processes
    from grokterm.interruption import signals_raise
    from grokterm.progress import Bar
    from grokterm.run.finding import find

    if detached:
        os.nice(LOWER_PRIORITY)
    found = find(runs, run)
    if workers is not None and workers > (most := processes(workers)):
        typer.echo(f"--workers {workers:,}: {most:,} at most are begun here, two a processor", err=True)
    try:
        with signals_raise(), Bar("measuring checkpoints", counted=True) as bar:
            done = measure_run(
                found, Catalog(parts), bar, workers=workers, again=again, patience=PATIENCE if detached else 0.0
            )
    except (KeyboardInterrupt, SystemExit) as end:
        typer.echo(f"interrupted: {_kept(found)}; {_goes_on(found, again=again)}", err=True)
        raise typer.Exit(_code(end)) from None
    tell_problems(done.problems)
    typer.echo(_told(done, found, workers))


def measure_at_the_end(run: "RunDirectory", catalog: "Catalog", on_hangup: OnHangup) -> int:
    """Measure a run without a screen that has just finished, if it wants that. Returns the exit code of the program.

    What goes wrong is told, and is no failure: training has ended well.
    """
    import signal

    from grokterm.errors import GroktermError
    from grokterm.interruption import ASKED_BY, signals_raise
    from grokterm.progress import Bar
    from grokterm.progress_output import Counted, Output
    from grokterm.run.hindsight import is_wanted
    from grokterm.text import plain

    output = Output()
    outlived = signal.SIGHUP if on_hangup == "detach" else None
    shown: Bar | Counted = (
        Bar("hindsight", counted=True) if output.is_live and sys.stderr.isatty() else Counted("hindsight", output)
    )
    try:
        if not is_wanted(run.read_config() or {}):
            return 0
        from grokterm.engine.hindsight import measure as measure_run

        with signals_raise([number for number in ASKED_BY if number != outlived]), shown as progress:
            done = measure_run(run, catalog, progress, patience=PATIENCE)
    except (KeyboardInterrupt, SystemExit) as end:
        output.say(f"hindsight     interrupted: {_kept(run)};\n{'':<14}{_again(run)} goes on")
        return _code(end)
    except GroktermError as error:
        output.say(f"hindsight     not measured: {plain(str(error))}; {_again(run)} tries again")
        return 0
    for problem in done.problems:
        output.say(f"hindsight     left out: {plain(problem)}")
    output.say(f"hindsight     {_rows(done)}\n{'':<14}{_keys(done)}")
    return 0


def _told(done: "Done", run: "RunDirectory", asked: int | None) -> str:
    """What there is now, which key frequencies were used, how long it took, and what to do with it."""
    from grokterm.detached import reference
    from grokterm.text import plain

    arrays = len(done.about.names) - done.scalars
    lines = {
        "measured": f"{plain(run.name)}: {_rows(done)}, {done.scalars} scalars and {arrays} vectors and matrices each",
        "keys": _keys(done),
        "took": _took(done, asked),
        "next": f"grokterm replay {reference(run)}",
    }
    return "\n".join(f"{label:<11}{text}" for label, text in lines.items())


def _rows(done: "Done") -> str:
    about = done.about
    there = about.checkpoints - len(about.skipped)
    of = f" of {about.checkpoints:,}" if about.skipped else ""
    before = there - done.computed
    known = f" ({before:,} of them before)" if before and done.computed else " (before; --again does it anew)"
    return f"{there:,}{of} checkpoint{'' if there == 1 and not of else 's'}{known if before else ''}"


def _keys(done: "Done") -> str:
    about = done.about
    if "neuron_clusters" not in about.names:
        return "its task or model has no key frequencies"
    if not about.key_frequencies:
        return f"no key frequency: none has a cluster of neurons at step {about.final_step:,}"
    return f"key frequencies {' '.join(map(str, about.key_frequencies))}, those of step {about.final_step:,}"


def _took(done: "Done", asked: int | None) -> str:
    """How long it took; `asked` for so many processes."""
    from grokterm.engine.hindsight import processes
    from grokterm.tui.status import duration

    if not done.computed:
        return duration(done.seconds)
    how = f"{done.workers} processes" if done.workers > 1 else "one process"
    if asked is not None and 0 < done.workers < processes(asked):
        how += " (there was no checkpoint for more)"
    return f"{duration(done.seconds)} in {how}, {done.seconds / done.computed * 1000:,.0f} ms a checkpoint"


def _kept(run: "RunDirectory") -> str:
    from grokterm.run.hindsight import read_about, rows_in

    about = read_about(run)
    if about is not None and about.complete:
        return f"the measurement of before, {rows_in(run):,} checkpoints, is still there"
    of = "" if about is None else f" of {about.checkpoints:,}"
    return f"what was measured, {rows_in(run):,}{of} checkpoints, is kept"


def _goes_on(run: "RunDirectory", *, again: bool) -> str:
    """Which command goes on with what was interrupted."""
    from grokterm.run.hindsight import read_about

    if not again:
        return "the same command goes on"
    about = read_about(run)
    if about is not None and about.complete:
        return "the same command begins anew, and replaces it when all is measured"
    return f"{_again(run)} goes on, without --again"


def _again(run: "RunDirectory") -> str:
    from grokterm.detached import reference

    return f"`grokterm measure {reference(run)}`"


def _code(end: KeyboardInterrupt | SystemExit) -> int:
    return end.code if isinstance(end, SystemExit) and isinstance(end.code, int) else 130
