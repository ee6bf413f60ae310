"""The viewer never imports torch and the engine never imports Textual; pyproject.toml's contracts say it statically."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "grokterm"
VIEWER = (
    "commands",
    "tui",
    "growing",
    "history",
    "run",
    "headless",
    "progress_output",
    "detached",
    "report",
    "plot",
    "charts",
    "embedding",
    "measured",
    "printed",
    "figures",
    "page",
    "opened",
    "frames",
    "export",
    "extras",
    "interruption",
    "progress",
    "summary",
    "run_filter",
    "probe",
    "drawing",
    "listing",
    "phases",
    "preset",
    "preset_files",
    "catalog",
    "values",
    "errors",
)
TRAINING_SIDE = {"torch", "grokterm.engine", "grokterm.models", "grokterm.tasks", "grokterm.optimizers"}
TRAINING_SIDE |= {
    "grokterm.measures",
    "grokterm.fourier",
    "grokterm.engine.launch",
    "grokterm.importers",
    "grokterm.torch_file",
}
SCREEN_SIDE = {
    "textual",
    "rich",
    "plotext",
    "typer",
    "grokterm.tui",
    "grokterm.headless",
    "grokterm.progress_output",
    "grokterm.detached",
    "grokterm.report",
    "grokterm.plot",
    "grokterm.charts",
    "grokterm.figures",
    "grokterm.export",
    "grokterm.progress",
    "grokterm.opened",
    "grokterm.cli",
}


def modules_of(*roots: str) -> list[str]:
    """Every module of the package under these names that exists."""
    found = []
    for root in roots:
        files = [PACKAGE / f"{root}.py", *(PACKAGE / root).rglob("*.py")]
        found += [file.relative_to(PACKAGE.parent) for file in files if file.exists()]
    return [".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in found]


def loaded_after(modules: list[str]) -> set[str]:
    """What a new process has in sys.modules once it imported these."""
    code = f"import sys, json\nfor name in {modules!r}: __import__(name)\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=PACKAGE.parent)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_viewer_leaves_torch_out() -> None:
    modules = [*modules_of(*VIEWER), "grokterm.cli", "grokterm.training"]
    assert {"grokterm.history", "grokterm.run.table", "grokterm.drawing.chart"} <= set(modules)
    assert not loaded_after(modules) & TRAINING_SIDE


def test_engine_leaves_the_screen_out() -> None:
    modules = modules_of("engine", "models", "tasks", "optimizers", "measures", "fourier", "importers", "torch_file")
    assert {"grokterm.engine.launch", "grokterm.measures.gini"} <= set(modules)
    loaded = loaded_after(modules)
    assert "torch" in loaded
    assert not loaded & SCREEN_SIDE


@pytest.mark.parametrize(
    ("module", "left_out"),
    [
        ("grokterm.cli", {"torch", "textual", "plotext", "numpy", "pydantic"}),
        ("grokterm", {"torch", "textual", "rich", "plotext", "numpy", "pydantic", "typer"}),
        ("grokterm.opened", {"torch", "textual", "rich", "plotext", "safetensors", "pydantic", "pandas"}),
        ("grokterm.history", {"torch", "textual", "rich", "plotext", "safetensors", "pydantic"}),
        ("grokterm.preset", {"torch", "textual", "rich", "numpy"}),
        ("grokterm.probe.asking", {"torch", "textual", "rich", "plotext", "pydantic", "typer"}),
        ("grokterm.run_filter", {"torch", "textual", "rich", "plotext", "safetensors", "pydantic", "typer"}),
        ("grokterm.run.finding", {"torch", "textual", "rich", "numpy", "pydantic", "typer"}),
    ],
)
def test_what_starts_fast_loads_little(module: str, left_out: set[str]) -> None:
    assert not loaded_after([module]) & left_out
