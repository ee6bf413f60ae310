"""Every key of the microscope: one table behind bindings, help, palette and hints. None of them touches training."""

from collections.abc import Sequence

from grokterm.tui.keys import Groups, Hints, Key
from grokterm.tui.microscope.lens import Lens

CHECKPOINTS = (
    Key("left", "←", "go_on(-1)", "the checkpoint before"),
    Key("right", "→", "go_on(1)", "the next checkpoint"),
    Key("shift+left", "shift+←", "go_on(-10)", "ten checkpoints back"),
    Key("shift+right", "shift+→", "go_on(10)", "ten checkpoints on"),
    Key("home", "home", "edge(False)", "the first checkpoint"),
    Key("end,f", "end f", "edge(True)", "the newest one, and follow while new ones come"),
    Key("g", "g", "go_to", "go to neuron 17, head 2, frequency 14, step 12k, 40% …"),
)
SUBJECT = (
    Key("up", "↑", "subject(1)", "the next neuron, head or frequency of the picked picture"),
    Key("down", "↓", "subject(-1)", "the one before"),
    Key("shift+up", "shift+↑", "subject(10)", "ten on"),
    Key("shift+down", "shift+↓", "subject(-10)", "ten back"),
    Key("right_square_bracket", "]", "leader(1)", "the next key frequency: its leading neuron, or the cursor there"),
    Key("left_square_bracket", "[", "leader(-1)", "the key frequency before"),
)
POINTING = (
    Key("h", "h", "point(-1, 0)", "cursor left; its value stands under the picture, or in the last line"),
    Key("l", "l", "point(1, 0)", "cursor right"),
    Key("k", "k", "point(0, -1)", "cursor up"),
    Key("j", "j", "point(0, 1)", "cursor down"),
    Key("H", "H", "point(-10, 0)", "ten left"),
    Key("L", "L", "point(10, 0)", "ten right"),
    Key("K", "K", "point(0, -10)", "ten up"),
    Key("J", "J", "point(0, 10)", "ten down"),
    Key("c", "c", "no_cursor", "no cursor"),
)
PICTURES = (
    Key("tab", "tab", "turn(1)", "next picture"),
    Key("shift+tab", "shift+tab", "turn(-1)", "picture before"),
    Key("z,enter", "z enter", "zoom", "enlarge the picked picture, and back"),
    Key("o", "o", "reorder", "residues in the order of k·x mod p, or 0, 1, 2 …"),
    Key("y", "y", "scale", "the picked picture's other scale, log or linear"),
)
LEAVING = (
    Key("?,f1", "? F1", "help", "this page"),
    Key("ctrl+p", "ctrl+p", "app.command_palette", "every action by name"),
    Key("escape", "esc", "back", "leave the enlarged picture, then the microscope"),
    Key("q,ctrl+c,i", "q i", "leave", "back to the run, where it was"),
    Key("G", "G", "leave_there", "back to the run, to this checkpoint's step"),
)

HINTS: Hints = (
    ("←→", "checkpoint"),
    ("tab", "picture"),
    ("↑↓", "neuron"),
    ("hjkl", "value"),
    ("z", "zoom"),
    ("?", "help"),
    ("q", "back"),
    ("g", "go to"),
    ("[ ]", "frequency"),
    ("o", "order"),
    ("y", "scale"),
    ("end", "newest"),
    ("G", "run here"),
)
"""For the last line, in the order in which they are worth a place."""

ABOUT = (
    "Everything is computed from a checkpoint's file, over all p² pairs (a, b) at the position where the answer is "
    "read; training is not asked, and no key here touches it.\n\n"
    "Key frequencies are those of this checkpoint: the ones that explain at least 0.85 of the variance of some neuron. "
    "Hindsight ones, of the final checkpoint, are in `grokterm measure`.\n\n"
    "In the header, `full` is a checkpoint from which training can go on, and `weights alone` one without the "
    "optimiser's state; both show the same here.\n\n"
    "Maps of a and b begin in the order k·x mod p of the shown frequency, in which its wave is one period long; all "
    "heads stand in the order of the chosen one, so that they can be compared. A cursor stays on its pair (a, b) "
    "whatever the order.\n\n"
    "While a picture is computed the one before stays, under a dim title; when it takes long, the title says of which "
    "step it is. The losses and keys in the header are dim, behind their step, until those of this step are there. "
    "Live, the newest checkpoint is followed as often as --frame-budget allows; what a key asks for comes at once."
)


BOUND: Groups = (
    ("Checkpoints", CHECKPOINTS),
    ("What is shown", SUBJECT),
    ("Values", POINTING),
    ("Pictures", PICTURES),
    ("", LEAVING),
)
"""All keys but the pictures' own."""


def groups(lenses: Sequence[Lens]) -> Groups:
    """Every key, the pictures' own ones too, each with what its picture shows."""
    picks = [Key(lens.key, lens.key, f"pick('{lens.key}')", f"the picture {lens.name!r}") for lens in lenses]
    return [(title, (*picks, *keys) if keys is PICTURES else keys) for title, keys in BOUND]
