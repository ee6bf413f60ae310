"""Training as a thread of this process: what `grokterm run` starts beside its screen or its progress lines.

Nothing heavy is imported until the thread runs: the screen is painted while torch is still loading.
"""

import contextlib
import threading
import traceback
from typing import TYPE_CHECKING

from grokterm.errors import GroktermError, RunError, TrainingError
from grokterm.run.directory import Lock, RunDirectory

if TYPE_CHECKING:
    from grokterm.catalog import Catalog
    from grokterm.preset import Preset


class TrainingThread(threading.Thread):
    """Trains one new run. When it has ended, `error` says why it failed, or is None.

    A run in which nothing was recorded is removed again.
    """

    def __init__(self, run: RunDirectory, preset: "Preset", catalog: "Catalog") -> None:
        super().__init__(name="training", daemon=True)
        self.directory = run
        self.error: GroktermError | None = None
        self.preset_name = preset.name
        self.catalog = catalog
        self._preset = preset

    def run(self) -> None:
        """Hold the run's lock and train to the end; `error` is set last, when nothing more happens to the run."""
        try:
            with Lock(self.directory):
                from grokterm.engine.launch import train

                train(self.directory, self._preset, self.catalog)
        except GroktermError as error:
            self._discard_if_nothing_was_recorded()
            self.error = error
        except Exception as error:  # noqa: BLE001 - whatever fails in training is told on the screen, not printed over it
            with contextlib.suppress(OSError), self.directory.log_path.open("a") as log:
                traceback.print_exception(error, file=log)
            self._discard_if_nothing_was_recorded()
            self.error = self._told(error)

    def _discard_if_nothing_was_recorded(self) -> None:
        if not self.directory.config_path.exists():
            with contextlib.suppress(RunError):  # what cannot be removed is no second error
                self.directory.discard()

    def _told(self, error: Exception) -> TrainingError:
        log = f" (see {self.directory.log_path})" if self.directory.log_path.exists() else ""
        told = TrainingError(f"training failed: {type(error).__name__}: {error}{log}")
        told.__cause__ = error
        return told
