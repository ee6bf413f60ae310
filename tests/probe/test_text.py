"""What is printed of findings, to the letter, and the JSON of them."""

import json
import math
from dataclasses import replace

from grokterm.circuit.ablations import Ablation
from grokterm.circuit.losses import Losses
from grokterm.probe.as_json import json_of
from grokterm.probe.findings import (
    Answer,
    Cluster,
    CosineFacts,
    Costliest,
    Definitions,
    Findings,
    HeadFacts,
    InputFacts,
    NeuronFacts,
    Reply,
    Row,
    Share,
    Speaker,
    SumFacts,
    Variant,
)
from grokterm.probe.fitting import table
from grokterm.probe.text import text_of

FOUND = Findings(
    run="2027-03-04-113000-mod11",
    step=12500,
    checkpoint="runs/2027-03-04-113000-mod11/checkpoints/000012500.safetensors",
    task="a + b mod 11",
    p=11,
    parameters=2512,
    neurons_in_all=1032,
    heads_in_all=2,
    key=(Cluster(1, 8), Cluster(4, 1000)),
    losses=(
        Row("as it is", Ablation(), Losses(1.5e-7, 8.8e-8, 1.9e-7, 1.0, 1.0, 1.0)),
        Row("freq=1", Ablation(frequencies=frozenset({1})), Losses(math.nan, math.inf, 2.0, 0.5, 0.25, 0.12345)),
    ),
    costliest=Costliest(4, 9.0625),
    neurons=(NeuronFacts(3, 1, 0.95, True, 6.07e-10, 1016, 1.296, 0.5525, 1, 0.991, ((6, -0.38), (10, 0.36))),),
    heads=(HeadFacts(0, 4, 0.9092, 0.9091, -0.125, 0.25, (0.4996, 0.4993, 0.0011), 3.75, 2.846),),
    inputs=(
        InputFacts(
            a=5,
            b=9,
            right=3,
            part="test",
            replies=(
                Reply("as it is", 7.5e-7, 1, (Answer(3, 64.61, 1.0),)),
                Reply("with head=1, freq=1", 26.08, 7, (Answer(10, 54.64, 0.99), Answer(4, 5.0, 0.001))),
            ),
            attention=((0.25, 0.5, 0.25), (0.125, 0.875, 0.0)),
            without=(1,),
            answer=10,
            speakers=(Speaker(415, 4, 5.49, 1.929), Speaker(3, 1, 2.7, 0.5)),
            by_neurons=36.33,
            by_skip=-0.706,
            by_bias=0.0,
            waves_out=True,
        ),
    ),
)

TEXT = """\
2027-03-04-113000-mod11 at step 12,500: a + b mod 11
2 heads, 1,032 neurons, 2,512 parameters
key frequencies (neurons in their clusters): 1 (8), 4 (1,000); 24 neurons in none
costliest on train: frequency 4, without it 9.062

          all pairs  train loss  test loss  accuracy  train acc  test acc
as it is    1.5e-07     8.8e-08    1.9e-07         1          1         1
freq=1          nan         inf          2       0.5       0.25    0.1235

heads as they are: the waves in their attention to a, where they look, what they are worth
head  frequency     FVE  2 terms   alpha  beta    to a    to b    to =  loss without  with mean
   0          4  0.9092   0.9091  -0.125  0.25  0.4996  0.4993  0.0011          3.75      2.846
FVE, 2 terms: share of the variance over all pairs that five waves of the
frequency explain, and the paper's two, of which alpha is that of the cosines,
beta that of the sines; 2 terms is below 0 where the head does not look at a and
b half the time each, for the paper's formula has the mean ½; to a, b, =: mean
attention; loss of all pairs without the head, and with its mean in its place

neurons as they are: the waves in them and in their weights to the logits (out), the largest weights
neuron  frequency   FVE  cluster  saliency   rank   mean  active  out  share  weights
     3          1  0.95      yes  6.07e-10  1,016  1.296  0.5525    1  0.991  6: -0.38, 10: 0.36
FVE: share of its variance in the waves of its frequency; cluster: whether that
makes it one of the frequency's; saliency: median of |activation × d loss / d
activation|, rank: its place by that of all neurons; mean, active: activation on
the average, share of the pairs where it is not 0; out, share: the frequency of
its weights to the logits, and how much of them that has; weights: answer and
weight, the largest

input 5,9: 3 is right, a test input
  as it is: right; loss 7.5e-07
    answer  logit  probability
         3  64.61            1
  with head=1, freq=1: wrong, 3 comes at place 7; loss 26.08
    answer  logit  probability
        10  54.64         0.99
         4      5        0.001
  attention     to a   to b  to =
  head 0        0.25    0.5  0.25
  head 1, out  0.125  0.875     0
  what raises the logit of 10 above the mean of all, before frequencies are taken out: \
neurons 36.33, skip path -0.706, b_out 0
    neuron  frequency  activation  raises by
       415          4        5.49      1.929
         3          1         2.7        0.5"""


def test_where_no_frequency_costs_anything_none_is_named() -> None:
    told = text_of(replace(FOUND, costliest=Costliest(4, 8.82e-8)))
    assert "costliest on train: none; without any one frequency the loss grows by less than 1%" in told


def test_the_text_to_the_letter() -> None:
    assert text_of(FOUND) == TEXT


def test_sections_that_nobody_asked_for_are_left_out() -> None:
    lines = text_of(
        Findings(**{**vars(FOUND), "neurons": (), "heads": (), "inputs": (), "costliest": None, "key": ()})
    ).splitlines()
    assert lines[2] == "key frequencies (neurons in their clusters): none"
    assert lines[3] == ""
    assert len(lines) == 7


LOSSES = FOUND.losses[0].losses
POLYNOMIALS = Ablation(polynomial=True)
VARIANTS = Definitions(
    sum="a − b",
    losses=(Variant("restricted", Losses(0.5, 0.25, 0.75, 1.0, 1.0, 1.0)),),
    cosines=(CosineFacts(4, 250.5, 0.75, 1.5, 9.0, 8.5, 8.0, 9.5),),
    logit_fve=(Share("cosines, no mean taken away", 0.125), Share("2×2 blocks", 0.95)),
    sums=(SumFacts("before the ReLU", 0.001, 0.002), SumFacts("logits", 0.9, 0.95)),
    neuron_asymmetry=0.03,
    logit_asymmetry=0.01,
    position_similarity=math.nan,
)
VARIANTS_TEXT = """\
other people's definitions: restricted and excluded losses
            all pairs  train loss  test loss  accuracy  train acc  test acc
restricted        0.5        0.25       0.75         1          1         1

logits along cos(w_k(a − b − c)), and the loss on train without each frequency, by what is taken out
frequency  coefficient  similarity  amplitude  sum waves  cosine  2×2 block  3×3 block
        4        250.5        0.75        1.5          9     8.5          8        9.5

share of the logits (FVE) in the key frequencies
                             share
cosines, no mean taken away  0.125
2×2 blocks                    0.95

share in the waves of the sum at key frequencies
                  mean  pooled
before the ReLU  0.001   0.002
logits             0.9    0.95

changes when a and b are swapped: neurons 0.03, logits 0.01; cosine between the positions of a and b nan"""


def test_other_peoples_definitions_come_last() -> None:
    asked = replace(FOUND, definitions=VARIANTS)
    assert text_of(asked) == f"{TEXT}\n\n{VARIANTS_TEXT}"
    told = json.loads(json_of(asked))["definitions"]
    assert told["losses"][0] == {
        "what": "restricted",
        "loss": 0.5,
        "train_loss": 0.25,
        "test_loss": 0.75,
        "accuracy": 1.0,
        "train_accuracy": 1.0,
        "test_accuracy": 1.0,
    }
    assert told["cosines"][0]["without_3x3"] == 9.5
    assert told["sums"][1] == {"what": "logits", "mean": 0.9, "pooled": 0.95}
    assert told["position_similarity"] == "nan"


def test_an_even_modulus_has_no_key_frequencies() -> None:
    (asked,) = FOUND.inputs
    speaker = replace(asked.speakers[0], frequency=None)
    even = replace(FOUND, p=10, key=None, inputs=(replace(asked, speakers=(speaker,)),))
    assert "key frequencies (neurons in their clusters): not counted, for p = 10 is even\n" in text_of(even)
    assert text_of(even).endswith("    415          –        5.49      1.929")
    assert json.loads(json_of(even))["key_frequencies"] is None


def test_cells_are_as_wide_as_the_widest_and_lines_end_where_their_text_does() -> None:
    cells = [["a", "b", "c"], ["long", "1", ""], ["", "22", "x"]]
    assert table(cells, "<><") == ["a      b  c", "long   1", "      22  x"]


def test_the_json_tells_what_stands_where_something_is_taken_out() -> None:
    ablation = Ablation(heads=frozenset({1}), neurons=frozenset({3, 2}), skip=True, how="mean")
    by_mean = replace(FOUND, losses=(Row("all of these", ablation, FOUND.losses[0].losses),))
    (row,) = json.loads(json_of(by_mean))["losses"]
    taken_out = {"frequencies": [], "keep_only": None, "heads": [1], "neurons": [2, 3], "skip": True}
    assert row["ablation"] == {**taken_out, "polynomials": False, "how": "mean"}


def test_the_json_is_strict_and_whole() -> None:
    line = json_of(FOUND)
    assert "\n" not in line
    told = json.loads(line, parse_constant=lambda name: f"not strict: {name}")
    assert told["losses"][1]["loss"] == "nan"
    assert told["losses"][1]["train_loss"] == "inf"
    ablation = {"frequencies": [1], "keep_only": None, "heads": [], "neurons": [], "skip": False}
    assert told["losses"][1]["ablation"] == {**ablation, "polynomials": False, "how": "zero"}
    assert told["losses"][1]["test_accuracy"] == 0.12345
    assert told["key_frequencies"] == [{"frequency": 1, "neurons": 8}, {"frequency": 4, "neurons": 1000}]
    assert told["costliest"] == {"frequency": 4, "loss": 9.0625}
    assert (told["run"], told["step"], told["p"], told["n_heads"], told["d_mlp"]) == (FOUND.run, 12500, 11, 2, 1032)
    assert told["neurons"][0]["weights"] == [{"answer": 6, "weight": -0.38}, {"answer": 10, "weight": 0.36}]
    assert told["heads"][0]["attention"] == {"a": 0.4996, "b": 0.4993, "end": 0.0011}
    (asked,) = told["inputs"]
    assert asked["attention"][1] == {"a": 0.125, "b": 0.875, "end": 0.0}
    assert asked["replies"][1]["answers"][0] == {"answer": 10, "logit": 54.64, "probability": 0.99}
    assert asked["speakers"][0] == {"neuron": 415, "frequency": 4, "activation": 5.49, "raises": 1.929}
    assert asked["without"] == [1]
    assert told["definitions"] is None


def test_everything_fits_the_terminal_and_no_word_is_broken() -> None:
    whole = replace(FOUND, definitions=VARIANTS, losses=(*FOUND.losses, Row("polynomials", POLYNOMIALS, LOSSES)))
    words = [*text_of(whole).split()]
    for width in (40, 60, 80, 100):
        lines = text_of(whole, width).splitlines()
        assert max(map(len, lines)) <= width
        assert {*words} == {word for line in lines for word in line.split()}
    assert max(map(len, text_of(whole).splitlines())) > 100  # in a pipe a row of a table is one line


def test_columns_that_have_no_place_come_below_behind_the_first_one() -> None:
    cells = [["head", "alpha", "beta", "to a, to b"], ["0", "0.125", "-2.5", "left, right"]]
    assert table(cells, "<>><", 17) == [
        "head  alpha  beta",
        "0     0.125  -2.5",
        "head  to a, to b",
        "0     left, right",
    ]
    assert table(cells, "<>><", 40) == ["head  alpha  beta  to a, to b", "0     0.125  -2.5  left, right"]
    assert table([["n", "weights"], ["3", "6: -0.38, 10: 0.36, 4: 0.125"]], "><", 23) == [
        "n  weights",
        "3  6: -0.38, 10: 0.36,",
        "   4: 0.125",
    ]


def test_what_replaces_a_neuron_and_when_two_terms_are_below_nothing_is_said() -> None:
    polynomials = replace(FOUND, losses=(*FOUND.losses, Row("polynomials", POLYNOMIALS, LOSSES)))
    said = "only its part in nine functions of its frequency"
    assert said in " ".join(text_of(polynomials).split())
    assert said not in " ".join(text_of(FOUND).split())
    told = " ".join(text_of(FOUND).split())
    assert "2 terms is below 0 where the head does not look at a and b half the time each" in told


def test_where_no_frequency_is_key_there_are_no_tables_of_them() -> None:
    told = text_of(replace(FOUND, key=(), definitions=replace(VARIANTS, cosines=())))
    *_, losses, why, symmetry = told.split("\n\n")
    assert losses.startswith("other people's definitions")
    assert why.startswith("no frequency is key at this step: ")
    assert symmetry.startswith("changes when a and b are swapped")
