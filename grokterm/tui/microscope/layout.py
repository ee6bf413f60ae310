"""Where the microscope's pictures go on a terminal of any size; pure, in cells."""

from collections.abc import Sequence
from dataclasses import dataclass

PICTURE_WIDTH, PICTURE_HEIGHT = 60, 18
"""What a picture needs to be worth a place beside others, its frame included: a map is squeezed below that."""
MOST_COLUMNS = 5


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of pictures' keys, the heights of the parts around them, and whether the pictures have frames."""

    grid: tuple[tuple[str, ...], ...]
    header: int
    strip: int
    footer: int
    framed: bool

    @property
    def keys(self) -> tuple[str, ...]:
        """The pictures in sight."""
        return tuple(key for row in self.grid for key in row)


def arrange_page(width: int, height: int, keys: Sequence[str], chosen: str, *, zoomed: bool) -> Page:
    """Lay out the page that the chosen picture is on; `keys` are all pictures in their order.

    Pages stay as they are while one goes from picture to picture; the last one is filled up with those before it.
    """
    header = 2 if height >= 8 else 1 if height >= 4 else 0
    strip = 1 if height >= 14 else 0
    footer = 1 if height >= 6 else 0
    framed = height >= 12 and width >= 30
    left = height - header - strip - footer
    columns = min(width // PICTURE_WIDTH, MOST_COLUMNS)
    rows = left // PICTURE_HEIGHT
    if zoomed or columns * rows < 2:
        return Page(((chosen,),), header, strip, footer, framed)
    while (rows - 1) * columns >= len(keys):
        rows -= 1
    while rows * (columns - 1) >= len(keys):
        columns -= 1
    places = min(rows * columns, len(keys))
    first = min(keys.index(chosen) // places * places, len(keys) - places)
    shown = tuple(keys[first : first + places])
    grid = tuple(shown[row * columns : (row + 1) * columns] for row in range(rows))
    return Page(tuple(row for row in grid if row), header, strip, footer, framed)
