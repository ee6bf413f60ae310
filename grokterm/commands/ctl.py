"""`grokterm ctl`: the keys of the live screen for scripts: asks the trainer of a run and prints its answers."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grokterm.commands.options import RUNS, Debug, LivingRun, RunsFolder

if TYPE_CHECKING:
    from grokterm.run.asking import Order
    from grokterm.run.directory import RunDirectory

SECONDS = 30.0
"""How long answers are waited for, unless somebody says otherwise."""
DO = ("set", "pause", "resume", "step", "undo", "fork", "snapshot", "note", "stop")
_TURNING = ("set", "fork")


def _orders_for_the_shell(incomplete: str) -> list[str]:
    return [do for do in DO if do.startswith(incomplete)]


def _knobs_for_the_shell(context: typer.Context, incomplete: str) -> list[str]:
    from grokterm.errors import GroktermError
    from grokterm.run.asking import knobs_told
    from grokterm.run.finding import find

    if context.params.get("do") not in _TURNING:
        return []
    try:
        run = find(Path(context.params.get("runs") or RUNS), str(context.params.get("run") or "-"))
        return [f"{knob}=" for knob in knobs_told(run) if knob.startswith(incomplete)]
    except GroktermError:  # a shell that completes has no place for a sentence
        return []


def ctl(
    run: LivingRun,
    do: Annotated[
        str, typer.Argument(metavar="DO", help="What is asked: see above.", autocompletion=_orders_for_the_shell)
    ],
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="WORD", help="KNOB=VALUE, or a text.", autocompletion=_knobs_for_the_shell),
    ] = None,
    at: Annotated[
        int | None, typer.Option(metavar="STEP", help="Not before training reaches this step.", min=0)
    ] = None,
    back_to: Annotated[
        int | None, typer.Option("--from", metavar="STEP", help="fork: at this earlier step, not here and now.", min=0)
    ] = None,
    reset_moments: Annotated[
        bool, typer.Option("--reset-moments", help="set and fork: reset the optimizer's moments too.")
    ] = False,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="S", help="Seconds to wait for the answers: 30; with --at without a limit.", min=0),
    ] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Ask, and do not wait for an answer.")] = False,
    runs: RunsFolder = RUNS,
    debug: Debug = False,
) -> None:
    """Steer a run in training, from a script or another terminal.

    RUN - is the newest run in training. Every answer is printed as one line of JSON, in which "run" is the run that
    answers, after undo and fork the new one. What can be asked, with an example each:

    \b
      set KNOB=VALUE...     grokterm ctl - set weight_decay=0.3 lr=1e-3
      pause                 grokterm ctl - pause --at 5000
      resume                grokterm ctl - resume
      step                  grokterm ctl - step      (one, while paused)
      undo                  grokterm ctl - undo      (before the last change)
      fork [KNOB=VALUE...]  grokterm ctl - fork lr=2e-3 --from 600
      snapshot [NOTE]       grokterm ctl - snapshot "before the change"
      note TEXT             grokterm ctl - note "loss is odd here"
      stop                  grokterm ctl - stop      (saves, and ends)

    A KNOB is a column of steps.npy, such as lr, weight_decay (or wd) and beta1, or one of steps, test_every,
    measure_every and checkpoint_every. undo and fork save and stop this run, and training goes on in the fork
    (`grokterm fork` leaves it in training). What is held back by --at outlives a stop, and goes along into a fork.

    Exit code 2: it cannot be meant, and nothing was asked. 3: it was refused (stderr says why), nobody trains the run,
    or no answer came in time. 130: Ctrl+C; what was asked waits in the run's inbox.
    """
    _ = debug
    from grokterm.errors import UsageError
    from grokterm.run.asking import knobs_told
    from grokterm.run.events import ask
    from grokterm.run.living import find_living

    if do != "fork" and back_to is not None:
        raise UsageError(f"--from belongs to fork, not to {do}; --at asks for something at a later step")
    if do not in _TURNING and reset_moments:
        raise UsageError(f"--reset-moments belongs to set and fork, not to {do}")
    found = find_living(runs, run)
    said = {"at": at} if at is not None else {}
    orders = _orders(do, " ".join(words or ()), knobs_told(found), "reset" if reset_moments else "kept", back_to, said)
    _check_values(found, orders)
    if no_wait:
        for order in orders:
            ask(found.path, order.do, **order.data)
        return
    _print_answers(found, orders, SECONDS if timeout is None and at is None else timeout)


def _print_answers(run: "RunDirectory", orders: Sequence["Order"], seconds: float | None) -> None:
    """Ask, and print every answer as it comes. Raises RunError for refusals and for answers that do not come."""
    from grokterm.errors import RunError
    from grokterm.run.asking import answers, as_line
    from grokterm.text import plain

    refusals = []
    try:
        for event in answers(run, orders, seconds):
            typer.echo(as_line(event, run))
            if event.kind == "refused":
                refusals.append(str(event.data.get("why", "")))
    except KeyboardInterrupt:
        typer.echo(f"grokterm: what is not answered yet waits in {plain(str(run.inbox_path))}", err=True)
        raise typer.Exit(130) from None
    if refusals:
        raise RunError("; ".join(refusals))


def _check_values(run: "RunDirectory", orders: Sequence["Order"]) -> None:
    """Check every value that a knob is to take, so that all are asked for or none. Raises UsageError."""
    from grokterm.catalog import Catalog
    from grokterm.knob_values import checked_knobs

    values: dict[str, Any] = {}
    for order in orders:
        match order.data:
            case {"knob": str(knob), "value": value}:
                values[knob] = value
            case {"set": Mapping() as turned}:
                values |= turned
    if values:
        checked_knobs(Catalog(), (run.read_config() or {}).get("optimizer"), values)


def _orders(
    do: str, text: str, knobs: Collection[str], moments: str, back_to: int | None, when: Mapping[str, object]
) -> Sequence["Order"]:
    """What the words on the command line ask for; `when` goes into every request. Raises UsageError."""
    from grokterm.errors import UsageError, nearest
    from grokterm.knob_values import knobs_of_text
    from grokterm.run.asking import Order

    match do:
        case "set":
            turned = knobs_of_text(text, knobs)
            return [
                Order("set", {"knob": knob, "value": value, "moments": moments, **when})
                for knob, value in turned.items()
            ]
        case "fork":
            changes = knobs_of_text(text, knobs) if text else {}
            place = {} if back_to is None else {"step": back_to}
            return [Order("rewind", {**place, "set": changes, "moments": moments, **when})]
        case "snapshot":
            return [Order(do, {"note": text, **when})]
        case "note" if not text:
            raise UsageError("note needs a text, for instance: note 'loss is odd here'")
        case "note":
            return [Order(do, {"text": text, **when})]
        case _ if do not in DO:
            raise UsageError(f"a run cannot be asked to {do!r}; {nearest(do, DO)}")
        case _ if text:
            raise UsageError(f"{do} stands alone, without {text!r}")
        case "undo":
            return [Order("rewind", {"undo": True, **when})]
    return [Order(do, when)]
