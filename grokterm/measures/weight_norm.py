"""Weight norm: the paper's "L2 norm" curve is the sum of squares, the first thing weight decay pushes down."""

from collections.abc import Mapping

from torch import Tensor

from grokterm.catalog import part


@part
def weight_norm(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Σ w² over every trained parameter (weight_norm_sq), its root, and Σ w² of each (Nanda et al. 2023, section 5)."""
    squares = {name: weight.double().square().sum() for name, weight in parameters.items()}
    total = sum(squares.values(), start=next(iter(squares.values())).new_zeros(()))
    return {
        "weight_norm": total.sqrt(),
        "weight_norm_sq": total,
        **{f"weight_norm_sq/{name}": square for name, square in squares.items()},
    }
