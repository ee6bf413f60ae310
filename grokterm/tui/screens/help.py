"""The help screen: every key, on one page that scrolls."""

from rich.text import Text

from grokterm.tui.keys import Groups
from grokterm.tui.screens.page import PageScreen

STEERING_ABOUT = (
    "Training is steered by requests: a value you ask for shows in yellow until the trainer, between two steps, has "
    "put it into force; the log (panel 7) then says at which step. A full checkpoint is written before every change."
    "\n\n"
    "Nothing is taken back in a run: undo (u) and fork (F) make a new one, which names this run as its parent and goes "
    "on from one of its checkpoints. An undo does without the last intervention and repeats the earlier ones at their "
    "steps; it equals a run that never had it. This run is saved and stops, and `grokterm resume` goes on with it.\n\n"
    "d and ctrl+z, like a terminal that is closed, leave training to a process of its own. Whatever trains a run, "
    "`grokterm attach` shows it, on as many terminals as you like, and `grokterm ctl` steers it from scripts.\n\n"
)
READING_ABOUT = (
    "Times (×) at a chart's edge are values that cannot be drawn there (nan, inf, or ≤ 0 on a log axis); the title "
    "counts them. The legend shows the recorded values at the cursor, or the newest ones.\n\n"
    "Restricted and excluded loss, norms and the other measures are evaluated every measure_every steps (20), losses "
    "at every step: values beside each other in a legend may be some steps apart.\n\n"
    "Phases are named online by a rule of our own, on the clock T = 1 / (lr · weight decay). memorization: until the "
    "training loss is under 1 % of its first value and falls less than 5 % in T/10, or excluded_loss_max has risen by "
    "half from its minimum. circuit formation: until test accuracy reaches 0.5 (where there are few answers, half of "
    "the way from chance to 1). cleanup: until test accuracy is 0.99 "
    "and weight norm² falls less than 3 % in T. Then grokked. The log gives the reason each time.\n\n"
    "Live: key frequencies, restricted and excluded loss are taken from the current model at each evaluation, not from "
    "the final one. excluded_loss_max needs no key frequencies.\n\n"
    "ctrl+p also offers block and ASCII markers, for terminals without braille."
)


class HelpScreen(PageScreen):
    """The keys of a screen and how to read it."""

    def __init__(self, groups: Groups, about: str) -> None:
        super().__init__("Keys", help_text(groups, about))


def help_text(groups: Groups, about: str) -> Text:
    """Every key in its group, then how to read the screen."""
    text = Text()
    for title, keys in groups:
        if title:
            text.append(f"{title}\n", "bold")
        for key in keys:
            text.append(f"  {key.shown:<10}", "bold")
            text.append(f"{key.does}\n")
        text.append("\n")
    text.append(about)
    return text
