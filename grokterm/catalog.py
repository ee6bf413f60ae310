"""Finds tasks, models, optimizers, losses, measures, panels: one file each, named by the file, imported when used.

A part is the one function or class in its file that is decorated with `@part`. The settings of a task, model or
optimizer are its keyword-only arguments: their names are the keys of a preset and of `--set`, their annotations
(names of `values.py`) the allowed values, their defaults the defaults. Names and settings are read from the source
text, so that a preset can be checked, and an error can name the nearest valid word, before torch is imported.
"""

import ast
import importlib
import importlib.util
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter

from grokterm import values
from grokterm.errors import UsageError, nearest

Kind = Literal["tasks", "models", "optimizers", "losses", "measures", "panels"]
REQUIRED = object()

_PACKAGES: dict[Kind, str] = {
    "tasks": "grokterm.tasks",
    "models": "grokterm.models",
    "optimizers": "grokterm.optimizers",
    "losses": "grokterm.losses",
    "measures": "grokterm.measures",
    "panels": "grokterm.tui.panels",
}
_VOCABULARY: dict[str, Any] = {
    **vars(values),
    "Literal": Literal,
    "tuple": tuple,
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
}

Part = TypeVar("Part", bound=Callable[..., Any])


def part(made: Part) -> Part:
    """Mark the one function or class of a file that the catalog offers under the file's name."""
    made.__grokterm_part__ = True  # type: ignore[attr-defined]
    return made


@dataclass(frozen=True)
class Setting:
    """One keyword argument of a part: its name, its allowed values, its default (`REQUIRED` when it has none)."""

    name: str
    annotation: Any
    default: Any

    def check(self, value: object) -> Any:
        """Return the value in the annotated type; pydantic's ValidationError otherwise."""
        return TypeAdapter(self.annotation).validate_python(value)


@dataclass(frozen=True)
class Catalog:
    """The parts of this package, and those of a folder of the person's own (`--parts DIR`), which come first."""

    own: Path | None = None

    def __post_init__(self) -> None:
        if self.own is not None and not self.own.is_dir():
            raise UsageError(f"--parts {self.own}: there is no such folder")

    def names(self, kind: Kind) -> tuple[str, ...]:
        """Names of all parts of a kind, sorted; nothing is imported."""
        files = (file for folder in self._folders(kind) for file in folder.glob("*.py"))
        return tuple(sorted({file.stem for file in files if file.stem != "__init__"}))

    def settings(self, kind: Kind, name: str) -> tuple[Setting, ...]:
        """The settings of a part in the order of its signature, read from its source text."""
        return _settings(self._file(kind, name))

    def load(self, kind: Kind, name: str) -> Callable[..., Any]:
        """Import one part's file and return the part."""
        file = self._file(kind, name)
        if self.own is not None and file.is_relative_to(self.own):
            module = _import_file(f"grokterm_own.{kind}.{name}", file)
        else:
            module = importlib.import_module(f"{_PACKAGES[kind]}.{name}")
        marked = [made for made in vars(module).values() if _is_part_of(made, module)]
        if len(marked) != 1:
            raise UsageError(f"{file}: needs exactly one function or class decorated with @part, has {len(marked)}")
        return typing.cast("Callable[..., Any]", marked[0])

    def _folders(self, kind: Kind) -> tuple[Path, ...]:
        packaged = Path(__file__).parent.joinpath(*_PACKAGES[kind].split(".")[1:])
        return (packaged,) if self.own is None else (self.own / kind, packaged)

    def _file(self, kind: Kind, name: str) -> Path:
        valid = self.names(kind)
        if name not in valid:
            raise UsageError(f"there is no {kind[:-1]} {name!r}; {nearest(name, valid)}")
        return next(file for folder in self._folders(kind) if (file := folder / f"{name}.py").exists())


def _is_part_of(made: object, module: ModuleType) -> bool:
    """Whether the decorator was put on this very object here; neither importing nor inheriting it counts."""
    marked = "__grokterm_part__" in getattr(made, "__dict__", ())
    return marked and getattr(made, "__module__", None) == module.__name__


def _import_file(qualified: str, file: Path) -> ModuleType:
    loaded = sys.modules.get(qualified)
    if loaded is not None and loaded.__file__ == str(file):
        return loaded
    spec = importlib.util.spec_from_file_location(qualified, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[qualified] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[qualified]
        raise UsageError(f"{file}: cannot be imported: {type(error).__name__}: {error}") from error
    return module


@cache
def _settings(file: Path) -> tuple[Setting, ...]:
    """Read the keyword-only arguments of the decorated definition; no code of the file runs."""
    try:
        tree = ast.parse(file.read_text())
    except SyntaxError as error:
        raise UsageError(f"{file}: line {error.lineno}: {error.msg}") from error
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and any(_is_part_decorator(d) for d in node.decorator_list):
            return tuple(_keyword_settings(_signature_of(node), file))
    raise UsageError(f"{file}: has no function or class decorated with @part")


def _is_part_decorator(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "part"


def _signature_of(node: ast.FunctionDef | ast.ClassDef) -> ast.arguments:
    if isinstance(node, ast.FunctionDef):
        return node.args
    makers = [made for made in node.body if isinstance(made, ast.FunctionDef) and made.name == "__init__"]
    return makers[0].args if makers else ast.arguments([], [], None, [], [], None, [])


def _keyword_settings(arguments: ast.arguments, file: Path) -> typing.Iterator[Setting]:
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if argument.annotation is None:
            raise UsageError(f"{file}: argument {argument.arg!r} needs a type")
        try:
            annotation = eval(ast.unparse(argument.annotation), {"__builtins__": {"None": None}}, _VOCABULARY)
            value = REQUIRED if default is None else ast.literal_eval(default)
        except (NameError, TypeError, ValueError) as error:
            raise UsageError(f"{file}: argument {argument.arg!r}: {error}; use the names of grokterm.values") from error
        yield Setting(argument.arg, annotation, value)
