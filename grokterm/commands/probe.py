"""`grokterm probe`: the microscope's questions to one checkpoint, from a script."""

import shutil
import sys
from typing import Annotated

import typer

from grokterm.commands.options import RUNS, Debug, RunAndCheckpoint, RunsFolder


def probe(
    place: RunAndCheckpoint = "-",
    ablate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART",
            help="Take a part out: freq=14,23 or freq=key, head=0, neurons=3,17, skip (the path past the neurons); "
            "polynomials leaves of each neuron in a cluster only nine functions of its frequency: 1, the cosine and "
            "sine of a, those of b, and the products of one of a with one of b. Repeatable: each alone, then all "
            "together.",
        ),
    ] = None,
    keep_only: Annotated[
        str | None,
        typer.Option(metavar="KEYS", help="Leave only these frequencies in the logits: key, or 14,23."),
    ] = None,
    mean: Annotated[
        bool, typer.Option("--mean", help="Put the mean in the place of a head, neurons or skip, not zero.")
    ] = False,
    neurons: Annotated[
        str | None, typer.Option(metavar="NUMBERS", help="Facts of neurons, counted from 0: 3,17.")
    ] = None,
    heads: Annotated[bool, typer.Option("--heads", help="Facts of every attention head.")] = False,
    inputs: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B", help="What is answered to a, b, and why; with everything taken out. Repeatable."),
    ] = None,
    variants: Annotated[
        bool,
        typer.Option(
            "--variants",
            help="Other people's definitions: restricted and excluded loss, logit FVE, shares of the sum, symmetry.",
        ),
    ] = False,
    top: Annotated[int, typer.Option(help="Answers, neurons and weights told of each.", min=1)] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object with every number in full.")] = False,
    runs: RunsFolder = RUNS,
    debug: Debug = False,
) -> None:
    """Ask one checkpoint what it computes: the newest of a run, or that of a step.

    Losses before and after something is taken out, facts of neurons and heads, answers to inputs. Without questions: a
    summary. Neurons and heads are told as they are in the checkpoint; what is taken out counts for losses and inputs.
    """
    _ = debug
    from grokterm.probe.questions import read_questions

    questions = read_questions(
        ablate=ablate or (),
        keep_only=keep_only,
        mean=mean,
        neurons=neurons,
        heads=heads,
        inputs=inputs or (),
        top=top,
        variants=variants,
    )
    from grokterm.circuit.reading import read_circuit
    from grokterm.probe.as_json import json_of
    from grokterm.probe.asking import Place, ask
    from grokterm.probe.text import text_of
    from grokterm.run.place import checkpoint_meant, find_place
    from grokterm.text import plain

    run, step = find_place(runs, place)
    info = checkpoint_meant(run, step)
    found = ask(read_circuit(run, info), questions, Place(run.name, info.step, str(info.path)))
    typer.echo(json_of(found) if as_json else "\n".join(map(plain, text_of(found, _width()).split("\n"))))


def _width() -> int | None:
    """Columns of the terminal; None where there is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
