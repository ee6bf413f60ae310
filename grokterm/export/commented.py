"""TOML as a person would write it: comments, lists on one line, small tables in braces. tomli_w quotes and escapes."""

import textwrap
from collections.abc import Mapping
from typing import Any

import tomli_w

from grokterm.text import plain

WIDTH = 110
"""Of a comment's lines, where its words allow it."""


def comment(text: str) -> str:
    """A text as comment lines, made harmless whoever wrote it; no text is an empty comment."""
    words = " ".join(plain(text).split())
    lines = textwrap.wrap(words, WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(f"# {line}" for line in lines) or "#"


def table(header: str, values: Mapping[str, Any]) -> str:
    """A table or an entry of a list of tables: `header` is its first line, "[task]" or "[[interventions]]"."""
    return "\n".join([header, *(line(key, value) for key, value in values.items())])


def line(key: str, value: object) -> str:
    """One key with its value, a table in it in braces."""
    return f"{_key(key)} = {_value(value)}"


def _value(value: object) -> str:
    match value:
        case Mapping():
            inside = ", ".join(line(str(key), item) for key, item in value.items())
            return f"{{ {inside} }}" if inside else "{}"
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
    return tomli_w.dumps({"x": value}).removeprefix("x = ").removesuffix("\n")


def _key(key: str) -> str:
    return tomli_w.dumps({key: 0}).removesuffix(" = 0\n")
