"""Every shipped preset trains, records what is peculiar to it, is drawn, is replayed and goes on bit for bit."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from grokterm.catalog import Catalog
from grokterm.engine.launch import resume, train
from grokterm.preset import Preset, read
from grokterm.preset_files import packaged
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import ask
from grokterm.tui.app import load_panels
from grokterm.tui.looks import Looks
from tests.hosts import alone
from tests.run_equality import differences, history

STEPS, BREAK = 20, 9
ROOM = (78, 20)
"""Cells of a panel that fills a terminal of 80×24."""
FOURIER = frozenset({"fourier_embedding", "restricted_loss", "excluded_loss_max", "softmax_collapse"})
PERCEPTRON = frozenset({"neuron_clusters", "softmax_collapse", "restricted_loss", "input_norms"})
PECULIAR = {
    "mod113": FOURIER,
    "mod113-95pct": FOURIER,
    "mod113-float32": FOURIER,
    "mod113-quick": FOURIER,
    "mod113-wd0.01": FOURIER,
    "mod113-wd0.1": FOURIER,
    "ortho113": PERCEPTRON,
    "stablemax": PERCEPTRON,
    "mlp59": PERCEPTRON,
    "parity": frozenset({"input_norms", "softmax_collapse"}),
    "parity-wd-switch": frozenset({"input_norms", "softmax_collapse"}),
    "quad59": frozenset({"ipr", "ipr_mean", "neuron_clusters"}),
    "quad97": frozenset({"ipr", "ipr_mean", "neuron_clusters"}),
}
"""What each records beside losses, accuracies and norms."""
NAMES = sorted(packaged())


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """A run sets torch's number of threads for its process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def short(name: str) -> Preset:
    """The preset, twenty steps of it."""
    training = [f"steps={STEPS}", "test_every=2", "measure_every=5", "checkpoint_every=10", "threads=1", "device=cpu"]
    return read(packaged()[name], [f"training.{setting}" for setting in training])


def whole(folder: Path, name: str) -> RunDirectory:
    run = create(folder / "whole", name)
    train(run, short(name), Catalog(), alone())
    return run


def broken_off(folder: Path, name: str) -> RunDirectory:
    """The same run, stopped on the way and gone on with."""
    run = create(folder / "broken", name)
    ask(run.path, "stop", at=BREAK)
    assert train(run, short(name), Catalog(), alone()).state == "stopped"
    resume(run, Catalog(), alone(), ())
    return run


def test_there_is_something_to_say_of_every_preset() -> None:
    assert {*PECULIAR} == {*NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_it_trains_is_drawn_and_goes_on_bit_for_bit(name: str, tmp_path: Path) -> None:
    run = whole(tmp_path, name)
    found = history(run)
    recorded = {*found.names(), *found.array_names()}
    assert PECULIAR[name] <= recorded
    assert {"train_loss", "test_loss", "train_accuracy", "test_accuracy", "weight_norm"} <= recorded
    assert ("restricted_loss" in recorded) == ("restricted_loss" in PECULIAR[name])
    drawn = 0
    for panel in load_panels(Catalog()).values():
        for shown in (found, found.at(BREAK)):
            if panel.has_something(shown):
                picture = panel.draw(shown, Looks(), *ROOM)
                assert len(picture.rows) == ROOM[1]
                assert all(sum(len(span.text) for span in row) == ROOM[0] for row in picture.rows)
                drawn += 1
    assert drawn >= 6
    assert differences(run, broken_off(tmp_path, name)) == []
