"""`grokterm import`: a run from a file of somebody else's."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from grokterm.commands.options import RUNS, Debug, RunsFolder

if TYPE_CHECKING:
    from grokterm.importers.plan import Plan
    from grokterm.importers.recording import Recorded


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A .pth or .pt of torch.save, or a safetensors file: weights in the layout of Nanda's code or of "
            "TransformerLens, alone or with losses and checkpoints.",
        ),
    ],
    split: Annotated[
        str | None,
        typer.Option(
            metavar="PROCEDURE:SEED",
            help="How the training pairs were drawn: python:1 is random.seed(1) and shuffle, torch:598 is "
            "torch.manual_seed(598) and randperm. By default found out from the weights.",
        ),
    ] = None,
    fraction: Annotated[
        float | None, typer.Option(help="Share of the pairs that was trained on. By default found out.")
    ] = None,
    p: Annotated[
        int | None, typer.Option("--p", help="The modulus. By default the tokens of W_E, less one for =.")
    ] = None,
    operation: Annotated[
        Literal["add", "subtract"] | None, typer.Option(help="What is computed mod p. By default asked of the weights.")
    ] = None,
    test_every: Annotated[
        int | None, typer.Option(help="Epochs between two test losses. By default from the numbers of losses.", min=1)
    ] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate, where the file does not say it.")] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="Weight decay, where the file does not say it: phases need both.")
    ] = None,
    runs: RunsFolder = RUNS,
    name: Annotated[str | None, typer.Option(help="Name of the run instead of the file's.")] = None,
    debug: Debug = False,
) -> None:
    """Make a run of somebody else's training file.

    It is a file of Nanda's code or of TransformerLens; the run can be replayed, compared and exported as any other.
    Nothing in the file is executed. What it does not say is found out where that can be proved, and asked for by a
    flag where it cannot. Every checkpoint in it is measured as a live run's are.
    """
    _ = debug
    from grokterm.importers.choices import Choices, check, parse_split

    chosen = check(
        Choices(
            p=p,
            operation=operation,
            split=None if split is None else parse_split(split),
            fraction=fraction,
            lr=lr,
            weight_decay=weight_decay,
            test_every=test_every,
        )
    )
    from grokterm.importers.plan import plan
    from grokterm.importers.recording import record
    from grokterm.interruption import signals_raise
    from grokterm.progress import Bar

    try:
        with signals_raise():
            found = plan(file, chosen)
            with Bar("measuring checkpoints", counted=True) as bar:
                made = record(found, runs, name or file.stem, bar)
    except KeyboardInterrupt:
        typer.echo("interrupted: nothing was imported", err=True)
        raise typer.Exit(130) from None
    typer.echo(_told(found, made, runs))


def _told(found: "Plan", made: "Recorded", runs: Path) -> str:
    """What was imported, what was found out and why, and what to do with it."""
    from grokterm.importers.description import facts
    from grokterm.text import plain

    lines = {"imported": f"{found.source.name} as {made.run.name}", **facts(found), **_losses(found, made)}
    where = "" if runs == RUNS else f" --runs {shlex.quote(str(runs))}"
    lines["next"] = f"grokterm replay {made.run.name}{where}"
    return "\n".join(f"{label:<11}{plain(text)}" for label, text in lines.items())


def _losses(found: "Plan", made: "Recorded") -> dict[str, str]:
    """Losses of the last weights as computed here, beside those that the file recorded last."""
    from grokterm.drawing.ticks import format_value

    told = []
    contents = found.contents
    for part, recorded in (("train", contents.train_losses), ("test", contents.test_losses)):
        text = f"{part} loss {format_value(made.last[f'{part}_loss'])}, accuracy {made.last[f'{part}_accuracy']:.4f}"
        if len(recorded):
            step = len(recorded) - 1
            if part == "test":
                step = step * contents.test_every + found.tested_after.updates
            far = _far(made.last[f"{part}_loss"], recorded[-1])
            text += f" (recorded at step {step:,}: {format_value(recorded[-1])}{far})"
        told.append(text)
    return {"computed": f"at step {found.states[-1][0]:,}: {'; '.join(told)}"}


def _far(computed: float, recorded: float) -> str:
    """One update may raise a loss, but hardly by so much."""
    return "" if recorded / 3 <= computed <= 3 * recorded else ", far from it: the losses may be another model's"
