"""Findings as one object of strict JSON: numbers in full, what is none as in events.jsonl: "nan", "inf", "-inf"."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from grokterm.circuit.ablations import Ablation
from grokterm.circuit.losses import Losses
from grokterm.probe.findings import Definitions, Findings, InputFacts, NeuronFacts, Row
from grokterm.run.events import encode


def json_of(found: Findings) -> str:
    """The fields of `Findings` under their names, on one line."""
    told = {
        "run": found.run,
        "step": found.step,
        "checkpoint": found.checkpoint,
        "task": found.task,
        "p": found.p,
        "n_heads": found.heads_in_all,
        "d_mlp": found.neurons_in_all,
        "parameters": found.parameters,
        "key_frequencies": None if found.key is None else [asdict(cluster) for cluster in found.key],
        "losses": [_row(row) for row in found.losses],
        "costliest": None if found.costliest is None else asdict(found.costliest),
        "neurons": [_neuron(neuron) for neuron in found.neurons],
        "heads": [{**asdict(head), "attention": _look(head.attention)} for head in found.heads],
        "inputs": [_input(each) for each in found.inputs],
        "definitions": None if found.definitions is None else _definitions(found.definitions),
    }
    return json.dumps(encode(told), allow_nan=False, ensure_ascii=False)


def _row(row: Row) -> Mapping[str, object]:
    return {"what": row.what, "ablation": _ablation(row.ablation), **_losses(row.losses)}


def _losses(each: Losses) -> Mapping[str, object]:
    return {
        "loss": each.all,
        "train_loss": each.train,
        "test_loss": each.test,
        "accuracy": each.accuracy,
        "train_accuracy": each.train_accuracy,
        "test_accuracy": each.test_accuracy,
    }


def _definitions(found: Definitions) -> Mapping[str, object]:
    losses = [{"what": variant.what, **_losses(variant.losses)} for variant in found.losses]
    return {**asdict(found), "losses": losses}


def _ablation(ablation: Ablation) -> Mapping[str, object]:
    return {
        "frequencies": sorted(ablation.frequencies),
        "keep_only": None if ablation.keep_only is None else sorted(ablation.keep_only),
        "heads": sorted(ablation.heads),
        "neurons": sorted(ablation.neurons),
        "skip": ablation.skip,
        "polynomials": ablation.polynomial,
        "how": ablation.how,
    }


def _neuron(neuron: NeuronFacts) -> Mapping[str, object]:
    weights = [{"answer": answer, "weight": weight} for answer, weight in neuron.weights]
    return {**asdict(neuron), "weights": weights}


def _input(each: InputFacts) -> Mapping[str, object]:
    return {**asdict(each), "attention": [_look(look) for look in each.attention]}


def _look(attention: tuple[float, ...]) -> Mapping[str, float]:
    return dict(zip(("a", "b", "end"), attention, strict=True))
