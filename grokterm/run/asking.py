"""Asks the trainer of a run and waits for its answers: how scripts steer."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grokterm.errors import RunError
from grokterm.run.directory import RunDirectory
from grokterm.run.events import Event, LineTail, ask, encode, event_from
from grokterm.run.lock import is_alive

POLL_SECONDS = 0.02
ALIVE_SECONDS = 0.5
"""How often it is made sure that there is still somebody who could answer."""


@dataclass(frozen=True)
class Order:
    """What is to be asked: what the trainer is to do, and the fields of the request."""

    do: str
    data: Mapping[str, object]


def answers(run: RunDirectory, orders: Sequence[Order], seconds: float | None) -> Iterator[Event]:
    """Ask for everything at once and yield each answering event as it comes.

    Raises RunError when training ends without an answer, or when `seconds` have passed (None: wait without a limit):
    what was asked then waits in the inbox.
    """
    lines = LineTail(run.events_path)
    open_requests = {ask(run.path, order.do, **order.data).id: order for order in orders}
    begun = time.monotonic()
    looked = begun
    while open_requests:
        now = time.monotonic()
        goes_on = now - looked < ALIVE_SECONDS or is_alive(run)  # before the look, so that the last one sees everything
        looked = looked if now - looked < ALIVE_SECONDS else now
        for event in filter(None, map(event_from, lines.new())):
            if open_requests.pop(str(event.data.get("request")), None) is not None:
                yield event
        if not open_requests:
            return
        unanswered = ", ".join(order.do for order in open_requests.values())
        if not goes_on:
            later = all("at" in order.data for order in open_requests.values())
            waits = f"; it waits in {run.inbox_path} until the run is resumed" if later else ""
            raise RunError(f"training of {run.name} has ended without an answer to {unanswered}{waits}")
        if seconds is not None and now - begun >= seconds:
            raise RunError(f"no answer to {unanswered} within {seconds:g} s; it waits in {run.inbox_path}")
        time.sleep(POLL_SECONDS)


def knobs_told(run: RunDirectory) -> tuple[str, ...]:
    """The names of a run's knobs, as its trainer told them last; none while it has not.

    Raises RunError when the events cannot be read.
    """
    names: tuple[str, ...] = ()
    for line in LineTail(run.events_path).new():
        match line:
            case {"event": "state", "knobs": Mapping() as knobs}:
                names = tuple(knobs)
    return names


def as_line(event: Event, run: RunDirectory) -> str:
    """An event as the line of strict JSON that it is in the run, with the name of the run.

    An event that names a run itself keeps that: a `fork` names the one in which training goes on.
    """
    told = {"event": event.kind, "step": event.step, "time": event.time, "run": run.name, **event.data}
    return json.dumps(encode(told), allow_nan=False)
