"""A comparison without a screen: results and differing settings as text or JSON, for pipes and CI logs. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from grokterm.run.events import encode
from grokterm.tui.compare.comparison import Comparison
from grokterm.tui.compare.results import results_text
from grokterm.tui.compare.settings import ABSENT, Difference, differences_text, differing


def comparison_text(comparison: Comparison, width: int) -> str:
    """The table of results, what the labels stand for, and the settings that differ."""
    runs = [
        (look.label, name, run.config, run.edits)
        for look, name, run in zip(comparison.looks, comparison.names, comparison.runs, strict=True)
    ]
    return f"{results_text(comparison)}\n\n{differences_text(runs, width)}"


def comparison_json(comparison: Comparison) -> str:
    """The same as strict JSON: settings as a preset writes them, null where a run has none such.

    Numbers that are not finite are the texts nan, inf and -inf.
    """
    runs: list[dict[str, Any]] = []
    for look, name, run in zip(comparison.looks, comparison.names, comparison.runs, strict=True):
        edits = [{"step": edit.step, "knob": edit.data.get("knob"), "new": edit.data.get("new")} for edit in run.edits]
        runs.append(
            {
                "label": look.label,
                "name": name,
                "path": run.path,
                "state": run.state,
                "step": run.step,
                "memorized_at": run.memorised,
                "grokked_at": run.grokked,
                "delay": run.delay,
                "train_loss": run.value("train_loss", None),
                "test_loss": run.value("test_loss", None),
                "key_frequencies": list(run.keys(None)),
                "edits": edits,
            }
        )
    found = differing([run.config for run in comparison.runs])
    told = {
        "settings": _told(found.settings),
        "circumstances": _told(found.circumstances),
        "equal_settings": found.equal,
    }
    return json.dumps(encode({"runs": runs, **told}), indent=2)


def _told(differences: Sequence[Difference]) -> dict[str, list[str | None]]:
    return {each.name: [None if value == ABSENT else value for value in each.values] for each in differences}
