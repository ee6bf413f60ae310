"""`grokterm ctl` as a script meets it: what is asked, answers on stdout, sentences on stderr, exit codes."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from grokterm.cli import app
from grokterm.commands.ctl import DO
from grokterm.run import asking
from grokterm.run.asking import Order
from grokterm.run.directory import RunDirectory
from grokterm.run.events import Event, EventLog, Request
from tests.answering import Answer, AnsweringTrainer, as_a_trainer_would
from tests.recorded import record
from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return record(tmp_path, state="training")


@pytest.fixture
def trainer(run: RunDirectory) -> Iterator[AnsweringTrainer]:
    with AnsweringTrainer(run) as trainer:
        yield trainer


def ctl(run: RunDirectory, *words: str, expected: int = 0) -> Result:
    result = CliRunner().invoke(app, ["ctl", run.name, *words, "--runs", str(run.path.parent)])
    assert result.exit_code == expected, (result.output, result.exception)
    return result


def told(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line, parse_constant=pytest.fail) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "do", "data"),
    [
        (["pause"], "pause", {}),
        (["resume"], "resume", {}),
        (["step"], "step", {}),
        (["stop", "--at", "500"], "stop", {"at": 500}),
        (["snapshot"], "snapshot", {"note": ""}),
        (["snapshot", "before", "the change"], "snapshot", {"note": "before the change"}),
        (["note", "loss is\x1b[31m odd"], "note", {"text": "loss is\x1b[31m odd"}),
        (["undo"], "rewind", {"undo": True}),
        (["fork"], "rewind", {"set": {}, "moments": "kept"}),
        (
            ["fork", "lr=2e-3", "wd=0.5", "--from", "200", "--reset-moments"],
            "rewind",
            {"step": 200, "set": {"lr": 2e-3, "weight_decay": 0.5}, "moments": "reset"},
        ),
    ],
)
def test_every_order_is_asked_once_and_its_answer_is_one_line(
    run: RunDirectory, trainer: AnsweringTrainer, words: list[str], do: str, data: dict[str, object]
) -> None:
    (event,) = told(ctl(run, *words))
    (heard,) = trainer.heard
    assert (heard.do, {key: item for key, item in heard.data.items() if key != "id"}) == (do, data)
    assert event["request"] == heard.id
    last = json.loads(run.events_path.read_text().splitlines()[-1])
    assert event == {"run": run.name, **last}
    assert event["run"] == ("child" if do == "rewind" else run.name)


def test_several_knobs_are_several_requests_in_their_order(run: RunDirectory, trainer: AnsweringTrainer) -> None:
    result = ctl(run, "set", "weight_decay=0.3", "betas=[0.8,0.9]", "training.steps=900", "--at", "450")
    events = told(result)
    knobs = [("weight_decay", 0.3), ("beta1", 0.8), ("beta2", 0.9), ("steps", 900)]
    assert [(event["knob"], event["new"]) for event in events] == knobs
    assert [request.data["at"] for request in trainer.heard] == [450] * 4
    assert {request.data["moments"] for request in trainer.heard} == {"kept"}
    assert [event["request"] for event in events] == [request.id for request in trainer.heard]


def test_a_number_that_json_has_no_word_for_stays_strict(run: RunDirectory) -> None:
    with AnsweringTrainer(run, lambda _: ("edit", {"knob": "lr", "old": float("nan"), "new": float("inf")})):
        (event,) = told(ctl(run, "pause"))
    assert (event["old"], event["new"]) == ("nan", "inf")


def test_a_refusal_is_exit_3_with_its_reason_on_stderr(run: RunDirectory) -> None:
    def refusing(request: Request) -> Answer:
        if request.data.get("knob") == "lr":
            return "refused", {"why": "lr = 9.0: must be less"}
        return as_a_trainer_would(request)

    with AnsweringTrainer(run, refusing):
        done = subprocess.run(
            [sys.executable, "-m", "grokterm", "ctl", str(run.path), "set", "lr=9", "wd=1"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (3, "grokterm: lr = 9.0: must be less\n")
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()] == ["refused", "edit"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pose"], "a run cannot be asked to 'pose'; did you mean 'pause'?"),
        (["set", "lrr=1"], "there is no knob 'lrr'; did you mean 'lr'?"),
        (["set"], "write KNOB=VALUE"),
        (["set", "lr", "1"], "write KNOB=VALUE"),
        (["fork", "lr"], "write KNOB=VALUE"),
        (["set", "lr=1e-3", "test_every=0"], "test_every = 0: must be a whole number of at least 1"),
        (["set", "lr=1e-3", "wd=inf"], "weight_decay = inf: must be a number"),
        (["fork", "steps=0.5"], "steps = 0.5: must be a whole number"),
        (["note"], "note needs a text"),
        (["pause", "now"], "pause stands alone, without 'now'"),
        (["undo", "lr=1"], "undo stands alone"),
        (["set", "lr=1", "--from", "3"], "--from belongs to fork, not to set"),
        (["pause", "--reset-moments"], "--reset-moments belongs to set and fork, not to pause"),
    ],
)
def test_what_cannot_be_meant_asks_for_nothing(
    run: RunDirectory, trainer: AnsweringTrainer, words: list[str], said: str
) -> None:
    result = ctl(run, *words, expected=1)  # GroktermError: cli.main makes its exit code of it
    assert said in str(result.exception)
    assert getattr(result.exception, "exit_code", None) == 2
    assert not run.inbox_path.exists()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("training", "was interrupted at step 400; `grokterm resume"),
        ("stopped", "was stopped at step 400; `grokterm replay"),
        ("finished", "finished at step 400; `grokterm replay"),
        ("failed", "failed at step 400; `grokterm replay"),
    ],
)
def test_a_run_that_nobody_trains_is_exit_3(tmp_path: Path, state: str, said: str) -> None:
    run = record(tmp_path, state=state)
    result = ctl(run, "pause", expected=1)
    assert getattr(result.exception, "exit_code", None) == 3
    assert f"nobody trains {run.name}: it {said} {run.path}" in str(result.exception)
    assert f"`grokterm resume {run.path}" in str(result.exception)
    assert not run.inbox_path.exists()


def test_without_an_answer_the_sentence_says_where_the_request_waits(run: RunDirectory) -> None:
    with AnsweringTrainer(run, lambda _: None) as trainer:
        result = ctl(run, "pause", "--timeout", "0.05", expected=1)
        assert str(result.exception) == f"no answer to pause within 0.05 s; it waits in {run.inbox_path}"
        wait_for(lambda: trainer.heard, 10, "the request")


def test_values_are_those_that_the_runs_optimizer_takes(run: RunDirectory, trainer: AnsweringTrainer) -> None:
    with run.config_path.open("a") as config:
        config.write('[optimizer]\nname = "adamw"\nlr = 1e-3\n')
    result = ctl(run, "set", "lr=1e-2", "wd=-1", expected=1)
    assert getattr(result.exception, "exit_code", None) == 2
    assert str(result.exception).startswith("weight_decay = -1: ")
    assert not run.inbox_path.exists()
    assert len(told(ctl(run, "set", "lr=1e-2", "wd=1"))) == 2


def test_what_is_held_back_is_waited_for_until_ctrl_c(run: RunDirectory) -> None:
    with AnsweringTrainer(run, lambda _: None) as trainer:
        waiting = subprocess.Popen(
            [sys.executable, "-m", "grokterm", "ctl", str(run.path), "set", "lr=1", "--at", "5000"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_for(lambda: trainer.heard, 60, "the request")
        waiting.send_signal(signal.SIGINT)
        out, err = waiting.communicate(timeout=60)
    assert (waiting.returncode, out) == (130, "")
    assert err == f"grokterm: what is not answered yet waits in {run.inbox_path}\n"


def test_only_what_names_a_step_is_waited_for_without_a_limit(
    run: RunDirectory, trainer: AnsweringTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[float | None] = []

    def watched(asked: RunDirectory, orders: Sequence[Order], seconds: float | None) -> Iterator[Event]:
        limits.append(seconds)
        return answers(asked, orders, seconds)

    answers = asking.answers
    monkeypatch.setattr(asking, "answers", watched)
    for words in ([], ["--at", "500"], ["--at", "500", "--timeout", "7"]):
        ctl(run, "pause", *words)
    assert limits == [30.0, None, 7.0]


def test_what_is_held_back_waits_for_the_next_trainer(run: RunDirectory) -> None:
    with AnsweringTrainer(run, lambda _: None, last="pause"):
        result = ctl(run, "pause", "--at", "5000", expected=1)
    assert str(result.exception) == (
        f"training of {run.name} has ended without an answer to pause; "
        f"it waits in {run.inbox_path} until the run is resumed"
    )


def test_a_trainer_that_dies_is_not_waited_for(run: RunDirectory) -> None:
    with AnsweringTrainer(run, lambda _: None, last="pause"):
        result = ctl(run, "pause", "--timeout", "60", expected=1)
    assert str(result.exception) == f"training of {run.name} has ended without an answer to pause"


def test_the_last_words_of_a_trainer_are_an_answer(run: RunDirectory) -> None:
    with AnsweringTrainer(run, last="stop"):
        assert told(ctl(run, "stop"))[0]["state"] == "stopping"


def test_no_wait_asks_and_is_silent(run: RunDirectory) -> None:
    with AnsweringTrainer(run, lambda _: None) as trainer:
        assert ctl(run, "set", "lr=1", "wd=2", "--no-wait").output == ""
        wait_for(lambda: len(trainer.heard) == 2, 10, "both requests")


def test_answers_to_others_are_not_ours(run: RunDirectory, trainer: AnsweringTrainer) -> None:
    events = EventLog(run.events_path)
    events.write("note", 1, text="earlier", request="somebody")
    (event,) = told(ctl(run, "pause"))
    assert event["state"] == "paused"


def test_the_newest_living_run_is_meant_by_a_dash(tmp_path: Path) -> None:
    older, newer = record(tmp_path, 10, state="training"), record(tmp_path, 10)
    with AnsweringTrainer(older) as trainer:
        result = CliRunner().invoke(app, ["ctl", "-", "pause", "--runs", str(newer.path.parent)])
        assert result.exit_code == 0, result.exception
        assert len(trainer.heard) == 1


def test_help_lists_every_order_with_an_example() -> None:
    result = CliRunner().invoke(app, ["ctl", "--help"])
    for do in DO:
        assert f"grokterm ctl - {do}" in result.output


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("grokterm ctl - p", {"pause"}),
        ("grokterm ctl - s", {"set", "step", "snapshot", "stop"}),
        ("grokterm ctl - set be", {"beta1=", "beta2="}),
        ("grokterm ctl - fork w", {"weight_decay="}),
        ("grokterm ctl - note w", set()),
        ("grokterm ctl ", None),
    ],
)
def test_the_shell_completes_orders_knobs_and_living_runs(tmp_path: Path, line: str, offered: set[str] | None) -> None:
    record(tmp_path, 10)
    living = record(tmp_path, 20, state="training")
    with AnsweringTrainer(living):
        words = line.split(" ")
        environment = {
            "_GROKTERM_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
            "GROKTERM_RUNS": str(tmp_path),
        }
        result = CliRunner().invoke(app, [], prog_name="grokterm", env=environment)
        assert set(result.output.split()) == ({living.name} if offered is None else offered)
