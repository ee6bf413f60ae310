"""What a run can be exported to: one entry here and one file beside this one for each format."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from grokterm.errors import UsageError, nearest

if TYPE_CHECKING:
    from grokterm.export.choices import Choices
    from grokterm.progress import Progress
    from grokterm.run.directory import RunDirectory


class Writer(Protocol):
    """What the module of a format offers as `write`."""

    def __call__(self, run: "RunDirectory", path: Path, progress: "Progress") -> str:
        """Write the run to `path`, a name that is free or an empty folder, and return in words what that is.

        Raises RunError when the run cannot be read, UsageError when a package is missing, OSError when the disk
        refuses.
        """
        ...


@dataclass(frozen=True)
class Format:
    """A value of `--to`. Its name and `suffix` make the default of `--out`; `about` is one line of the help.

    inside: patterns of the names in the folder that it writes; none where it writes a single file. Only a folder that
    holds nothing else is ever replaced.
    module: the file beside this one with `write`; the path that it gets is a hidden name without the suffix.
    takes: the fields of `Choices` that it takes; where there are any, `write` has the choices as its last argument.
    """

    about: str
    module: str
    suffix: str
    inside: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


ANIMATED = ("first", "last", "seconds", "frames", "frequency")
FORMATS: Mapping[str, Format] = {
    "csv": Format("a folder of CSV files, one a table", "csv", ".csv", ("*.csv", "arrays", "hindsight", "config.toml")),
    "parquet": Format(
        "a folder of Parquet files, one a table", "parquet", ".parquet", ("*.parquet", "arrays", "hindsight")
    ),
    "npz": Format("one file of NumPy arrays", "npz", ".npz"),
    "tensorboard": Format("a folder that TensorBoard shows", "tensorboard", ".tensorboard", ("events.out.tfevents.*",)),
    "wandb": Format("an offline run of Weights & Biases, for `wandb sync`", "wandb", ".wandb", ("wandb",)),
    "preset": Format("a preset that trains it again, edits and all, for `grokterm run`", "preset", ".toml"),
    "transformerlens": Format(
        "weights, losses and split in one file, as TransformerLens's grokking demo saves them; RUN@STEP: those of that "
        "step alone",
        "transformerlens",
        ".pth",
        takes=("step",),
    ),
    "asciicast": Format(
        "a recording of the replay, for asciinema",
        "asciicast",
        ".cast",
        takes=("first", "last", "seconds", "speed", "size", "colours"),
    ),
    "gif": Format("the embedding's spectrum and circle over training, animated", "gif", ".gif", takes=ANIMATED),
    "svg": Format("the same for web pages, in one file without scripts", "svg", ".svg", takes=ANIMATED),
}


def format_named(name: str) -> Format:
    """Return a format. Raises UsageError that names the nearest one."""
    if name not in FORMATS:
        raise UsageError(f"--to {name}: there is no such format; {nearest(name, FORMATS)}")
    return FORMATS[name]


def writer_of(chosen: Format, choices: "Choices | None" = None) -> Writer:
    """Import what writes a format; the packages that it needs are imported when it writes."""
    write = importlib.import_module(f"grokterm.export.{chosen.module}").write
    if chosen.takes:
        from grokterm.export.choices import Choices

        write = partial(write, choices=choices or Choices())
    return cast("Writer", write)


def check_choices(name: str, choices: "Choices") -> None:
    """Raise UsageError that says what they are for when some of the choices are not this format's."""
    from grokterm.export.choices import OPTIONS

    for field in sorted(choices.made() - {*FORMATS[name].takes}):
        fitting = ", ".join(other for other, format_ in FORMATS.items() if field in format_.takes)
        raise UsageError(f"{OPTIONS[field]} is not for --to {name}; it is for --to {fitting}")
