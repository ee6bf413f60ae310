"""Every key of the browser: one table behind bindings, help, palette and hints."""

from grokterm.tui.compare.comparison import FEWEST_RUNS, MOST_RUNS
from grokterm.tui.keys import LOOKING, Groups, Hints, Key

DOING = (
    Key("enter", "enter", "open", "replay the run"),
    Key("space", "space", "mark", "mark the run, or take the mark away"),
    Key("c", "c", "compare", f"compare the marked runs, {FEWEST_RUNS} to {MOST_RUNS}"),
    Key("r", "r", "rename", "another name for the run"),
    Key("t", "t", "tag", "the run's tags, separated by blanks; quotes keep blanks together"),
    Key("D,delete", "D del", "discard", "into the trash, after a question"),
    Key("u", "u", "restore", "bring back the run that went into the trash last"),
)
FINDING = (
    Key("slash", "/", "filter", "filter while you type; enter keeps it, esc gives it up"),
    Key("escape", "esc", "clear", "clear the filter, then the marks"),
    Key("s", "s", "sort(1)", "sort by the next column"),
    Key("S", "S", "sort(-1)", "sort by the column before"),
    Key("R", "R", "refresh", "look for news now; it happens by itself every 2 s"),
)
MOVING = (
    Key("up,k", "↑ k", "move(-1)", "run above"),
    Key("down,j", "↓ j", "move(1)", "run below"),
    Key("pageup", "pgup", "page(-1)", "a page up"),
    Key("pagedown", "pgdn", "page(1)", "a page down"),
    Key("home", "home", "edge(False)", "first run"),
    Key("end", "end", "edge(True)", "last run"),
)
BROWSER: Groups = (("Runs", DOING), ("Finding", FINDING), ("Moving", MOVING), ("", LOOKING))

HINTS: Hints = (
    ("enter", "replay"),
    ("/", "filter"),
    ("space", "mark"),
    ("c", "compare"),
    ("?", "help"),
    ("q", "quit"),
    ("s", "sort"),
    ("r", "rename"),
    ("t", "tag"),
    ("D", "trash"),
    ("u", "restore"),
)

ABOUT = (
    "A filter is words that must all hold: state:done  lr>=1e-3  p:113  test_loss<0.01  step>10k  tag:good  "
    "started>=2027-03-04  -preset:quick. Keys are what `grokterm runs --json` prints, and every setting by its dotted "
    "path or the last part of it. KEY:V means equal for numbers and contained for texts; = != < > <= >= compare; - "
    "before a word turns it around. A word alone is looked for in name, preset and tags.\n\n"
    "interrupted: the run's events tell no end, and nobody trains it. damaged: a file of it cannot be read; the reason "
    "is told with the run's facts.\n\n"
    "Losses and accuracies are those of the last recorded rows. × marks what cannot be drawn on a log axis.\n\n"
    "Nothing is deleted for good: discarded runs lie in the folder .trash beside the others until you remove them."
)
