"""A report as one HTML file: its own style, figures inside, no script, nothing loaded from elsewhere."""

from collections.abc import Iterator
from html import escape
from importlib.resources import files

from grokterm.figures.inline import svg
from grokterm.page.content import Block, Figure, Listing, Page, Paragraph, Section, Table

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""Whatever a mistake might let through: a browser that reads this runs nothing and loads nothing."""


def html(page: Page) -> str:
    """The whole file. Every text is escaped here."""
    style = files("grokterm.page").joinpath("style.css").read_text(encoding="utf-8")
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(page.title)}</title>",
            f"<style>\n{style}</style>",
            "</head>",
            "<body>",
            "<header>",
            f"<h1>{escape(page.title)}</h1>",
            *([f'<p class="quiet">{escape(page.description)}</p>'] if page.description else []),
            "</header>",
            *(line for section in page.sections for line in _section(section)),
            f"<footer>{escape(page.foot)}</footer>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _section(section: Section) -> Iterator[str]:
    yield f"<section>\n<h2>{escape(section.title)}</h2>"
    has_figures = any(isinstance(block, Figure) for block in section.blocks)
    yield from ['<div class="figures">'] if has_figures else []
    for number, block in enumerate(section.blocks, 1):
        yield _block(block, number)
    yield from ["</div>"] if has_figures else []
    yield "</section>"


def _block(block: Block, number: int) -> str:
    match block:
        case Paragraph():
            return f"<p>{escape(block.text)}</p>"
        case Listing():
            return f"<pre>{escape(block.text)}</pre>"
        case Table():
            return _table(block)
        case Figure():
            caption = f"\n<figcaption>{escape(block.caption)}</figcaption>" if block.caption else ""
            picture = svg(block.chart, f"figure{number}-")
            return f"<figure>\n<h3>{escape(block.chart.title)}</h3>\n{picture}{caption}\n</figure>"


def _table(table: Table) -> str:
    rows = []
    if table.heads:
        rows.append("<tr>" + "".join(f'<th scope="col">{escape(head)}</th>' for head in table.heads) + "</tr>")
    for row in table.rows:
        cells = [f"<td>{escape(cell)}</td>" for cell in row]
        if not table.heads:
            cells[0] = f'<th scope="row">{escape(row[0])}</th>'
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return '<div class="wide"><table>\n' + "\n".join(rows) + "\n</table></div>"
