"""A preset that trains the run again, unattended: its configuration, and what was done to it as `[[interventions]]`.

Every edit in force becomes an intervention at its step, also one that a condition brought about; what the run plans and
has not done yet stays as it is. In the preset of a fork what was done in the runs that it was made from comes first.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from grokterm.catalog import Catalog, Kind
from grokterm.errors import RunError
from grokterm.export.commented import comment, line, table
from grokterm.export.earlier import PRESET_MARK
from grokterm.export.retold import Act, acts_of, events_of, line_of
from grokterm.preset import SECTIONS, of_run
from grokterm.progress import Progress
from grokterm.run.branches import Told
from grokterm.run.directory import RunDirectory


def write(run: RunDirectory, path: Path, progress: Progress) -> str:
    """Write the file `path`, TOML that `grokterm run` takes.

    Raises RunError or UsageError when no preset can say what the run was: it is imported, or a fork whose parent is
    gone, or its files hold values that no preset may have.
    """
    progress.begin(1)
    line_of_runs = line_of(run)
    told = line_of_runs[-1]
    acts = acts_of(line_of_runs)
    done = {act.index for act in acts}
    planned = [
        {key: value for key, value in entry.items() if key != "by_hand"}
        for index, entry in enumerate(told.entries)
        if index not in done
    ]
    schedule = [_entry(act) for act in acts if act.set] + planned
    description, sections = str(told.config.get("description", "")), _sections(told)
    own = _own_parts(sections)
    if not own:
        raw = {"description": description, **sections, "interventions": schedule}
        of_run(raw, str(run.config_path), Catalog())
    blocks = [
        "\n#\n".join(comment(text) for text in _head(line_of_runs, sections["training"], acts, own)),
        line("description", description),
        *(table(f"[{name}]", values) for name, values in sections.items()),
        *(_block(f"step {act.step:,}, {act.about}", _entry(act) if act.set else None) for act in acts),
        *(_block("planned, and not done yet", entry) for entry in planned),
    ]
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    progress.advance(1)
    count = len(schedule)
    said = "1 intervention" if count == 1 else f"{count:,} interventions"
    return f"a preset with {said}; `grokterm run` trains it"


def _entry(act: Act) -> Mapping[str, Any]:
    entry = {"at": act.step, "set": act.set}
    return entry if act.moments == "kept" else {**entry, "moments": act.moments}


def _block(said: str, entry: Mapping[str, Any] | None) -> str:
    return comment(said) + ("" if entry is None else "\n" + table("[[interventions]]", entry))


def _sections(told: Told) -> dict[str, dict[str, Any]]:
    """The sections as they were resolved, on the device and with the threads that were taken then."""
    config, where = told.config, told.run.config_path
    sections: dict[str, dict[str, Any]] = {}
    for name in (*SECTIONS, "training"):
        if not isinstance(config.get(name), dict):
            raise RunError(f"{where} has no section [{name}]")
        sections[name] = dict(config[name])
    device, threads, seed = (config.get(key) for key in ("device", "threads", "seed"))
    if device != "cpu" and not (isinstance(device, str) and device.startswith("cuda")):
        raise RunError(f"{where}: device = {device!r} is neither cpu nor cuda")
    recorded = {"seed": seed, "device": "cpu" if device == "cpu" else "cuda", "threads": threads}
    sections["training"] |= {key: value for key, value in recorded.items() if value is not None}
    return sections


def _own_parts(sections: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What the run is made of that only a folder of somebody's own parts has, in words."""
    catalog = Catalog()
    named: list[tuple[str, Kind, Any]] = [(name, kind, sections[name].get("name")) for name, kind in SECTIONS.items()]
    named.append(("loss", "losses", sections["training"].get("loss")))
    return [
        f"the {what} {part}" for what, kind, part in named if isinstance(part, str) and part not in catalog.names(kind)
    ]


def _head(runs: Sequence[Told], training: Mapping[str, Any], acts: Sequence[Act], own: Sequence[str]) -> Iterator[str]:
    """What a reader should know, a paragraph each."""
    told = runs[-1]
    config = told.config
    yield f"{PRESET_MARK.removeprefix('# ')}: {told.run.name}"
    made_with = [f"{name} {config[name]}" for name in ("grokterm", "torch", "numpy", "python") if name in config]
    place = f"{config.get('device')} with {_threads(training.get('threads'))}"
    yield (
        "Trained without anybody at the keyboard it gives the curves of the run, bit for bit with the same versions "
        f"on the same kind of machine: {', '.join([*made_with, place])}."
    )
    if len(runs) > 1:
        came = ", then ".join(f"{each.run.name} to step {below.begins:,}" for each, below in pairwise(runs))
        yield f"The run is a fork: first came {came}."
    if own:
        yield f"It needs --parts with the folder that has {' and '.join(own)}."
    yield from _doubts(runs)
    yield from _end(told, training.get("steps"), acts)


def _doubts(runs: Sequence[Told]) -> Iterator[str]:
    """Why the curves may come out otherwise than they were recorded."""
    for told, events in events_of(runs):
        name = told.run.name
        begun = told.config.get("device"), told.config.get("threads")
        for event in events:
            match event.data:
                case {"state": "resumed", "device": device, "threads": threads} if (device, threads) != begun:
                    went_on = f"{name} went on at step {event.step:,} on {device} with {_threads(threads)}"
                    yield f"{went_on}: from there the last digits may differ."
                case {"diverged": True} if told.last > event.step:
                    went_on = f"{name} diverged at step {event.step:,} and was told to go on"
                    yield f"{went_on}; without anybody at the keyboard training ends there."


def _end(told: Told, planned: object, acts: Sequence[Act]) -> Iterator[str]:
    """How far the run came, where that is not as far as the preset trains."""
    turned = [act.set["steps"] for act in acts if "steps" in act.set]
    planned = turned[-1] if turned else planned
    if not isinstance(planned, int | float) or not 0 < told.last < planned:
        return
    how = f"steps = {told.last} in the last intervention that sets it" if turned else f"--steps {told.last}"
    yield f"The run came to step {told.last:,} of {planned:,}; with {how} the preset trains as far."


def _threads(number: object) -> str:
    return "1 thread" if number == 1 else f"{number} threads"
