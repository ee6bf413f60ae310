"""The run at the cursor: its curves as they were recorded, and the facts in the room there is."""

import math
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from grokterm.drawing.cells import Row
from grokterm.history import History
from grokterm.run.table import TableWriter, read_table
from grokterm.summary import summarize
from grokterm.tui.browser.preview import Losses, LossReader, chart_rows, fact_rows, flowed
from tests.recorded import record
from tests.retold import Retold
from tests.small_runs import STARTED, small_run


def text(rows: tuple[Row, ...] | list[Row]) -> str:
    return "\n".join("".join(span.text for span in row).rstrip() for row in rows)


def test_the_curves_are_what_was_recorded(tmp_path: Path) -> None:
    run = record(tmp_path)
    history, losses = History(run), LossReader(run.path).read()
    history.poll()
    assert losses is not None
    for curve, name in ((losses.train, "train_loss"), (losses.test, "test_loss")):
        recorded = history.series(name)
        assert curve.steps.tolist() == recorded.steps.tolist()
        assert curve.values.tolist() == recorded.values.tolist()


def test_a_long_run_is_read_in_pieces_and_can_be_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grokterm.tui.browser.preview.ROWS_AT_ONCE", 64)
    reader = LossReader(record(tmp_path).path)
    looks = iter([True, True, False])
    assert reader.read(lambda: next(looks)) is None
    losses = reader.read()
    assert losses is not None
    assert len(losses.train.values) == len(losses.test.values) == 400


def test_what_is_added_and_what_is_cut_is_followed(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a", state="training")
    reader = LossReader(run.path)
    assert (losses := reader.read()) is not None
    assert len(losses.train.values) == 3
    with TableWriter(run.steps_path, read_table(run.steps_path).dtype) as table:
        table.append(3, STARTED, 0.125, 1.0)
    assert (losses := reader.read()) is not None
    assert losses.train.values.tolist() == [4.0, 2.0, 4 / 3, 0.125]
    whole = run.steps_path.read_bytes()
    run.steps_path.write_bytes(whole[: -2 * 32])  # a resumed run cuts the rows after its checkpoint
    assert (losses := reader.read()) is not None
    assert losses.train.values.tolist() == [4.0, 2.0]


@pytest.mark.parametrize("seed", range(5))
def test_of_a_resumed_run_only_the_rows_of_its_last_life_are_drawn(tmp_path: Path, seed: int) -> None:
    random, trainer = Random(seed), Retold(tmp_path)
    reader = LossReader(trainer.run.path)
    for _ in range(25):
        trainer.act(random)
        looks = iter([True] * random.randint(0, 2))
        losses = reader.read(lambda looks=looks: next(looks, False))  # type: ignore[misc]
        for curve, name in ((losses.train, "train_loss"), (losses.test, "test_loss")) if losses is not None else ():
            assert list(zip(curve.steps, curve.values, strict=True)) == trainer.now.rows[name]
    losses = reader.read()
    assert losses is not None
    assert losses.train.values.tolist() == [value for _, value in trainer.now.rows["train_loss"]]


def test_a_resume_while_the_losses_are_read_mixes_nothing(tmp_path: Path) -> None:
    trainer = Retold(tmp_path)
    trainer.train(10)
    trainer.save()
    trainer.train(10)
    reader = LossReader(trainer.run.path)
    assert reader.read() is not None
    looks = 0

    def wanted() -> bool:
        nonlocal looks
        looks += 1
        if looks == 1:
            trainer.resume()
            trainer.train(30)
        return True

    losses = reader.read(wanted)
    assert losses is not None
    assert losses.train.values.tolist() == [value for _, value in trainer.now.rows["train_loss"]]
    assert losses.test.values.tolist() == [value for _, value in trainer.now.rows["test_loss"]]


def test_a_run_that_vanishes_has_no_curves_and_a_damaged_one_says_why(tmp_path: Path) -> None:
    assert (losses := LossReader(tmp_path / "gone").read()) is not None
    assert len(losses.train.values) == 0
    run = small_run(tmp_path, "a")
    run.tests_path.write_bytes(b"what?")
    summary = summarize(run)
    assert summary is not None
    assert (losses := LossReader(run.path).read()) is not None
    assert "tests.npy does not begin" in text(chart_rows(losses, summary, 200, 5, "braille"))
    assert "damaged at step 3" in text(fact_rows(summary, 80, 9, "braille"))
    assert "tests.npy does not begin" in text(fact_rows(summary, 200, 9, "braille"))


def test_columns_of_anything_are_no_curves(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a")
    run.steps_path.unlink()
    with TableWriter(run.steps_path, [("step", "<i8"), ("train_loss", "<f8", (2,))]) as table:
        table.append(0, [1, 2])
    assert (losses := LossReader(run.path).read()) is not None
    assert len(losses.train.values) == 0


@pytest.mark.parametrize("markers", ["braille", "block", "ascii"])
@pytest.mark.parametrize(("width", "height"), [(80, 20), (40, 8), (12, 3), (1, 1), (0, 0)])
def test_chart_and_facts_fill_the_room_exactly(tmp_path: Path, markers: str, width: int, height: int) -> None:
    run = record(tmp_path)
    summary, losses = summarize(run), LossReader(run.path).read()
    assert summary is not None
    assert losses is not None
    for rows in (
        chart_rows(losses, summary, width, height, markers),  # type: ignore[arg-type]
        fact_rows(summary, width, height, markers),  # type: ignore[arg-type]
    ):
        assert len(rows) == height
        assert {sum(len(span.text) for span in row) for row in rows} <= {width}
        assert markers != "ascii" or text(rows).isascii()


def test_the_chart_says_where_the_run_memorised_and_grokked(tmp_path: Path) -> None:
    run = record(tmp_path)
    summary, losses = summarize(run), LossReader(run.path).read()
    assert summary is not None
    assert losses is not None
    shown = text(chart_rows(losses, replace(summary, memorized_at=100, grokked_at=300), 80, 16, "braille"))
    assert shown.splitlines()[0].split() == ["━", "train", "7.97e-06", "╾", "test", "1.995e-06"]
    assert "memorised" in shown
    assert "grokked" in shown


def test_values_that_cannot_be_drawn_are_no_crash(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a")
    summary = summarize(run)
    assert summary is not None
    with TableWriter(run.tests_path, read_table(run.tests_path).dtype) as table:
        for step, loss in enumerate((math.nan, math.inf, -math.inf, 0.0, -1.0), 3):
            table.append(step, loss, 0.5)
    assert (losses := LossReader(run.path).read()) is not None
    assert "×" in text(chart_rows(losses, summary, 60, 12, "braille"))
    text(chart_rows(Losses(), summary, 60, 12, "braille"))


def test_facts_say_the_most_telling_first(tmp_path: Path) -> None:
    run = small_run(
        tmp_path, "a", state="stopped", planned=9, marks={"memorized_at": 1, "grokked_at": 3}, tags=("good",), lr=2e-3
    )
    summary = summarize(run)
    assert summary is not None
    shown = text(fact_rows(summary, 60, 12, "braille")).splitlines()
    assert shown[:4] == [
        "a",
        "■ stopped at step 3 of 9",
        "train 1.333   acc 0.500   test 0.5   acc 0.250",
        "phase memorization   memorised 1   grokked 3   delay 2",
    ]
    whole = "\n".join(shown)
    for told in ("key 2 5", "tags good", "preset mod113   seed 0", "task modular   p 113", "lr 0.002   wd 1"):
        assert told in whole


def test_texts_of_a_run_are_shown_literally(tmp_path: Path) -> None:
    summary = summarize(small_run(tmp_path, "a", preset="\x1b[2J[bold]x[/bold]", phase="\x07", tags=("\x1b",)))
    assert summary is not None
    shown = text(fact_rows(summary, 100, 12, "braille"))
    assert "?[2J[bold]x[/bold]" in shown
    assert all(char.isprintable() for char in shown.replace("\n", ""))


def test_settings_that_nobody_can_write_are_no_crash(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a")
    run.config_path.write_text(f"preset = 3\nseed = 'x'\n[task]\nname = 3\np = 0x{'f' * 9000}\nq = [1e400, {{}}]\n")
    summary = summarize(run)
    assert summary is not None
    assert "p …   q [inf, {}]" in text(fact_rows(summary, 80, 12, "braille"))


def test_pairs_flow_into_as_many_rows_as_they_need() -> None:
    pairs = [("a", "1"), ("b", ""), ("", "two"), ("label", "value")]
    assert text(flowed(pairs, 40)) == "a 1   two   label value"
    assert text(flowed(pairs, 12)) == "a 1   two\nlabel value"
    assert text(flowed(pairs, 3)) == "a 1\ntwo\nlab"


def test_the_reader_reads_no_other_table(tmp_path: Path) -> None:
    run = record(tmp_path)
    run.measures_path.write_bytes(b"what?")
    (run.arrays / "fourier_embedding.npy").write_bytes(b"what?")
    losses = LossReader(run.path).read()
    assert losses is not None
    assert losses.problem == ""
    assert np.isfinite(losses.train.values).all()
