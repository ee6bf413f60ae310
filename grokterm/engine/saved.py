"""Measures saved states of a run: a checkpoint in, a row out, with the key frequencies of another checkpoint."""

from collections.abc import Callable, Collection
from typing import Any, Self

import torch
from numpy.typing import NDArray
from torch import Tensor

from grokterm.catalog import Catalog
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.network import Network
from grokterm.engine.building import is_cross_entropy, measures_of, task_and_model
from grokterm.engine.evaluation import Evaluation
from grokterm.errors import RunError
from grokterm.preset import Preset, of_run
from grokterm.run import recorded_task
from grokterm.run.checkpoint import Checkpoint, CheckpointInfo, read
from grokterm.run.directory import RunDirectory, no_run
from grokterm.run.hindsight_writer import Row
from grokterm.run.recorded_task import RecordedTask


class SavedStates:
    """The checkpoints of one run, whose task and model are built anew from run.toml, on the CPU.

    Every measure applies that a live run of them has, and those that ask for `circuit` where there is one.
    """

    def __init__(self, run: RunDirectory, preset: Preset, catalog: Catalog) -> None:
        """Write task.npz where none can be read. Raises UsageError for what cannot be built, RunError."""
        self._task, self._model = task_and_model(preset, catalog, torch.device("cpu"))
        self._catalog = catalog
        self._in_nats = is_cross_entropy(catalog.load("losses", preset.training.loss), self._task.n_classes)
        self._measures: dict[str, Callable[..., Any]] | None = None
        try:
            self._recorded = recorded_task.read(run.task_path)
        except RunError:  # what run.toml describes is the task, and this file only says it
            self._recorded = self._written(run)

    @classmethod
    def of(cls, run: RunDirectory, catalog: Catalog) -> Self:
        """Those of a run as its run.toml describes it. Raises RunError where there is none, UsageError as `of_run`."""
        config = run.read_config()
        if config is None:
            raise no_run(run.path)
        return cls(run, of_run(config, str(run.config_path), catalog), catalog)

    def key_frequencies(self, info: CheckpointInfo) -> tuple[int, ...]:
        """The frequencies k = 1 … that have a cluster of neurons there; none where the task or model has no such thing.

        Raises RunError when the checkpoint cannot be read or is of another model.
        """
        evaluation = self._evaluation(read(info.path), info, None)
        if not evaluation.offers("key_frequencies"):
            return ()
        return tuple(int(k) + 1 for k in evaluation.key_frequencies.nonzero()[:, 0])

    def row(self, info: CheckpointInfo, keys: Collection[int]) -> Row:
        """Every measure of a checkpoint with these key frequencies. Raises RunError as `key_frequencies` does.

        Also where a measure fails, which may be a person's own.
        """
        evaluation = self._evaluation(read(info.path), info, keys)
        if self._measures is None:
            self._measures = measures_of(evaluation, self._catalog)
        numbers: dict[str, float] = {}
        arrays: dict[str, NDArray[Any]] = {}
        for name, measure in self._measures.items():
            single, several = _results(evaluation, name, measure, info.step)
            numbers |= single
            arrays |= several
        return Row(info.step, numbers, arrays)

    def _written(self, run: RunDirectory) -> RecordedTask:
        """The task as run.toml describes it, written to task.npz."""
        try:
            recorded_task.write(run.task_path, self._task.recorded())
        except OSError as error:
            raise RunError(f"{run.task_path} cannot be written: {error.strerror}") from error
        return recorded_task.read(run.task_path)

    def _evaluation(self, saved: Checkpoint, info: CheckpointInfo, keys: Collection[int] | None) -> Evaluation:
        weights = {
            name.removeprefix("model/"): torch.from_numpy(tensor)
            for name, tensor in saved.tensors.items()
            if name.startswith("model/")
        }
        shapes = {name: weight.shape for name, weight in self._model.state_dict().items()}
        if {name: weight.shape for name, weight in weights.items()} != shapes:
            raise RunError(f"{info.path} holds another model than run.toml describes")
        self._model.load_state_dict(weights, assign=True)  # in the precision of the file: an imported one may be double
        given = None if keys is None else self._mask(keys)
        circuit = self._circuit(saved, given)
        return Evaluation(self._model, self._task, key_frequencies=given, circuit=circuit, in_nats=self._in_nats)

    def _mask(self, keys: Collection[int]) -> Tensor:
        mask = torch.zeros(((self._task.p or 1) - 1) // 2, dtype=torch.bool)
        mask[torch.tensor([k - 1 for k in keys], dtype=torch.int64)] = True
        return mask

    def _circuit(self, saved: Checkpoint, keys: Tensor | None) -> Circuit | None:
        """The checkpoint as the microscope sees it; None for a task or a network of which it knows nothing."""
        if self._recorded.sums is None or not self._recorded.p % 2:
            return None
        try:
            network = Network.of(saved.tensors)
            return Circuit(network, self._recorded, key_frequencies=None if keys is None else keys.numpy())
        except RunError:
            return None


def _results(
    evaluation: Evaluation, name: str, measure: Callable[..., Any], step: int
) -> tuple[dict[str, float], dict[str, NDArray[Any]]]:
    """What one measure gives. Raises RunError that names it and the step."""
    try:
        numbers, arrays = evaluation.results({name: measure})
        for column, array in arrays.items():
            if array.dtype.kind not in "biuf":
                raise TypeError(f"{column} is an array of {array.dtype}, not of real numbers")
    except Exception as error:  # a person's own measure may raise anything, and training has ended well
        raise RunError(f"the measure {name} fails at step {step:,}: {type(error).__name__}: {error}") from error
    return numbers, arrays
