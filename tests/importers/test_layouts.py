"""Layouts are recognised by names and shapes, and what does not fit our model is named."""

import pytest
import torch
from torch import Tensor

from grokterm.errors import UsageError
from grokterm.importers.layouts import MOST_ACTIVATIONS, Layout, weights
from tests import foreign

ATTENTION, MLP = "blocks.0.attn.", "blocks.0.mlp."


def ours() -> foreign.Weights:
    return foreign.trained().states[-1]


def same(found: dict[str, Tensor]) -> bool:
    return found.keys() == ours().keys() and all(torch.equal(found[name], ours()[name]) for name in found)


def refused(change: dict[str, Tensor | None], layout: foreign.Layout = "TransformerLens", p: int | None = None) -> str:
    state = {k: v for k, v in (foreign.in_layout(layout, ours()) | change).items() if v is not None}
    with pytest.raises(UsageError) as raised:
        weights(state, p)
    return str(raised.value)


@pytest.mark.parametrize("layout", ["TransformerLens", "Nanda"])
def test_weights_come_back_as_they_were(layout: foreign.Layout) -> None:
    found = weights(foreign.in_layout(layout, ours()))
    assert found.layout == layout
    assert found.p == foreign.P
    assert same(found.copied())
    assert found.dropped == ("the column of = in W_U" if layout == "Nanda" else "")
    assert all(weight.is_contiguous() for weight in found.copied().values())


def test_a_column_for_equals_in_transformer_lens_is_dropped_and_said() -> None:
    found = weights(foreign.in_layout("TransformerLens", ours(), with_equals=True))
    assert same(found.copied())
    assert found.dropped == "the column of = in W_U"


@pytest.mark.parametrize(("prefix", "layout"), [("", "TransformerLens"), ("model/", "grokterm")])
def test_our_own_names_are_known_with_and_without_their_folder(prefix: str, layout: Layout) -> None:
    state: dict[str, object] = {prefix + name: weight for name, weight in ours().items()}
    if prefix:
        state |= {"optimizer/W_E/exp_avg": torch.zeros(3), "random/torch": torch.zeros(5, dtype=torch.uint8)}
    found = weights(state)
    assert found.layout == layout
    assert same(found.copied())


def test_biases_that_a_file_leaves_out_are_zero() -> None:
    state = foreign.in_layout("TransformerLens", ours())
    found = weights({name: value for name, value in state.items() if "b_" not in name})
    assert not found.tensors["b_in"].any()
    assert found.tensors["b_out"].shape == (16,)


@pytest.mark.parametrize(
    ("given", "kept"),
    [(torch.float16, torch.float32), (torch.bfloat16, torch.float32), (torch.float64, torch.float64)],
)
def test_precision_is_never_lowered(given: torch.dtype, kept: torch.dtype) -> None:
    state = {name: value.to(given) for name, value in foreign.in_layout("Nanda", ours()).items()}
    copied = weights(state).copied()
    assert {weight.dtype for weight in copied.values()} == {kept}
    assert torch.equal(copied["W_E"], ours()["W_E"].to(given).to(kept))


def test_more_tokens_need_a_word_from_a_person() -> None:
    more = {"embed.W_E": torch.cat([ours()["W_E"], torch.ones(3, 16)])}
    assert (
        refused({**more}) == "W_E has 17 tokens, so p would be 16, which must be an odd prime; the nearest is 13 or 17"
    )
    found = weights(foreign.in_layout("TransformerLens", ours()) | more, p=13)
    assert same(found.copied())
    assert found.dropped == "the rows of W_E after token 13"
    wide = {"unembed.W_U": torch.zeros(16, 40), "unembed.b_U": None}
    assert refused(wide) == "W_E has 14 tokens and W_U 40 answers, so p is not certain; say it, for instance --p 13"
    assert refused({}, p=17) == "--p 17 needs 18 tokens and 17 answers; W_E has 14 tokens and W_U 13 answers"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"embed.W_E": None}, "it has no W_E, so it is not the weights of a one-layer transformer"),
        ({MLP + "W_in": None, MLP + "W_out": None}, "it has no W_in and no W_out, so"),
        ({"blocks.1.attn.W_Q": torch.zeros(1)}, "it has a second layer ('blocks.1.attn.W_Q')"),
        ({"blocks.0.ln1.w": torch.zeros(16)}, "it has a weight 'blocks.0.ln1.w', which grokterm's"),
        ({"\x1b[31mW_X": torch.zeros(16)}, "it has a weight '\\x1b[31mW_X', which grokterm's"),
        ({"other.W_E": torch.zeros(14, 16)}, "it has two weights called W_E"),
        ({"pos_embed.W_pos": torch.zeros(4, 16)}, "W_pos has 4 positions"),
        ({"pos_embed.W_pos": torch.zeros(3)}, "W_pos has the shape (3,), which is neither"),
        ({"embed.W_E": torch.tensor(1.0)}, "W_E has the shape (), which is neither"),
        ({"embed.W_E": torch.zeros(14, 20)}, "W_E has the shape (14, 20), where (14, 16) is needed"),
        ({ATTENTION + "W_K": torch.zeros(2, 8, 16)}, "W_K has the shape (2, 8, 16), where (2, 16, 8) is needed"),
        ({ATTENTION + "W_Q": torch.zeros(3, 16, 8)}, "3 heads of 8 are not d_model = 16"),
        ({MLP + "b_in": torch.zeros(5)}, "b_in has the shape (5,), where (32,) is needed"),
        ({MLP + "W_out": torch.zeros(0, 16)}, "W_out has the shape (0, 16), which holds nothing"),
        ({MLP + "W_in": torch.zeros(16, 32).int()}, "W_in holds int32, not floating-point numbers"),
        ({ATTENTION + "b_V": torch.ones(2, 8)}, "b_V is not zero, and grokterm's transformer has no such bias"),
        ({"unembed.b_U": torch.full((13,), 0.1)}, "b_U is not zero"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Tensor | None], said: str) -> None:
    assert refused(change).startswith(said)


def test_nandas_output_matrix_must_fit_its_heads() -> None:
    said = refused({ATTENTION + "W_O": torch.zeros(16, 20)}, "Nanda")
    assert said == "W_O has the shape (16, 20), where W_Q (2, 8, 16) asks for (16, 16)"


def test_a_model_too_wide_to_measure_is_refused() -> None:
    d_mlp = MOST_ACTIVATIONS // foreign.P**2 + 1
    wide = {MLP + "W_in": (16, d_mlp), MLP + "W_out": (d_mlp, 16), MLP + "b_in": (d_mlp,)}
    state = foreign.in_layout("TransformerLens", ours())
    state |= {name: torch.zeros(1).expand(*shape) for name, shape in wide.items()}
    with pytest.raises(UsageError, match=r"d_mlp = 1,183,432 at p = 13 needs more memory"):
        weights(state)


def test_the_parameter_with_a_broken_number_is_named() -> None:
    state = foreign.in_layout("Nanda", {name: weight.clone() for name, weight in ours().items()})
    assert weights(state).not_finite() == ""
    state[MLP + "b_out"][3] = float("inf")
    assert weights(state).not_finite() == "b_out"
