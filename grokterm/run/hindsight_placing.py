"""Puts a new measurement, written beside a finished one, in its place: whoever dies meanwhile leaves one of the two.

What lies beside is a directory like a run's, with the same names in it. Its about.json says when it is complete; from
then on the old one goes, hindsight.npy last, and only then does the new one come, about.json last. So files of both are
never in place together, and whatever was left undone is done by the next who measures.
"""

import os

from grokterm.run.directory import RunDirectory
from grokterm.run.durable import sync_directory
from grokterm.run.hindsight import about_path, beside, read_about, remove_beside, tables_in


def finish_placing(run: RunDirectory) -> bool:
    """Put what lies beside in place if it is complete; whether it was. Raises OSError, also where somebody removes it.

    Only for who holds the run's hindsight.
    """
    new = beside(run)
    about = None if run.hindsight.is_symlink() or new.path.is_symlink() else read_about(new)
    if about is None or not about.complete:
        return False
    if os.path.lexists(new.hindsight_path):  # else all that is in place is the new one's
        if os.path.lexists(run.hindsight_path):
            about_path(run).unlink(missing_ok=True)
            for path in (*tables_in(run), run.hindsight_path):
                path.unlink()
            _sync(run)
        for path in tables_in(new):
            path.replace(run.hindsight / path.name)
        new.hindsight_path.replace(run.hindsight_path)
        _sync(run)
    about_path(new).replace(about_path(run))
    _sync(run)
    remove_beside(run)
    return True


def _sync(run: RunDirectory) -> None:
    sync_directory(run.hindsight)
    sync_directory(run.path)
