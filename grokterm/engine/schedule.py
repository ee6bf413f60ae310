"""Which planned interventions happen before the coming update; the trainer asks before each one. Pure."""

import heapq
from collections.abc import Iterable, Mapping, Sequence

from grokterm.errors import RunError, UsageError, nearest
from grokterm.interventions import Condition, Intervention


class Schedule:
    """The interventions of one run, each of which fires once, and what their conditions have seen.

    state: what `state()` gave when a checkpoint was written; None when training begins. Raises RunError when it is
    not such a state.
    """

    def __init__(self, interventions: Sequence[Intervention], state: Mapping[str, object] | None = None) -> None:
        self._interventions = tuple(interventions)
        self._fired, self._seen = _read(state or {})
        self._steps: list[tuple[int, int]] = []  # (step, index) of those with `at` that have not fired, as a heap
        self._conditions: dict[int, Condition] = {}  # of those with `when`, by index
        for index, intervention in enumerate(self._interventions):
            if index in self._fired:
                continue
            if intervention.at is not None:
                self._steps.append((intervention.at, index))
            elif intervention.when is not None:
                self._conditions[index] = intervention.when
        heapq.heapify(self._steps)
        self.wanted = self._names()
        """Names of the scalars that conditions wait for."""

    def see(self, name: str, value: float) -> None:
        """Take note of a recorded value; one that no condition waits for is passed over."""
        if name in self.wanted:
            self._seen[name] = float(value)

    def is_due(self, step: int) -> bool:
        """Whether anything happens with update `step`; nothing counts as having happened yet."""
        return (bool(self._steps) and self._steps[0][0] <= step) or any(map(self._holds, self._conditions.values()))

    def due(self, step: int) -> list[tuple[int, Intervention]]:
        """Return what happens with update `step`, by index, and count it as having happened.

        A step that was passed without a look is not missed. A condition whose scalar has no value yet waits.
        """
        now = [index for index, condition in self._conditions.items() if self._holds(condition)]
        for index in now:
            del self._conditions[index]
        if now:
            self.wanted = self._names()
        while self._steps and self._steps[0][0] <= step:
            now.append(heapq.heappop(self._steps)[1])
        self._fired.update(now)
        return [(index, self._interventions[index]) for index in sorted(now)]

    def check_names(self, recorded: Iterable[str]) -> None:
        """Raise UsageError when a condition waits for a scalar that is not among the recorded ones."""
        names = frozenset(recorded)
        for index, condition in self._conditions.items():
            if condition.name not in names:
                said = f"interventions[{index}].when = '{condition}'"
                raise UsageError(f"{said}: there is no scalar {condition.name!r}; {nearest(condition.name, names)}")

    def state(self) -> dict[str, object]:
        """What a checkpoint keeps of it: indices of those that have fired, newest values that conditions wait for."""
        return {"fired": sorted(self._fired), "seen": {name: self._seen[name] for name in sorted(self._seen)}}

    def _holds(self, condition: Condition) -> bool:
        return condition.name in self._seen and condition.holds(self._seen[condition.name])

    def _names(self) -> frozenset[str]:
        names = frozenset(condition.name for condition in self._conditions.values())
        self._seen = {name: value for name, value in self._seen.items() if name in names}
        return names


def _read(state: Mapping[str, object]) -> tuple[set[int], dict[str, float]]:
    """Return what `state()` had written: the indices, the values. JSON's words for non-finite numbers are numbers."""
    fired, seen = state.get("fired", []), state.get("seen", {})
    try:
        if isinstance(fired, list) and isinstance(seen, Mapping):
            return {int(index) for index in fired}, {str(name): float(value) for name, value in seen.items()}
    except (TypeError, ValueError):
        pass
    raise RunError(f"the state of the schedule, {dict(state)}, has no list of indices or no values")
