"""The answers to what was asked of one checkpoint: plain numbers, ready to be printed or written as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass

from grokterm.circuit.ablations import Ablation
from grokterm.circuit.losses import Losses


@dataclass(frozen=True)
class Row:
    """What the network, or what is left of it, costs; `ablation` takes nothing out for the network as it is."""

    what: str
    ablation: Ablation
    losses: Losses


@dataclass(frozen=True)
class Cluster:
    """A key frequency and how many neurons belong to it."""

    frequency: int
    neurons: int


@dataclass(frozen=True)
class Costliest:
    """The frequency without which the loss on train is largest, of all there are, and that loss."""

    frequency: int
    loss: float


@dataclass(frozen=True)
class NeuronFacts:
    """One neuron of the network as it is.

    frequency, fve: the one that explains most of its variance, and which share; in_cluster: whether that is enough for
    it to belong there. saliency: median over the inputs of |activation × d loss / d activation|; rank: its place among
    all, 1 for the largest. mean: of its activation; active: share of the inputs for which it is not 0. out_frequency,
    out_share: the frequency that has most of its weights to the logits, and which share of their squares. weights:
    the answers with the largest weights, by size, each with its weight.
    """

    neuron: int
    frequency: int
    fve: float
    in_cluster: bool
    saliency: float
    rank: int
    mean: float
    active: float
    out_frequency: int
    out_share: float
    weights: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class HeadFacts:
    """One attention head of the network as it is.

    frequency: whose waves explain most of its attention to a; fve: which share of its variance five terms explain, and
    fve_2term the paper's two. attention: to a, to b, to the last token, on the average. without, with_mean: the loss on
    all inputs where nothing, or its mean, stands in its place. alpha, beta: what the paper's two terms have, the
    differences of cosines and of sines of a and b at that frequency.
    """

    head: int
    frequency: int
    fve: float
    fve_2term: float
    alpha: float
    beta: float
    attention: tuple[float, ...]
    without: float
    with_mean: float


@dataclass(frozen=True)
class Answer:
    """One answer with its logit and its probability."""

    answer: int
    logit: float
    probability: float


@dataclass(frozen=True)
class Reply:
    """What is answered to one input: the best answers first.

    rank: the place of the right one, 1 for the first; the last place where a logit is no number.
    """

    what: str
    loss: float
    rank: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Speaker:
    """A neuron that speaks for an answer: how far it raises its logit above the mean of all answers.

    frequency: None where p is even.
    """

    neuron: int
    frequency: int | None
    activation: float
    raises: float


@dataclass(frozen=True)
class InputFacts:
    """One input a, b. right: its label; part: train or test, "" for neither.

    replies: of the network as it is and, where something is taken out, of what is left. attention (n_heads, 3): to a,
    to b, to the last token; without: the heads that are taken out. The rest is about `answer`, the first one of the
    last reply: which neurons speak for it, and how far all neurons, the skip path and b_out raise its logit above the
    mean of all answers; waves_out: whether frequencies are taken out of the logits after that.
    """

    a: int
    b: int
    right: int
    part: str
    replies: tuple[Reply, ...]
    attention: tuple[tuple[float, ...], ...]
    without: tuple[int, ...]
    answer: int
    speakers: tuple[Speaker, ...]
    by_neurons: float
    by_skip: float
    by_bias: float
    waves_out: bool


@dataclass(frozen=True)
class Variant:
    """A loss by one of its definitions, on all inputs and the two parts."""

    what: str
    losses: Losses


@dataclass(frozen=True)
class CosineFacts:
    """The logits' part along cos(w_k(a + b − c)), of a difference a − b, and the loss on train without it.

    frequency: k, one of the key frequencies. coefficient: along the unit cube; similarity: its cosine with the logits;
    amplitude: of the cosine itself. The rest are losses with the waves of the sum (excluded_loss_k), the cosine
    (excluded_loss_3d_k), or a block of the 2D transform taken out.
    """

    frequency: int
    coefficient: float
    similarity: float
    amplitude: float
    without_waves: float
    without_cosine: float
    without_2x2: float
    without_3x3: float


@dataclass(frozen=True)
class Share:
    """A share of the logits by one of its definitions."""

    what: str
    share: float


@dataclass(frozen=True)
class SumFacts:
    """How much of some functions of (a, b) is waves of the sum: the mean of their shares, and of all pooled."""

    what: str
    mean: float
    pooled: float


@dataclass(frozen=True)
class Definitions:
    """What other people measure of the same circuit, with the key frequencies.

    sum: "a + b" or "a − b", in whose waves the answer is expected; "a ± b" where it is neither.
    neuron_asymmetry, logit_asymmetry: Σ (f(a, b) − f(b, a))² / Σ f². position_similarity: cosine of the angle between
    the embeddings of the first two positions.
    """

    sum: str
    losses: Sequence[Variant]
    cosines: Sequence[CosineFacts]
    logit_fve: Sequence[Share]
    sums: Sequence[SumFacts]
    neuron_asymmetry: float
    logit_asymmetry: float
    position_similarity: float


@dataclass(frozen=True)
class Findings:
    """All that was asked of the checkpoint of a step. task: "a + b mod 113". neurons_in_all, heads_in_all: how many.

    key: the frequencies that have a cluster of neurons, in this checkpoint; None where p is even, whose frequencies are
    not counted here. costliest: in a summary only. definitions: None where nobody asked for them.
    """

    run: str
    step: int
    checkpoint: str
    task: str
    p: int
    parameters: int
    neurons_in_all: int
    heads_in_all: int
    key: Sequence[Cluster] | None
    losses: Sequence[Row]
    costliest: Costliest | None
    neurons: Sequence[NeuronFacts]
    heads: Sequence[HeadFacts]
    inputs: Sequence[InputFacts]
    definitions: Definitions | None = None
