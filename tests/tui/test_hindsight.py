"""What of hindsight is worth showing beside the live curve: exactly what depends on the key frequencies."""

from inspect import signature
from itertools import chain
from typing import Any

import numpy as np
import torch

from grokterm.catalog import Catalog
from grokterm.engine.evaluation import Evaluation
from grokterm.models.transformer import Transformer
from grokterm.tasks.modular import modular
from grokterm.tui.hindsight import BY_KEYS, repeats


def test_the_names_are_those_of_the_measures_that_ask_for_key_frequencies() -> None:
    catalog, task = Catalog(), modular(p=7, train_fraction=0.5)
    torch.manual_seed(1)
    model = Transformer(task, d_model=8, n_heads=2, d_mlp=12)
    results, given = list[dict[str, Any]](), set[str]()
    for keys in ([True, False, True], [False, True, False]):
        evaluation = Evaluation(model, task, key_frequencies=torch.tensor(keys))
        measures = {name: catalog.load("measures", name) for name in catalog.names("measures")}
        live = {name: measure for name, measure in measures.items() if evaluation.applies(measure)}
        asking = {name: measure for name, measure in live.items() if "key_frequencies" in signature(measure).parameters}
        numbers, arrays = evaluation.results(live)
        given |= {*chain(*evaluation.results(asking))}
        results.append({**numbers, **arrays})
    one, other = results
    assert {name for name in one if not np.array_equal(one[name], other[name])} == BY_KEYS
    assert given >= BY_KEYS


def test_only_what_needs_no_key_frequencies_repeats_the_live_one() -> None:
    live = ("restricted_loss_train", "excluded_loss_k", "gini_embedding")
    assert repeats("hindsight/gini_embedding", live)
    assert repeats("hindsight/excluded_loss_k", live)
    assert not repeats("hindsight/restricted_loss_train", live)
    assert not repeats("hindsight/rqi", live)
    assert not repeats("gini_embedding", live)
