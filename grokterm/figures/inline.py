"""A figure for a web page: inline SVG that takes the page's own text colour and font, small, without ids that clash."""

import io
import re
from xml.etree import ElementTree

from grokterm.charts import Chart
from grokterm.figures.drawing import figure_of
from grokterm.figures.sheet import NOTES, Size
from grokterm.figures.style import INK, papers_look

PAGE = Size(width=310.0, plot=140.0)
"""Narrow, so that its text is readable on a phone."""
_NUMBER = re.compile(r"-?\d+\.\d+")
_REFERENCE = re.compile(r"url\(#")
_DROPPED = frozenset({"metadata", "style", "title"})


def svg(chart: Chart, prefix: str) -> str:
    """One `<svg>` element. Its ids begin with `prefix`; text is text, INK is the page's colour.

    It refers to nothing outside itself; a heat map is in it as a data: address.
    """
    with papers_look(text_as_shapes=False):
        file = io.BytesIO()
        figure_of(chart, PAGE).savefig(file, format="svg", transparent=True, metadata={"Date": None})
    root = ElementTree.fromstring(file.getvalue())  # matplotlib's own output, not a file from elsewhere
    _tidy(root, prefix)
    for size in ("width", "height", "version"):
        root.attrib.pop(size, None)
    root.set("role", "img")
    root.set("aria-label", chart.title)
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


def _tidy(element: ElementTree.Element, prefix: str) -> None:
    """Local names instead of namespaces, prefixed ids, short numbers, the page's colours; empty layers are dropped."""
    element.tag = element.tag.rpartition("}")[2]
    element.text, element.tail = ((text or "").strip("\n ") or None for text in (element.text, element.tail))
    for key, value in list(element.attrib.items()):
        local = key.rpartition("}")[2]
        del element.attrib[key]
        match local:
            case "id":
                value = prefix + value
            case "href" if value.startswith("#"):
                value = f"#{prefix}{value[1:]}"
            case "d" | "points":
                value = " ".join(_NUMBER.sub(_short, value).split())
            case "x" | "y":  # a transform may hold a factor, of which more digits count
                value = _NUMBER.sub(_short, value)
            case "style" | "fill" | "stroke":
                value = value.replace(INK, "currentColor").replace(NOTES, "var(--note)")
        element.set(local, _REFERENCE.sub(f"url(#{prefix}", value))
    for child in list(element):
        if child.tag.rpartition("}")[2] in _DROPPED:
            element.remove(child)
        else:
            _tidy(child, prefix)


def _short(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
