"""OrthoGrad: of each tensor's gradient only what is orthogonal to the tensor, at the old length.

The part along the weights only makes a network that fits its data more certain: logits grow, nothing is learned.
Prieto, Barsbey, Mediano & Birdal, "Grokking at the Edge of Numerical Stability" (2025), section 5.
"""

import torch
from torch import Tensor
from torch.optim import Optimizer


@torch.no_grad()
def turn_gradients(optimizer: Optimizer, *_: object) -> None:
    """Turn every gradient of the groups whose `orthograd` is on; a hook before the step."""
    for group in optimizer.param_groups:
        if group["orthograd"]:
            for weight in group["params"]:
                if weight.grad is not None:
                    weight.grad = orthogonal(weight, weight.grad)


def orthogonal(weight: Tensor, gradient: Tensor) -> Tensor:
    """Return gradient − (⟨w, g⟩ / (⟨w, w⟩ + 1e-30)) w, stretched to the gradient's norm; a new tensor.

    Of a gradient that lies along the weights, as that of a tensor of one number always does, nothing is left but
    rounding, which has no direction: it becomes zero and is not stretched.
    """
    along = (weight * gradient).sum() / ((weight * weight).sum() + 1e-30)
    turned = gradient - along * weight
    before, after = torch.linalg.vector_norm(gradient), torch.linalg.vector_norm(turned)
    is_rounding = after <= 16 * torch.finfo(gradient.dtype).eps * before
    return turned * torch.where(is_rounding, 0.0, before / after)
