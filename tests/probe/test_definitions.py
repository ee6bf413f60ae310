"""Each of other people's definitions is told under its name, and the reference model has their numbers."""

from dataclasses import replace

import numpy as np
import pytest

from grokterm.circuit.ablations import Ablation, ablated_logits
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.cosines import cosines, cube_losses
from grokterm.circuit.losses import losses
from grokterm.circuit.products import asymmetry, sum_share
from grokterm.circuit.variants import in_blocks, neuron_level_losses, read_losses
from grokterm.errors import RunError
from grokterm.probe.definitions import definitions
from tests import reference_circuits
from tests.random_circuit import P, grid_task, random_circuit, random_network
from tests.reference import TRANSFORMER_LENS, needed


@pytest.mark.parametrize("subtract", [False, True])
def test_losses_by_every_definition(subtract: bool) -> None:
    c = random_circuit(subtract=subtract)
    found = {variant.what: variant.losses for variant in definitions(c).losses}
    assert len(found) == 16
    key = frozenset({1, 3})
    assert found["restricted"] == losses(ablated_logits(c, Ablation(keep_only=key)), c.task)
    assert found["excluded"] == losses(ablated_logits(c, Ablation(frequencies=key)), c.task)
    assert found["excluded, 3×3 blocks"] == losses(c.logits - in_blocks(c.logits, [1, 3], 3), c.task)
    assert found["excluded, in the neurons, no skip"] == neuron_level_losses(c).excluded_without_skip
    assert found["neurons off it"] == read_losses(c).off
    assert found[f"cosines of a {'−' if subtract else '+'} b − c alone"] == cosines(c).losses
    assert len({each.all for each in found.values()}) == len(found)


def test_each_key_frequency_and_the_shares() -> None:
    c = random_circuit()
    found, fit = definitions(c), cosines(c)
    assert [one.frequency for one in found.cosines] == [1, 3]
    for one in found.cosines:
        at = one.frequency - 1
        assert (one.coefficient, one.amplitude) == (fit.coefficients[at], fit.amplitudes[at])
        assert one.without_waves == c.without_each_frequency.train[at]
        assert one.without_cosine == cube_losses(c).without_each.train[at]
        for size, without in ((2, one.without_2x2), (3, one.without_3x3)):
            blocks = in_blocks(c.logits, [one.frequency], size)  # type: ignore[arg-type]
            assert without == losses(c.logits - blocks, c.task).train
        assert len({one.without_waves, one.without_cosine, one.without_2x2, one.without_3x3}) == 4
    shares = {one.what: one.share for one in found.logit_fve}
    by_cosines = [shares[what] for what in shares if what.startswith("cosines, ")]
    assert by_cosines == [fit.fve, fit.fve_class_centred, fit.fve_centred, fit.fve_uncentred]
    assert len({*by_cosines}) == 4
    assert shares["waves of the sum"] < shares["2×2 blocks"] < shares["3×3 blocks"] < 1
    assert [one.what for one in found.sums] == ["before the ReLU", "after it", "logits"]
    assert found.sums[1].pooled == sum_share(c, c.neurons).pooled
    assert (found.neuron_asymmetry, found.logit_asymmetry) == (asymmetry(c.neurons), asymmetry(c.logits))
    assert found.neuron_asymmetry != found.logit_asymmetry


def test_without_key_frequencies_there_is_nothing_in_them() -> None:
    found = definitions(Circuit(random_network(), grid_task()))
    assert not found.cosines
    assert [one.share for one in found.logit_fve] == [0] * 7
    with pytest.raises(RunError, match="no sum"):
        definitions(Circuit(random_network(), grid_task(sums=False)))


@needed
def test_the_reference_network() -> None:
    found = definitions(reference_circuits.circuit(TRANSFORMER_LENS))
    rows = {variant.what: variant.losses for variant in found.losses}
    for what, name in (
        ("restricted, 2×2 blocks", "restricted_2x2"),
        ("restricted, in the neurons", "tldemo_restricted"),
        ("excluded, cosines of a + b − c", "excluded_3D_full"),
        ("excluded, in the neurons", "tldemo_excluded_resid"),
        ("neurons on what W_L reads", "mlp_project_WL10"),
    ):
        expected = reference_circuits.expected(TRANSFORMER_LENS, name)
        assert (rows[what].train, rows[what].test) == pytest.approx((expected["train"], expected["test"]), rel=1e-3)
    shares = {one.what: one.share for one in found.logit_fve}
    assert shares["3×3 blocks"] == pytest.approx(
        reference_circuits.expected(TRANSFORMER_LENS, "logit_fve_3x3"), rel=1e-4
    )
    assert np.isfinite(found.position_similarity)


def test_the_runs_own_sign_is_told() -> None:
    assert definitions(random_circuit()).sum == "a + b"
    assert definitions(random_circuit(subtract=True)).sum == "a − b"
    elsewhere = grid_task()
    other = replace(elsewhere, sums=(elsewhere.labels * 2) % P)
    found = definitions(Circuit(random_network(), other))
    assert found.sum == "a ± b"
    assert {"cosines of a ± b − c alone", "excluded, cosines of a ± b − c"} <= {each.what for each in found.losses}
