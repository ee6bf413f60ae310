"""`grokterm fork`: branch off a run at a step, with other knobs, and train the branch as a run of its own."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from grokterm.commands.options import RUNS, Debug, RunAndStep, RunsFolder
from grokterm.commands.training_options import (
    FRAME_BUDGET,
    DetachOption,
    DeviceOption,
    FrameBudgetOption,
    HeadlessOption,
    Manner,
    OnHangupOption,
    PartsOption,
)

if TYPE_CHECKING:
    from pathlib import Path

    from grokterm.catalog import Catalog
    from grokterm.run.directory import RunDirectory


def fork(
    place: RunAndStep,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KNOB=V", help="Turn a knob there, e.g. optimizer.lr=2e-3. Repeatable."),
    ] = None,
    moments: Annotated[
        Literal["kept", "reset"], typer.Option(help="What becomes of the optimizer's moments where --set turns a knob.")
    ] = "kept",
    steps: Annotated[int | None, typer.Option(metavar="N", help="How far to train.", min=1)] = None,
    device: DeviceOption = None,
    runs: RunsFolder = RUNS,
    name: Annotated[str | None, typer.Option(help="Name of the fork instead of its parent's.")] = None,
    headless: HeadlessOption = False,
    detach: DetachOption = False,
    on_hangup: OnHangupOption = "detach",
    parts: PartsOption = None,
    frame_budget: FrameBudgetOption = FRAME_BUDGET,
    debug: Debug = False,
) -> None:
    """Branch off a run at any step and train the branch: a new run, which names its parent.

    It is the run that would have been if the knobs had been turned at that step. The parent is not touched; it may be
    training meanwhile.
    """
    _ = debug
    from grokterm.catalog import Catalog
    from grokterm.commands.show import go_on, held_lock
    from grokterm.errors import UsageError
    from grokterm.run.fork import fork as branch_off
    from grokterm.run.lineage import Parent
    from grokterm.text import plain

    parent, step = _place(runs, place)
    catalog = Catalog(parts)
    sets = _knobs(parent, catalog, overrides or [])
    if moments == "reset" and not sets:
        raise UsageError("--moments reset is about knobs that turn: --set KNOB=V says which")
    if steps is not None:
        if "steps" in sets:
            raise UsageError(f"--steps {steps}: --set has steps too")
        sets["steps"] = steps
    if "steps" not in sets:
        _check_the_rest(parent, step)
    child = branch_off(parent, step, sets=sets, moments=moments, name=name, catalog=catalog)
    said = Parent.of(child.read_config() or {})
    if said is not None:
        typer.echo(f"{plain(child.name)}: fork of {plain(said.run)} at {said.place}")
    manner = Manner(headless, detach, on_hangup, frame_budget, parts, device)
    raise typer.Exit(go_on(child, held_lock(child), catalog, manner))


def _place(runs: "Path", place: str) -> "tuple[RunDirectory, int | None]":
    """The run and the step that a person means. Raises UsageError for what is no step, RunError for no run."""
    from grokterm.places import step_asked
    from grokterm.run.place import find_place
    from grokterm.summary import summarize

    run, text = find_place(runs, place)
    if text is None:
        return run, None
    known = summarize(run)
    return run, step_asked(text, known.step if known is not None else 0, f"{place}:")


def _check_the_rest(parent: "RunDirectory", step: int | None) -> None:
    """Raise UsageError when a fork that is planned as its parent would have nothing left to train."""
    from grokterm.errors import UsageError
    from grokterm.summary import summarize

    known = summarize(parent)
    if known is None or known.steps is None or (step is not None and step > known.step):
        return
    at = known.step if step is None else step
    if at >= known.steps:
        said = f"{parent.path} is planned to end at step {known.steps:,}, and so would a fork at step {at:,}"
        raise UsageError(f"{said}; --steps N with a larger N trains it on")


def _knobs(parent: "RunDirectory", catalog: "Catalog", said: list[str]) -> dict[str, float]:
    """The knobs that `--set` turns. Raises UsageError."""
    from grokterm.errors import UsageError
    from grokterm.knob_values import CADENCES, knob_names, knobs_of_text
    from grokterm.run.asking import knobs_told

    optimizer = (parent.read_config() or {}).get("optimizer")
    kind = optimizer.get("name") if isinstance(optimizer, dict) else None
    if isinstance(kind, str) and kind in catalog.names("optimizers"):
        settings = catalog.settings("optimizers", kind)
        names = (*(knob for setting in settings for knob in knob_names(setting)), *CADENCES)
    else:
        names = knobs_told(parent)
    sets: dict[str, float] = {}
    for text in said:
        try:
            turned = knobs_of_text(text, names)
        except UsageError as error:
            raise UsageError(f"--set {text}: {error}") from error
        for knob in turned:
            if knob in sets:
                raise UsageError(f"--set {text}: {knob} is set twice")
        sets |= turned
    return sets
