"""The tables in a run's directory as a viewer follows them, and the names of the series and arrays that they hold.

What was measured in hindsight has names of its own, "hindsight/NAME" beside the live NAME.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from grokterm.growing import Column, Table
from grokterm.run.directory import RunDirectory
from grokterm.run.hindsight import PREFIX

_NOT_SERIES = frozenset({"step", "time"})


class RunTables:
    """The tables of one run, those of arrays as they are found; `poll` reads what is new.

    latest: of longer tables only about so many of the latest rows are kept.
    """

    def __init__(self, run: RunDirectory, latest: int | None) -> None:
        self.of_numbers = {
            "steps": Table(run.steps_path, latest),
            "tests": Table(run.tests_path, latest),
            "measures": Table(run.measures_path, latest),
            "hindsight": Table(run.hindsight_path, latest),
        }
        self._of_arrays: dict[str, Table] = {}
        self._folders = (("", run.arrays), (PREFIX, run.hindsight))
        self._latest = latest

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each table that is none."""
        return tuple(table.problem for table in self._every() if table.problem)

    def poll(self) -> set[str]:
        """Read what is new, and say what changed: of steps, tests, measures, hindsight and arrays."""
        changed = {name for name, table in self.of_numbers.items() if table.poll()}
        for prefix, folder in self._folders:
            self._find_arrays(prefix, folder)
        read = [name for name, table in self._of_arrays.items() if table.poll()]
        return changed | {"hindsight" if name.startswith(PREFIX) else "arrays" for name in read}

    def forget(self) -> None:
        """Have every table read anew."""
        for table in self._every():
            table.forget()

    def names(self) -> tuple[str, ...]:
        """Every scalar series: the columns of steps, tests and measures in their order, without step and time.

        Behind them those of hindsight, each with its prefix, once there are rows: its tables are made before the first.
        """
        found = (
            f"{_prefix(table_name)}{name}"
            for table_name, table in self.of_numbers.items()
            for name, column in table.columns.items()
            if column.is_scalar and name not in _NOT_SERIES and (table_name != "hindsight" or len(table.steps()))
        )
        return tuple(dict.fromkeys(found))

    def number(self, name: str) -> tuple[Table, Column] | None:
        """Where a scalar series is; None when no such scalar is recorded (yet)."""
        for table_name, table in self.of_numbers.items():
            prefix = _prefix(table_name)
            wanted = name.removeprefix(prefix)
            column = table.columns.get(wanted) if name.startswith(prefix) and wanted not in _NOT_SERIES else None
            if column is not None and column.is_scalar:
                return table, column
        return None

    def array_names(self) -> tuple[str, ...]:
        """Every vector or matrix series, by name."""
        there = (name for name, table in self._of_arrays.items() if "value" in table.columns)
        return tuple(
            sorted(name for name in there if not name.startswith(PREFIX) or len(self._of_arrays[name].steps()))
        )

    def array(self, name: str) -> tuple[Table, Column] | None:
        """Where the series of a vector or matrix is; None when no such array is recorded (yet)."""
        table = self._of_arrays.get(name)
        column = table.columns.get("value") if table is not None else None
        return None if table is None or column is None else (table, column)

    def _every(self) -> Iterator[Table]:
        yield from self.of_numbers.values()
        yield from self._of_arrays.values()

    def _find_arrays(self, prefix: str, folder: Path) -> None:
        try:
            found = os.listdir(folder)  # noqa: PTH208 - a third of the price of iterdir, and this runs every frame
        except (FileNotFoundError, NotADirectoryError):
            return
        for file_name in found:
            name = prefix + file_name.removesuffix(".npy")
            if file_name.endswith(".npy") and name not in self._of_arrays:
                self._of_arrays[name] = Table(folder / file_name, self._latest)


def _prefix(table_name: str) -> str:
    """What stands before a table's columns in the names of their series."""
    return PREFIX if table_name == "hindsight" else ""
