"""Reports: everything in one file, nothing from elsewhere, a run's text as it is, whatever the run is like."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from grokterm import __version__
from grokterm.charts import LineChart
from grokterm.history import History
from grokterm.page.content import MOST_ROWS, Figure, Listing, Page, Section, Table, page_of
from grokterm.page.html import html
from grokterm.page.markdown import escaped, fenced, markdown
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import EventLog
from grokterm.run.table import TableWriter
from tests.measured_run import measure
from tests.recorded import record

GOLDEN = Path(__file__).parents[1] / "golden"
VOID = {"meta", "br", "img", "hr"}
ATTACK = "<script>alert(1)</script> </pre> `x` | *y* ![i](http://e.org/i.png) \x1b[31m\u202e &amp;"


class Reader(HTMLParser):
    """Collects what a browser would find, and minds that every element is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def polled(run: RunDirectory) -> History:
    history = History(run)
    history.poll()
    return history


def full_run(runs: Path) -> History:
    """A recorded run under a fixed name, with everything that can happen to one."""
    run = record(runs)
    run = RunDirectory(run.path.rename(runs / "recorded"))
    events = EventLog(run.events_path)
    events.write("snapshot", 250, checkpoint="checkpoints/000000250.safetensors", note="before", request="b1")
    events.write("note", 260, text=ATTACK, request="b2")
    events.write("phase", 300, mark="memorized_at", at=90, why="train accuracy ≥ 0.99 for 100 evaluations")
    events.write("error", 350, message="<b>nan</b>", traceback='Traceback:\n\tFile "x", line 1\n```\nValueError: <nan>')
    return polled(run)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return page_of(full_run(tmp_path_factory.mktemp("runs")), alive=False)


@pytest.fixture(scope="module")
def written(page: Page) -> str:
    return html(page)


def test_what_was_recorded_once_is_a_table_and_no_figure(tmp_path: Path) -> None:
    run = create(tmp_path, "imported")
    run.write_config({"format": 1})
    columns = np.dtype([("step", "<i8"), ("test_loss", "<f8"), ("test_accuracy", "<f8")])
    with TableWriter(run.tests_path, columns) as rows:
        rows.append(40, 0.25, 0.5)
    page = page_of(polled(run), alive=False)
    once = next(section for section in page.sections if section.title == "Recorded at one step")
    assert once.blocks == (
        Table((("Loss: test", "40", "0.25"), ("Accuracy: test", "40", "0.5")), ("what", "step", "value")),
    )
    assert "<figure" not in html(page)


def test_markdown_is_the_golden_file(page: Page) -> None:
    text = markdown(page).replace(f"grokterm {__version__}", "grokterm VERSION")
    assert text == (GOLDEN / "report.md").read_text(encoding="utf-8")


def test_html_holds_everything_and_loads_nothing(written: str) -> None:
    found = Reader(written)
    tags = {tag for tag, _ in found.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base", "form", "img", "foreignobject"}
    for tag, attributes in found.elements:
        assert not [key for key in attributes if key.startswith("on")]
        for key in ("href", "src", "xlink:href", "action", "data"):
            target = attributes.get(key, "#")
            assert target.startswith(("#", "data:image/png;base64,")), (tag, target)
        assert "url(" not in attributes.get("style", "").replace("url(#", "")
    style = re.search(r"<style>(.*?)</style>", written, re.DOTALL)
    assert style is not None
    assert not re.search(r"url\(|@import", style[1])
    assert "prefers-color-scheme: dark" in style[1]
    assert "@media print" in style[1]
    assert sum(tag == "svg" for tag, _ in found.elements) == sum(tag == "figure" for tag, _ in found.elements) == 10
    assert len(written.encode()) < 500_000


def test_text_of_the_run_is_shown_as_it_is(written: str) -> None:
    said = "".join(Reader(written).texts)
    assert "<script>alert(1)</script> </pre> `x` | *y* ![i](http://e.org/i.png) [31m &amp;" in said
    assert "<script" not in written
    assert "\x1b" not in written
    assert "\u202e" not in written
    assert "ValueError: <nan>" in said
    assert "[bold]odd[/bold]" in said


def test_html_says_what_markdown_says(page: Page, written: str) -> None:
    said = "".join(Reader(written).texts)
    for section in page.sections:
        assert section.title in said
        for block in section.blocks:
            if isinstance(block, Table):
                assert all(cell in said for row in block.rows for cell in row)


def test_the_page_is_the_same_every_time(tmp_path: Path) -> None:
    history = full_run(tmp_path)
    assert html(page_of(history, alive=False)) == html(page_of(polled(history.run), alive=False))


def test_interventions_are_a_table(page: Page) -> None:
    (section,) = (section for section in page.sections if section.title == "Interventions")
    assert section.blocks == (
        Table((("200", "weight_decay", "1 → 2", "kept"),), ("step", "knob", "old → new", "moments")),
    )


@pytest.mark.parametrize(
    ("state", "alive", "said"),
    [
        ("finished", False, "finished at step 400 of 400, 0:19 after it began"),
        (
            "training",
            True,
            "training at step 400 of 400, 0:19 after it began; it goes on, and this page is of that moment",
        ),
        (
            "training",
            False,
            "training at step 400 of 400, 0:19 after it began; nobody trains it any more, and it did not",
        ),
    ],
)
def test_the_state_of_a_run_is_told(tmp_path: Path, state: str, alive: bool, said: str) -> None:
    summary = summary_of(page_of(polled(record(tmp_path, state=state)), alive=alive))
    assert summary["state"].startswith(said)
    assert summary["device"] == "cpu, 2 threads"
    assert summary["key frequencies"] == "3 7 (live: of the weights at step 380)"


@pytest.mark.parametrize("steps", [0, 1, 2, 21])
def test_a_run_of_few_steps_has_a_page(tmp_path: Path, steps: int) -> None:
    page = page_of(polled(record(tmp_path, steps=steps)), alive=False)
    assert Reader(html(page)).elements
    assert ("Nothing was recorded" in markdown(page)) == (steps == 0)


def test_an_imported_run_of_losses_alone_has_a_page(tmp_path: Path) -> None:
    run = create(tmp_path, "imported")
    run.write_config({"format": 1, "description": "a [link](x) & more"})
    with TableWriter(run.steps_path, np.dtype([("step", "<i8"), ("train_loss", "<f8")])) as table:
        for step, loss in enumerate((1.0, np.nan, 0.0, np.inf)):
            table.append(step * 10, loss)
    page = page_of(polled(run), alive=False)
    summary = summary_of(page)
    assert summary["state"] == "no state was recorded; the rows go up to step 31"
    assert summary["train"] == "loss inf, accuracy not measured, not finite 2 times"
    assert summary["grokked at"] == "never: it was not measured"
    assert not summary.keys() & {"device", "started", "seed", "key frequencies", "versions"}
    text = markdown(page)
    assert "train: 3 of 4 points cannot be drawn: 1 nan, 1 inf and 1 not above 0; the first\nis at step 10" in text
    assert "a \\[link\\](x) &amp; more" in text


def test_very_many_events_and_very_long_texts_stay_small(tmp_path: Path) -> None:
    run = record(tmp_path)
    events = EventLog(run.events_path)
    for step in range(20 * MOST_ROWS):
        events.write("edit", step, knob="lr", old=1.0, new=2.0, moments="kept", request=f"r{step}")
    events.write("note", 400, text="x" * 1_000_000, request="last")
    text = html(page_of(polled(run), alive=False))
    assert len(text.encode()) < 1_000_000
    assert f"And {19 * MOST_ROWS + 1:,} more in the run&#x27;s events.jsonl." in text
    assert "(999,000 characters more)" in text


def test_a_run_that_was_resumed_elsewhere_ran_on_both(tmp_path: Path) -> None:
    run = record(tmp_path, 40)
    events = EventLog(run.events_path)
    for device, threads in (("cpu", 2), ("cuda (H200)", 1), ("cuda (H200)", 1)):
        events.write("state", 40, state="resumed", keeps=events.count, device=device, threads=threads)
    assert summary_of(page_of(polled(run), alive=False))["device"] == "cpu, 2 threads; then cuda (H200), 1 thread"


def test_versions_and_device_are_those_of_the_configuration(tmp_path: Path) -> None:
    run = create(tmp_path, "old")
    run.write_config(
        {"started": 1.8e9, "seed": 3, "torch": "2.13.0", "versions": "x", "device": "cpu", "threads": 1, "resolved": 1}
    )
    summary = summary_of(page_of(polled(run), alive=False))
    assert summary["versions"] == "torch 2.13.0"
    assert summary["device"] == "cpu, 1 thread"
    assert summary["started"] == "2027-01-15 08:00:00 UTC"
    assert summary["seed"] == "3"


def test_markdown_text_has_no_meaning() -> None:
    assert escaped("a|b *c* _d_ <e> & `f` #g [h](i) ~j~ $k$ \\l") == (
        "a\\|b \\*c\\* \\_d\\_ &lt;e&gt; &amp; \\`f\\` \\#g \\[h\\](i) \\~j\\~ \\$k\\$ \\\\l"
    )
    assert escaped("- a") == "\\- a"
    assert escaped("-7") == "\\-7"


def test_a_fence_is_longer_than_what_it_holds() -> None:
    assert fenced("a\n````\nb", "text") == "`````text\na\n````\nb\n`````"
    assert markdown(Page("t", "", (Section("s", (Listing("```"),)),), "f")).count("````") == 2


def summary_of(page: Page) -> dict[str, str]:
    (table,) = page.sections[0].blocks
    assert isinstance(table, Table)
    return {row[0]: row[1] for row in table.rows}


def test_a_page_of_a_measured_run_shows_hindsight_beside_live(tmp_path: Path) -> None:
    live, known = (
        markdown(page_of(polled(record(tmp_path / "a")), alive=False)),
        page_of(polled(measure(record(tmp_path / "b"))), alive=False),
    )
    assert "hindsight" not in live.lower()
    said = markdown(known)
    assert "| hindsight | 5 of 5 checkpoints measured with the key frequencies of step 400: 3 7 9 |" in said
    assert "Hindsight: with those of the weights at step 400: 3 7 9." in said
    assert "restricted (hindsight)" in said
    assert "hindsight/loss\\_without\\_head" in said
    assert "hindsight/fourier" not in said
    figures = [block for section in known.sections for block in section.blocks if isinstance(block, Figure)]
    lines = {one.label: one for figure in figures if isinstance(figure.chart, LineChart) for one in figure.chart.lines}
    assert lines["restricted (hindsight)"].dashed
    assert not lines["restricted"].dashed
    assert "stroke-dasharray" in html(known)
