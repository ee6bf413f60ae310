"""What an export reads: complete rows, counted once, of a run that may go on meanwhile."""

from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest

from grokterm.errors import RunError
from grokterm.export.contents import contents_of, data_of, line_of, safe, words_of
from grokterm.export.formats import format_named, writer_of
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import Event
from grokterm.run.table import Rows, TableReader, TableWriter, read_table
from tests.measured_run import measure
from tests.odd_run import BEGAN, CONFIG, EVENTS, ODD_NAME, Counted, record_odd
from tests.recorded import record
from tests.retold import Retold

STEPS = [("step", "<i8"), ("time", "<f8"), ("train_loss", "<f8")]


def test_every_table_with_its_complete_rows(tmp_path: Path) -> None:
    contents = contents_of(record_odd(tmp_path))
    assert {table.name: table.rows for table in contents.tables} == {
        "steps": 4,
        "tests": 5,
        "measures": 2,
        "arrays/spectrum": 2,
        "arrays/weights": 2,
    }
    assert (contents.name, contents.config) == ("2027-03-04-113000-odd", CONFIG)
    assert [event.kind for event in contents.events] == [event["event"] for event in EVENTS]
    assert contents.nbytes == 4 * 32 + 5 * 16 + 2 * 24 + 2 * (8 + 12) + 2 * (8 + 32)
    assert contents.summary() == "5 tables, 15 rows, 7 events"
    measures = contents.tables[2]
    assert measures.scalars == ["weight_norm_sq/W_E", ODD_NAME]


def test_blocks_are_the_rows_in_pieces(tmp_path: Path) -> None:
    run = record_odd(tmp_path)
    table = contents_of(run).tables[1]
    blocks = list(table.blocks(size=32))
    assert [len(rows) for rows in blocks] == [2, 2, 1]
    assert np.concatenate(blocks).tobytes() == read_table(run.tests_path).tobytes()


def test_rows_that_come_later_do_not_count(tmp_path: Path) -> None:
    run = create(tmp_path, "live")
    run.write_config({"format": 1})
    with TableWriter(run.steps_path, STEPS) as table:
        table.append(0, 1.0, 4.0)
        table.flush()
        steps = contents_of(run).tables[0]
        table.append(1, 2.0, 3.0)
    assert [row.tolist() for rows in steps.blocks() for row in rows] == [(0, 1.0, 4.0)]
    assert contents_of(run).tables[0].rows == 2


def test_a_table_cut_meanwhile_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    run = record_odd(tmp_path)
    steps = contents_of(run).tables[0]
    with run.steps_path.open("r+b") as file:
        file.truncate(run.steps_path.stat().st_size - 32)
    with pytest.raises(RunError, match=r"steps\.npy was cut or deleted while it was being read; .* export it again"):
        list(steps.blocks())


def test_a_resumed_run_is_exported_as_it_holds(tmp_path: Path) -> None:
    trainer = Retold(tmp_path)
    trainer.train(10)
    trainer.edit()
    trainer.save()
    trainer.train(10)
    trainer.edit()
    trainer.resume()
    trainer.train(3)
    contents = contents_of(trainer.run)
    assert [event.kind for event in contents.events] == ["state", "edit", "state"]
    assert contents.events[-1].data["state"] == "resumed"
    steps = np.concatenate(list(contents.tables[0].blocks()))
    assert list(zip(steps["step"], steps["train_loss"], strict=True)) == trainer.now.rows["train_loss"]


def test_a_table_that_was_cut_and_grew_back_meanwhile_is_an_error_too(tmp_path: Path) -> None:
    trainer = Retold(tmp_path)
    trainer.train(10)
    steps = contents_of(trainer.run).tables[0]
    blocks = steps.blocks(size=2 * steps.dtype.itemsize)
    assert len(next(blocks)) == 2
    trainer.resume()
    trainer.train(20)
    with pytest.raises(RunError, match=r"steps\.npy was cut or deleted while it was being read; .* export it again"):
        list(blocks)
    assert contents_of(trainer.run).tables[0].rows == 20


def test_a_run_that_is_resumed_while_it_is_counted_is_counted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Retold(tmp_path)
    trainer.train(10)
    real = TableReader.new_rows

    def new_rows(reader: TableReader, most: int | None = None) -> Rows:
        if reader.path.name == "steps.npy":
            monkeypatch.undo()
            trainer.resume()
            trainer.train(1)
        return real(reader, most)

    monkeypatch.setattr(TableReader, "new_rows", new_rows)
    contents = contents_of(trainer.run)
    assert {table.name: table.rows for table in contents.tables} == {
        "steps": 1,
        "tests": 1,
        "measures": 1,
        "arrays/spectrum": 1,
    }
    assert [event.data["state"] for event in contents.events] == ["training", "resumed"]


def test_only_numbers_little_endian_and_packed(tmp_path: Path) -> None:
    run = create(tmp_path, "foreign")
    run.write_config({"format": 1})
    columns = np.dtype(
        {"names": ["step", "word", "loss", "fine"], "formats": ["<i4", "S3", ">f4", "?"], "offsets": [0, 4, 8, 12]}
    )
    rows = np.zeros(2, columns)
    rows["step"], rows["loss"], rows["fine"] = (3, 4), (0.5, np.nan), (True, False)
    np.save(run.steps_path, rows)
    (steps,) = contents_of(run).tables
    assert steps.dtype == np.dtype([("step", "<i4"), ("loss", "<f4"), ("fine", "?")])
    assert np.concatenate(list(steps.blocks())).tolist()[0] == (3, 0.5, True)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (np.zeros(2, [("loss", "<f8")]), "has no column of whole-numbered steps"),
        (np.zeros(2, [("step", "<f8")]), "has no column of whole-numbered steps"),
        (np.zeros(2, [("step", "<i8"), ("a\x1b[31m", "<f8")]), "has a column whose name cannot be printed"),
        (np.zeros(0, [("step", "<i8")]), "has recorded nothing yet, so there is nothing to export"),
    ],
)
def test_what_cannot_be_exported_is_said_in_a_sentence(tmp_path: Path, steps: np.ndarray, said: str) -> None:
    run = create(tmp_path, "bad")
    run.write_config({"format": 1})
    np.save(run.steps_path, steps)
    with pytest.raises(RunError, match=said):
        contents_of(run)


def test_what_is_no_run_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"has no run\.toml"):
        contents_of(RunDirectory(tmp_path))
    run = create(tmp_path, "new")
    run.write_config({"format": 1})
    with pytest.raises(RunError, match="has recorded nothing yet"):
        contents_of(run)


def test_times_are_those_recorded_and_behind_the_last_row_that_of_the_end(tmp_path: Path) -> None:
    times = contents_of(record_odd(tmp_path)).times
    assert times.began == BEGAN
    found = times.of(np.array([0, 2, 3, 4, 99]))
    assert found.tolist() == [BEGAN, BEGAN + 2 / 3, BEGAN + 1, BEGAN + 3, BEGAN + 3]


def test_events_in_words_and_as_json() -> None:
    edit = Event(2, 1.5, "edit", {"knob": "lr", "old": 0.1, "new": float("inf"), "moments": "kept", "request": "a"})
    assert words_of(edit) == "knob lr, old 0.1, new inf, moments kept"
    assert words_of(Event(2, 1.5, "state", {"state": "training", "knobs": {"lr": 1}})) == 'training, knobs {"lr": 1}'
    assert words_of(Event(2, 1.5, "error", {"message": "broken", "traceback": "long"})) == "broken"
    assert data_of(Event(2, 1.5, "note", {"text": "é\n"})) == r'{"text": "\u00e9\n"}'
    assert line_of(Event(2, 1.5, "note", {"text": "x"})) == '{"event": "note", "step": 2, "time": 1.5, "text": "x"}'


def test_half_a_surrogate_pair_is_written_as_a_question_mark() -> None:
    assert safe("a\ud800é") == "a?é"


def test_hindsight_is_a_table_and_a_folder_of_vectors(tmp_path: Path) -> None:
    contents = contents_of(measure(record(tmp_path)))
    names = [table.name for table in contents.tables]
    assert names[:4] == ["steps", "tests", "measures", "hindsight"]
    assert names[-3:] == ["hindsight/excluded_loss_k", "hindsight/fourier_embedding", "hindsight/loss_without_head"]
    assert {table.name: table.rows for table in contents.tables}["hindsight"] == 5
    assert "rqi" in contents.tables[3].scalars


@pytest.mark.parametrize("format_name", ["csv", "npz", "parquet", "tensorboard"])
def test_every_format_holds_it(tmp_path: Path, format_name: str) -> None:
    run = measure(record(tmp_path / "runs"))
    chosen = format_named(format_name)
    written = tmp_path / "written"
    if chosen.inside:
        written.mkdir()
    writer_of(chosen)(run, written, Counted())
    if format_name == "npz":
        with np.load(written) as data:
            assert data["hindsight"]["rqi"].tolist() == [0, 0.125, 0.25, 0.375, 0.5]
            assert data["hindsight/loss_without_head"]["value"].shape == (5, 2)
        return
    there = [path.relative_to(written) for path in written.iterdir()]
    assert all(any(fnmatch(path.name, pattern) for pattern in chosen.inside) for path in there)
    if format_name == "tensorboard":
        (file,) = written.iterdir()
        assert b"hindsight/rqi" in file.read_bytes()
    else:
        assert (written / f"hindsight.{format_name}").exists()
        assert (written / "hindsight" / f"loss_without_head.{format_name}").exists()
