"""Which run a person means: what is found, in what order, and what is said when nothing is."""

import os
from pathlib import Path

import pytest

from grokterm.errors import RunError
from grokterm.run.finding import find, runs_in
from tests.small_runs import STARTED, small_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    runs = tmp_path / "runs"
    small_run(runs, "2027-01-15-080000-mod113", started=STARTED)
    small_run(runs, "2027-01-16-080000-mod113-quick", started=STARTED + 2)
    small_run(runs, "2027-01-17-080000-mod97", started=STARTED + 1)
    return runs


def test_runs_are_listed_from_the_newest_to_the_oldest(folder: Path) -> None:
    assert [run.path.name[11:] for run in runs_in(folder)] == ["080000-mod113-quick", "080000-mod97", "080000-mod113"]


def test_the_order_is_that_of_the_runs_and_not_of_their_files(folder: Path) -> None:
    for age, run in enumerate(sorted(folder.iterdir())):  # as a copy of the folder leaves them
        os.utime(run / "run.toml", (1e9 + age, 1e9 + age))
    assert runs_in(folder)[0].path.name.endswith("quick")


def test_without_a_time_in_it_the_configurations_own_time_counts(tmp_path: Path) -> None:
    for name, time in (("a", 2e9), ("b", 1e9), ("c", 3e9)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.toml").write_text('started = "soon"\n')
        os.utime(tmp_path / name / "run.toml", (time, time))
    assert [run.path.name for run in runs_in(tmp_path)] == ["c", "a", "b"]


def test_what_is_no_run_is_left_out(folder: Path) -> None:
    (folder / "notes.txt").touch()
    (folder / "begun").mkdir()
    small_run(folder / ".trash", "discarded")
    assert len(runs_in(folder)) == 3


def test_a_run_whose_configuration_cannot_be_read_is_still_a_run(tmp_path: Path) -> None:
    (tmp_path / "odd" / "run.toml").mkdir(parents=True)
    assert [run.path.name for run in runs_in(tmp_path)] == ["odd"]


def test_a_folder_that_is_missing_or_a_file_holds_no_runs(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert runs_in(tmp_path / "nowhere") == runs_in(tmp_path / "file") == []


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("-", "2027-01-16-080000-mod113-quick"),
        ("", "2027-01-16-080000-mod113-quick"),
        ("2027-01-15-080000-mod113", "2027-01-15-080000-mod113"),
        ("2027-01-15", "2027-01-15-080000-mod113"),
        ("mod113-q", "2027-01-16-080000-mod113-quick"),
        ("mod97", "2027-01-17-080000-mod97"),
        ("mod113", "2027-01-15-080000-mod113"),
    ],
)
def test_a_run_is_found_by_what_is_said_of_it(folder: Path, reference: str, name: str) -> None:
    assert find(folder, reference).path == folder / name


def test_a_run_is_found_by_its_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "2027-01-17-080000-mod97"
    assert find(Path("elsewhere"), str(path)).path == path
    monkeypatch.chdir(path)
    assert find(Path("elsewhere"), ".").name == path.name


def test_a_directory_of_the_same_name_does_not_hide_a_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    Path("mod97").mkdir()
    assert find(folder, "mod97").path.name.endswith("mod97")


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("mod1", "'mod1' could be 2027-01-16-080000-mod113-quick, 2027-01-15-080000-mod113; say more of the name"),
        ("2027-01-15-080000-mod131", "there is no run '2027-01-15-080000-mod131' in .*; did you mean '.*-mod113'"),
        ("zzz", "there is no run 'zzz' in .*; valid names: 2027"),
        ("no/where", "no/where is no directory"),
        ("x" * 5000, "there is no run 'x"),
    ],
)
def test_a_run_that_is_not_clear_is_answered_with_those_there_are(folder: Path, reference: str, said: str) -> None:
    with pytest.raises(RunError, match=said):
        find(folder, reference)


def test_of_many_candidates_a_few_are_named(folder: Path) -> None:
    for number in range(9):
        small_run(folder, f"sweep-{number}", started=STARTED + 10 + number)
    with pytest.raises(RunError, match="'sweep' could be sweep-8, sweep-7, sweep-6, sweep-5, sweep-4 and 4 more"):
        find(folder, "sweep")


def test_of_equal_names_both_are_named_and_no_longer_one(folder: Path) -> None:
    small_run(folder, "2027-01-18-080000-mod113", started=STARTED + 3)
    with pytest.raises(RunError, match=r"could be 2027-01-18-080000-mod113, 2027-01-15-080000-mod113; say more"):
        find(folder, "mod113")


def test_an_unknown_run_is_answered_with_the_newest_few(folder: Path) -> None:
    for number in range(9):
        small_run(folder, f"sweep-{number}", started=STARTED + 10 + number)
    with pytest.raises(RunError, match=r"valid names: sweep-8, sweep-7, sweep-6, sweep-5, sweep-4 and 7 more$"):
        find(folder, "zzz")
    with pytest.raises(RunError, match=r"did you mean 'sweep-0'\?"):
        find(folder, "swep-0")


def test_a_directory_without_a_configuration_is_no_run(folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(RunError, match=r"empty has no run\.toml, so it is no run"):
        find(folder, str(folder / "empty"))


@pytest.mark.parametrize(("reference", "said"), [("-", "`grokterm run mod113-quick` makes one"), ("a", "none yet")])
def test_a_folder_without_runs_says_so(tmp_path: Path, reference: str, said: str) -> None:
    with pytest.raises(RunError, match=said):
        find(tmp_path, reference)
