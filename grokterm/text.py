"""Text that somebody else wrote, made harmless to print: names, notes and messages come from the files of a run."""


def plain(text: str) -> str:
    """`text` on one line without control characters, escape codes' introducers and direction marks."""
    spaced = "".join(" " if char in "\t\n\r\v\f" else char for char in text)
    return "".join(char for char in spaced if char.isprintable())
