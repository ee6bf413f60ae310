"""Figures in files: PNG, SVG and PDF, the same bytes for the same run, whole or not there.

Nothing here needs a display: matplotlib draws with its own backends for files.
"""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from grokterm.charts import Chart
from grokterm.errors import UsageError
from grokterm.extras import load
from grokterm.run.durable import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = ("png", "svg", "pdf")
DOTS_PER_INCH = 200


def check(path: Path) -> None:
    """Say now what would make a figure fail after it was drawn: its kind, its folder, a missing matplotlib.

    Raises UsageError.
    """
    if kind(path) not in KINDS:
        ending = f"ends in {path.suffix!r}" if path.suffix else "has no ending"
        raise UsageError(f"{path} {ending}; a figure is .png, .svg or .pdf")
    load("matplotlib", f"a figure in {path}")
    if not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written: there is no folder {path.parent}")


def save_figure(chart: Chart, path: Path, *, title: str = "") -> None:
    """Draw a chart and write it; a file of that name is replaced. Raises UsageError where it cannot be written."""
    from grokterm.figures.drawing import PAPER, figure_of
    from grokterm.figures.style import papers_look

    with papers_look(text_as_shapes=True):
        content = _content(figure_of(chart, PAPER, title=title), kind(path))
    try:
        write_whole(path, content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def kind(path: Path) -> str:
    """What a file's name says it is: "png"."""
    return path.suffix.lower().removeprefix(".")


def _content(figure: "Figure", kind: str) -> bytes:
    """The figure as bytes without dates and versions in them, so that the same run gives the same file."""
    empty: dict[str, dict[str, str | None]] = {
        "png": {"Software": None},
        "svg": {"Creator": "grokterm", "Date": None},
        "pdf": {"Creator": "grokterm", "Producer": None, "CreationDate": None},
    }
    file = io.BytesIO()
    figure.savefig(file, format=kind, dpi=DOTS_PER_INCH if kind == "png" else 72, metadata=empty[kind])
    return file.getvalue()
