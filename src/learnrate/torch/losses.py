"""Losses and metrics by name. Each is the mean over a minibatch, as in PyTorch's own training loops."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from learnrate.errors import DataError, OptionError, did_you_mean

__all__ = ["LOSSES", "METRICS", "LossFunction", "as_loss", "as_metrics", "classes_second"]

_FEW_CLASSES = 16
_FUNCTIONS = {
    "mse": "torch.nn.functional.mse_loss",
    "cross-entropy": "torch.nn.functional.cross_entropy",
    "bce": "torch.nn.functional.binary_cross_entropy_with_logits",
}
_IGNORED = -100
"""The target that PyTorch's cross entropy leaves out."""

COLUMNS = ("lr", "seed", "epoch", "loss", "val_loss", "outcome")
"""Names of a result's columns besides metrics."""

LossFunction = Callable[[Any, Any], Tensor]
"""Takes the model's output and the target of a minibatch and returns a scalar: a mean over examples."""


def mse(output: Tensor, target: Tensor) -> Tensor:
    """``mean (ŷ − y)²``, without the ½ of the linear sweep."""
    output = _one_tensor(output, "mse")
    return nn.functional.mse_loss(output, _like(target, output, "mse"))


def cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    """``mean −log softmax(ŷ)_y``; the output holds logits, one per class."""
    output = _classes_second(_one_tensor(output, "cross-entropy"), target, "cross-entropy")
    floating = target.is_floating_point()
    if not floating and target.ndim > 1 and target.shape == (len(output), 1, *output.shape[2:]):
        target = target.squeeze(1)
    if (target.shape == output.shape) != floating or output.shape[1:2] in ((), (1,)):
        raise OptionError(
            "For the loss 'cross-entropy' targets must be whole numbers, or a probability for each of 2 "
            f"or more classes as a floating-point number. Got targets {tuple(target.shape)} of {target.dtype} "
            f"for outputs {tuple(output.shape)}, whose second or last axis are the classes, instead; use mse for "
            "numbers, bce for yes and no."
        )
    if not floating:
        target = target.long()
    if output.ndim == 2 and output.shape[1] < _FEW_CLASSES and target.ndim == 1:
        # The same numbers: for few classes PyTorch's kernel along the last axis is some ten times slower.
        logs = output.T.contiguous().log_softmax(dim=0).T
        return nn.functional.nll_loss(logs, target)
    return nn.functional.cross_entropy(output, target)


def classes_second(output: Tensor, target: Any) -> Tensor:
    """Logits with the classes along the second axis, as PyTorch wants them; a language model has them along the last.

    (B, T, V) for targets (B, T) is turned round, unless T = V, where it could be either.
    """
    if not isinstance(target, Tensor) or target.is_floating_point() or output.ndim < 3:
        return output
    last = target.shape == output.shape[:-1] and target.shape[1:] != output.shape[2:]
    return output.movedim(-1, 1) if last else output


def _classes_second(output: Tensor, target: Tensor, name: str) -> Tensor:
    """`classes_second`, where there is one way to read the output."""
    if (
        output.ndim > 2
        and not target.is_floating_point()
        and target.shape == output.shape[:-1]
        and target.shape[1:] == output.shape[2:]
    ):
        raise OptionError(
            f"For {name!r} it must be clear which axis of the output are the classes. Got outputs {tuple(output.shape)} for "
            f"targets {tuple(target.shape)}, where it may be the second or the last, instead; give a callable, such as "
            "lambda output, target: torch.nn.functional.cross_entropy(output.flatten(0, 1), target.flatten()) for the last."
        )
    return classes_second(output, target)


def bce(output: Tensor, target: Tensor) -> Tensor:
    """``mean −y log σ(ŷ) − (1−y) log(1 − σ(ŷ))``; the output holds logits."""
    output = _one_tensor(output, "bce")
    return nn.functional.binary_cross_entropy_with_logits(output, _like(target, output, "bce"))


def accuracy(output: Tensor, target: Tensor) -> Tensor:
    """Share of right answers: the class of the largest logit, or where each logit has a target its sign.

    Targets that cross entropy leaves out are left out here too.
    """
    output = _one_tensor(output, "accuracy")
    if output.numel() == target.numel():
        right = (output.reshape(target.shape) > 0) == (target > 0.5)
    else:
        output = _classes_second(output, target, "accuracy")
        classes = output.argmax(dim=1)
        if classes.numel() != target.numel():
            raise OptionError(
                "For 'accuracy' there must be one target for each example. Got targets "
                f"{tuple(target.shape)} for outputs {tuple(output.shape)} instead."
            )
        target = target.reshape(classes.shape)
        return (classes == target).to(output.dtype).sum() / (target != _IGNORED).sum()
    return right.to(output.dtype).mean()


def accuracy_of_probabilities(output: Tensor, target: Tensor) -> Tensor:
    """`accuracy` beside ``cross-entropy``, whose targets may be a probability for each class."""
    output = _one_tensor(output, "accuracy")
    return accuracy(output, target.argmax(dim=1) if target.shape == output.shape else target)


LOSSES: dict[str, LossFunction] = {"mse": mse, "cross-entropy": cross_entropy, "bce": bce}
METRICS: dict[str, LossFunction] = {"accuracy": accuracy, **LOSSES}


def _one_tensor(output: Any, name: str) -> Tensor:
    if not isinstance(output, Tensor):
        where = ".logits" if hasattr(output, "logits") else "[0]"
        raise OptionError(
            f"For {name!r} the model must return one tensor. Got {type(output).__name__} instead; give a callable of that and "
            f"the target, such as lambda output, target: {_FUNCTIONS.get(name, name)}(output{where}, target)."
        )
    return output


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
    if isinstance(loss, type):
        raise OptionError(
            f"loss must be a callable of output and target. Got the class {loss.__name__} instead; call it: {loss.__name__}()."
        )
    reduction = getattr(loss, "reduction", "mean")
    if reduction not in ("mean", "batchmean"):
        raise OptionError(
            f"loss must average over the minibatch. Got one with reduction={reduction!r} instead; "
            "use reduction='mean'."
        )
    return str(getattr(loss, "__name__", type(loss).__name__)), loss


def as_metrics(
    metrics: str | Iterable[str] | Mapping[str, LossFunction], loss: str
) -> dict[str, LossFunction]:
    """Metrics by name, given by name or as a mapping from names to functions.

    Parameters
    ----------
    metrics : names, or mapping from names to functions
    loss : str
        Name of the loss that they stand beside.

    Raises
    ------
    OptionError
        For an unknown name, one that is taken, or what is no function.
    """
    if isinstance(metrics, Mapping):
        for name, metric in metrics.items():
            if not callable(metric) or isinstance(metric, type):
                raise OptionError(
                    "metrics must be functions of output and target by name. "
                    f"Got {metric!r} for {name!r} instead."
                )
            if not isinstance(name, str) or name in COLUMNS:
                raise OptionError(
                    f"A metric must have a name of its own; {', '.join(COLUMNS)} are taken. Got {name!r} instead."
                )
        return dict(metrics)
    names = [metrics] if isinstance(metrics, str) or not isinstance(metrics, Iterable) else metrics
    names = list(names)
    for name in names:
        if not isinstance(name, str) or name not in METRICS:
            raise OptionError(
                f"metrics must be among {', '.join(METRICS)}, or a mapping from names to functions. "
                f"Got {name!r} instead." + did_you_mean(str(name), METRICS)
            )
    found = {name: METRICS[name] for name in names}
    if "accuracy" in found and loss == "cross-entropy":
        found["accuracy"] = accuracy_of_probabilities
    return found


def check_targets(loss: str, target: Tensor, classes: int | None, name: str) -> None:
    """Refuse targets that the named loss has no meaning for.

    Parameters
    ----------
    loss : str
        Name of the loss.
    target : Tensor
        All targets.
    classes : int, optional
        How many the model tells apart.
    name : str
        Of the examples.

    Raises
    ------
    DataError
        For a class that the model does not know, or a probability outside of [0, 1].
    """
    if loss == "bce":
        wrong = target[(target < 0) | (target > 1)]
        wanted = "For the loss 'bce' targets must lie between 0 and 1"
    elif loss == "cross-entropy" and classes is not None and not target.is_floating_point():
        wrong = target[((target < 0) | (target >= classes)) & (target != _IGNORED)]
        wanted = f"For the loss 'cross-entropy' and this model targets must be classes from 0 to {classes - 1}"
    else:
        return
    if len(wrong):
        raise DataError(
            f"{wanted}. Got {wrong[0].item():g} in {name} instead; renumber them, or change the model."
        )


def check_scalar(value: Any, name: str) -> Tensor:
    """Return the value if it is a scalar tensor.

    Raises
    ------
    OptionError
        If it is not.
    """
    if not isinstance(value, Tensor) or value.numel() != 1 or not torch.is_floating_point(value):
        came = type(value).__name__
        if isinstance(value, Tensor):
            came = f"a tensor of shape {tuple(value.shape)} and {value.dtype}"
        raise OptionError(
            f"{name} must be one number, a floating-point tensor: the mean over the minibatch. Got {came} instead."
        )
    return value
