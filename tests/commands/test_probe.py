"""`grokterm probe` as a person or a script calls it, on a run whose checkpoints are random networks."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from grokterm.circuit.ablations import Ablation, ablated_logits
from grokterm.circuit.losses import losses
from grokterm.circuit.network import Network
from grokterm.circuit.reading import read_circuit
from grokterm.cli import app
from grokterm.errors import GroktermError, RunError, UsageError
from grokterm.run.checkpoint import CheckpointInfo
from grokterm.run.directory import RunDirectory
from tests.random_circuit import random_network
from tests.recorded_networks import record_networks, write_network

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return record_networks(tmp_path / "runs")


def probe(run: RunDirectory, place: str, *arguments: str) -> Result:
    result = CliRunner().invoke(app, ["probe", place, "--runs", str(run.path.parent), *arguments])
    if isinstance(result.exception, GroktermError):
        raise result.exception
    return result


def told(run: RunDirectory, place: str, *arguments: str) -> dict[str, Any]:
    result = probe(run, place, *arguments, "--json")
    assert (result.exit_code, result.stderr, result.stdout.count("\n")) == (0, "", 1)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_newest_checkpoint_of_the_newest_run_by_default(run: RunDirectory) -> None:
    result = CliRunner().invoke(app, ["probe", "--runs", str(run.path.parent)])
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == f"{run.name} at step 400: a + b mod 11"
    assert lines[2] == "key frequencies (neurons in their clusters): none"
    assert " ".join(lines[5].split()) == "all pairs train loss test loss accuracy train acc test acc"
    assert lines[6].startswith("as it is  ")


def test_the_checkpoint_of_a_step(run: RunDirectory) -> None:
    for place, step in (
        ("recorded@200", 200),
        (f"{run.path}@70%", 300),
        ("-", 400),
        ("@100", 100),
        ("-@40%", 200),
        ("-@100", 100),
    ):
        found = told(run, place)
        assert (found["run"], found["step"]) == (run.name, step)
        assert Path(found["checkpoint"]) == run.checkpoints / f"{step:09d}.safetensors"
        assert found["losses"][0]["loss"] == circuit(run, step).losses.all
    with pytest.raises(RunError, match=f"{run.name} has no checkpoint at step 250; the nearest: 200 and 300"):
        probe(run, "@250")


def test_every_question_at_once(run: RunDirectory) -> None:
    asked = ["--ablate", "head=1", "--ablate", "skip", "--keep-only", "2", "--mean", "--neurons", "3,17"]
    found = told(run, "recorded@300", *asked, "--heads", "--inputs", "5,9", "--inputs", "0,1", "--top", "2")
    each = [row["what"] for row in found["losses"]]
    assert each == ["as it is", "head=1 by mean", "skip by mean", "keep-only=2", "all of these"]
    of_step = circuit(run, 300)
    ablation = Ablation(keep_only=frozenset({2}), heads=frozenset({1}), skip=True, how="mean")
    expected = losses(ablated_logits(of_step, ablation), of_step.task)
    assert found["losses"][-1]["test_loss"] == expected.test
    assert [neuron["neuron"] for neuron in found["neurons"]] == [3, 17]
    assert [len(neuron["weights"]) for neuron in found["neurons"]] == [2, 2]
    assert [head["head"] for head in found["heads"]] == [0, 1, 2]
    assert [(one["a"], one["b"], one["right"]) for one in found["inputs"]] == [(5, 9, 3), (0, 1, 1)]
    assert [len(reply["answers"]) for reply in found["inputs"][0]["replies"]] == [2, 2]
    text = probe(run, "recorded@300", *asked, "--heads", "--inputs", "5,9").stdout
    for line in (
        "heads as they are",
        "neurons as they are",
        "input 5,9: 3 is right",
        "  with head=1 by mean, ",
    ):
        assert f"\n{line}" in text


def circuit(run: RunDirectory, step: int) -> Any:
    return read_circuit(run, CheckpointInfo(step, run.checkpoints / f"{step:09d}.safetensors"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--ablate", "frec=1"], "--ablate frec=1: there is no part 'frec' of the network; did you mean 'freq'?"),
        (["--ablate", "freq=6"], "frequencies are 1 to 5, the nearest is 5"),
        (["--neurons", "20"], "--neurons 20: there is no neuron 20; neurons are 0 to 19, the nearest is 19"),
        (["--inputs", "5,11"], "--inputs 5,11: 11 is no residue mod 11; they are 0 to 10, the nearest is 10"),
        (["--keep-only", "key"], "this checkpoint has no key frequencies"),
        (["--mean"], "--mean is about what stands in the place of a head, neurons or skip"),
    ],
)
def test_what_cannot_be_asked(run: RunDirectory, arguments: list[str], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        probe(run, "-", *arguments)
    assert said in str(refused.value)


def test_a_wrong_question_is_refused_before_a_run_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        probe(RunDirectory(tmp_path / "nowhere" / "run"), "-", "--inputs", "5")
    with pytest.raises(RunError, match="there is no run"):
        probe(RunDirectory(tmp_path / "nowhere" / "run"), "-", "--inputs", "5,9")


def test_a_run_that_does_not_say_what_was_learned(run: RunDirectory) -> None:
    run.task_path.unlink()
    with pytest.raises(RunError, match=r"has no task.npz, which says what was learned: `grokterm measure` makes it"):
        probe(run, "-")


def test_a_damaged_checkpoint_and_another_network_are_named(run: RunDirectory) -> None:
    path = run.checkpoints / "000000400.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RunError, match=r"000000400.safetensors cannot be read as a checkpoint"):
        probe(run, "-")
    write_network(run, 500, random_network(13))
    with pytest.raises(RunError, match="is not a function of all pairs"):
        probe(run, "-")


def test_a_diverged_checkpoint_is_told_in_strict_json(run: RunDirectory) -> None:
    network = random_network()
    weights = {f"model/{name}": weight.copy() for name, weight in network.parameters.items()}
    weights["model/W_in"][:] = np.nan
    write_network(run, 500, Network.of(weights))
    found = told(run, "-", "--inputs", "1,2", "--neurons", "0", "--heads")
    assert found["losses"][0]["loss"] == "nan"
    assert found["inputs"][0]["replies"][0]["answers"][0]["logit"] == "nan"
    assert "nan" in probe(run, "-", "--inputs", "1,2").stdout


def test_torch_is_not_loaded(run: RunDirectory) -> None:
    code = (
        "import sys; from grokterm.cli import app\n"
        "try: app(['probe', *sys.argv[1:]])\n"
        "except SystemExit as end: print(end.code, sorted({'torch', 'textual', 'plotext'} & {*sys.modules}))"
    )
    call = [sys.executable, "-c", code, str(run.path), "--json", "--heads", "--neurons", "1", "--inputs", "1,2"]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_what_is_no_option_is_still_refused(run: RunDirectory) -> None:
    result = probe(run, "-@40%", "-x")
    assert result.exit_code == 2
    assert "No such option: -x" in result.stderr
