"""Restricted loss: how well the network would do with its key frequencies and nothing else."""

from torch import Tensor

from grokterm.catalog import part
from grokterm.engine.cross_entropy import table_cross_entropy


@part
def restricted_loss(
    sum_table: Tensor,
    wave_tables: Tensor,
    key_frequencies: Tensor,
    sums: Tensor,
    labels: Tensor,
    train: Tensor,
    test: Tensor,
) -> dict[str, Tensor]:
    """Cross-entropy of R = Σ_key P_k L, each class's mean over the inputs put back (Nanda et al. 2023, section 5.1).

    On all inputs, on train and on test. R depends on an input's sum alone, so a table of p sums holds it; without the
    mean the number is another one entirely (0.211 against 11.04 on one reference model).
    """
    table = wave_tables[key_frequencies].sum(dim=0)
    table += (sum_table - table).mean(dim=0)  # every sum has p inputs, so this is the mean over inputs
    losses = table_cross_entropy(table, sums, labels)
    return {
        "restricted_loss": losses.mean(),
        "restricted_loss_train": losses[train].mean(),
        "restricted_loss_test": losses[test].mean(),
    }
