"""What the browser does to runs: rename, tag, into the trash and out of it. Every failure is one sentence."""

from abc import abstractmethod
from pathlib import Path

from textual.screen import Screen
from textual.widgets import Input

from grokterm.errors import GroktermError
from grokterm.run import curation
from grokterm.run.directory import RunDirectory
from grokterm.summary import Summary, summarize
from grokterm.tui.browser.shelf import Browsing, Shelf
from grokterm.tui.screens.ask import AskChoice, AskText


class CuratingScreen(Screen[None]):
    """A screen with a shelf of runs. A subclass shows them: `changed` after every change, `say` for a sentence."""

    def __init__(self, folder: Path, browsing: Browsing) -> None:
        super().__init__()
        self.folder = folder
        self.shelf = Shelf(browsing)
        self._discarded: list[tuple[Path, str]] = []  # where each run of this session lies, and its name before

    @abstractmethod
    def say(self, text: str, *, problem: bool = False) -> None:
        """Tell the person a sentence."""
        ...

    @abstractmethod
    def changed(self) -> None:
        """The shelf is not what it was, and what was read of the folder before is out of date."""
        ...

    def action_rename(self) -> None:
        """Ask for another name."""
        summary = self.shelf.current
        if summary is not None:
            ask = EditText("Rename the run", "a name without /", summary.path.name)
            self.app.push_screen(ask, lambda name: self._rename(summary, name))

    def _rename(self, summary: Summary, name: str | None) -> None:
        if name is None or name == summary.path.name:
            return
        try:
            renamed = curation.rename(summary.run, name)
        except GroktermError as error:
            self._failed(summary, error)
            return
        self._read_again(summary.path, renamed)
        self.say(f"{summary.name} is {renamed.path.name} now")

    def action_tag(self) -> None:
        """Ask for the tags."""
        summary = self.shelf.current
        if summary is not None:
            ask = EditText(
                f"Tags of {summary.name}", 'good "seed sweep"', curation.tags_text(summary.tags), may_be_empty=True
            )
            self.app.push_screen(ask, lambda text: self._tag(summary, text))

    def _tag(self, summary: Summary, text: str | None) -> None:
        if text is None:
            return
        try:
            curation.write_tags(summary.run, curation.tags_in(text))
        except GroktermError as error:
            self._failed(summary, error)
            return
        self._read_again(summary.path, summary.run)

    def action_discard(self) -> None:
        """Ask whether the run at the cursor shall go into the trash."""
        summary = self.shelf.current
        if summary is not None:
            answers = (("y", f"move {summary.name} into {summary.path.parent / curation.TRASH}"), ("n", "leave it"))
            ask = AskChoice(f"Discard {summary.name}?", answers)
            self.app.push_screen(ask, lambda answer: self._discard(summary) if answer == "y" else None)

    def _discard(self, summary: Summary) -> None:
        try:
            lies = curation.discard(summary.run)
        except GroktermError as error:
            self._failed(summary, error)
            return
        self._discarded.append((lies, summary.path.name))
        self.shelf.drop(summary.path)
        self.changed()
        self.say(f"it lies in {lies} now; u brings it back")

    def action_restore(self) -> None:
        """Bring back what went into the trash last; what earlier sessions put there, after a question."""
        if self._discarded:
            self._restore(*self._discarded.pop())
            return
        try:
            found = curation.discarded_runs(self.folder)
        except GroktermError as error:
            self.say(str(error), problem=True)
            return
        if not found:
            self.say("there is no run in the trash")
            return
        ask = AskChoice("Restore from the trash?", (("y", f"bring back {found[0].name}"), ("n", "leave it there")))
        self.app.push_screen(ask, lambda answer: self._restore(found[0], found[0].name) if answer == "y" else None)

    def _restore(self, lies: Path, name: str) -> None:
        try:
            run = curation.restore(lies, name)
        except GroktermError as error:
            self.say(str(error), problem=True)
            return
        self.shelf.go_to(run.path)
        self._read_again(run.path, run)
        shown = any(summary.path == run.path for summary in self.shelf.shown)
        self.say(f"{run.path.name} is back{'' if shown else '; the filter hides it'}")

    def _read_again(self, before: Path, run: RunDirectory) -> None:
        """Show a run as it is now in the place of what it was."""
        summary = summarize(run)
        if summary is None:
            self.shelf.drop(before)
        else:
            self.shelf.replace(before, summary)
        self.changed()

    def _failed(self, summary: Summary, error: GroktermError) -> None:
        """Say what went wrong, and stop listing a run that is not there any more."""
        if not summary.path.exists():
            self.shelf.drop(summary.path)
            self.changed()
        self.say(str(error), problem=True)


class EditText(AskText):
    """One line of text that begins as it is now."""

    def __init__(self, title: str, hint: str, value: str, *, may_be_empty: bool = False) -> None:
        super().__init__(title, hint, may_be_empty=may_be_empty)
        self._value = value

    def on_mount(self) -> None:
        """Fill in the present text."""
        line = self.query_one(Input)
        line.max_length = curation.LONGEST_NAME
        line.value = self._value
        line.action_end()
