"""The fast transformer is the reference transformer: same logits, neurons and gradients, wherever the weights are."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
import torch
from torch import Tensor

from grokterm.engine.cross_entropy import cross_entropy
from grokterm.engine.task import Task
from grokterm.models import transformer
from grokterm.models.exact.last_position import last_position
from grokterm.models.transformer import Transformer
from grokterm.optimizers.adamw import adamw
from grokterm.tasks.modular import modular
from tests import reference

PRECISIONS = [(torch.float32, 1e-6, 5e-6), (torch.float64, 1e-12, 1e-10)]
"""How far logits and gradients may be apart, as a share of the largest of them."""

SIZES: list[dict[str, Any]] = [
    {"p": 5, "d_model": 4, "n_heads": 1, "d_mlp": 3},
    {"p": 7, "d_model": 12, "n_heads": 3, "d_mlp": 8, "operation": "subtract"},
    {"p": 13, "d_model": 32, "n_heads": 4, "d_mlp": 64},
    {"p": 31, "d_model": 64, "n_heads": 2, "d_mlp": 128, "operation": "subtract"},
    {"p": 113, "d_model": 128, "n_heads": 4, "d_mlp": 512},
]
in_both_precisions = pytest.mark.parametrize(("dtype", "close", "close_gradient"), PRECISIONS, ids=["f32", "f64"])


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """On a busy machine small products wait for each other: 250 ms a step instead of 2."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make(
    *, p: int, d_model: int, n_heads: int, d_mlp: int, operation: Literal["add", "subtract"] = "add"
) -> tuple[Task, Transformer]:
    """A task and a model with biases that are not zero."""
    torch.manual_seed(p)
    task = modular(p=p, operation=operation)
    model = Transformer(task, d_model=d_model, n_heads=n_heads, d_mlp=d_mlp)
    with torch.no_grad():
        model.b_in.normal_(0, 0.1)
        model.b_out.normal_(0, 0.1)
    return task, model


def share(ours: Tensor, theirs: Tensor) -> float:
    """Largest difference, as a share of the largest entry."""
    return float(((ours - theirs).abs().max() / theirs.abs().max()).detach())


def gradients(model: Transformer, task: Task) -> dict[str, Tensor]:
    model.zero_grad()
    cross_entropy(model(task.inputs[task.train]), task.labels[task.train])[0].backward()  # type: ignore[no-untyped-call]
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


def assert_forms_agree(model: Transformer, task: Task, close: float, close_gradient: float) -> None:
    """Compare both forms on all inputs, and their gradients of the training loss."""
    model.exact = "fast"
    with torch.no_grad():
        traced = last_position(task.inputs, task.n_tokens - 1, **dict(model.named_parameters()))
        assert traced is not None, "the fast form did not run"
        logits, neurons = traced
        right_logits, right_neurons = model.reference(task.inputs)
    assert share(logits, right_logits) < close
    assert share(neurons, right_neurons) < close
    ours = gradients(model, task)
    model.exact = "reference"
    right = gradients(model, task)
    assert ours.keys() == right.keys() == dict(model.named_parameters()).keys()
    for name, gradient in ours.items():
        assert share(gradient, right[name]) < close_gradient, name


@in_both_precisions
@pytest.mark.parametrize("sizes", SIZES, ids=lambda sizes: f"p{sizes['p']}")
def test_at_initialization(sizes: dict[str, Any], dtype: torch.dtype, close: float, close_gradient: float) -> None:
    task, model = make(**sizes)
    assert_forms_agree(model.to(dtype), task, close, close_gradient)


@in_both_precisions
def test_after_training(dtype: torch.dtype, close: float, close_gradient: float) -> None:
    task, model = make(**SIZES[2])
    model.to(dtype)
    optimizer = adamw(model.parameters(), lr=5e-3)
    for _ in range(60):
        optimizer.zero_grad()
        cross_entropy(model(task.inputs[task.train]), task.labels[task.train])[0].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    # The loss is 0.007 by now, its gradient a small difference: the reference itself is 5e-6 away from float64.
    assert_forms_agree(model, task, close, 4 * close_gradient)


@reference.needed
@pytest.mark.parametrize("name", reference.NAMES)
def test_on_trained_checkpoints_in_float64(name: str) -> None:
    found = reference.load(name)
    assert_forms_agree(found.model("fast", torch.float64), found.task, 1e-12, 1e-10)


@reference.needed
@pytest.mark.parametrize("name", reference.NAMES)
def test_on_trained_checkpoints_in_float32(name: str) -> None:
    """Of a loss of order one, because the training loss of 1e-7 has no gradient that float32 could agree on; and
    without the few inputs on which a neuron is so near to zero that rounding decides whether it is active."""
    found = reference.load(name)
    model = found.model("fast", torch.float32)
    logits, neurons = model.trace(found.task.inputs)
    right_logits, right_neurons = model.reference(found.task.inputs)
    assert share(logits, right_logits) < 2e-6
    assert share(neurons, right_neurons) < 2e-6
    decided = ((neurons > 0) == (right_neurons > 0)).all(dim=1)
    assert (~decided).sum() <= 5
    loss_weights = torch.randn(logits.shape, generator=torch.Generator().manual_seed(0)) * decided[:, None]
    ours = torch.autograd.grad((logits * loss_weights).sum(), list(model.parameters()))
    right = torch.autograd.grad((right_logits * loss_weights).sum(), list(model.parameters()))
    for parameter, gradient, right_gradient in zip(found.weights, ours, right, strict=True):
        assert share(gradient, right_gradient) < 1e-5, parameter


def test_without_a_common_last_token_the_reference_runs() -> None:
    task, model = make(**SIZES[0])
    model.last_token = None
    with torch.no_grad():
        assert torch.equal(model(task.inputs), model.reference(task.inputs)[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [30.0, 1e4])
def test_wide_scores_fall_back_to_the_reference(dtype: torch.dtype, scale: float) -> None:
    """Attention may become one-hot; e^s of the fast form would underflow to 0 / 0 then."""
    task, model = make(**SIZES[2])
    model.to(dtype)
    with torch.no_grad():
        model.W_Q.mul_(scale)
        model.W_K.mul_(scale)
        assert last_position(task.inputs, task.n_tokens - 1, **dict(model.named_parameters())) is None
        assert torch.equal(model(task.inputs), model.reference(task.inputs)[0])
    for name, gradient in gradients(model, task).items():
        assert gradient.isfinite().all(), name


@in_both_precisions
def test_just_below_the_fallback(dtype: torch.dtype, close: float, close_gradient: float) -> None:
    task, model = make(**SIZES[2])
    model.to(dtype)

    def is_fast(scale: float) -> bool:
        weights = dict(model.named_parameters()) | {"W_Q": model.W_Q * scale}
        return last_position(task.inputs, task.n_tokens - 1, **weights) is not None

    with torch.no_grad():
        scale = 1.0
        while is_fast(1.1 * scale):
            scale *= 1.1
        assert 10 < scale < 1e4
        model.W_Q.mul_(scale)
    assert_forms_agree(model, task, 10 * close, 20 * close_gradient)  # 60 nats of score round to 60 times as much


def test_nan_weights_give_nan_not_an_answer() -> None:
    task, model = make(**SIZES[0])
    with torch.no_grad():
        model.W_K[0, 0, 0] = torch.nan
        assert model(task.inputs).isnan().all()


def test_two_forwards_before_a_backward() -> None:
    task, model = make(**SIZES[1])
    model.double()
    train, test = task.inputs[task.train], task.inputs[task.test]
    alone = gradients(model, task)
    model.zero_grad()
    loss = cross_entropy(model(train), task.labels[task.train])[0]
    other = cross_entropy(model(test), task.labels[task.test])[0]
    with torch.no_grad():
        model(task.inputs)
    loss.backward()  # type: ignore[no-untyped-call]
    for name, weight in model.named_parameters():
        assert weight.grad is not None
        assert torch.equal(alone[name], weight.grad), name
    other.backward()  # type: ignore[no-untyped-call]
    model.exact = "reference"
    together = {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}
    model.zero_grad()
    for part in (task.train, task.test):
        cross_entropy(model(task.inputs[part]), task.labels[part])[0].backward()  # type: ignore[no-untyped-call]
    for name, weight in model.named_parameters():
        assert weight.grad is not None
        assert share(together[name], weight.grad) < 1e-10, name


def test_gradient_against_finite_differences() -> None:
    task, model = make(p=3, d_model=4, n_heads=2, d_mlp=5)
    model.double()
    names = [name for name, _ in model.named_parameters()]

    def logits(*weights: Tensor) -> Tensor:
        traced = last_position(task.inputs, 3, **dict(zip(names, weights, strict=True)))
        assert traced is not None
        return traced[0]

    assert torch.autograd.gradcheck(logits, tuple(model.parameters()), check_undefined_grad=False)


def test_fast_form_is_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    task, model = make(**SIZES[0])
    calls: list[int] = []

    def counted(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor] | None:
        calls.append(1)
        return last_position(*args, **kwargs)

    form: Callable[..., Any] = counted
    monkeypatch.setattr(transformer, "last_position", form)
    model(task.inputs)
    model.exact = "reference"
    model(task.inputs)
    assert len(calls) == 1


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="d_model = 10 must be a multiple of n_heads = 4"):
        Transformer(modular(p=5), d_model=10)
