"""Neuron clusters: how many neurons compute in one frequency only, and in which."""

from torch import Tensor

from grokterm.catalog import part


@part
def neuron_clusters(neuron_fve: Tensor, neuron_clusters: Tensor) -> dict[str, Tensor]:
    """Neurons of FVE ≥ 0.85 per frequency, (frequencies,), and what they add up to (Nanda et al. 2023, section 4.2).

    key_frequencies counts the frequencies that have a cluster; neuron_fve is the mean over neurons of the best FVE.
    """
    return {
        "neuron_clusters": neuron_clusters.double(),
        "neurons_in_clusters": neuron_clusters.sum(),
        "key_frequencies": (neuron_clusters > 0).sum(),
        "neuron_fve": neuron_fve.amax(dim=1).double().mean(),
    }
