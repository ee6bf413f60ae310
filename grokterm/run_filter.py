"""The words that pick runs out of a list: `lr>=1e-3 state:done p:113`. Pure: text and summaries in, yes or no out.

Words are separated by blanks and all of them must hold; quotes keep blanks together; `-` or `!` before a word turns it
around. `KEY` is a field of the summary (state, step, test_loss, tag …) or a setting by its dotted path or by the last
part of it where only one setting of task, model, optimizer and training ends so, or else only one at all (lr, p).

    KEY>=V KEY>V KEY<=V KEY<V    numbers: 1e-3, 10k, 2M; for started also days: 2027-03-04
    KEY=V KEY!=V                 equal, not equal
    KEY:V                        equal for numbers, contains (upper and lower case alike) for texts
    WORD                         name, preset or a tag contains it

What a run does not record is neither equal to anything nor larger nor smaller.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from grokterm.errors import UsageError, nearest
from grokterm.run.configuration import setting
from grokterm.summary import FIELDS, Summary

ALIASES = {"wd": "weight_decay", "tag": "tags", "when": "started"}
TOLD = ("task", "model", "optimizer", "training")
"""Sections that say what a run was told to do: a short name means a setting of theirs before one of, say, [source]."""
STATES = {"done": "finished", "running": "training"}
_WORD = re.compile(r'(?:[^\s"]|"[^"]*(?:"|\Z))+')
_COMPARISON = re.compile(r"([A-Za-z_][\w./-]*)(>=|<=|!=|==|[=:<>])(.*)", re.DOTALL)
_NUMBER = re.compile(r"([+-]?(?:\d[\d_]*\.?[\d_]*|\.\d+)(?:e[+-]?\d+)?|[+-]?inf|nan)\s*([kMG]?)B?", re.IGNORECASE)
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}

Test = Callable[[Summary], bool]


@dataclass(frozen=True)
class RunFilter:
    """What a text asks for: the tests of the words that were understood, and a sentence for each that was not."""

    tests: tuple[Test, ...] = ()
    problems: tuple[str, ...] = ()

    def holds(self, summary: Summary) -> bool:
        """Whether a run passes every test."""
        return all(test(summary) for test in self.tests)


def understand(text: str, settings: Collection[str]) -> RunFilter:
    """Read a filter as far as it can be read: while it is being typed, half a word is no error.

    `settings` are the dotted paths that the runs at hand have.
    """
    tests: list[Test] = []
    problems: list[str] = []
    for word in _WORD.findall(text):
        try:
            tests.append(_test(word, settings))
        except UsageError as error:
            problems.append(str(error))
    return RunFilter(tuple(tests), tuple(problems))


def read(text: str, settings: Collection[str]) -> RunFilter:
    """Read a filter; raises UsageError for the first word that cannot be understood, naming the nearest valid key."""
    found = understand(text, settings)
    if found.problems:
        raise UsageError(found.problems[0])
    return found


def without_begun_key(text: str, settings: Collection[str]) -> str:
    """Return `text` without its last word where that may become a key: "p:113 lr" while lr>=1e-3 is being typed."""
    *_, last = _WORD.findall(text) or [""]
    begun = last.lstrip("-!").casefold()
    keys = (*FIELDS, *ALIASES, *settings, *(path.rpartition(".")[2] for path in settings))
    if begun and text.endswith(last) and any(key.startswith(begun) for key in keys):
        return text.removesuffix(last)
    return text


def _test(word: str, settings: Collection[str]) -> Test:
    if word[0] in "-!" and len(word) > 1:
        turned = _test(word[1:], settings)
        return lambda summary: not turned(summary)
    comparison = _COMPARISON.fullmatch(word)
    if comparison is None:
        return _bare(_unquoted(word))
    key, operator, value = comparison[1], comparison[2], _unquoted(comparison[3])
    get = _getter(word, key, settings)
    if not value:
        raise UsageError(f"{word}: a value is missing after {operator}")
    if operator in (">=", "<=", ">", "<"):
        return _ordered(word, get, operator, value, is_time=_field(key) == "started")
    if _field(key) == "state":
        value = STATES.get(value.casefold(), value)
    if _field(key) == "started":
        return _on_day(word, get, operator, value)
    return _equal(get, operator, value)


def _unquoted(text: str) -> str:
    return text.replace('"', "")


def _bare(word: str) -> Test:
    """A word alone: name, preset or a tag contains it."""
    wanted = word.casefold()

    def holds(summary: Summary) -> bool:
        texts = (summary.name, summary.preset, *summary.tags)
        return any(wanted in text.casefold() for text in texts)

    return holds


def _field(key: str) -> str:
    return ALIASES.get(key, key)


def _getter(word: str, key: str, settings: Collection[str]) -> Callable[[Summary], Any]:
    """What looks a key up in a summary. Raises UsageError for a key that is none, or that several settings end with."""
    name = _field(key)
    if name in FIELDS:
        return lambda summary: getattr(summary, name)
    paths = [name] if name in settings else [path for path in settings if path.endswith(f".{name}")]
    paths = [path for path in paths if path.partition(".")[0] in TOLD] or paths
    if len(paths) > 1:
        raise UsageError(f"{word}: {key} could be {' or '.join(sorted(paths))}")
    if not paths:
        lasts = {path.rpartition(".")[2] for path in settings}
        raise UsageError(f"{word}: there is no key {key!r}; {_hint(key, {*FIELDS, *ALIASES, *lasts, *settings})}")
    path = paths[0]
    return lambda summary: setting(summary.config, path)


def _hint(key: str, valid: Collection[str]) -> str:
    """The nearest key; the summary's own ones where none is near, for there may be dozens of settings."""
    said = nearest(key, valid)
    return said if said.startswith("did you mean") else f"fields: {', '.join(FIELDS)}; and every setting"


def _number(text: str) -> float | None:
    """The number that a text is, 10k and 2.5 MB too; None when it is none."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return None
    try:
        return float(match[1].replace("_", "")) * _UNITS[match[2].lower()]
    except ValueError:
        return None


def _ordered(word: str, get: Callable[[Summary], Any], operator: str, value: str, *, is_time: bool) -> Test:
    day = _day(value) if is_time else None
    limit = _number(value)
    if day is not None:  # after a day begins where it ends, up to a day holds all of it
        limit = day[operator in (">", "<=")]
        operator = {">": ">=", "<=": "<"}.get(operator, operator)
    if limit is None:
        what = "a day such as 2027-03-04" if is_time else "a number"
        raise UsageError(f"{word}: {operator} needs {what}, and {value!r} is none")
    compare, bound = _ORDERS[operator], limit
    return lambda summary: any(compare(number, bound) for number in _numbers(get(summary)))


_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
}


def _numbers(value: object) -> list[float]:
    """The numbers that a field holds: none, one or several."""
    if isinstance(value, bool):
        return []
    if isinstance(value, int | float):
        return [_as_float(value)]
    return [number for item in value for number in _numbers(item)] if isinstance(value, tuple | list) else []


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # TOML has integers of any length
        return math.inf if value > 0 else -math.inf


def _equal(get: Callable[[Summary], Any], operator: str, value: str) -> Test:
    number, wanted = _number(value), value.casefold()

    def same(found: object) -> bool:
        if isinstance(found, bool):
            return wanted in (("yes", "true", "1") if found else ("no", "false", "0"))
        if isinstance(found, int | float):
            both_nan = number is not None and math.isnan(number) and _as_float(found) != _as_float(found)
            return both_nan or found == number
        if isinstance(found, tuple | list):
            return any(same(item) for item in found)
        if found is None:
            return False
        text = str(found).casefold()
        return wanted in text if operator == ":" else wanted == text

    if operator == "!=":
        return lambda summary: not same(get(summary))
    return lambda summary: same(get(summary))


def _on_day(word: str, get: Callable[[Summary], Any], operator: str, value: str) -> Test:
    day = _day(value)
    if day is None:
        raise UsageError(f"{word}: started is compared with a day such as 2027-03-04, and {value!r} is none")
    begin, end = day
    return lambda summary: (begin <= get(summary) < end) != (operator == "!=")


def _day(text: str) -> tuple[float, float] | None:
    """The unix times at which a day, or an instant such as 2027-03-04T11:30, begins and ends; None for another text."""
    try:
        begin = datetime.fromisoformat(text if "-" in text else "")
        length = timedelta(days=1) if len(text) <= len("2027-03-04") else timedelta(minutes=1)
        return begin.timestamp(), (begin + length).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
