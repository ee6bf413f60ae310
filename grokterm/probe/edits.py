"""What a person wants taken out of the network, in terms of one circuit: every number checked, an edit an Ablation."""

from collections.abc import Iterable, Sequence

from grokterm.circuit.ablations import Ablation, How
from grokterm.circuit.circuit import CLUSTER_FVE, Circuit
from grokterm.errors import UsageError
from grokterm.probe.questions import Edit, Questions


def each_ablation(questions: Questions, circuit: Circuit) -> list[tuple[str, Ablation]]:
    """Each edit on its own, by its words.

    Raises UsageError for a frequency, head or neuron that there is not, naming the nearest, and for the polynomials of
    neurons of which none has a frequency.
    """
    how: How = "mean" if questions.mean else "zero"
    return [(_named(edit, questions), _ablation(edit, how, circuit)) for edit in questions.edits]


def together(each: Sequence[Ablation]) -> Ablation:
    """One ablation that does what all of them do; at most one of them says what is kept."""
    kept = [ablation.keep_only for ablation in each if ablation.keep_only is not None]
    return Ablation(
        frequencies=frozenset().union(*(ablation.frequencies for ablation in each)),
        keep_only=kept[0] if kept else None,
        heads=frozenset().union(*(ablation.heads for ablation in each)),
        neurons=frozenset().union(*(ablation.neurons for ablation in each)),
        skip=any(ablation.skip for ablation in each),
        how=next((ablation.how for ablation in each if ablation.how == "mean"), "zero"),
        polynomial=any(ablation.polynomial for ablation in each),
    )


def check_inputs(questions: Questions, circuit: Circuit) -> None:
    """Raise UsageError for an input that is no pair of residues, or a neuron that there is not."""
    for a, b in questions.inputs:
        for number in (a, b):
            if number >= circuit.p:
                known = f"they are 0 to {circuit.p - 1}, the nearest is {circuit.p - 1}"
                raise UsageError(f"--inputs {a},{b}: {number} is no residue mod {circuit.p}; {known}")
    option = f"--neurons {','.join(map(str, questions.neurons))}"
    _check(option, "neuron", questions.neurons, range(circuit.network.d_mlp))


def _named(edit: Edit, questions: Questions) -> str:
    replaced = questions.mean and edit.kind in ("head", "neurons", "skip")
    return f"{edit.said} by mean" if replaced else edit.said


def _ablation(edit: Edit, how: How, circuit: Circuit) -> Ablation:
    option = f"--keep-only {_text(edit)}" if edit.kind == "keep-only" else f"--ablate {edit.said}"
    match edit.kind:
        case "skip":
            return Ablation(skip=True, how=how)
        case "polynomials":
            if not circuit.in_cluster.any():
                raise UsageError(
                    f"{option}: no neuron of this checkpoint belongs to a frequency (none has {CLUSTER_FVE:.0%} of its "
                    "variance in one), so there is nothing to replace"
                )
            return Ablation(polynomial=True)
        case "head":
            return Ablation(heads=_check(option, "head", _numbers(edit), range(circuit.network.n_heads)), how=how)
        case "neurons":
            return Ablation(neurons=_check(option, "neuron", _numbers(edit), range(circuit.network.d_mlp)), how=how)
    frequencies = _frequencies(option, edit, circuit)
    return Ablation(keep_only=frequencies) if edit.kind == "keep-only" else Ablation(frequencies=frequencies)


def _frequencies(option: str, edit: Edit, circuit: Circuit) -> frozenset[int]:
    there = range(1, (circuit.p + 1) // 2)
    if edit.numbers != "key":
        return _check(option, "frequency", _numbers(edit), there)
    if not circuit.keys:
        raise UsageError(
            f"{option}: this checkpoint has no key frequencies, for none has a cluster of neurons; name some of "
            f"{there.start} to {there.stop - 1}"
        )
    return frozenset(circuit.keys)


def _check(option: str, what: str, numbers: Iterable[int], there: range) -> frozenset[int]:
    for number in numbers:
        if number not in there:
            plural = "frequencies" if what == "frequency" else f"{what}s"
            last = there.stop - 1
            closest = there.start if number < there.start else last
            raise UsageError(
                f"{option}: there is no {what} {number}; {plural} are {there.start} to {last}, the nearest is {closest}"
            )
    return frozenset(numbers)


def _numbers(edit: Edit) -> tuple[int, ...]:
    return () if isinstance(edit.numbers, str) else edit.numbers


def _text(edit: Edit) -> str:
    return edit.numbers if isinstance(edit.numbers, str) else ",".join(map(str, edit.numbers))
