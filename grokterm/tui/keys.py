"""Every key of the screens that show runs: one table behind bindings, help, palette and hints."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Key:
    """A key, the screen action it starts, what it does in words."""

    keys: str
    shown: str
    action: str
    does: str


STEERING = (
    Key("space", "space", "pause", "pause or resume training"),
    Key(".", ".", "one_step", "one step while paused"),
    Key("l", "l", "scale('lr', 0.5)", "learning rate ÷ 2"),
    Key("L", "L", "scale('lr', 2.0)", "learning rate × 2"),
    Key("w", "w", "scale('weight_decay', 0.5)", "weight decay ÷ 2"),
    Key("W", "W", "scale('weight_decay', 2.0)", "weight decay × 2"),
    Key("e", "e", "edit", "edit any knob; keep or reset Adam's moments"),
    Key("u", "u", "undo", "undo the last intervention, in a new run (a fork)"),
    Key("F", "F", "fork", "fork at the cursor or here and now, with other knobs"),
    Key("s", "s", "snapshot", "snapshot: a full checkpoint, with a note if you like"),
    Key("n", "n", "note", "write a note at this step"),
)
VIEWING = (
    Key("1,2,3,4,5,6,7,8,9", "1–9", "pick", "pick a panel"),
    Key("tab", "tab", "turn(1)", "next panel"),
    Key("shift+tab", "shift+tab", "turn(-1)", "panel before"),
    Key("z,enter", "z enter", "zoom", "enlarge the picked panel, and back"),
    Key("escape", "esc", "unzoom", "leave the enlarged panel"),
    Key("y", "y", "log_y", "log or linear y axis of the picked panel"),
    Key("x", "x", "log_x", "log or linear x axis of all panels"),
    Key("m", "m", "smooth", "smoothing; the raw curve stays visible"),
    Key("t", "t", "waterfall", "Fourier norms as bars, or frequency × step"),
    Key("+,equals_sign", "+", "zoom_x(0.5)", "half the range of steps, around the cursor"),
    Key("-", "-", "zoom_x(2.0)", "twice the range of steps"),
    Key("0", "0", "all", "every step"),
    Key("a", "a", "set_mark('a')", "mark A here"),
    Key("b", "b", "set_mark('b')", "mark B here"),
    Key("D", "D", "differences", "every series in full: at A and B and between them, or here"),
)
CURSOR = (
    Key("left", "←", "move(-1)", "cursor one cell left, on all panels"),
    Key("right", "→", "move(1)", "cursor one cell right"),
    Key("shift+left", "shift+←", "move(-10)", "cursor ten cells left"),
    Key("shift+right", "shift+→", "move(10)", "cursor ten cells right"),
    Key("left_square_bracket", "[", "jump(-1)", "cursor to the intervention, snapshot, note or phase before"),
    Key("right_square_bracket", "]", "jump(1)", "cursor to the next one"),
    Key("home", "home", "edge(False)", "cursor to the first step"),
    Key("end", "end", "edge(True)", "cursor to the newest step"),
    Key("f", "f", "follow", "follow the newest step again"),
)
CLOSER = (Key("i", "i", "microscope", "microscope: what the network computes, at the nearest checkpoint"),)
PLAYHEAD = (
    Key("space", "space", "play", "play or pause; at the end, play again from the start"),
    Key(".", ".", "row(1)", "one recorded step forward"),
    Key("comma", ",", "row(-1)", "one recorded step back"),
    Key("left", "←", "move(-1)", "playhead one cell left"),
    Key("right", "→", "move(1)", "playhead one cell right"),
    Key("shift+left", "shift+←", "move(-10)", "playhead ten cells left"),
    Key("shift+right", "shift+→", "move(10)", "playhead ten cells right"),
    Key("left_square_bracket", "[", "jump(-1)", "to the intervention, snapshot, note or phase before"),
    Key("right_square_bracket", "]", "jump(1)", "to the next one"),
    Key("home", "home", "edge(False)", "to the first step"),
    Key("end,f", "end f", "edge(True)", "to the newest step, and follow it while the run goes on"),
    Key("g", "g", "go_to", "go to a step or a percentage"),
    Key("less_than_sign", "<", "speed(-1)", "slower, down to 0.25×"),
    Key("greater_than_sign", ">", "speed(1)", "faster, up to 1000×"),
    Key("T", "T", "clock", "pace by recorded time, or by steps"),
    Key("v", "v", "whole", "the whole run, or only what was known then"),
    Key("F", "F", "fork", "continue live from here, in a fork, with other knobs"),
)
LEAVING = (
    Key("?,f1", "? F1", "help", "this page"),
    Key("ctrl+p", "ctrl+p", "app.command_palette", "every action by name"),
    Key("d,ctrl+z", "d ctrl+z", "detach", "leave; training goes on, and `grokterm attach` comes back"),
    Key("q,ctrl+c", "q", "leave", "quit; asks first while this screen's run is training"),
)
LOOKING = (*LEAVING[:2], Key("q,ctrl+c", "q", "leave", "quit"))
"""How one leaves a screen beside which nothing is trained."""

Groups = Sequence[tuple[str, Sequence[Key]]]

LIVE: Groups = (("Training", STEERING), ("Cursor", CURSOR), ("View", (*CLOSER, *VIEWING)), ("", LEAVING))
REPLAY: Groups = (("Playhead", PLAYHEAD), ("View", (*CLOSER, *VIEWING)), ("", LOOKING))


def bindings(groups: Groups) -> list[Binding]:
    """Textual's bindings for the keys of these groups, none of them shown in a footer."""
    return [
        Binding(single, f"pick({single})" if key.action == "pick" else key.action, key.does, show=False)
        for _, keys in groups
        for key in keys
        for single in key.keys.split(",")
    ]


Hints = Sequence[tuple[str, str]]

HINTS: Hints = (
    ("space", "pause"),
    ("l/L", "lr"),
    ("w/W", "wd"),
    ("e", "edit"),
    ("i", "microscope"),
    ("d", "detach"),
    ("?", "help"),
    ("q", "quit"),
    ("u", "undo"),
    ("s", "snap"),
    ("F", "fork"),
    (".", "step"),
    ("n", "note"),
    ("z", "zoom"),
    ("1–9", "panel"),
    ("y/x", "log"),
    ("←→", "cursor"),
    ("f", "follow"),
    ("m", "smooth"),
    ("t", "waterfall"),
)
"""For the last line, in the order in which they are worth a place."""

STEERING_HINTS = frozenset({"space", ".", "l/L", "w/W", "e", "u", "F", "s", "n"})
"""Keys of those that have no use where nothing can be asked of a trainer."""

REPLAY_HINTS: Hints = (
    ("space", "play"),
    ("←→", "scrub"),
    ("<>", "speed"),
    ("g", "go to"),
    ("i", "microscope"),
    ("F", "go on"),
    ("?", "help"),
    ("q", "quit"),
    ("[ ]", "marks"),
    (",.", "step"),
    ("v", "whole run"),
    ("z", "zoom"),
    ("1–9", "panel"),
    ("T", "clock"),
    ("y/x", "log"),
    ("t", "waterfall"),
)
