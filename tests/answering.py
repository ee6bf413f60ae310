"""A trainer that trains nothing and answers every request, in a thread: what steering from outside is tested on."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from grokterm.run.directory import RunDirectory
from grokterm.run.events import EventLog, LineTail, Request, request_from
from grokterm.run.lock import Lock

Answer = tuple[str, dict[str, object]] | None
"""Kind and fields of the answering event; None for no answer."""


def as_a_trainer_would(request: Request) -> Answer:
    """The answer of a trainer to whom everything is right."""
    match request.do:
        case "set":
            fields = {"knob": request.data["knob"], "old": 0.0, "new": request.data["value"]}
            return "edit", {**fields, "moments": request.data["moments"]}
        case "snapshot":
            return "snapshot", {"checkpoint": "checkpoints/000000400.safetensors", "note": request.data["note"]}
        case "note":
            return "note", {"text": request.data["text"]}
        case "rewind":
            return "fork", {"run": "child", "at": 200}
        case "resume":
            return "state", {"state": "training"}
        case "stop":
            return "state", {"state": "stopping"}
    return "state", {"state": "paused"}


class AnsweringTrainer(threading.Thread):
    """Holds the run's lock inside and answers what comes; `heard` are the requests in their order.

    It ends by itself after a request to do what `last` says.
    """

    def __init__(
        self, run: RunDirectory, answer: Callable[[Request], Answer] = as_a_trainer_would, *, last: str = ""
    ) -> None:
        super().__init__(daemon=True)
        self.heard: list[Request] = []
        self._run, self._answer, self._last = run, answer, last
        self._held, self._over = threading.Event(), threading.Event()

    def run(self) -> None:
        lines, events = LineTail(self._run.inbox_path), EventLog(self._run.events_path)
        with Lock(self._run):
            self._held.set()
            while not self._over.wait(0.005):
                for request in filter(None, map(request_from, lines.new())):
                    self.heard.append(request)
                    answer = self._answer(request)
                    if answer is not None:
                        events.write(answer[0], 400, request=request.id, **answer[1])
                    if request.do == self._last:
                        self._over.set()

    def __enter__(self) -> Self:
        self.start()
        assert self._held.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self.join()
