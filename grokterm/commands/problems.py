"""What is wrong with a run that is shown all the same: told on stderr, so that stdout holds what was asked for."""

from collections.abc import Iterable

import typer

from grokterm.text import plain


def tell_problems(problems: Iterable[str]) -> None:
    """Print a line for each of `History.problems`."""
    for problem in problems:
        typer.echo(plain(f"left out: {problem}"), err=True)
