"""Findings as text: aligned tables, whose numbers have four significant digits, and what they mean."""

from collections.abc import Sequence
from dataclasses import astuple

from grokterm.drawing.ticks import format_value
from grokterm.probe.findings import Definitions, Findings, HeadFacts, InputFacts, NeuronFacts, Reply, Row, Variant
from grokterm.probe.fitting import LEFT, RIGHT, fact, indented, prose, table, within

COSTS = 0.01
"""What a frequency is worth at least, as a share of the loss, to be called costly."""
_HEADS_NOTE = (
    "FVE, 2 terms: share of the variance over all pairs that five waves of the frequency explain, and the paper's two, "
    "of which alpha is that of the cosines, beta that of the sines; 2 terms is below 0 where the head does not look at "
    "a and b half the time each, for the paper's formula has the mean ½; to a, b, =: mean attention; loss of all pairs "
    "without the head, and with its mean in its place"
)
_NEURONS_NOTE = (
    "FVE: share of its variance in the waves of its frequency; cluster: whether that makes it one of the frequency's; "
    "saliency: median of |activation × d loss / d activation|, rank: its place by that of all neurons; mean, active: "
    "activation on the average, share of the pairs where it is not 0; out, share: the frequency of its weights to the "
    "logits, and how much of them that has; weights: answer and weight, the largest"
)
_POLYNOMIALS_NOTE = (
    "polynomials: of each neuron in a cluster only its part in nine functions of its frequency: 1, cos and sin of "
    "w_k a, those of w_k b, and the products of one of a with one of b"
)
_NO_KEYS_NOTE = (
    "no frequency is key at this step: what is restricted keeps none, what is excluded loses none, and there are no "
    "cosines and no shares to tell of"
)
_HEADS_TITLE = "heads as they are: the waves in their attention to a, where they look, what they are worth"
_NEURONS_TITLE = "neurons as they are: the waves in them and in their weights to the logits (out), the largest weights"
_LOSSES = ("", "all pairs", "train loss", "test loss", "accuracy", "train acc", "test acc")
_NEURONS = ("neuron", "frequency", "FVE", "cluster", "saliency", "rank", "mean", "active", "out", "share", "weights")
_HEADS = ("head", "frequency", "FVE", "2 terms", "alpha", "beta", "to a", "to b", "to =", "loss without", "with mean")
_COSINES = ("frequency", "coefficient", "similarity", "amplitude", "sum waves", "cosine", "2×2 block", "3×3 block")
_ATTENTION = ("attention", "to a", "to b", "to =")
_ANSWERS = ("answer", "logit", "probability")
_SPEAKERS = ("neuron", "frequency", "activation", "raises by")


def text_of(found: Findings, width: int | None = None) -> str:
    """All that was found, in sections with an empty line between them; width: of a terminal, None for none."""
    sections = [_head(found, width), _losses(found, width)]
    if found.heads:
        heads = table([_HEADS, *map(_head_cells, found.heads)], RIGHT * len(_HEADS), width)
        sections.append([*fact(_HEADS_TITLE, width), *heads, *prose(_HEADS_NOTE, width)])
    if found.neurons:
        sides = RIGHT * (len(_NEURONS) - 1) + LEFT
        neurons = table([_NEURONS, *map(_neuron_cells, found.neurons)], sides, width)
        sections.append([*fact(_NEURONS_TITLE, width), *neurons, *prose(_NEURONS_NOTE, width)])
    sections += [_input(each, width) for each in found.inputs]
    sections += _definitions(found.definitions, width) if found.definitions is not None else []
    return "\n\n".join("\n".join(line.rstrip() for line in section) for section in sections)


def _head(found: Findings, width: int | None) -> list[str]:
    lines = [
        f"{found.run} at step {found.step:,}: {found.task}",
        f"{found.heads_in_all} heads, {found.neurons_in_all:,} neurons, {found.parameters:,} parameters",
        f"key frequencies (neurons in their clusters): {_keys(found)}",
    ]
    if found.costliest is not None:
        worst = found.costliest
        if worst.loss <= found.losses[0].losses.train * (1 + COSTS):
            lines.append(f"costliest on train: none; without any one frequency the loss grows by less than {COSTS:.0%}")
        else:
            lines.append(f"costliest on train: frequency {worst.frequency}, without it {format_value(worst.loss)}")
    return [part for line in lines for part in fact(line, width)]


def _keys(found: Findings) -> str:
    if found.key is None:
        return f"not counted, for p = {found.p} is even"
    if not found.key:
        return "none"
    in_clusters = sum(cluster.neurons for cluster in found.key)
    named = ", ".join(f"{cluster.frequency} ({cluster.neurons:,})" for cluster in found.key)
    return f"{named}; {found.neurons_in_all - in_clusters:,} neurons in none"


def _losses(found: Findings, width: int | None) -> list[str]:
    lines = _loss_table(found.losses, width)
    if any(row.ablation.polynomial for row in found.losses):
        lines += prose(_POLYNOMIALS_NOTE, width)
    return lines


def _loss_table(rows: Sequence[Row | Variant], width: int | None) -> list[str]:
    return table([_LOSSES, *map(_loss_cells, rows)], LEFT + RIGHT * 6, width)


def _loss_cells(row: Row | Variant) -> list[str]:
    each = row.losses
    numbers = (each.all, each.train, each.test, each.accuracy, each.train_accuracy, each.test_accuracy)
    return [row.what, *map(format_value, numbers)]


def _head_cells(head: HeadFacts) -> list[str]:
    numbers = (head.fve, head.fve_2term, head.alpha, head.beta, *head.attention, head.without, head.with_mean)
    return [str(head.head), str(head.frequency), *map(format_value, numbers)]


def _neuron_cells(neuron: NeuronFacts) -> list[str]:
    return [
        str(neuron.neuron),
        str(neuron.frequency),
        format_value(neuron.fve),
        "yes" if neuron.in_cluster else "no",
        format_value(neuron.saliency),
        f"{neuron.rank:,}",
        format_value(neuron.mean),
        format_value(neuron.active),
        str(neuron.out_frequency),
        format_value(neuron.out_share),
        ", ".join(f"{answer}: {format_value(weight)}" for answer, weight in neuron.weights),
    ]


def _input(each: InputFacts, width: int | None) -> list[str]:
    part, inner = f", a {each.part} input" if each.part else "", within(width)
    lines = []
    for reply in each.replies:
        lines += [*fact(_replied(reply, each.right), inner), *indented(_answers(reply, within(inner)))]
    looks = [
        [f"head {head}{', out' if head in each.without else ''}", *map(format_value, look)]
        for head, look in enumerate(each.attention)
    ]
    lines += table([_ATTENTION, *looks], LEFT + RIGHT * 3, inner)
    lines += [*fact(_sources(each), inner), *indented(_speakers(each, within(inner)))]
    return [*fact(f"input {each.a},{each.b}: {each.right} is right{part}", width), *indented(lines)]


def _definitions(found: Definitions, width: int | None) -> list[list[str]]:
    """Four tables: losses, cosines, shares of the logits and of the sum; symmetry in a line.

    The losses alone, and why, where no frequency is key.
    """
    losses = [
        *fact("other people's definitions: restricted and excluded losses", width),
        *_loss_table(found.losses, width),
    ]
    symmetry = (
        f"changes when a and b are swapped: neurons {format_value(found.neuron_asymmetry)}, "
        f"logits {format_value(found.logit_asymmetry)}; cosine between the positions of a and b "
        f"{format_value(found.position_similarity)}"
    )
    about_keys = _of_keys(found, width) if found.cosines else [prose(_NO_KEYS_NOTE, width)]
    return [losses, *about_keys, fact(symmetry, width)]


def _of_keys(found: Definitions, width: int | None) -> list[list[str]]:
    """The tables that tell of the key frequencies alone."""
    along = (
        f"logits along cos(w_k({found.sum} − c)), and the loss on train without each frequency, by what is taken out"
    )
    cosines = [[str(one.frequency), *map(format_value, astuple(one)[1:])] for one in found.cosines]
    shares = [[one.what, format_value(one.share)] for one in found.logit_fve]
    sums = [[one.what, format_value(one.mean), format_value(one.pooled)] for one in found.sums]
    return [
        [*fact(along, width), *table([_COSINES, *cosines], RIGHT * len(_COSINES), width)],
        [
            *fact("share of the logits (FVE) in the key frequencies", width),
            *table([("", "share"), *shares], LEFT + RIGHT, width),
        ],
        [
            *fact("share in the waves of the sum at key frequencies", width),
            *table([("", "mean", "pooled"), *sums], LEFT + RIGHT * 2, width),
        ],
    ]


def _replied(reply: Reply, right: int) -> str:
    place = "right" if reply.rank == 1 else f"wrong, {right} comes at place {reply.rank:,}"
    return f"{reply.what}: {place}; loss {format_value(reply.loss)}"


def _answers(reply: Reply, width: int | None) -> list[str]:
    rows = [[str(one.answer), format_value(one.logit), format_value(one.probability)] for one in reply.answers]
    return table([_ANSWERS, *rows], RIGHT * 3, width)


def _sources(each: InputFacts) -> str:
    sources = (("neurons", each.by_neurons), ("skip path", each.by_skip), ("b_out", each.by_bias))
    told = ", ".join(f"{name} {format_value(value)}" for name, value in sources)
    when = ", before frequencies are taken out" if each.waves_out else ""
    return f"what raises the logit of {each.answer} above the mean of all{when}: {told}"


def _speakers(each: InputFacts, width: int | None) -> list[str]:
    rows = [
        [str(one.neuron), str(one.frequency or "–"), format_value(one.activation), format_value(one.raises)]
        for one in each.speakers
    ]
    return table([_SPEAKERS, *rows], RIGHT * 4, width)
