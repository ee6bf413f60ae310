"""A report as one Markdown file: the charts as text in fenced blocks, so that it needs nothing beside it."""

import re
from collections.abc import Iterator

from grokterm.page.content import Block, Figure, Listing, Page, Paragraph, Section, Table
from grokterm.printed import printed

WIDTH, HEIGHT = 80, 18
_MARKS = re.compile(r"([\\`*_\[\]|~#$])")
_LEADING = re.compile(r"^(\s*)([-+>=]|\d+(?=[.)]))")


def markdown(page: Page) -> str:
    """The whole file. Every text is escaped here, so that it reads as it was written."""
    lines = [f"# {escaped(page.title)}", ""]
    lines += [escaped(page.description), ""] if page.description else []
    for section in page.sections:
        lines += _section(section)
    return "\n".join([*lines, "---", "", escaped(page.foot), ""])


def escaped(text: str) -> str:
    """Text without a meaning to Markdown or HTML."""
    text = _MARKS.sub(r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    return _LEADING.sub(r"\1\\\2", text) if not text[:1].isdigit() else text


def fenced(text: str, language: str = "") -> str:
    """Lines as they are, in a fence that is longer than any inside them."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _section(section: Section) -> Iterator[str]:
    yield from (f"## {escaped(section.title)}", "")
    for block in section.blocks:
        yield from (_block(block), "")


def _block(block: Block) -> str:
    match block:
        case Paragraph():
            return escaped(block.text)
        case Listing():
            return fenced(block.text, block.language)
        case Table():
            return _table(block)
        case Figure():
            chart = fenced(printed(block.chart, title=block.chart.title, width=WIDTH, height=HEIGHT), "text")
            caption = f"\n\n{escaped(block.caption)}" if block.caption else ""
            return f"### {escaped(block.chart.title)}\n\n{chart}{caption}"


def _table(table: Table) -> str:
    """A table with pipes; Markdown knows none without a head."""
    heads = table.heads or ("", "")
    lines = [heads, tuple("---" for _ in heads), *table.rows]
    return "\n".join(
        "| " + " | ".join(cell if number == 1 else escaped(cell) for cell in line) + " |"
        for number, line in enumerate(lines)
    )
