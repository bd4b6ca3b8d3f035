"""What a caller chooses of a training: the recipe, and what a step does besides the optimizer's own."""

from __future__ import annotations

from typing import Any

import torch

from learnrate.errors import OptionError, not_one_of
from learnrate.torch.config import TorchConfig
from learnrate.torch.examples import Examples, TensorExamples
from learnrate.torch.lanes import StepOptions
from learnrate.torch.losses import as_loss, as_metrics
from learnrate.torch.pacing import is_factory
from learnrate.torch.start import Source
from learnrate.torch.whole import Recipe

__all__ = ["PRECISIONS", "notes_on", "recipe_of", "step_options"]

_FAR_FROM_1 = 100.0  # of a target's size

PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16}


def recipe_of(loss: Any, step: Any, metrics: Any, precision: str | None) -> tuple[str, Recipe]:
    """The loss's name, and what is called in a training besides the model."""
    if precision is not None and precision not in PRECISIONS:
        raise not_one_of("precision", precision, PRECISIONS)
    autocast = None if precision is None else PRECISIONS[precision]
    if (loss is None) == (step is None):
        raise OptionError(
            "loss or step must be given, a loss of output and target or a function of model and minibatch. "
            f"Got {'neither' if loss is None else 'both'}; such as loss='mse'."
        )
    if step is None:
        name, function = as_loss(loss)
        return name, Recipe(function, as_metrics(metrics, name), None, autocast)
    if not callable(step) or isinstance(step, type):
        raise OptionError(
            f"step must be a function of the model and a minibatch. Got {step!r} instead; such as "
            "lambda model, batch: model(**batch).loss."
        )
    if metrics:
        raise OptionError(
            "metrics must be left out with step, which returns them itself. Got both; return (loss, {'name': value})."
        )
    return str(getattr(step, "__name__", "step")), Recipe(step=step, precision=autocast)


def step_options(
    norm: Any, value: Any, accumulate: Any, schedule: Any, precision: str | None, ema: Any
) -> StepOptions:
    """What a step does besides the optimizer's own."""
    if isinstance(schedule, torch.optim.lr_scheduler.LRScheduler):
        raise OptionError(
            "schedule must be a function that makes a scheduler for each lane's optimizer. Got "
            f"{type(schedule).__name__} of another optimizer instead; such as lambda optimizer: CosineAnnealingLR(optimizer, 10)."
        )
    if ema is not None and not (isinstance(ema, float) and 0 < ema < 1):
        raise OptionError(
            f"ema must be a decay between 0 and 1. Got {ema!r} instead; such as 0.999."
        )
    for name, bound in (("clip_grad_norm", norm), ("clip_grad_value", value)):
        real = isinstance(bound, int | float) and not isinstance(bound, bool)
        if bound is not None and not (real and bound > 0):
            raise OptionError(f"{name} must be a number above 0. Got {bound!r} instead.")
    if not isinstance(accumulate, int) or isinstance(accumulate, bool) or accumulate < 1:
        raise OptionError(
            f"accumulate must be a whole number, at least 1. Got {accumulate!r} instead."
        )
    return StepOptions(
        accumulate=accumulate,
        clip_norm=norm,
        clip_value=value,
        scheduler=schedule if is_factory(schedule) else None,
        scaled=precision == "fp16",
        ema=ema,
    )


def notes_on(config: TorchConfig, model: Source, data: Any, examples: Examples) -> list[str]:
    """What there is to say before training: sentences."""
    notes = []
    if config.seeds > 1 and config.start == "given" and isinstance(model, torch.nn.Module):
        note = "All seeds start from the model's parameters as given and differ by order and draws alone; "
        notes.append(note + "start='reset' or a callable gives each a start of its own.")
    if config.loss == "mse" and isinstance(examples, TensorExamples):
        notes += _on_scale(examples.target)
    return notes


def _on_scale(target: torch.Tensor) -> list[str]:
    """What to do about a target whose size is far from that of a model's first answers, about 1."""
    size = float(target.double().square().mean().sqrt())
    if size == 0 or 1 / _FAR_FROM_1 <= size <= _FAR_FROM_1:
        return []
    note = f"The target is about {size:.1g} in size, while a model's answers start near 1 and the gradients of "
    return [
        f"{note}mse grow with it: train on (y - mean) / scale, or most rates are too large or too small."
    ]
