"""A comparison: what it reads equals what was recorded; looks stay; panels, table and pages say it in every size."""

import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from grokterm.drawing.cells import Markers, Row
from grokterm.drawing.chart import Entry
from grokterm.drawing.legend import legend
from grokterm.drawing.strips import Strip, draw_strips
from grokterm.drawing.ticks import format_value
from grokterm.errors import RunError, UsageError
from grokterm.run import hindsight
from grokterm.run.directory import RunDirectory
from grokterm.run.events import EventLog
from grokterm.run.outcome import INTERRUPTED
from grokterm.run.table import TableWriter, read_table
from grokterm.tui.compare import results
from grokterm.tui.compare.choices import OVERLAYS, SPECTRA, TABLE, choices
from grokterm.tui.compare.compared import GONE, UNREADABLE, Followed
from grokterm.tui.compare.comparison import LABELS, Comparison, check, look_of
from grokterm.tui.compare.header import header
from grokterm.tui.compare.overlay import Terms, fit, readings_legend, short
from grokterm.tui.compare.panels import draw_panel
from grokterm.tui.compare.readings import differences_text, values_text
from grokterm.tui.looks import Looks
from tests.measured_run import measure
from tests.recorded import record
from tests.several_runs import compared, configuration, edit, recorded_runs, series

SIZES = [(20, 4), (38, 9), (58, 12), (78, 20), (118, 36), (10, 3), (1, 1)]
MARKERS: tuple[Markers, ...] = ("braille", "block", "ascii")


def text_of(rows: tuple[Row, ...]) -> str:
    return "\n".join("".join(span.text for span in row) for row in rows)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[RunDirectory]:
    settings = (configuration(0), configuration(1, steps=300), configuration(2, lr=2e-3))
    runs = recorded_runs(tmp_path_factory.mktemp("runs"), *settings)
    with TableWriter(runs[1].tests_path, read_table(runs[1].tests_path).dtype) as table:
        table.append(400, 0.123456789, 1.0)  # one run goes further than the others
    return runs


def comparison_of(runs: list[RunDirectory], **how: bool) -> Comparison:
    return Comparison([Followed(run).now for run in runs], **how)


# -- which runs


def test_two_to_sixteen_different_runs() -> None:
    runs = [RunDirectory(Path(f"/runs/{index}")) for index in range(17)]
    check(runs[:2])
    check(runs[:16])
    with pytest.raises(UsageError, match="at least two"):
        check(runs[:1])
    with pytest.raises(UsageError, match="at most 16 runs, and 17 were named"):
        check(runs)
    with pytest.raises(UsageError, match="1 was named 2 times"):
        check([runs[0], runs[1], RunDirectory(Path("/runs/../runs/1"))])


def test_sixteen_looks_are_told_apart_with_and_without_colour() -> None:
    looks = [look_of(index) for index in range(16)]
    assert len({(look.style, look.pattern) for look in looks}) == 16
    assert len({look.label for look in looks}) == 16
    assert all(a.style != b.style and a.pattern != b.pattern for a, b in pairwise(looks))
    assert all(len(label) == 1 and label.isascii() for label in LABELS)


def test_a_run_keeps_its_look_however_it_is_compared(three: list[RunDirectory]) -> None:
    plain, bundled, since = (comparison_of(three, **how) for how in ({}, {"bundled": True}, {"since_memorised": True}))
    assert plain.looks == bundled.looks == since.looks
    assert [track.label for track in plain.tracks] == ["1", "2", "3"]
    assert [(track.label, track.look.label) for track in bundled.tracks] == [("1+2", "1"), ("3", "3")]
    assert [track.name for track in bundled.tracks] == ["lr 0.001", "lr 0.002 seed 2"]


# -- what is read


@pytest.mark.parametrize("since", [False, True])
def test_every_reading_is_the_recorded_value_at_or_before_the_cursor(three: list[RunDirectory], since: bool) -> None:
    comparison = comparison_of(three, since_memorised=since)
    chance = random.Random(1)
    tables = [[read_table(run.path / f"{name}.npy") for name in ("steps", "tests", "measures")] for run in three]
    names = [name for name in tables[0][0].dtype.names or () if name not in ("step", "time")]
    names += [name for table in tables[0][1:] for name in table.dtype.names or () if name != "step"]
    read = 0
    for _ in range(300):
        index, name, cursor = chance.randrange(3), chance.choice(names), chance.randrange(0, 420)
        table = next(table for table in tables[index] if name in (table.dtype.names or ()))
        step = cursor + (20 + 10 * index if since else 0)
        before = table[table["step"] <= step]
        (track,) = [track for track in comparison.tracks if track.members == (index,)]
        trace = comparison.trace(track, name)
        assert trace is not None
        expected = float(before[name][-1])
        assert comparison.value(index, name, cursor) == expected
        assert trace.reading(cursor) == format_value(expected)
        assert repr(expected) in values_text(comparison, cursor)
        read += 1
    assert read == 300


def test_the_table_reads_what_was_recorded(three: list[RunDirectory]) -> None:
    comparison = comparison_of(three)
    for cursor in (0, 1, 57, 399, None):
        rows = results.table_rows(comparison, results.RESULTS, cursor, 140, "braille")
        for index, run in enumerate(three):
            for name, path in (("train_loss", run.steps_path), ("test_loss", run.tests_path)):
                table = read_table(path)
                before = table if cursor is None else table[table["step"] <= cursor]
                assert f" {format_value(float(before[name][-1]))} " in text_of((rows[index + 1],))


def test_before_the_first_row_nothing_is_read() -> None:
    comparison = Comparison([compared("a", loss=series([10, 20], [1.0, 2.0])), compared("b")])
    assert comparison.value(0, "loss", 9) is None
    assert comparison.value(0, "loss", 10) == 1.0
    assert comparison.value(1, "loss", 50) is None
    trace = comparison.trace(comparison.tracks[0], "loss")
    assert trace is not None
    assert trace.reading(9) == ""
    assert comparison.trace(comparison.tracks[1], "loss") is None


def test_a_bundle_reads_median_range_and_number() -> None:
    runs = [
        compared(name, config=configuration(seed), loss=series(steps, values))
        for seed, (name, steps, values) in enumerate(
            [("a", [0, 10], [1.0, 4.0]), ("b", [0, 10], [2.0, 5.0]), ("c", [0], [9.0])]
        )
    ]
    comparison = Comparison(runs, bundled=True)
    (track,) = comparison.tracks
    trace = comparison.trace(track, "loss")
    assert trace is not None
    assert trace.reading(3) == "2 [1–9] of 3"
    assert trace.reading(None) == "4.5 [4–5] of 2"


def test_since_memorised_begins_there_and_leaves_the_others_out() -> None:
    loss = series([0, 40, 60, 100], [4.0, 3.0, 2.0, 1.0])
    runs = [compared("a", memorised=40, loss=loss), compared("b", loss=loss), compared("c", memorised=10, loss=loss)]
    comparison = Comparison(runs, since_memorised=True)
    assert comparison.left_out == (1,)
    assert [track.members for track in comparison.tracks] == [(0,), (2,)]
    assert comparison.last == 90
    assert [comparison.value(index, "loss", 20) for index in (0, 2)] == [2.0, 4.0]
    trace = comparison.trace(comparison.tracks[0], "loss")
    assert trace is not None
    assert trace.x.tolist() == [-40, 0, 20, 60]
    assert trace.first == 1
    assert "never memorised, left out: 2" in text_of(header(comparison, Terms(), Looks(), 120))
    assert Comparison(runs).left_out == ()


def test_when_an_imported_run_memorised_is_not_known() -> None:
    loss = series([0, 40], [4.0, 3.0])
    runs = [compared("a", loss=loss), compared("b", loss=loss, config={"source": {"file": "theirs.pth"}})]
    told = text_of(header(Comparison(runs, since_memorised=True), Terms(), Looks(), 120))
    assert "never memorised, left out: 1" in told
    assert "not known when memorised, left out: 2" in told
    assert "never" not in text_of(header(Comparison(runs[1:], since_memorised=True), Terms(), Looks(), 120))


def test_log_x_since_memorised_draws_nothing_from_before() -> None:
    high, low = series([0, 50, 100], [1000.0, 1.0, 1.0]), series([0, 100], [1.0, 1.0])
    runs = [compared("a", memorised=50, weight_norm_sq=high), compared("b", memorised=1, weight_norm_sq=low)]
    picture = draw_panel(Comparison(runs, since_memorised=True), 3, Terms(), Looks(log_x=True), 60, 14)
    assert picture is not None
    assert "1000" not in text_of(picture.rows)
    assert "1.0k" not in text_of(picture.rows)


def test_marks_and_moments_are_the_runs_own_and_move_with_them(three: list[RunDirectory]) -> None:
    comparison = comparison_of(three)
    assert [(mark.x, mark.label, mark.style) for mark in comparison.marks(None)] == [(200, "wd 2", "mark")]
    since = comparison_of(three, since_memorised=True)
    assert [(mark.x, mark.label) for mark in since.marks(None)] == [(160, "3 wd 2"), (170, "2 wd 2"), (180, "1 wd 2")]
    assert [(mark.x, mark.label, mark.style) for mark in since.marks(since.tracks[1])] == [(170, "wd 2", "test")]
    assert [moment.step for moment in since.moments(since.tracks[0])] == [0, 60, 180]
    assert "memorised for good" in since.moments(since.tracks[0])[0].text


# -- what is shown


@pytest.mark.parametrize("markers", MARKERS)
@pytest.mark.parametrize("digit", [panel.digit for panel in OVERLAYS])
def test_every_panel_fills_its_cells_in_every_way(three: list[RunDirectory], digit: int, markers: Markers) -> None:
    for how in ({}, {"bundled": True}, {"since_memorised": True}):
        comparison = comparison_of(three, **how)
        for choice in choices(digit, comparison.runs, len(comparison.tracks)):
            for terms in (Terms(chosen={digit: choice.name}), Terms(selected=2, chosen={digit: choice.name})):
                for at, (width, height) in enumerate(SIZES):
                    cursor = (None, 57)[at % 2]
                    looks = Looks(cursor=cursor, markers=markers, smooth=at % 3 == 0, log_x=width > 60)
                    picture = draw_panel(comparison, digit, terms, looks, width, height)
                    assert picture is not None
                    lines = text_of(picture.rows).split("\n")
                    assert [len(line) for line in lines] == [width] * height
                    if markers == "ascii":
                        assert text_of(picture.rows).isascii()


def test_choices_have_distinct_names_and_follow_what_is_recorded(three: list[RunDirectory]) -> None:
    runs = comparison_of(three).runs
    for panel in OVERLAYS:
        names = [choice.name for choice in choices(panel.digit, runs, 3)]
        assert names
        assert len(set(names)) == len(names)
    assert [choice.name for choice in choices(1, runs, 3)] == ["test, faint train", "test", "train"]
    assert [choice.name for choice in choices(1, runs, 10)] == ["test", "train", "test, faint train"]
    only = [compared("a", test_loss=series([0], [1.0])), compared("b")]
    assert [choice.name for choice in choices(1, only, 2)] == ["test"]
    assert choices(2, only, 2) == ()
    shown = {name for panel in OVERLAYS for choice in choices(panel.digit, runs, 3) for name in choice.series}
    recorded = {name for run in runs for name in (*run.series, *run.arrays)}
    assert recorded - shown == {"seconds", "weight_norm"}


def test_hindsight_can_be_chosen_and_is_offered_once(tmp_path: Path) -> None:
    runs = recorded_runs(tmp_path, configuration(0), configuration(1))
    known = comparison_of([measure(runs[0]), runs[1]]).runs
    names = {panel.digit: [choice.name for choice in choices(panel.digit, known, 2)] for panel in OVERLAYS}
    assert names[5][0] == "restricted (live), faint excluded (live)"
    assert {"restricted (hindsight)", "excluded (hindsight)", "max k"} <= {*names[5]}
    assert "logit FVE (hindsight)" in names[6]
    assert "rqi (h)" in names[8]
    assert not [name for name in names[8] if "gini" in name or "restricted" in name]
    assert "loss without each head (hindsight)" in names[SPECTRA]
    assert names[SPECTRA].count("Fourier norms of W_E") == 1
    assert "Fourier norms of W_E (hindsight)" not in names[SPECTRA]


def test_a_run_whose_hindsight_is_removed_is_not_gone(tmp_path: Path) -> None:
    followed = Followed(measure(record(tmp_path)))
    assert "hindsight/rqi" in followed.now.series
    assert followed.now.spectrum("hindsight/fourier_embedding", None).shape == (11,)
    hindsight.remove(followed.run)
    followed.poll()
    assert followed.now.state == "finished"


def test_the_cursor_redraws_no_curve(three: list[RunDirectory]) -> None:
    comparison = comparison_of(three)
    draw_panel(comparison, 1, Terms(), Looks(), 60, 16)
    (plot,) = comparison.plots.values()
    before = plot.frame.canvas.codes.copy()
    moved = draw_panel(comparison, 1, Terms(), Looks(cursor=100), 60, 16)
    assert list(comparison.plots.values()) == [plot]
    assert np.array_equal(plot.frame.canvas.codes, before)
    fresh = draw_panel(comparison_of(three), 1, Terms(), Looks(cursor=100), 60, 16)
    assert moved == fresh
    for other in (Terms(selected=1), Terms(chosen={1: "train"})):
        assert draw_panel(comparison, 1, other, Looks(), 60, 16) == draw_panel(
            comparison_of(three), 1, other, Looks(), 60, 16
        )
    assert len(comparison.plots) == 3


def test_pointing_out_makes_the_others_faint_and_draws_on_top(three: list[RunDirectory]) -> None:
    comparison = comparison_of(three)
    picture = draw_panel(comparison, 1, Terms(selected=1), Looks(), 60, 16)
    assert picture is not None
    styles = {span.style for row in picture.rows[2:] for span in row}
    assert "test" in styles
    assert not styles & {"train", "restricted"}


def test_a_legend_names_runs_where_they_fit_and_reads_all_before() -> None:
    runs = [compared(f"name-{index}", loss=series([0], [index + 0.5])) for index in range(10)]
    tracks = Comparison(runs).tracks
    readings = [(track, format_value(index + 0.5)) for index, track in enumerate(tracks)]
    assert text_of(readings_legend(readings[:2], 60, 1, Looks())).rstrip() == "━ 1 name-0: 0.5  ╾ 2 name-1: 1.5"
    assert (
        text_of(readings_legend(readings[:5], 50, 1, Looks())).rstrip()
        == "━ 1: 0.5  ╾ 2: 1.5  ╍ 3: 2.5  ┄ 4: 3.5  ━ 5: 4.5"
    )
    assert text_of(readings_legend(readings, 50, 1, Looks())).rstrip().endswith("+6")
    assert text_of(readings_legend(readings[:2], 16, 1, Looks(markers="ascii"))) == "1 0.5  2 1.5    "


def test_what_fits_is_what_the_legend_has_room_for() -> None:
    chance = random.Random(2)
    runs = [compared(f"name-{index}", loss=series([0], [1.0])) for index in range(16)]
    tracks = Comparison(runs).tracks
    for _ in range(400):
        entries = [
            Entry(track.label * chance.randrange(1, 9), "train", "solid", "1" * chance.randrange(0, 9))
            for track in tracks[: chance.randrange(1, 16)]
        ]
        width, rows = chance.randrange(10, 90), chance.randrange(1, 4)
        made = legend(entries, width, rows)
        whole = bool(made) and not any(span.text.startswith("+") and span.style == "quiet" for span in made[-1])
        assert fit(entries, width, rows) == whole


def test_short_names_keep_both_ends() -> None:
    assert short("mod113-quick 013957", 12) == "mod1… 013957"
    assert short("seed 1") == "seed 1"
    assert all(len(short("x" * 40, most)) == most for most in range(2, 30))


# -- spectra


def test_strips_shade_and_name_key_frequencies() -> None:
    values = np.array([0.1, 0.1, 5.0, 0.1, 0.1, 3.5, 0.1, 0.1, 0.1, 0.1])
    strips = [Strip("1", "train", values, (3, 6)), Strip("2", "test", values[:5] * 100, (3,))]
    drawing = draw_strips(strips, 22, 5)
    assert drawing.text() == "\n".join(
        [
            "1     ██    ▓▓        ",
            "      3     6         ",
            "2     ██              ",
            "      3               ",
            " └1───────5─────────10",
        ]
    )
    keys = {span.text.strip() for row in drawing.rows for span in row if span.style == "bar.key"}
    assert {"██", "▓▓", "3", "6"} <= keys


def test_taller_strips_are_bars_and_low_ones_have_no_names() -> None:
    values = np.array([4.0, 2.0, 0.0, 1.0])
    drawing = draw_strips([Strip("1", "train", values)], 6, 4)
    assert drawing.text().splitlines()[:2] == ["1 █   ", "  ██ ▄"]
    low = draw_strips([Strip(str(index), "train", values) for index in range(5)], 6, 4)
    assert low.notes == ("2 more in a taller panel",)
    assert draw_strips([Strip("1", "train", np.zeros(0))], 30, 5).text().split() == ["no", "data", "yet"]
    assert draw_strips([Strip("1", "train", np.array([1.0, np.nan]))], 30, 5).notes == ("1 not finite",)


def test_spectra_are_read_at_the_cursor(three: list[RunDirectory]) -> None:
    run = comparison_of(three).runs[0]
    table = read_table(three[0].arrays / "fourier_embedding.npy")
    row = table["value"][table["step"] <= 57][-1].astype(np.float64)
    assert np.allclose(run.spectrum("fourier_embedding", 57), np.hypot(row[1::2], row[2::2]))
    assert run.keys(57) == ()
    assert run.keys(None) == (3, 7)
    picture = draw_panel(comparison_of(three), SPECTRA, Terms(), Looks(), 40, 16)
    assert picture is not None
    assert text_of(picture.rows).count("3") >= 3


# -- table, header, pages


def test_a_narrow_table_leaves_out_what_is_worth_least() -> None:
    runs = [
        compared("first", memorised=10, grokked=90, train_loss=series([0], [0.25]), clusters=[0, 3, 0, 1]),
        compared("second", memorised=20),
    ]
    comparison = Comparison(runs)
    assert text_of(results.table_rows(comparison, results.RESULTS, None, 100, "braille")) == "\n".join(
        line.ljust(100)
        for line in (
            "             memorised  grokked  delay  train loss  test loss  keys  state     step",
            " ━ 1 first          10       90     80        0.25          –  2 4   finished   100",
            " ╾ 2 second         20        –      –           –          –  –     finished   100",
        )
    )
    narrow = text_of(results.table_rows(comparison, results.RESULTS, None, 62, "ascii", (1,)))
    assert narrow == "\n".join(
        line.ljust(62)
        for line in (
            "             memorised  grokked  delay  train loss  test loss",
            " 1   first          10       90     80        0.25          -",
            ">2   second         20        -      -           -          -",
        )
    )


def test_the_table_panel_has_results_and_what_the_panels_show(three: list[RunDirectory]) -> None:
    comparison = comparison_of(three)
    picture = draw_panel(comparison, TABLE, Terms(chosen={2: "train"}), Looks(cursor=57), 118, 20)
    assert picture is not None
    text = text_of(picture.rows)
    assert "memorised" in text
    assert "train accuracy" in text
    assert "test accuracy" not in text
    expected = comparison.value(2, "weight_norm_sq", 57)
    assert expected is not None
    assert text.count(format_value(expected)) == 3  # all three runs were recorded alike
    small = draw_panel(comparison, TABLE, Terms(), Looks(), 118, 3)
    assert small is not None
    assert "1 more runs" in small.title


def test_the_header_says_how_runs_are_and_which_is_which(three: list[RunDirectory]) -> None:
    comparison = comparison_of(three, bundled=True)
    first, second = header(comparison, Terms(bundled=True), Looks(cursor=57), 80)
    assert text_of((first,)).split() == ["compare", "3", "runs", "·", "1", "bundle", "step", "57"]
    assert text_of((second,)).rstrip() == " ━ 1+2 lr 0.001  ╍ 3 lr 0.002 seed 2"
    for width in (1, 8, 20, 33, 50, 79):
        assert {len(text_of((row,))) for row in header(comparison, Terms(), Looks(), width)} == {width}
    ascii_rows = header(comparison, Terms(), Looks(markers="ascii"), 80)
    assert text_of(ascii_rows).isascii()


def test_the_header_names_at_least_the_run_that_is_pointed_out() -> None:
    comparison = Comparison([compared(f"a-rather-long-name-{index}") for index in range(16)])
    _, second = header(comparison, Terms(selected=10), Looks(), 110)
    assert "╍ b a-rather-long-name-10" in text_of((second,))
    assert "a-rather-long-name-9" not in text_of((second,))


def test_pages_say_every_series_of_every_run_in_full(three: list[RunDirectory]) -> None:
    comparison = comparison_of(three)
    text = differences_text(comparison, 10, 300)
    assert text.startswith("1 lr 0.001 seed 0\n2 lr 0.001 seed 1\n3 lr 0.002 seed 2\n\n")
    a, b = comparison.value(1, "test_loss", 10), comparison.value(1, "test_loss", 300)
    assert a is not None
    assert b is not None
    line = next(line for line in text.splitlines() if repr(a) in line)
    assert line.split() == ["1", repr(a), repr(b), format_value(b - a), format_value(b / a)]
    names = {name for run in comparison.runs for name in run.series}
    assert names <= set(text.splitlines())


# -- runs that change meanwhile


def test_a_growing_run_grows(tmp_path: Path) -> None:
    run = record(tmp_path, 100, state="training")
    followed = Followed(run)
    assert followed.now.state == INTERRUPTED  # nobody holds its lock
    before = followed.now
    assert not followed.poll()
    assert followed.now is before
    with TableWriter(run.tests_path, read_table(run.tests_path).dtype) as table:
        table.append(100, 0.5, 0.75)
    EventLog(run.events_path).write("edit", 100, knob="lr", old=1e-3, new=2e-3, moments="kept", request="z")
    assert followed.poll()
    assert followed.now.value("test_loss", None) == 0.5
    assert [event.data["knob"] for event in followed.now.edits] == ["weight_decay", "lr"]
    assert len(before.series["test_loss"].steps) == 100


def remove(run: RunDirectory) -> None:
    for path in sorted(run.path.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    run.path.rmdir()


def rename(run: RunDirectory) -> None:
    run.path.rename(run.path.with_name("elsewhere"))


def half_remove(run: RunDirectory) -> None:
    run.steps_path.unlink()


@pytest.mark.parametrize("away", [remove, rename, half_remove])
def test_a_run_that_goes_away_keeps_what_was_read(tmp_path: Path, away: object) -> None:
    run = record(tmp_path, 100)
    followed = Followed(run)
    before = followed.now
    assert callable(away)
    away(run)
    assert followed.poll()
    assert not followed.poll()
    assert followed.now.state == GONE
    assert followed.now.series == before.series
    assert followed.now.value("train_loss", None) == before.value("train_loss", None)


def test_a_run_that_comes_back_is_read_again(tmp_path: Path) -> None:
    run = record(tmp_path, 100)
    followed = Followed(run)
    away = run.path.with_name("elsewhere")
    run.path.rename(away)
    assert followed.poll()
    away.rename(run.path)
    assert followed.poll()
    assert followed.now.state == "finished"
    assert len(followed.now.series["train_loss"].steps) == 100
    assert len(followed.now.edits) == 1


def test_a_cut_run_shows_what_is_left_and_a_broken_one_what_was_read(tmp_path: Path) -> None:
    run = record(tmp_path, 100)
    followed = Followed(run)
    table = read_table(run.steps_path)
    with run.steps_path.open("r+b") as file:
        file.truncate(run.steps_path.stat().st_size - 60 * table.dtype.itemsize)
    assert followed.poll()
    assert followed.now.series["train_loss"].steps[-1] == 39
    other = run.path / "other"
    other.write_bytes(b"no table at all, but long enough to be read as one" * 500)
    other.replace(run.steps_path)
    assert followed.poll()
    assert followed.now.state == UNREADABLE
    assert "steps.npy" in followed.now.problem
    assert followed.now.series["train_loss"].steps[-1] == 39
    assert not followed.poll()


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="has no run"):
        Followed(RunDirectory(tmp_path))


def test_edits_of_a_run_part_it_from_its_bundle() -> None:
    runs = [
        compared("a", config=configuration(0)),
        compared("b", config=configuration(1)),
        compared("c", config=configuration(2), edits=[edit(3, "lr", 0.5)]),
    ]
    assert [track.label for track in Comparison(runs, bundled=True).tracks] == ["1+2", "3"]
