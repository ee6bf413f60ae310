"""Input norms: how much a perceptron's first layer listens to each of its inputs; for parity, to each bit."""

from torch import Tensor

from grokterm.catalog import part


@part
def input_norms(W_1: Tensor) -> Tensor:
    """The L2 norm of each row of W_1 (features, width), float64 (features,)."""
    return W_1.double().square().sum(dim=1).sqrt()
