"""The Fourier basis and what is computed in it, against the definitions written out over all p² inputs."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from grokterm import fourier
from grokterm.measures.excluded_loss import excluded_loss, without_each_wave
from grokterm.measures.logit_fve import logit_fve
from grokterm.measures.restricted_loss import restricted_loss

P = 11
FREQUENCIES = range(1, (P + 1) // 2)
A = torch.arange(P).repeat_interleave(P)
B = torch.arange(P).repeat(P)


def random_logits(scale: float = 3.0) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return scale * torch.randn(P * P, P, generator=generator, dtype=torch.float64)


def projection(logits: Tensor, k: int, sign: int) -> Tensor:
    """P_k L by its definition: on two unit vectors in R^{p²}, from products of the basis in a and in b."""
    F = fourier.basis(P)
    cos, sin = F[2 * k - 1], F[2 * k]
    cosine = (torch.outer(cos, cos) - sign * torch.outer(sin, sin)).flatten() / math.sqrt(2)
    sine = (torch.outer(sin, cos) + sign * torch.outer(cos, sin)).flatten() / math.sqrt(2)
    return torch.outer(cosine, cosine @ logits) + torch.outer(sine, sine @ logits)


@pytest.mark.parametrize("p", [3, 5, 59, 113])
def test_basis_is_orthonormal_and_in_order(p: int) -> None:
    F = fourier.basis(p)
    torch.testing.assert_close(F @ F.T, torch.eye(p, dtype=torch.float64), rtol=0, atol=1e-13)
    assert torch.equal(F[0], torch.full((p,), 1 / math.sqrt(p), dtype=torch.float64))
    x = np.arange(p)
    for k in range(1, (p + 1) // 2):
        for row, wave in ((2 * k - 1, np.cos(2 * np.pi * k * x / p)), (2 * k, np.sin(2 * np.pi * k * x / p))):
            np.testing.assert_allclose(F[row].numpy(), wave / np.linalg.norm(wave), atol=1e-12)


def test_component_norms_find_a_wave() -> None:
    x = torch.arange(P, dtype=torch.float64)
    M = torch.stack([(2 * math.pi * 4 * x / P).cos(), 2 * (2 * math.pi * 4 * x / P).sin(), torch.ones(P)], dim=1)
    norms = fourier.component_norms(fourier.basis(P), M)
    expected = torch.zeros(P, dtype=torch.float64)
    expected[[0, 7, 8]] = torch.tensor([math.sqrt(P), math.sqrt(P / 2), 2 * math.sqrt(P / 2)], dtype=torch.float64)
    torch.testing.assert_close(norms, expected)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([1, 1, 1, 1], 0.0),
        ([0, 0, 0, 1], 0.75),
        ([5], 0.0),
        ([3, 1, 2], 2 / 9),
        ([0, 10, 10, 0], 0.5),
    ],
)
def test_gini(sizes: list[float], expected: float) -> None:
    assert float(fourier.gini(torch.tensor(sizes, dtype=torch.float32))) == pytest.approx(expected, abs=1e-12)
    assert float(fourier.gini(1e3 * torch.tensor(sizes[::-1], dtype=torch.float64))) == pytest.approx(expected)


def test_neuron_fve_of_neurons_made_by_hand() -> None:
    def wave(x: Tensor, k: int, phase: float = 0.0) -> Tensor:
        return (2 * math.pi * k * x.double() / P + phase).cos()

    neurons = torch.stack(
        [
            7 + wave(A, 2),  # one frequency in a alone, and a constant
            wave(A, 3, 0.4) * wave(B, 3, 1.0),  # a product
            wave(A + B, 5, 0.2),
            wave(A, 1) + wave(B, 4),  # half in 1, half in 4
            wave(A, 1) * wave(B, 4),  # no frequency has this
            torch.full((P * P,), 0.0, dtype=torch.float64),  # dead
        ],
        dim=1,
    )
    expected = torch.zeros(6, 5, dtype=torch.float64)
    expected[0, 1] = expected[1, 2] = expected[2, 4] = 1
    expected[3, 0] = expected[3, 3] = 0.5
    torch.testing.assert_close(fourier.neuron_fve(neurons, fourier.basis(P)), expected, rtol=0, atol=1e-12)


def test_neuron_fve_of_a_small_wave_on_a_large_mean_in_float32() -> None:
    p = 113
    a, b = torch.arange(p).repeat_interleave(p).double(), torch.arange(p).repeat(p).double()
    small = 1e-4 * (2 * math.pi * 5 * (a + b) / p).cos()
    noise = 1e-4 * torch.randn(p * p, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    neurons = torch.stack([1 + small, 3 + small + noise, -20 + 50 * small, torch.full((p * p,), 7.1)], dim=1)
    found = fourier.neuron_fve(neurons.float(), fourier.basis(p, dtype=torch.float32))
    expected = fourier.neuron_fve(neurons.float().double(), fourier.basis(p))
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-6)
    assert found[0, 4] == pytest.approx(1, abs=1e-4)
    assert found[3].tolist() == [0] * 56


def test_neuron_fve_by_its_definition() -> None:
    F = fourier.basis(P)
    neurons = torch.randn(P * P, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 2
    found = fourier.neuron_fve(neurons, F)
    for n in range(4):
        grid = neurons[:, n].view(P, P)
        squares = (F @ (grid - grid.mean()) @ F.T).square()
        for k in FREQUENCIES:
            rows = [0, 2 * k - 1, 2 * k]
            share = squares[rows][:, rows].sum() / squares.sum()
            assert float(found[n, k - 1]) == pytest.approx(float(share), rel=1e-10)


@pytest.mark.parametrize("sign", [1, -1], ids=["add", "subtract"])
def test_waves_by_their_definition(sign: int) -> None:
    logits, sums = random_logits(), (A + sign * B) % P
    waves = fourier.wave_tables(fourier.sum_table(logits, sums, P), fourier.basis(P))
    for k in FREQUENCIES:
        torch.testing.assert_close(waves[k - 1][sums], projection(logits, k, sign), rtol=0, atol=1e-12)


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e4], ids=lambda scale: f"times{scale:g}")
@pytest.mark.parametrize("sign", [1, -1], ids=["add", "subtract"])
def test_losses_by_their_definition(sign: int, scale: float) -> None:
    """Logits ×100 are hundreds apart, and the product of exponentials that stands for each frequency underflows."""
    logits, sums = random_logits(3 * scale), (A + sign * B) % P
    order = torch.randperm(P * P, generator=torch.Generator().manual_seed(1))
    train, test = order[:40], order[40:]
    keys = torch.tensor([False, True, False, False, True])
    table = fourier.sum_table(logits, sums, P)
    waves = fourier.wave_tables(table, fourier.basis(P))
    parts = {k: projection(logits, k, sign) for k in FREQUENCIES}
    key_part = parts[2] + parts[5]

    excluded = excluded_loss(logits, waves, keys, sums, sums, train)
    single = torch.stack([functional.cross_entropy((logits - part)[train], sums[train]) for part in parts.values()])
    torch.testing.assert_close(excluded["excluded_loss_k"], single, rtol=1e-10, atol=0)
    torch.testing.assert_close(excluded["excluded_loss_max"], single.max(), rtol=1e-10, atol=0)
    everything = functional.cross_entropy((logits - key_part)[train], sums[train])
    torch.testing.assert_close(excluded["excluded_loss"], everything, rtol=1e-10, atol=0)

    restricted = restricted_loss(table, waves, keys, sums, sums, train, test)
    kept = key_part + (logits - key_part).mean(dim=0)
    for column, rows in (("", torch.arange(P * P)), ("_train", train), ("_test", test)):
        expected = functional.cross_entropy(kept[rows], sums[rows])
        torch.testing.assert_close(restricted[f"restricted_loss{column}"], expected, rtol=1e-10, atol=0)


@pytest.mark.parametrize("distance", [650.0, 700.0, 715.0, 730.0, 744.0, 746.0, 1000.0])
def test_excluded_loss_is_right_where_float64_ends(distance: float) -> None:
    """Between e^-708 and e^-745 exponentials are subnormal: not zero yet, and no longer exact."""
    p, labels, sums = 3, torch.tensor([1]), torch.tensor([0])
    L = torch.tensor([[0.0, -distance, -2000.0]], dtype=torch.float64)
    waves = torch.zeros(1, p, p, dtype=torch.float64)
    waves[0, 0] = torch.tensor([distance, 0.0, 0.0])
    expected = functional.cross_entropy(L - waves[0][sums], labels)
    torch.testing.assert_close(without_each_wave(L, waves, sums, labels)[0], expected, rtol=1e-12, atol=0)


def test_logit_cosines_by_their_definition() -> None:
    logits, sums = random_logits(), (A + B) % P
    keys = torch.tensor([True, False, True, False, False])
    found = logit_fve(logits, fourier.sum_table(logits, sums, P), keys, sums, sums)
    C = torch.arange(P)
    approximation = torch.zeros_like(logits)
    for k in FREQUENCIES:
        cube = (2 * math.pi * k * (A[:, None] + B[:, None] - C).double() / P).cos()
        unit = cube / cube.norm()
        v = (logits * unit).sum()
        assert float(found["logit_cosines"][k - 1]) == pytest.approx(float(v), rel=1e-10)
        approximation += v * unit * keys[k - 1]
    centred = logits - logits.mean(dim=1, keepdim=True)
    residue = (centred - approximation).square().sum() / centred.square().sum()
    assert float(found["logit_fve"]) == pytest.approx(1 - float(residue), rel=1e-10)
    loss = functional.cross_entropy(approximation, sums)
    assert float(found["logit_cosines_loss"]) == pytest.approx(float(loss), rel=1e-10)


def test_float32_logits_are_summed_in_float64() -> None:
    logits, sums = random_logits(1e4).float(), (A + B) % P
    table = fourier.sum_table(logits, sums, P)
    assert table.dtype == torch.float64
    torch.testing.assert_close(table[4], logits[sums == 4].double().mean(dim=0), rtol=1e-14, atol=0)
