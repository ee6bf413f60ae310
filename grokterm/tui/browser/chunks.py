"""Reading thousands of summaries for a screen that must not wait: handed over in chunks as they are read."""

import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from grokterm.summary import Summaries, Summary

FIRST_SECONDS, CHUNK_SECONDS = 0.03, 0.15
"""How long summaries are collected before they are handed over: the first ones at once, then without hurry."""

HandOver = Callable[[Sequence[Summary], Collection[Path] | None], object]


def read_in_chunks(summaries: Summaries, hand_over: HandOver, wanted: Callable[[], bool]) -> None:
    """Read every run of a folder; `hand_over` gets some runs, and with the last ones where all of them lie.

    Stops when the runs are not wanted any more. Raises RunError when the folder cannot be read.
    """
    handed_over, patience = time.monotonic(), FIRST_SECONDS
    everywhere: list[Path] = []
    chunk: list[Summary] = []
    for summary in summaries.read():
        if not wanted():
            return
        _ = summary.size  # counted here, so that drawing need not
        everywhere.append(summary.path)
        chunk.append(summary)
        if time.monotonic() - handed_over > patience:
            hand_over(chunk, None)
            chunk, handed_over, patience = [], time.monotonic(), CHUNK_SECONDS
    hand_over(chunk, everywhere)
