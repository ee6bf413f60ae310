"""Forks as files: which checkpoint they start from, what they hold and plan, what they leave when they fail."""

import errno
from pathlib import Path
from typing import Any

import pytest

from grokterm.errors import RunError, UsageError
from grokterm.run import checkpoint
from grokterm.run.directory import RunDirectory
from grokterm.run.events import Event, EventLog, LineTail, event_from
from grokterm.run.finding import runs_in
from grokterm.run.fork import fork, what_undo_undoes
from grokterm.run.lineage import parent_of
from tests.trained import CONFIG, by_hand, planned, tensors, trained


def config_of(run: RunDirectory) -> dict[str, Any]:
    config = run.read_config()
    assert config is not None
    return config


def only_checkpoint(run: RunDirectory) -> checkpoint.Checkpoint:
    (info,) = checkpoint.list_checkpoints(run.checkpoints)
    return checkpoint.read(info.path)


def events_of(run: RunDirectory) -> list[Event]:
    return [event for line in LineTail(run.events_path).new() if (event := event_from(line)) is not None]


def will_do(run: RunDirectory) -> list[tuple[int | str, dict[str, float]]]:
    entries = config_of(run).get("interventions", [])
    return [(entry.get("at", entry.get("when")), entry["set"]) for entry in entries]


def damage(run: RunDirectory, step: int) -> None:
    path = run.checkpoints / f"{step:09d}.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # a bit of a tensor: only the digest tells
    path.write_bytes(content)


def test_a_fork_is_the_parent_up_to_its_checkpoint(tmp_path: Path) -> None:
    parent = trained(tmp_path, full=(500,))
    made = fork(parent, 600)

    assert made.path.parent == parent.path.parent
    assert made.name.endswith("-mod23-from-600")
    saved = only_checkpoint(made)
    assert (saved.step, saved.kind) == (500, "full")
    assert {name: tensor.tolist() for name, tensor in saved.tensors.items()} == {
        name: tensor.tolist() for name, tensor in tensors(500).items()
    }
    assert saved.state["edits"] == 0
    assert saved.state["events"] == 2
    assert saved.state["paused"] is False
    assert saved.state["schedule"] == {"fired": [], "seen": {}}
    assert saved.state["busy"] == 50.0

    config = config_of(made)
    assert config["parent"] == {"run": parent.name, "started": CONFIG["started"], "step": 500, "at": 600}
    assert config["started"] != CONFIG["started"]
    assert config["host"] != CONFIG["host"]
    changed = {"started", "host", "parent"}
    assert {key: value for key, value in config.items() if key not in changed} == {
        key: value for key, value in CONFIG.items() if key not in changed
    }
    told = [event for event in events_of(parent) if event.kind == "phase"]
    assert events_of(made) == told
    assert parent_of(made, config) == parent


def test_phases_after_the_checkpoint_are_not_the_forks(tmp_path: Path) -> None:
    parent = trained(tmp_path, full=(110,))
    assert [event.data.get("phase") for event in events_of(fork(parent, 200))] == ["memorization"]


def test_edits_between_checkpoint_and_step_happen_again(tmp_path: Path) -> None:
    edits = (by_hand(300, "lr", 2e-3), by_hand(550, "weight_decay", 0.5, "reset"), by_hand(600, "lr", 1e-4))
    parent = trained(tmp_path, edits=edits)
    for step in (550, 600):
        (parent.checkpoints / f"{step:09d}.safetensors").unlink()
    made = fork(parent, 600, sets={"lr": 5e-3}, moments="reset")

    assert only_checkpoint(made).step == 300
    assert config_of(made)["interventions"] == [
        {"at": 300, "set": {"lr": 2e-3}, "moments": "kept", "by_hand": True},
        {"at": 550, "set": {"weight_decay": 0.5}, "moments": "reset", "by_hand": True},
        {"at": 600, "set": {"lr": 5e-3}, "moments": "reset", "by_hand": True},
    ]


def test_here_and_now_holds_the_edits_of_this_step_too(tmp_path: Path) -> None:
    parent = trained(tmp_path, steps=400, edits=(by_hand(400, "lr", 2e-3), by_hand(400, "lr", 3e-3)), end="")
    made = fork(parent, None, sets={"weight_decay": 0.25})
    assert only_checkpoint(made).step == 400
    assert will_do(made) == [(400, {"lr": 2e-3}), (400, {"lr": 3e-3}), (400, {"weight_decay": 0.25})]
    assert will_do(fork(parent, 400)) == []


def test_the_newest_step_is_the_furthest_that_anything_shows(tmp_path: Path) -> None:
    parent = trained(tmp_path, steps=400, end="")
    EventLog(parent.events_path).write("note", 412, text="here")
    assert fork(parent, None).name.endswith("-from-412")
    with pytest.raises(UsageError, match=f"{parent.name} has no step 413: it has come to step 412"):
        fork(parent, 413)
    with pytest.raises(UsageError, match="at least 0"):
        fork(parent, -1)


def test_what_the_schedule_had_not_done_stays_planned(tmp_path: Path) -> None:
    schedule = [
        {"at": 100, "set": {"lr": 2e-3}},
        {"when": "test_accuracy >= 0.5", "set": {"lr": 3e-3, "weight_decay": 0.5}, "moments": "reset"},
        {"at": 550, "set": {"lr": 4e-3}},
        {"at": 900, "set": {"lr": 5e-3}},
    ]
    edits = (
        planned(100, "lr", 2e-3, 0),
        planned(500, "lr", 3e-3, 1),
        planned(500, "weight_decay", 0.5, 1),
        by_hand(550, "lr", 1e-2),
        planned(550, "lr", 4e-3, 2),
    )
    parent = trained(tmp_path, edits=edits, config={"interventions": schedule})
    (parent.checkpoints / f"{550:09d}.safetensors").unlink()
    made = fork(parent, 600, sets={"eps": 1e-7})

    assert only_checkpoint(made).step == 500
    assert will_do(made) == [
        ("test_accuracy >= 0.5", {"lr": 3e-3, "weight_decay": 0.5}),
        (550, {"lr": 1e-2}),
        (550, {"lr": 4e-3}),
        (900, {"lr": 5e-3}),
        (600, {"eps": 1e-7}),
    ]
    assert config_of(made)["interventions"][0] == schedule[1]


def test_undo_does_without_the_last_edit_alone(tmp_path: Path) -> None:
    edits = (by_hand(300, "lr", 2e-3), by_hand(500, "lr", 3e-3), by_hand(500, "weight_decay", 0.5))
    parent = trained(tmp_path, edits=edits)
    undone = what_undo_undoes(parent)
    assert undone is not None
    assert (undone.run, undone.step, undone.checkpoint) == (parent, 500, 500)
    assert (undone.knob, undone.old, undone.new) == ("weight_decay", 1.0, 0.5)

    made = fork(parent, None, undo=True)
    assert made.name.endswith("-from-500")
    assert only_checkpoint(made).step == 500
    assert will_do(made) == [(500, {"lr": 3e-3})]


def test_undo_of_an_edit_that_holds_no_longer_is_of_the_one_before(tmp_path: Path) -> None:
    parent = trained(tmp_path, edits=(by_hand(300, "lr", 2e-3), by_hand(500, "lr", 3e-3)), end="")
    told = len(events_of(parent))
    EventLog(parent.events_path).write("state", 400, state="resumed", keeps=told - 1)
    undone = what_undo_undoes(parent)
    assert undone is not None
    assert (undone.step, undone.new) == (300, 2e-3)
    assert only_checkpoint(fork(parent, None, undo=True)).step == 300


def test_undo_of_a_planned_intervention_takes_all_its_knobs(tmp_path: Path) -> None:
    schedule = [{"at": 200, "set": {"lr": 2e-3}}, {"at": 400, "set": {"lr": 3e-3, "eps": 1e-7}}]
    edits = (planned(200, "lr", 2e-3, 0), planned(400, "lr", 3e-3, 1), planned(400, "eps", 1e-7, 1))
    parent = trained(tmp_path, edits=edits, config={"interventions": schedule})
    undone = what_undo_undoes(parent)
    assert undone is not None
    assert len(undone.edits) == 2
    made = fork(parent, None, undo=True)
    assert only_checkpoint(made).step == 400
    assert will_do(made) == []


def test_undo_in_a_fork_without_edits_is_of_its_parents(tmp_path: Path) -> None:
    schedule = [{"at": 200, "set": {"lr": 2e-3}}, {"at": 400, "set": {"lr": 3e-3}}, {"at": 900, "set": {"lr": 9e-3}}]
    edits = (planned(200, "lr", 2e-3, 0), by_hand(200, "eps", 1e-7), planned(400, "lr", 3e-3, 1))
    first = trained(tmp_path, edits=edits, config={"interventions": schedule})
    second = fork(first, None, undo=True)  # without the one at 400
    assert will_do(second) == [(900, {"lr": 9e-3})]

    undone = what_undo_undoes(second)
    assert undone is not None
    assert (undone.run, undone.knob, undone.step) == (first, "eps", 200)
    third = fork(second, None, undo=True)
    assert will_do(third) == [(200, {"lr": 2e-3}), (900, {"lr": 9e-3})]  # what was undone before stays undone
    assert config_of(third)["parent"]["run"] == first.name

    assert what_undo_undoes(third) is None  # the one at 200 has not happened in it
    EventLog(third.events_path).write("edit", 200, knob="lr", old=1e-3, new=2e-3, moments="kept", scheduled=0)
    fourth = fork(third, None, undo=True)
    assert will_do(fourth) == [(900, {"lr": 9e-3})]
    assert config_of(fourth)["parent"]["run"] == third.name
    with pytest.raises(UsageError, match="nothing to undo"):
        fork(fourth, None, undo=True)
    assert what_undo_undoes(fourth) is None


def test_undo_needs_a_parent_that_is_there(tmp_path: Path) -> None:
    parent = trained(tmp_path, edits=(by_hand(300, "lr", 2e-3),))
    made = fork(parent, 500)
    parent.path.rename(tmp_path.parent / f"{tmp_path.name}-away")
    with pytest.raises(UsageError, match=f"begins at step 300, and its parent {parent.name} is not beside it"):
        fork(made, None, undo=True)


def test_a_step_before_a_forks_first_one_is_its_parents(tmp_path: Path) -> None:
    schedule = [{"at": 200, "set": {"lr": 2e-3}}, {"at": 900, "set": {"lr": 9e-3}}]
    edits = (planned(200, "lr", 2e-3, 0), by_hand(400, "eps", 1e-7))
    first = trained(tmp_path, edits=edits, config={"interventions": schedule})
    second = fork(first, 700, sets={"lr": 7e-3})
    assert config_of(second)["parent"]["step"] == 400
    third = fork(second, 100)
    assert config_of(third)["parent"] == {"run": first.name, "started": CONFIG["started"], "step": 0, "at": 100}
    assert third.name.endswith("-mod23-from-100")
    assert will_do(third) == [(200, {"lr": 2e-3}), (900, {"lr": 9e-3})]  # what the preset plans, nothing by hand


def test_what_people_asked_of_a_fork_is_dropped_from_the_step_on(tmp_path: Path) -> None:
    first = trained(tmp_path, edits=(by_hand(400, "eps", 1e-7), by_hand(500, "lr", 2e-3)))
    (first.checkpoints / f"{500:09d}.safetensors").unlink()
    second = fork(first, 700, sets={"lr": 7e-3})
    assert will_do(second) == [(400, {"eps": 1e-7}), (500, {"lr": 2e-3}), (700, {"lr": 7e-3})]
    tell = EventLog(second.events_path).write
    for index, (step, knob, new) in enumerate(((400, "eps", 1e-7), (500, "lr", 2e-3), (700, "lr", 7e-3))):
        tell("edit", step, knob=knob, old=1.0, new=new, moments="kept", scheduled=index, why="")
    assert will_do(fork(second, 500, name="a")) == [(400, {"eps": 1e-7})]
    assert will_do(fork(second, 501, name="b")) == [(400, {"eps": 1e-7}), (500, {"lr": 2e-3})]
    assert will_do(fork(second, None, name="c")) == will_do(second)
    assert will_do(fork(second, None, undo=True, name="d")) == will_do(second)[:2]


def test_here_and_now_and_undo_keep_what_is_still_to_come(tmp_path: Path) -> None:
    second = fork(trained(tmp_path), 700, sets={"steps": 5000})
    EventLog(second.events_path).write("edit", 100, knob="lr", old=1e-3, new=2e-3, moments="kept", request="a")
    assert will_do(fork(second, None, name="a")) == [(100, {"lr": 2e-3}), (700, {"steps": 5000})]
    assert will_do(fork(second, None, undo=True, name="b")) == [(700, {"steps": 5000})]
    assert will_do(fork(second, 50, name="c")) == []


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path) -> None:
    parent = trained(tmp_path, full=(300, 500), edits=(by_hand(400, "lr", 2e-3),))
    damage(parent, 500)
    (parent.checkpoints / f"{400:09d}.safetensors").write_bytes(b"torn")
    made = fork(parent, 600)
    assert only_checkpoint(made).step == 300
    assert will_do(made) == [(400, {"lr": 2e-3})]


def test_a_checkpoint_that_contains_too_much_is_passed_over(tmp_path: Path) -> None:
    parent = trained(tmp_path, full=(300,), edits=(by_hand(500, "lr", 2e-3),))
    saved = checkpoint.read(parent.checkpoints / f"{500:09d}.safetensors")
    state = {**saved.state, "edits": 1}  # written after the edit, as by a program that makes no checkpoint before it
    checkpoint.write(parent.checkpoints, 500, saved.tensors, kind="full", state=state)
    assert only_checkpoint(fork(parent, 500)).step == 300
    assert only_checkpoint(fork(parent, None, undo=True)).step == 300
    assert only_checkpoint(fork(parent, 501)).step == 500
    checkpoint.write(parent.checkpoints, 500, saved.tensors, kind="full", state={"edits": 0})
    assert only_checkpoint(fork(parent, 500)).step == 300  # it does not say what going on needs


def test_a_fork_whose_checkpoint_is_damaged_starts_from_its_parents(tmp_path: Path) -> None:
    first = trained(tmp_path, full=(450,), edits=(by_hand(470, "lr", 2e-3), by_hand(500, "lr", 3e-3)))
    (first.checkpoints / f"{470:09d}.safetensors").unlink()
    second = fork(first, 500, sets={"eps": 1e-7})
    assert (only_checkpoint(second).step, will_do(second)) == (500, [(500, {"eps": 1e-7})])
    damage(second, 500)
    third = fork(second, 500)
    assert config_of(third)["parent"]["run"] == first.name
    damage(first, 500)
    fourth = fork(second, 500)
    assert only_checkpoint(fourth).step == 450
    assert will_do(fourth) == [(470, {"lr": 2e-3})]  # what was asked of the second at 500 it does without


def test_without_a_full_checkpoint_the_reason_is_told(tmp_path: Path) -> None:
    parent = trained(tmp_path, full=(300,))
    damage(parent, 0)
    with pytest.raises(UsageError, match=r"no full checkpoint at or before step 200 .*000000.safetensors is damaged"):
        fork(parent, 200)
    (parent.checkpoints / f"{0:09d}.safetensors").write_bytes(b"torn")
    with pytest.raises(UsageError, match=r"at or before step 200 .*000000000.safetensors cannot be read"):
        fork(parent, 200)
    assert runs_in(tmp_path) == [parent]
    assert sorted(path.name for path in tmp_path.iterdir()) == [parent.name]

    imported = trained(tmp_path, "imported", config={"source": {"file": "x.pth"}})
    for info in checkpoint.list_checkpoints(imported.checkpoints):
        info.path.unlink()
    checkpoint.write(imported.checkpoints, 0, tensors(0), kind="weights")
    with pytest.raises(UsageError, match="imported run: it holds weights alone"):
        fork(imported, 0)


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ({"lrr": 1.0}, "there is no knob 'lrr'; did you mean 'lr'?"),
        ({"lr": -1.0}, "lr = -1.0: must be greater than or equal to 0"),
        ({"steps": 500}, "steps = 500: the fork is at step 500 by then"),
        ({"measure_every": 2.5}, "measure_every = 2.5: must be a whole number"),
        ({"model.d_mlp": 64}, "model.d_mlp cannot change in the middle of a run; knobs are beta1, beta2"),
        ({"modle.d_mlp": 64}, "there is no knob 'modle.d_mlp'"),
    ],
)
def test_knobs_are_checked_before_anything_is_made(tmp_path: Path, sets: dict[str, float], said: str) -> None:
    parent = trained(tmp_path)
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        fork(parent, 500, sets=sets)
    assert runs_in(tmp_path) == [parent]


def test_of_an_unknown_optimizer_the_names_are_known(tmp_path: Path) -> None:
    parent = trained(tmp_path, config={"optimizer": {"name": "mine"}})
    assert will_do(fork(parent, 0, sets={"lr": -1.0})) == [(0, {"lr": -1.0})]
    for sets, said in (({"momentum": 0.9}, "no knob 'momentum'"), ({"lr": float("nan")}, "must be a number")):
        with pytest.raises(UsageError, match=said):
            fork(parent, 0, sets=sets)


@pytest.mark.parametrize("fails", ["checkpoint", "events", "config"])
def test_nothing_is_left_of_a_fork_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    parent = trained(tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    place = {"checkpoint": "checkpoint.write_whole", "events": "fork.write_whole", "config": "directory.write_whole"}
    monkeypatch.setattr(f"grokterm.run.{place[fails]}", full)
    with pytest.raises(RunError, match="No space left on device"):
        fork(parent, 500)
    assert [path.name for path in tmp_path.iterdir()] == [parent.name]


def test_run_toml_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = trained(tmp_path)
    there: list[str] = []

    def look(run: RunDirectory, _: object) -> None:
        there.extend(sorted(str(path.relative_to(run.path)) for path in run.path.rglob("*") if path.is_file()))

    monkeypatch.setattr(RunDirectory, "write_config", look)
    fork(parent, 0)
    assert there == ["checkpoints/000000000.safetensors", "events.jsonl"]


def test_a_name_and_the_name_of_a_forks_fork(tmp_path: Path) -> None:
    parent = trained(tmp_path, f"2027-03-04-113000-{'long' * 20}")
    made = fork(parent, 1000)
    assert made.name.endswith("longlo-from-1000")
    assert len(made.name) <= len("2027-03-04-113000-") + 60
    again = fork(made, 1000)
    assert again.name.count("-from-") == 1
    assert fork(parent, 0, name="other lr").name.endswith("-other-lr")


def test_a_line_of_parents_that_leads_back_is_refused(tmp_path: Path) -> None:
    there = {"run": "b", "started": 2.0, "step": 500}
    a = trained(tmp_path, "a", config={"started": 1.0, "parent": there}, first=500)
    trained(tmp_path, "b", config={"started": 2.0, "parent": {"run": "a", "started": 1.0, "step": 500}}, first=500)
    for step, undo in ((100, False), (None, True)):
        with pytest.raises(RunError, match="leads back to a"):
            fork(a, step, undo=undo)


def test_odd_interventions_and_edits_are_told(tmp_path: Path) -> None:
    odd = trained(tmp_path, "odd", config={"interventions": [1, 2]})
    with pytest.raises(RunError, match="interventions is no list of tables"):
        fork(odd, 100)
    parent = trained(tmp_path, end="")
    EventLog(parent.events_path).write("edit", 1000, knob="lr", new="fast")
    with pytest.raises(RunError, match="the edit at step 1,000 names no knob or no number"):
        fork(parent, None)
