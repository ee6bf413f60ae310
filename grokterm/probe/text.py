"""Findings as text: aligned tables, whose numbers have four significant digits."""

from collections.abc import Iterable, Sequence

from grokterm.drawing.ticks import format_value
from grokterm.probe.findings import Findings, HeadFacts, InputFacts, NeuronFacts, Reply, Row

GAP = "  "
LEFT, RIGHT = "<", ">"
_HEADS_TITLE = "heads as they are: the waves in their attention to a, where they look, what they are worth"
_NEURONS_TITLE = "neurons as they are: the waves in them and in their weights to the logits (out), the largest weights"
_LOSSES = ("", "loss", "train loss", "test loss", "accuracy", "train acc", "test acc")
_NEURONS = ("neuron", "frequency", "FVE", "cluster", "saliency", "rank", "mean", "active", "out", "share", "weights")
_HEADS = ("head", "frequency", "FVE", "2 terms", "to a", "to b", "to =", "loss without", "with its mean")
_ATTENTION = ("attention", "to a", "to b", "to =")
_ANSWERS = ("answer", "logit", "probability")
_SPEAKERS = ("neuron", "frequency", "activation", "raises by")


def text_of(found: Findings) -> str:
    """All that was found, in sections with an empty line between them."""
    sections = [_head(found), _losses(found)]
    if found.heads:
        sections.append([_HEADS_TITLE, *table([_HEADS, *map(_head_cells, found.heads)], RIGHT * len(_HEADS))])
    if found.neurons:
        sides = RIGHT * (len(_NEURONS) - 1) + LEFT
        sections.append([_NEURONS_TITLE, *table([_NEURONS, *map(_neuron_cells, found.neurons)], sides)])
    sections += [_input(each) for each in found.inputs]
    return "\n\n".join("\n".join(line.rstrip() for line in section) for section in sections)


def table(rows: Sequence[Sequence[str]], sides: str) -> list[str]:
    """Rows of cells as aligned lines; `sides` has < or > for each column, the side that its cells keep to."""
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(sides))]
    return [
        GAP.join(f"{cell:{side}{width}}" for cell, side, width in zip(cells, sides, widths, strict=True)).rstrip()
        for cells in rows
    ]


def _head(found: Findings) -> list[str]:
    in_clusters = sum(cluster.neurons for cluster in found.key)
    named = ", ".join(f"{cluster.frequency} ({cluster.neurons:,})" for cluster in found.key)
    keys = f"{named}; {found.neurons_in_all - in_clusters:,} neurons in none" if found.key else "none"
    lines = [
        f"{found.run} at step {found.step:,}: {found.task}",
        f"{found.heads_in_all} heads, {found.neurons_in_all:,} neurons, {found.parameters:,} parameters",
        f"key frequencies (neurons in their clusters): {keys}",
    ]
    if found.costliest is not None:
        worst = found.costliest
        lines.append(f"costliest on train: frequency {worst.frequency}, without it {format_value(worst.loss)}")
    return lines


def _losses(found: Findings) -> list[str]:
    return table([_LOSSES, *map(_loss_cells, found.losses)], LEFT + RIGHT * 6)


def _loss_cells(row: Row) -> list[str]:
    each = row.losses
    numbers = (each.all, each.train, each.test, each.accuracy, each.train_accuracy, each.test_accuracy)
    return [row.what, *map(format_value, numbers)]


def _head_cells(head: HeadFacts) -> list[str]:
    numbers = (head.fve, head.fve_2term, *head.attention, head.without, head.with_mean)
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
        [str(one.neuron), str(one.frequency), format_value(one.activation), format_value(one.raises)]
        for one in each.speakers
    ]
    return table([_SPEAKERS, *rows], RIGHT * 4)


def _indented(lines: Iterable[str]) -> list[str]:
    return [GAP + line for line in lines]
