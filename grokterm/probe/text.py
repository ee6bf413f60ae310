"""Findings as text: aligned tables, whose numbers have four significant digits."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple

from grokterm.drawing.ticks import format_value
from grokterm.probe.findings import Definitions, Findings, HeadFacts, InputFacts, NeuronFacts, Reply, Row, Variant

GAP = "  "
COSTS = 0.01
"""What a frequency is worth at least, as a share of the loss, to be called costly."""
LEFT, RIGHT = "<", ">"
_HEADS_NOTE = (
    "FVE, 2 terms: share of the variance over all pairs that five waves of the frequency explain, and the paper's two,",
    "of which alpha is that of the cosines, beta that of the sines; to a, b, =: mean attention; loss of all pairs",
    "without the head, and with its mean in its place",
)
_NEURONS_NOTE = (
    "FVE: share of its variance in the waves of its frequency; cluster: whether that makes it one of the frequency's;",
    "saliency: median of |activation × d loss / d activation|, rank: its place by that of all neurons; mean, active:",
    "activation on the average, share of the pairs where it is not 0; out, share: the frequency of its weights to the",
    "logits, and how much of them that has; weights: answer and weight, the largest",
)
_HEADS_TITLE = "heads as they are: the waves in their attention to a, where they look, what they are worth"
_NEURONS_TITLE = "neurons as they are: the waves in them and in their weights to the logits (out), the largest weights"
_LOSSES = ("", "all pairs", "train loss", "test loss", "accuracy", "train acc", "test acc")
_NEURONS = ("neuron", "frequency", "FVE", "cluster", "saliency", "rank", "mean", "active", "out", "share", "weights")
_HEADS = ("head", "frequency", "FVE", "2 terms", "alpha", "beta", "to a", "to b", "to =", "loss without", "with mean")
_COSINES_TITLE = "logits along cos(w_k(a ± b − c)), and the loss on train without each frequency, by what is taken out"
_COSINES = ("frequency", "coefficient", "similarity", "amplitude", "sum waves", "cosine", "2×2 block", "3×3 block")
_ATTENTION = ("attention", "to a", "to b", "to =")
_ANSWERS = ("answer", "logit", "probability")
_SPEAKERS = ("neuron", "frequency", "activation", "raises by")


def text_of(found: Findings) -> str:
    """All that was found, in sections with an empty line between them."""
    sections = [_head(found), _losses(found)]
    if found.heads:
        sections.append([_HEADS_TITLE, *_heads(found)])
    if found.neurons:
        sides = RIGHT * (len(_NEURONS) - 1) + LEFT
        sections.append([_NEURONS_TITLE, *table([_NEURONS, *map(_neuron_cells, found.neurons)], sides), *_NEURONS_NOTE])
    sections += [_input(each) for each in found.inputs]
    sections += _definitions(found.definitions) if found.definitions is not None else []
    return "\n\n".join("\n".join(line.rstrip() for line in section) for section in sections)


def table(rows: Sequence[Sequence[str]], sides: str) -> list[str]:
    """Rows of cells as aligned lines; `sides` has < or > for each column, the side that its cells keep to."""
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(sides))]
    return [
        GAP.join(f"{cell:{side}{width}}" for cell, side, width in zip(cells, sides, widths, strict=True)).rstrip()
        for cells in rows
    ]


def _head(found: Findings) -> list[str]:
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
    return lines


def _keys(found: Findings) -> str:
    if found.key is None:
        return f"not counted, for p = {found.p} is even"
    if not found.key:
        return "none"
    in_clusters = sum(cluster.neurons for cluster in found.key)
    named = ", ".join(f"{cluster.frequency} ({cluster.neurons:,})" for cluster in found.key)
    return f"{named}; {found.neurons_in_all - in_clusters:,} neurons in none"


def _losses(found: Findings) -> list[str]:
    return _loss_table(found.losses)


def _loss_table(rows: Sequence[Row | Variant]) -> list[str]:
    return table([_LOSSES, *map(_loss_cells, rows)], LEFT + RIGHT * 6)


def _loss_cells(row: Row | Variant) -> list[str]:
    each = row.losses
    numbers = (each.all, each.train, each.test, each.accuracy, each.train_accuracy, each.test_accuracy)
    return [row.what, *map(format_value, numbers)]


def _heads(found: Findings) -> list[str]:
    return [*table([_HEADS, *map(_head_cells, found.heads)], RIGHT * len(_HEADS)), *_HEADS_NOTE]


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


def _input(each: InputFacts) -> list[str]:
    part = f", a {each.part} input" if each.part else ""
    lines = [f"input {each.a},{each.b}: {each.right} is right{part}"]
    for reply in each.replies:
        lines += _indented([_replied(reply, each.right), *_indented(_answers(reply))])
    looks = [
        [f"head {head}{', out' if head in each.without else ''}", *map(format_value, look)]
        for head, look in enumerate(each.attention)
    ]
    lines += _indented(table([_ATTENTION, *looks], LEFT + RIGHT * 3))
    return [*lines, *_indented([_sources(each), *_indented(_speakers(each))])]


def _definitions(found: Definitions) -> list[list[str]]:
    """Four tables: losses, cosines, shares of the logits and of the sum; symmetry in a line."""
    cosines = [[str(one.frequency), *map(format_value, astuple(one)[1:])] for one in found.cosines]
    shares = [[one.what, format_value(one.share)] for one in found.logit_fve]
    sums = [[one.what, format_value(one.mean), format_value(one.pooled)] for one in found.sums]
    symmetry = (
        f"changes when a and b are swapped: neurons {format_value(found.neuron_asymmetry)}, "
        f"logits {format_value(found.logit_asymmetry)}; cosine between the positions of a and b "
        f"{format_value(found.position_similarity)}"
    )
    return [
        ["other people's definitions: restricted and excluded losses", *_loss_table(found.losses)],
        [_COSINES_TITLE, *table([_COSINES, *cosines], RIGHT * len(_COSINES))],
        ["share of the logits (FVE) in the key frequencies", *table([("", "share"), *shares], LEFT + RIGHT)],
        ["share in the waves of the sum at key frequencies", *table([("", "mean", "pooled"), *sums], LEFT + RIGHT * 2)],
        [symmetry],
    ]


def _replied(reply: Reply, right: int) -> str:
    place = "right" if reply.rank == 1 else f"wrong, {right} comes at place {reply.rank:,}"
    return f"{reply.what}: {place}; loss {format_value(reply.loss)}"


def _answers(reply: Reply) -> list[str]:
    rows = [[str(one.answer), format_value(one.logit), format_value(one.probability)] for one in reply.answers]
    return table([_ANSWERS, *rows], RIGHT * 3)


def _sources(each: InputFacts) -> str:
    sources = (("neurons", each.by_neurons), ("skip path", each.by_skip), ("b_out", each.by_bias))
    told = ", ".join(f"{name} {format_value(value)}" for name, value in sources)
    when = ", before frequencies are taken out" if each.waves_out else ""
    return f"what raises the logit of {each.answer} above the mean of all{when}: {told}"


def _speakers(each: InputFacts) -> list[str]:
    rows = [
        [str(one.neuron), str(one.frequency or "–"), format_value(one.activation), format_value(one.raises)]
        for one in each.speakers
    ]
    return table([_SPEAKERS, *rows], RIGHT * 4)


def _indented(lines: Iterable[str]) -> list[str]:
    return [GAP + line for line in lines]
