"""Every key of the run screen: one table behind bindings, help, palette and hints."""

from dataclasses import dataclass


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
    Key("left", "←", "move(-1)", "cursor one cell left, on all panels"),
    Key("right", "→", "move(1)", "cursor one cell right"),
    Key("shift+left", "shift+←", "move(-10)", "cursor ten cells left"),
    Key("shift+right", "shift+→", "move(10)", "cursor ten cells right"),
    Key("home", "home", "edge(False)", "cursor to the first step"),
    Key("end", "end", "edge(True)", "cursor to the newest step"),
    Key("f", "f", "follow", "follow the newest step again"),
    Key("+,equals_sign", "+", "zoom_x(0.5)", "half the range of steps, around the cursor"),
    Key("-", "-", "zoom_x(2.0)", "twice the range of steps"),
    Key("0", "0", "all", "every step"),
)
LEAVING = (
    Key("?,f1", "? F1", "help", "this page"),
    Key("ctrl+p", "ctrl+p", "app.command_palette", "every action by name"),
    Key("q,ctrl+c", "q", "leave", "quit; asks first while this screen's run is training"),
)
GROUPS = (("Training", STEERING), ("View", VIEWING), ("", LEAVING))

HINTS = (
    ("space", "pause"),
    (".", "step"),
    ("l/L", "lr"),
    ("w/W", "wd"),
    ("e", "edit"),
    ("s", "snapshot"),
    ("?", "help"),
    ("q", "quit"),
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

STEERING_HINTS = frozenset(HINTS[:6]) | {("n", "note")}
"""Those that have no use any more once training has ended."""
