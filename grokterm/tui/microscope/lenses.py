"""Every picture of the microscope, in the order of their keys."""

from grokterm.tui.microscope.lens import Lens
from grokterm.tui.microscope.pictures.attention import Attention
from grokterm.tui.microscope.pictures.embedding_circle import EmbeddingCircle
from grokterm.tui.microscope.pictures.frequency_ablation import FrequencyAblation
from grokterm.tui.microscope.pictures.logit_spectrum import LogitSpectrum
from grokterm.tui.microscope.pictures.neuron import Neuron
from grokterm.tui.microscope.pictures.neuron_frequencies import NeuronFrequencies
from grokterm.tui.microscope.pictures.neuron_fve import NeuronFve
from grokterm.tui.microscope.pictures.neuron_spectrum import NeuronSpectrum
from grokterm.tui.microscope.pictures.saliency import Saliency
from grokterm.tui.microscope.pictures.singular_values import SingularValues
from grokterm.tui.microscope.pictures.weights import Weights

LENSES: tuple[Lens, ...] = (
    Neuron(),
    Attention(),
    LogitSpectrum(),
    NeuronSpectrum(),
    NeuronFrequencies(),
    EmbeddingCircle(),
    SingularValues(),
    NeuronFve(),
    FrequencyAblation(),
    Saliency(),
    Weights(),
)
