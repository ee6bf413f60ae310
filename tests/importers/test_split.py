"""The split and the operation are read off the model, believed when they are certain, and asked for when not."""

import math
from functools import cache

import pytest
import torch
from torch import Tensor

from grokterm.engine.evaluation import Evaluation
from grokterm.errors import UsageError
from grokterm.importers.choices import Choices, Split, check, parse_split
from grokterm.importers.operation import find_operation
from grokterm.importers.settings import Settings
from grokterm.importers.split import SURE, Evidence, FoundSplit, _fraction_of, _ranks, find_split
from grokterm.models.transformer import Transformer
from grokterm.tasks.modular import modular
from tests import foreign, reference

P = 31
"""961 pairs: enough that a fraction can be told."""


def losses(split: str = "torch", seed: int = 3, fraction: float = 0.3, lead: float = 2.0) -> Tensor:
    """Made-up losses: those of the training pairs are lower by `lead` of their own deviations."""
    task = modular(p=P, split=split, split_seed=seed, train_fraction=fraction)  # type: ignore[arg-type]
    logs = torch.randn(P * P, dtype=torch.float64, generator=torch.Generator().manual_seed(11))
    logs[task.train] -= lead
    return logs.exp()


def found(
    values: Tensor,
    choices: Choices | None = None,
    known: Settings | None = None,
    rows: Tensor | None = None,
    recorded: tuple[float, float] | None = None,
) -> FoundSplit:
    return find_split(Evidence(P, values, recorded), rows, choices or Choices(), known or Settings())


def refused(values: Tensor, *rest: object, **more: object) -> str:
    with pytest.raises(UsageError) as raised:
        found(values, *rest, **more)  # type: ignore[arg-type]
    return str(raised.value)


@pytest.mark.parametrize(
    ("split", "seed", "fraction"),
    [("torch", 3, 0.3), ("python", 3, 0.3), ("torch", 598, 0.4), ("python", 0, 0.25), ("torch", 1, 0.8)],
)
def test_split_and_fraction_show_in_the_losses(split: str, seed: int, fraction: float) -> None:
    answer = found(losses(split, seed, fraction))
    assert (str(answer.split), answer.fraction) == (f"{split}:{seed}", fraction)
    assert "its training pairs have the lower losses" in answer.why


def test_a_seed_that_nobody_would_guess_is_found_by_the_config_or_confirmed_by_the_flag() -> None:
    values = losses(seed=31_415)
    assert "cannot be told from the losses of all pairs (no usual split shows)" in refused(values)
    assert "--split python:0 (random.seed(0)" in refused(values)
    assert found(values, known=Settings(seeds=(31_415,))).split == Split("torch", 31_415)
    confirmed = found(values, Choices(split=Split("torch", 31_415)))
    assert confirmed.why.startswith("from --split, confirmed: its training pairs have the lower losses")
    assert confirmed.fraction == 0.3


def test_a_flag_that_the_weights_contradict_is_refused() -> None:
    said = refused(losses(), Choices(split=Split("python", 3)))
    assert said.startswith("--split python:3 does not fit the weights, --split torch:3 does: ")
    said = refused(losses(), Choices(split=Split("torch", 3), fraction=0.7))
    assert said.startswith("--fraction 0.7 does not fit the weights with --split torch:3: 0.3 does")
    assert "the config's train fraction 0.7 does not fit" in refused(losses(), known=Settings(fraction=0.7))
    assert found(losses(), Choices(fraction=0.3)).fraction == 0.3


def test_weights_that_show_nothing_need_both_flags() -> None:
    nothing = losses(lead=0.0)
    assert "cannot be told" in refused(nothing)
    said = refused(nothing, Choices(split=Split("torch", 3)))
    assert said.endswith("the weights do not show it; say it too, for instance --fraction 0.3")
    taken = found(nothing, Choices(split=Split("torch", 3), fraction=0.3))
    assert taken == FoundSplit(Split("torch", 3), 0.3, "from --split; the weights neither confirm nor contradict it")
    assert found(nothing, Choices(split=Split("torch", 3)), Settings(fraction=0.4)).fraction == 0.4


def test_a_flag_that_the_recorded_losses_contradict_is_refused() -> None:
    values, choices = losses(seed=31_415), Choices(split=Split("torch", 3), fraction=0.3)
    said = refused(values, choices, recorded=(0.2, 1.6))
    assert said.startswith(
        "--split torch:3 does not fit the file's own losses (train 0.2, test 1.6): with it the weights"
    )
    for no_contradiction in ((1.0, 1.6), (math.nan, 1.6), (0.0, 1.6), None):
        assert "neither confirm" in found(values, choices, recorded=no_contradiction).why


def test_a_fraction_that_is_not_certain_is_said_or_asked_for() -> None:
    likely = found(losses(fraction=0.3, lead=0.6))
    assert likely.fraction == 0.3
    assert likely.assumed == "the train fraction 0.3 is the roundest between 0.26 and 0.32, where the losses put it"
    assert found(losses(fraction=0.3, lead=0.6), Choices(fraction=0.28)).assumed == ""
    said = refused(losses(fraction=0.55, lead=0.45, seed=1))
    assert "--split torch:1 fits, but the share of pairs that were trained on can only be told to lie between" in said


@pytest.mark.parametrize("seed", [0, 598, 1999])
def test_train_indices_name_their_split_in_any_order(seed: int) -> None:
    rows = modular(p=P, split="torch", split_seed=seed, train_fraction=0.3).train.flip(0)
    answer = found(losses(lead=0.0), rows=rows)
    assert answer == FoundSplit(Split("torch", seed), 0.3, "it draws exactly the file's 288 train_indices")


def test_train_indices_of_no_known_split_are_refused() -> None:
    rows = modular(p=P, split="torch", split_seed=77_777, train_fraction=0.3).train
    assert "are drawn by none of the splits torch:0 to torch:1999 and python:0 to python:99" in refused(
        losses(), rows=rows
    )
    assert found(losses(), Choices(split=Split("torch", 77_777)), rows=rows).split.seed == 77_777
    assert "--split torch:1 does not draw" in refused(losses(), Choices(split=Split("torch", 1)), rows=rows)
    assert "do not lie among the 961 pairs" in refused(losses(), rows=torch.tensor([961]))
    assert "--fraction 0.5 is 480 of 961 pairs; the file has 288" in refused(
        losses(), Choices(split=Split("torch", 77_777), fraction=0.5), rows=rows
    )


@pytest.mark.parametrize(("count", "n", "fraction"), [(3830, 12769, 0.3), (4256, 12769, 0.3333), (100, 961, 0.105)])
def test_the_fraction_of_a_count_gives_that_count_again(count: int, n: int, fraction: float) -> None:
    assert _fraction_of(count, n, None) == pytest.approx(fraction, abs=1e-4)
    assert int(_fraction_of(count, n, None) * n) == count
    assert all(int(_fraction_of(some, n, None) * n) == some for some in range(1, n, 97))


def test_equal_losses_share_their_rank() -> None:
    assert _ranks(torch.tensor([3.0, 1.0, 1.0, 7.0])).tolist() == [3.0, 1.5, 1.5, 4.0]


def test_random_splits_are_as_far_from_the_mean_as_the_normal_distribution_says() -> None:
    ranks = _ranks(losses(lead=0.0))
    from grokterm.importers.split import _test

    z = torch.tensor([_test(Split("torch", seed), P, ranks).z for seed in range(300)])
    assert z[:, 29].mean().abs() < 0.2
    assert z[:, 29].std() == pytest.approx(1.0, abs=0.12)
    assert z.min() > -SURE


@cache
def guesses(operation: str) -> Tensor:
    run = foreign.trained(operation)
    task = modular(p=foreign.P)
    model = Transformer(task, d_model=16, n_heads=2, d_mlp=32)
    model.load_state_dict(run.states[-1])
    return Evaluation(model, task).logits.argmax(dim=1)


@pytest.mark.parametrize("operation", ["add", "subtract"])
def test_the_operation_is_asked_of_the_model(operation: str) -> None:
    answer, why = find_operation(guesses(operation), foreign.P, None, None)
    assert answer == operation
    assert why.startswith("the weights are right about a + b on ")


def test_an_operation_that_the_model_contradicts_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--operation subtract: the weights are right about .* so they add"):
        find_operation(guesses("add"), foreign.P, "subtract", None)


def test_a_model_that_learned_nothing_needs_a_word() -> None:
    noise = torch.randint(P, (P * P,), generator=torch.Generator().manual_seed(1))
    with pytest.raises(
        UsageError, match=r"so what they are to learn cannot be told; say it, for instance --operation add"
    ):
        find_operation(noise, P, None, None)
    with pytest.raises(UsageError, match=r"cannot be told, and its config names 'x2xyy2'"):
        find_operation(noise, P, None, "x2xyy2")
    assert find_operation(noise, P, "subtract", "add")[0] == "subtract"
    assert find_operation(noise, P, None, "subtract")[0] == "subtract"


def test_a_model_that_multiplies_is_told_apart() -> None:
    a, b = torch.arange(P * P) // P, torch.arange(P * P) % P
    with pytest.raises(UsageError, match=r"the weights answer a · b mod 31, and grokterm's modular task knows add and"):
        find_operation(a * b % P, P, None, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("python", "--split python: write it as PROCEDURE:SEED, for instance python:1"),
        ("pyton:1", "there is no procedure 'pyton'; did you mean 'python'?"),
        ("torch:x", "--split torch:x: must be a valid integer"),
        ("torch:-1", "--split torch:-1: must be greater than or equal to 0"),
        ("torch:", "--split torch:: must be a valid integer"),
    ],
)
def test_a_split_is_written_as_procedure_and_seed(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_split(text)
    assert said in str(raised.value)


def test_flags_are_checked_as_a_preset_is() -> None:
    assert parse_split("torch:598") == Split("torch", 598)
    for choices, said in (
        (Choices(p=112), "--p 112: must be an odd prime; the nearest is 109 or 113"),
        (Choices(fraction=1.0), "--fraction 1.0: must be less than 1"),
        (Choices(lr=math.nan), "--lr nan: must be"),
        (Choices(weight_decay=-1), "--weight-decay -1: must be greater"),
    ):
        with pytest.raises(UsageError) as raised:
            check(choices)
        assert str(raised.value).startswith(said)


@reference.needed
@pytest.mark.parametrize(("name", "split"), [(reference.TRANSFORMER_LENS, "torch:1"), (reference.NANDA, "python:1")])
def test_split_of_the_reference_models_shows(name: str, split: str) -> None:
    one = reference.load(name)
    logits = Evaluation(one.model("fast", torch.float32), one.task).logits.double()
    values = -logits.log_softmax(dim=1).gather(1, one.task.labels[:, None])[:, 0]
    answer = find_split(Evidence(113, values, None), None, Choices(), Settings())
    assert (str(answer.split), answer.fraction) == (split, 0.3)
    assert torch.equal(modular(split=answer.split.procedure, split_seed=1).train, one.task.train)
