"""What is done to gradients before an optimizer's step, and to weights after it, as hooks that torch calls around it.

Each reads its knobs from the optimizer's groups at every step, so they can be turned while training runs; switched off
it touches nothing, and the step is the optimizer's own. A changed gradient is a new tensor in `weight.grad`: whoever
holds the old one, for its norm, still holds the loss's gradient.
"""
