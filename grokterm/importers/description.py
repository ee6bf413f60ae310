"""What an import says of itself: in run.toml, in the run's notes, and on the terminal."""

import platform
import socket
import time
from itertools import pairwise
from typing import Any

from grokterm.catalog import Catalog
from grokterm.importers.phases import known_decay, why_none
from grokterm.importers.plan import Plan
from grokterm.preset import Part, Preset, Training, versions

_SIGN = {"add": "+", "subtract": "−"}
_LAYOUTS = {"TransformerLens": "TransformerLens's", "Nanda": "Nanda's own", "grokterm": "grokterm's"}


def facts(plan: Plan) -> dict[str, str]:
    """What was found, a line each by its label."""
    last = plan.states[-1][1]
    cut = f", without {last.dropped}" if last.dropped else ""
    trained = f"{plan.split.fraction:.4g} of the pairs ({len(plan.task.train):,} of {len(plan.task.inputs):,})"
    told = {
        "layout": f"{_LAYOUTS[last.layout]}{cut}",
        "task": f"a {_SIGN[plan.operation]} b mod {last.p}: {plan.why_operation}",
        "split": f"{plan.split.split}, {trained}: {plan.split.why}",
        "losses": _losses(plan),
        "weights": _states(plan),
    }
    if plan.left_out:
        told["left out"] = "; ".join(plan.left_out)
    assumed = assumptions(plan)
    if assumed:
        told["assumed"] = "; ".join(assumed)
    return {label: text for label, text in told.items() if text}


def _losses(plan: Plan) -> str:
    found = plan.contents
    train, test = len(found.train_losses), len(found.test_losses)
    every = f", every {found.test_every} epochs" if found.test_every > 1 else ""
    parts = [f"{train:,} train losses"] if train else []
    parts += [f"{test:,} test losses{every}"] if test else []
    return " and ".join(parts) or "none in the file"


def _states(plan: Plan) -> str:
    steps = [step for step, _ in plan.states]
    broken = [step for step, state in plan.states if state.not_finite()]
    told = f"of step {steps[0]:,}" if len(steps) == 1 else f"of {len(steps):,} steps, {steps[0]:,} to {steps[-1]:,}"
    return told + (f"; {len(broken):,} of them hold NaN or infinity, from step {broken[0]:,} on" if broken else "")


def assumptions(plan: Plan) -> list[str]:
    """What the file does not say and the run directory must."""
    found = plan.contents
    assumed = [plan.split.assumed] if plan.split.assumed else []
    if found.checkpoints and not plan.saved_after.measured:
        assumed.append("the checkpoint of epoch e was saved after its update, so it is step e + 1")
    if len(found.test_losses) and not plan.tested_after.measured:
        when = "after" if plan.tested_after.updates else "before"
        assumed.append(f"test losses were taken {when} the update of their epoch")
    if found.final is not None and not len(found.train_losses) and found.final_step is None and not found.checkpoints:
        assumed.append("the weights are step 0, for no losses say how long they were trained")
    unknown = [name for name, value in _optimizer(plan).items() if value is None]
    if unknown:
        values = _defaults()
        named = ", ".join(
            f"{name} {values[name]:g}" if name != "betas" else f"betas {values[name]}" for name in unknown
        )
        assumed.append(f"{named}: the paper's, for the file does not say")
    if len(found.train_losses) and (why := why_none(plan)):
        assumed.append(f"no phases are named: {why}")
    return assumed


def notes(plan: Plan) -> list[str]:
    """The notes at the run's first step: what was imported from where, and what was assumed."""
    told = facts(plan)
    assumed = told.pop("assumed", "")
    first = f"imported from {plan.source.name}; " + "; ".join(f"{label}: {text}" for label, text in told.items())
    return [first] + ([f"assumed: {assumed}"] if assumed else [])


def known_knobs(plan: Plan) -> dict[str, float]:
    """The knobs whose values are known; betas are two."""
    known = {name: value for name, value in _optimizer(plan).items() if value is not None}
    betas = known.pop("betas", ())
    return {**known, **{f"beta{i}": value for i, value in enumerate(betas, start=1)}, "steps": _training(plan).steps}


def configuration(plan: Plan) -> dict[str, Any]:
    """What run.toml holds: sections that the engine can build task and model from, and where all of it came from."""
    last = plan.states[-1][1]
    n_heads, d_model, _ = last.tensors["W_Q"].shape
    preset = Preset(
        name="imported",
        description=f"imported from {plan.source.name} ({_LAYOUTS[last.layout]} layout)",
        task=Part(
            "modular",
            {
                "p": last.p,
                "operation": plan.operation,
                "train_fraction": plan.split.fraction,
                "split": plan.split.split.procedure,
                "split_seed": plan.split.split.seed,
            },
        ),
        model=Part(
            "transformer",
            {"d_model": d_model, "n_heads": n_heads, "d_mlp": last.tensors["W_in"].shape[1], "exact": "fast"},
        ),
        optimizer=Part("adamw", _defaults() | {k: v for k, v in _optimizer(plan).items() if v is not None}),
        training=_training(plan),
    )
    return {
        "format": 1,
        "preset": preset.name,
        "description": preset.description,
        "seed": preset.training.seed,
        "started": time.time(),
        "host": socket.gethostname(),
        "python": platform.python_version(),
        **versions(),
        **preset.to_toml(),
        "source": {
            "file": plan.source.name,
            "bytes": plan.source.size,
            "sha256": plan.source.sha256,
            "layout": last.layout,
            "operation": plan.why_operation,
            "split": plan.split.why,
            "assumed": assumptions(plan),
        },
    }


def _training(plan: Plan) -> Training:
    steps = [step for step, _ in plan.states]
    gap = min((later - earlier for earlier, later in pairwise(steps)), default=max(plan.steps, 1))
    return Training(
        steps=max(plan.steps, 1),
        seed=next(iter(plan.contents.settings.seeds), 0),
        test_every=plan.contents.test_every,
        measure_every=gap,
        checkpoint_every=gap,
    )


def _optimizer(plan: Plan) -> dict[str, Any]:
    """The optimizer's settings as a flag or the file says; None where neither does."""
    lr, weight_decay = known_decay(plan)
    found = plan.contents.settings
    return {"lr": lr, "weight_decay": weight_decay, "betas": found.betas, "eps": found.eps}


def _defaults() -> dict[str, Any]:
    return {setting.name: setting.default for setting in Catalog().settings("optimizers", "adamw")}
