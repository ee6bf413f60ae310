"""`grokterm report`: one page about a run, to read, print or send."""

from pathlib import Path
from typing import Annotated

import typer

from grokterm.commands.options import RUNS, Debug, RunReference, RunsFolder
from grokterm.errors import UsageError

KINDS = (".html", ".md")


def report(
    run: RunReference = "-",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The page: .html with figures, .md with charts of text. NAME.html here without it. A file of that "
            "name is replaced.",
        ),
    ] = None,
    runs: RunsFolder = RUNS,
    debug: Debug = False,
) -> None:
    """Write one self-contained page about a run.

    Results, figures, phases, interventions, notes and configuration. A run that still trains is reported as it stands.
    """
    _ = debug
    from grokterm.ancestry import find_parents
    from grokterm.commands.problems import tell_problems
    from grokterm.history import History
    from grokterm.page.content import page_of
    from grokterm.run.durable import write_whole
    from grokterm.run.finding import find
    from grokterm.run.lock import is_alive
    from grokterm.text import plain

    found = find(runs, run)
    path = out or Path(f"{found.name}.html")
    _check(path)
    alive = is_alive(found)  # before it is read: what ends meanwhile has said so
    history = History(found)
    history.poll()
    find_parents(history)
    tell_problems(history.problems)
    page = page_of(history, alive=alive)
    if path.suffix.lower() == ".md":
        from grokterm.page.markdown import markdown as written
    else:
        from grokterm.page.html import html as written
    try:
        write_whole(path, written(page).encode("utf-8", "replace"))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    typer.echo(plain(f"wrote {path}"))


def _check(path: Path) -> None:
    """Say now what would make the page fail after the work."""
    from grokterm.extras import load

    if path.suffix.lower() not in KINDS:
        ending = f"ends in {path.suffix!r}" if path.suffix else "has no ending"
        raise UsageError(f"{path} {ending}; a report is .html or .md")
    if not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written: there is no folder {path.parent}")
    if path.suffix.lower() == ".html":
        load("matplotlib", f"a report in {path} (one in a .md does without)")
