"""Checks of a model's output beside its targets, where the loss is a function of the two."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from learnrate.errors import OptionError
from learnrate.torch.batches import copied, tensors_of
from learnrate.torch.copying import copy_of
from learnrate.torch.failures import in_one_line
from learnrate.torch.losses import LossFunction, check_scalar, classes_second
from learnrate.torch.whole import ByLoss

__all__ = ["check_outputs", "in_one_line_on"]

_ALIKE = 1e-5
"""Values of a loss that differ by less than this share are the same."""


def check_outputs(
    whole: ByLoss,
    batch: Any,
    check: Callable[[int | None], object],
    of: str = "a minibatch of the data",
) -> None:
    """Run a copy of a lane on a minibatch, and its loss and metrics on what comes out.

    Parameters
    ----------
    whole, batch
        What is run, in the mode that it is in.
    check : callable
        Called before the loss is, with the numbers along the second axis of the output; None where there
        is no such axis.
    of : str
        What the minibatch is of.

    Raises
    ------
    OptionError
        If model, loss or metric fail, or the loss is no mean over examples of pairs of output and target.
    """
    whole = copy_of(whole)
    inputs, target = copied(batch)
    _check_arguments(whole.model, len(inputs))
    with in_one_line_on("Model and loss", batch, of=of):
        output = whole.model(*inputs)
    many = isinstance(output, Tensor) and output.ndim > 1
    check(classes_second(output, target).shape[1] if many else None)
    with in_one_line_on("Model and loss", batch, of=of), _no_broadcast():
        check_scalar(whole.loss(output, target), "The loss of a minibatch")
    _check_loss(whole.loss, output, batch[1])
    _check_metrics(whole.metrics, output, batch, of)


def _check_arguments(model: nn.Module, given: int) -> None:
    """Refuse inputs that the model does not ask for: perhaps they are targets or weights."""
    try:
        parameters = list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):
        return
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    taken = [p for p in parameters if p.kind in places]
    needed = [p for p in taken if p.default is p.empty]
    if given < 2 or len(needed) >= given:
        return
    came = f"takes {len(taken)}"
    if len(taken) >= given:
        came = f"can do without {', '.join(repr(p.name) for p in taken[len(needed) : given])}"
    elif any(p.kind is p.VAR_POSITIONAL for p in parameters):
        came = "takes any number of inputs"
    raise OptionError(
        f"Items of {given + 1} parts are {given} inputs and a target, and the model must need all of these inputs. "
        f"Got one that {came} instead; if an item holds (x, y, weight), or to fill that on purpose, "
        "write step=lambda model, batch: ….",
    )


def _check_loss(loss: LossFunction, output: Any, target: Any) -> None:
    """Refuse a loss that pairs each output with every target.

    The mean over all pairs is the same for the targets in another order, and another one for targets of the
    outputs' shape.
    """
    if not isinstance(output, Tensor) or not isinstance(target, Tensor):
        return
    target = target.clone()  # a loss may change it
    if target.shape == output.shape or target.numel() != output.numel():
        return
    rng = torch.Generator(output.device).manual_seed(0)
    drawn = torch.randn(output.shape, generator=rng, dtype=output.dtype, device=output.device)
    if torch.equal(target, target.flip(0)):
        return
    try:
        with torch.no_grad():
            value = loss(drawn, target)
            pairs = _alike(loss(drawn, target.flip(0)), value)
            pairs = pairs and not _alike(loss(drawn, target.reshape(output.shape)), value)
    except Exception:  # made for other outputs; those that it is made for came before
        return
    if pairs:
        raise OptionError(
            "loss must compare each output with its own target. Got one that pairs every output with every "
            f"target instead: outputs are {tuple(output.shape)}, targets {tuple(target.shape)}; reshape one "
            "of them."
        )


def _alike(a: Tensor, b: Tensor) -> bool:
    return bool((a - b).abs() <= _ALIKE * b.abs())


def _check_metrics(metrics: Mapping[str, LossFunction], output: Any, batch: Any, of: str) -> None:
    for name, metric in metrics.items():
        with torch.no_grad(), in_one_line_on(f"Metric {name!r}", batch, of=of), _no_broadcast():
            check_scalar(metric(output, batch[1]), f"Metric {name!r}")


@contextmanager
def in_one_line_on(who: str, batch: Any, of: str = "a minibatch of the data") -> Iterator[None]:
    """Tell in one line what fails on a minibatch, with the shapes of its tensors."""
    tensors = tensors_of(batch)
    shapes = ", ".join(
        f"{tuple(part.shape)} {str(part.dtype).removeprefix('torch.')}" for part in tensors
    )
    single = bool(tensors) and tensors[-1].ndim > 0 and len(tensors[-1]) == 1
    alone = "; the last minibatch has 1 example" if single and "mini" in of else ""
    with in_one_line(f"{who} must take {of} (shapes {shapes}, target last{alone})."):
        yield


@contextmanager
def _no_broadcast() -> Iterator[None]:
    """PyTorch only warns where a loss pairs every output with every target: here that is refused."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Using a target size", category=UserWarning)
        yield
