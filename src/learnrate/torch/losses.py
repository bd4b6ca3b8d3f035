"""Losses and metrics by name. Each is the mean over a minibatch, as in PyTorch's own training loops."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from learnrate.errors import OptionError, did_you_mean

__all__ = ["LOSSES", "METRICS", "LossFunction", "as_loss", "as_metrics"]

_FEW_CLASSES = 16

LossFunction = Callable[[Any, Any], Tensor]
"""Takes the model's output and the target of a minibatch and returns a scalar: a mean over examples."""


def mse(output: Tensor, target: Tensor) -> Tensor:
    """``mean (ŷ − y)²``, without the ½ of the linear sweep."""
    return nn.functional.mse_loss(output, _like(target, output, "mse"))


def cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    """``mean −log softmax(ŷ)_y``; the output holds logits, one per class."""
    if (target.is_floating_point() and target.shape != output.shape) or output.shape[1:2] == (1,):
        raise OptionError(
            "For the loss 'cross-entropy' targets must be whole numbers, or a probability for each of 2 "
            f"or more classes. Got targets {tuple(target.shape)} of {target.dtype} for outputs "
            f"{tuple(output.shape)} instead; use mse for numbers, bce for yes and no."
        )
    if output.ndim == 2 and output.shape[1] < _FEW_CLASSES and target.ndim == 1:
        # The same numbers: for few classes PyTorch's kernel along the last axis is some ten times slower.
        logs = output.T.contiguous().log_softmax(dim=0).T
        return nn.functional.nll_loss(logs, target)
    return nn.functional.cross_entropy(output, target)


def bce(output: Tensor, target: Tensor) -> Tensor:
    """``mean −y log σ(ŷ) − (1−y) log(1 − σ(ŷ))``; the output holds logits."""
    return nn.functional.binary_cross_entropy_with_logits(output, _like(target, output, "bce"))


def accuracy(output: Tensor, target: Tensor) -> Tensor:
    """Share of examples whose class is right: the largest logit, or for one logit its sign."""
    if output.shape == target.shape or (output.ndim == target.ndim + 1 and output.shape[-1] == 1):
        right = (output.reshape(target.shape) > 0) == (target > 0.5)
    else:
        right = output.argmax(dim=1) == target
    return right.to(output.dtype).mean()


LOSSES: dict[str, LossFunction] = {"mse": mse, "cross-entropy": cross_entropy, "bce": bce}
METRICS: dict[str, LossFunction] = {"accuracy": accuracy, **LOSSES}


def _like(target: Tensor, output: Tensor, name: str) -> Tensor:
    """The target in the output's shape and type; (B,) and (B, 1) are the same thing, nothing else is."""
    if target.shape != output.shape:
        if target.numel() != output.numel() or target.shape[0] != output.shape[0]:
            raise OptionError(
                f"For the loss {name!r} the model's output must have the target's shape. Got "
                f"{tuple(output.shape)} for targets {tuple(target.shape)} instead; change the model's last layer."
            )
        target = target.reshape(output.shape)
    return target.to(output.dtype)


def as_loss(loss: str | LossFunction) -> tuple[str, LossFunction]:
    """Name and function of a loss given by name or as a callable.

    Raises
    ------
    OptionError
        For an unknown name, or a loss that does not average over the minibatch.
    """
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise OptionError(
                f"loss must be one of {', '.join(LOSSES)}, or a callable. Got {loss!r} instead."
                + did_you_mean(loss, LOSSES)
            )
        return loss, LOSSES[loss]
    if not callable(loss):
        raise OptionError(
            f"loss must be a name ({', '.join(LOSSES)}) or a callable of output and target. "
            f"Got {loss!r} instead."
        )
    reduction = getattr(loss, "reduction", "mean")
    if reduction not in ("mean", "batchmean"):
        raise OptionError(
            f"loss must average over the minibatch. Got one with reduction={reduction!r} instead; "
            "use reduction='mean'."
        )
    return str(getattr(loss, "__name__", type(loss).__name__)), loss


def as_metrics(
    metrics: str | Iterable[str] | Mapping[str, LossFunction],
) -> dict[str, LossFunction]:
    """Metrics by name, given by name or as a mapping from names to functions.

    Raises
    ------
    OptionError
        For an unknown name.
    """
    if isinstance(metrics, Mapping):
        return dict(metrics)
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    for name in names:
        if name not in METRICS:
            raise OptionError(
                f"metrics must be among {', '.join(METRICS)}, or a mapping from names to functions. "
                f"Got {name!r} instead." + did_you_mean(str(name), METRICS)
            )
    return {name: METRICS[name] for name in names}


def check_scalar(value: Any, name: str) -> Tensor:
    """Return the value if it is a scalar tensor.

    Raises
    ------
    OptionError
        If it is not.
    """
    if not isinstance(value, Tensor) or value.numel() != 1 or not torch.is_floating_point(value):
        came = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise OptionError(
            f"The loss {name} must return one number, the mean over the minibatch. Got {came} instead."
        )
    return value
