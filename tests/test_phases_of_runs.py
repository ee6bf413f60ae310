"""The phase rule on what two real runs recorded, of presets/mod113 and presets/mod113-quick.

golden/NAME_curves.npz holds their curves up to a step after the last phase: a row an optimizer step (train loss,
train accuracy, lr · weight decay), test accuracy and the measures of the rule at their own steps, in single precision.
The steps below are what these runs told themselves while they were trained.
"""

from pathlib import Path

import numpy as np
import pytest

from grokterm.phases import CIRCUIT_FORMATION, CLEANUP, GROKKED, PhaseRule

GOLDEN = Path(__file__).parent / "golden"
TOLD = {
    "mod113": {"memorized_at": 136, CIRCUIT_FORMATION: 1_551, CLEANUP: 4_300, "grokked_at": 5_410, GROKKED: 8_610},
    "mod113-quick": {"memorized_at": 74, CIRCUIT_FORMATION: 100, CLEANUP: 228, "grokked_at": 293, GROKKED: 481},
}


def watch(name: str, *, accuracy_shift: float = 0.0) -> dict[str, int]:
    """Show a recorded run to the rule in the trainer's order; the step of every phase and mark."""
    with np.load(GOLDEN / f"{name}_curves.npz") as curves:
        found = {key: curves[key] for key in curves.files}
    tests = dict(zip(found["test_steps"].tolist(), found["test_accuracy"].tolist(), strict=True))
    measures = zip(found["weight_norm_sq"].tolist(), found["excluded_loss_max"].tolist(), strict=True)
    measured = dict(zip(found["measure_steps"].tolist(), measures, strict=True))
    rule, told = PhaseRule(int(found["planned"])), []
    for step, (loss, accuracy, decay) in enumerate(found["train"].astype(np.float64).tolist()):
        if step in tests:
            told += rule.see_test(step, tests[step] + accuracy_shift)
        if step in measured:
            rule.see_norm(step, measured[step][0])
            rule.see_excluded(step, measured[step][1])
        told += rule.see_training(step, loss, accuracy, decay)
    return {change.name: change.at for change in told}


@pytest.mark.parametrize("name", TOLD)
def test_recorded_run_has_the_phases_that_it_told(name: str) -> None:
    assert watch(name) == TOLD[name]


def test_phases_of_the_full_run_come_in_the_papers_order() -> None:
    """Nanda et al. 2023 drew theirs, of another seed, at 1,400, 9,400 and 14,000."""
    steps = watch("mod113")
    assert 1_000 < steps[CIRCUIT_FORMATION] < 2_000 < steps[CLEANUP] < steps["grokked_at"] < steps[GROKKED]


def test_run_that_does_not_generalise_stays_in_circuit_formation() -> None:
    assert watch("mod113", accuracy_shift=-0.6).keys() == {"memorized_at", CIRCUIT_FORMATION}
