"""Other people's checkpoints through `grokterm import` and `open_run`: the whole road from a file to our numbers."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import grokterm
from grokterm.circuit.circuit import Circuit
from grokterm.cli import app
from tests import reference
from tests.circuit.test_reference_values import COUNTERPARTS, flat
from tests.reference_circuits import expected

pytestmark = reference.needed

ENTRIES = (
    "loss_f64fwd",
    "keys",
    "restricted_10dir",
    "excluded_2D_full",
    "excluded_3D_full",
    "tldemo_restricted",
    "attn_fit",
    "table1_fve",
    "WL_rank10_resid_frac",
    "skip_zero_ablate",
)


@pytest.fixture(scope="module", params=reference.NAMES)
def imported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Circuit]:
    """The file's name, and what an imported run says of it."""
    runs: Path = tmp_path_factory.mktemp("runs")
    done = CliRunner().invoke(app, ["import", str(reference.FOLDER / request.param), "--runs", str(runs)])
    assert done.exit_code == 0, done.output
    (path,) = runs.iterdir()
    return request.param, grokterm.open_run(path).circuit()


@pytest.mark.parametrize("entry", ENTRIES)
def test_number(imported: tuple[str, Circuit], entry: str) -> None:
    name, c = imported
    assert flat(COUNTERPARTS[entry](c)) == pytest.approx(flat(expected(name, entry)), rel=1e-4)
