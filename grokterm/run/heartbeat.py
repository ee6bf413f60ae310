"""A trainer's signs of life: a thread that writes the time into its lock file, whatever training is busy with."""

import contextlib
import os
import threading
import time
from dataclasses import replace

from grokterm.run.holder import SIZE, Holder, said_in

BEAT_SECONDS = 10.0


class Heartbeat:
    """Keeps the open lock file `file` saying that its holder lives, until it is stopped.

    A file that cannot be written now is written with a later beat: signs of life are for other hosts and for people who
    watch, and training does not depend on them. A file that names somebody else by now is left alone. giver: who held
    the lock before and handed it over; should it have written its own name once more in the same instant, that is
    overwritten.
    """

    def __init__(self, file: int, holder: Holder, giver: Holder | None = None) -> None:
        self.file = file
        self.holder = holder
        self._giver = giver
        self._writing = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()

    def tell(self, trouble: str) -> None:
        """Say at once what training waits for; "" when it waits no more."""
        with self._writing:
            if trouble != self.holder.trouble:
                self.holder = replace(self.holder, trouble=trouble)
                self._write()

    def is_overwritten(self) -> bool:
        """Whether somebody else stands in the file now. Raises OSError."""
        said = said_in(os.pread(self.file, SIZE, 0))
        if said is None or said.is_same(self.holder):
            return False
        return self._giver is None or not said.is_same(self._giver)

    def stop(self) -> None:
        """End the thread at once; nothing is written after this."""
        with self._writing:
            self._stopped.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stopped.wait(BEAT_SECONDS):
            with self._writing:
                self._write()

    def _write(self) -> None:
        if self._stopped.is_set():
            return
        with contextlib.suppress(OSError):
            if not self.is_overwritten():
                self.holder = replace(self.holder, beat=time.time())
                os.pwrite(self.file, self.holder.content(), 0)
                os.fsync(self.file)  # a network file system shows other hosts only what was waited for
