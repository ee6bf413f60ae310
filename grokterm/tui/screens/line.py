"""A line to type in, as every dialog has it."""

from textual.widgets import Input


class Line(Input):
    """Its cursor does not blink: under a dialog the screen is drawn on, and every blink would paint all of it anew."""

    def on_mount(self) -> None:
        """Let the cursor stand."""
        self.cursor_blink = False
