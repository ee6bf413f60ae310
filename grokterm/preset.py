"""Reads a preset, lays `--set` over it, and checks every key and value before anything is created or imported.

    presets/mod113.toml + --set optimizer.lr=2e-3  ─►  Preset (frozen, complete)  ─►  run.toml

Errors name the file, the key, and the nearest valid name or range.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from grokterm import preset_files
from grokterm.catalog import REQUIRED, Catalog, Kind, Setting
from grokterm.errors import UsageError, nearest
from grokterm.interventions import Intervention, interventions_from
from grokterm.preset_files import Cost
from grokterm.values import Count, CountOrZero, Seed, sentence

SECTIONS: dict[str, Kind] = {"task": "tasks", "model": "models", "optimizer": "optimizers"}
RUN_KEYS = ("description", *SECTIONS, "training", "interventions")
"""What a preset says that a run.toml repeats. That says more, which is no part of the preset."""
KEYS = (*preset_files.KEYS, *(key for key in RUN_KEYS if key not in preset_files.KEYS))
"""What a preset may say. Its paper and its cost are not repeated: after `--set` neither need hold for the run."""


class Training(BaseModel):
    """The loop's own settings, `[training]` in a preset."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: Count
    seed: Seed = 0
    warmup_steps: CountOrZero = 0
    test_every: Count = 1
    measure_every: Count = 20
    checkpoint_every: Count = 100
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: Count | Literal["auto"] = "auto"
    measure_on_end: bool = True
    loss: str = "cross_entropy"


@dataclass(frozen=True)
class Part:
    """A task, model or optimizer by name, with every setting resolved."""

    name: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Preset:
    """Everything that decides a run. `name` is the file's stem; `description` its one line for lists.

    interventions: what happens to the knobs while it trains, without anybody at the keyboard. paper, cost: where it
    comes from and how long it takes (`preset_files.About`); a run's preset, read back from run.toml, has neither.
    """

    name: str
    description: str
    task: Part
    model: Part
    optimizer: Part
    training: Training
    interventions: tuple[Intervention, ...] = ()
    paper: str = ""
    cost: Cost | None = None

    def to_toml(self) -> dict[str, Any]:
        """The sections as run.toml holds them; a setting left to its default of None is left out."""
        parts = {section: getattr(self, section) for section in SECTIONS}
        sections = {section: {"name": part.name, **_without_none(part.settings)} for section, part in parts.items()}
        planned = [intervention.to_toml() for intervention in self.interventions]
        schedule = {"interventions": planned} if planned else {}
        return {**sections, "training": self.training.model_dump(), **schedule}


def read(path: Path, overrides: Sequence[str] = (), catalog: Catalog | None = None) -> Preset:
    """Read and check a preset; `overrides` are texts after `--set` such as `optimizer.lr=2e-3`. Raises UsageError."""
    raw = preset_files.read_raw(path)
    places = _Places(str(path), {_lay_over(raw, override): f"--set {override}" for override in overrides})
    _check_names(places, "", raw, KEYS)
    return _preset(places, path.stem, raw, catalog or Catalog())


def of_run(config: Mapping[str, Any], where: str, catalog: Catalog) -> Preset:
    """Return what a run was told: the preset in its run.toml, with as many threads as were taken then.

    where: the file's path, for errors. Raises UsageError as `read` does.
    """
    raw = {key: config[key] for key in RUN_KEYS if key in config}
    if isinstance(raw.get("training"), dict) and "threads" in config:
        raw["training"] = {**raw["training"], "threads": config["threads"]}
    return _preset(_Places(where, {}), str(config.get("preset", "")), raw, catalog)


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on, read without importing any of it."""
    found = {}
    for package in ("grokterm", "torch", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


@dataclass(frozen=True)
class _Places:
    """Where each key was said, so that an error can point there: in the file unless a `--set` laid it over."""

    file: str
    overrides: Mapping[str, str]

    def of(self, key: str) -> str:
        """The `--set` that said this key, or a key of this section; else the file."""
        said = (text for place, text in self.overrides.items() if place == key or place.startswith(f"{key}."))
        return next(said, self.file)


def _lay_over(raw: dict[str, Any], override: str) -> str:
    """Put `section.key=value` into the raw preset and return `section.key`."""
    place, equals, text = override.partition("=")
    section, dot, key = place.strip().partition(".")
    if not (equals and dot and section and key):
        raise UsageError(f"--set {override}: write it as section.key=value, for instance optimizer.lr=2e-3")
    table = raw.setdefault(section, {})
    if section in preset_files.KEYS or not isinstance(table, dict):
        raise UsageError(f"--set {override}: {section} is not a section")
    table[key] = _value(text.strip())
    return f"{section}.{key}"


def _value(text: str) -> Any:
    """Read a value as TOML would; what is no TOML value is a text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except ValueError:  # TOMLDecodeError is one; an integer of thousands of digits is another
        return text


def _preset(places: _Places, name: str, raw: Mapping[str, Any], catalog: Catalog) -> Preset:
    for section in (*SECTIONS, "training"):
        if not isinstance(raw.get(section), dict):
            raise UsageError(f"{places.file}: needs a section [{section}]")
    parts = {section: _part(places, section, raw[section], catalog) for section in SECTIONS}
    training = _training(places, raw["training"], catalog)
    settings = catalog.settings("optimizers", parts["optimizer"].name)
    planned = interventions_from(raw.get("interventions", []), places.of("interventions"), settings)
    about = preset_files.about(raw, places.file)
    return Preset(
        name=name,
        description=about.description,
        paper=about.paper,
        cost=about.cost,
        training=training,
        interventions=planned,
        **parts,
    )


def _check_names(places: _Places, prefix: str, table: Mapping[str, Any], valid: Sequence[str]) -> None:
    for key in table:
        if key not in valid:
            raise UsageError(f"{places.of(prefix + key)}: there is no key {prefix}{key}; {nearest(key, valid)}")


def _part(places: _Places, section: str, table: Mapping[str, Any], catalog: Catalog) -> Part:
    kind = SECTIONS[section]
    name = table.get("name")
    if not isinstance(name, str):
        raise UsageError(
            f"{places.of(f'{section}.name')}: [{section}] needs name = one of {', '.join(catalog.names(kind))}"
        )
    if name not in catalog.names(kind):
        raise UsageError(
            f"{places.of(f'{section}.name')}: there is no {section} {name!r}; {nearest(name, catalog.names(kind))}"
        )
    settings = [setting for setting in catalog.settings(kind, name) if setting.name != "seed"]
    _check_names(places, f"{section}.", table, ["name", *(setting.name for setting in settings)])
    checked = {setting.name: _checked(places, section, setting, table) for setting in settings}
    return Part(name, MappingProxyType(checked))


def _checked(places: _Places, section: str, setting: Setting, table: Mapping[str, Any]) -> Any:
    if setting.name not in table:
        if setting.default is REQUIRED:
            raise UsageError(f"{places.file}: [{section}] needs {setting.name}")
        return setting.default
    try:
        return setting.check(table[setting.name])
    except ValidationError as error:
        value = table[setting.name]
        key = f"{section}.{setting.name}"
        raise UsageError(f"{places.of(key)}: {key} = {value!r} {_after_value(error)}") from error


def _training(places: _Places, table: Mapping[str, Any], catalog: Catalog) -> Training:
    _check_names(places, "training.", table, tuple(Training.model_fields))
    try:
        training = Training.model_validate(table)
    except ValidationError as error:
        key = ".".join(str(part) for part in error.errors()[0]["loc"][:1])
        if error.errors()[0]["type"] == "missing":
            raise UsageError(f"{places.file}: [training] needs {key}") from error
        place = places.of(f"training.{key}")
        raise UsageError(f"{place}: training.{key} = {table[key]!r} {_after_value(error)}") from error
    losses = catalog.names("losses")
    if training.loss not in losses:
        place = places.of("training.loss")
        raise UsageError(f"{place}: there is no training.loss = {training.loss!r}; {nearest(training.loss, losses)}")
    return training


def _after_value(error: ValidationError) -> str:
    text = sentence(error)
    return text if text.startswith("must") else f"is not valid: {text}"


def _without_none(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in settings.items() if value is not None
    }
