"""What a screen of a run does when it is there and nobody waits: the microscope opens at once afterwards."""

import gc
from importlib import import_module


def make_ready() -> None:
    """Load the microscope, and take what is loaded by now out of the garbage collector's sight, once a program.

    A full collection goes through everything that was ever loaded, and nothing else runs meanwhile, training neither:
    40 ms in a replay, 80 to 170 ms where torch is loaded. A page of pictures brings one about. What is garbage by then
    stays: some hundred objects.
    """
    for name in ("screen", "lenses"):
        import_module(f"grokterm.tui.microscope.{name}")
    if not gc.get_freeze_count():
        gc.freeze()
