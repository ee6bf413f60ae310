"""`grokterm ctl`: the keys of the live screen for scripts: asks the trainer of a run and prints its answers."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grokterm.commands.options import RUNS, Debug, LivingRun, RunsFolder

if TYPE_CHECKING:
    from grokterm.run.asking import Order

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
    timeout: Annotated[float, typer.Option(metavar="S", help="Seconds to wait for the answers.", min=0)] = 30.0,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Ask, and do not wait for an answer.")] = False,
    runs: RunsFolder = RUNS,
    debug: Debug = False,
) -> None:
    """Steer a run in training, from a script or another terminal.

    Every answer is printed as one line of JSON. What can be asked, with an example each:

    \b
      set KNOB=VALUE...     grokterm ctl - set weight_decay=0.3 lr=1e-3
      pause                 grokterm ctl - pause --at 5000
      resume                grokterm ctl - resume
      step                  grokterm ctl - step      (one, while paused)
      undo                  grokterm ctl - undo      (goes back, in a fork)
      fork [KNOB=VALUE...]  grokterm ctl - fork lr=2e-3 --from 600
      snapshot [NOTE]       grokterm ctl - snapshot "before the change"
      note TEXT             grokterm ctl - note "loss is odd here"
      stop                  grokterm ctl - stop      (saves, and ends)

    A KNOB is a column of steps.npy, such as lr, weight_decay (or wd) and beta1, or one of steps, test_every,
    measure_every and checkpoint_every.

    Exit code 3: it was refused (stderr says why), nobody trains the run, or no answer came in time.
    """
    _ = debug
    from grokterm.errors import RunError, UsageError
    from grokterm.run.asking import answers, as_line, knobs_told
    from grokterm.run.events import ask
    from grokterm.run.living import find_living

    if do != "fork" and back_to is not None:
        raise UsageError(f"--from belongs to fork, not to {do}; --at asks for something at a later step")
    if do not in _TURNING and reset_moments:
        raise UsageError(f"--reset-moments belongs to set and fork, not to {do}")
    found = find_living(runs, run)
    said = {"at": at} if at is not None else {}
    orders = _orders(do, " ".join(words or ()), knobs_told(found), "reset" if reset_moments else "kept", back_to, said)
    if no_wait:
        for order in orders:
            ask(found.path, order.do, **order.data)
        return
    refusals = []
    for event in answers(found, orders, timeout):
        typer.echo(as_line(event))
        if event.kind == "refused":
            refusals.append(str(event.data.get("why", "")))
    if refusals:
        raise RunError("; ".join(refusals))


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
