"""A table into a PyTorch model: features brought to one scale, the target scaled or made class numbers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from learnrate._shapes import Array, Float
from learnrate.data.options import Table
from learnrate.data.plan import TargetKind
from learnrate.data.prepared import Prepared
from learnrate.errors import DataError, LearnrateError, OptionError
from learnrate.sweeps.examples import examples
from learnrate.torch.result import TorchSweepResult
from learnrate.torch.run import sweep
from learnrate.torch.whole import StepFunction

__all__ = ["sweep_table"]

_KINDS: dict[str, TargetKind] = {"cross-entropy": "class", "bce": "auto"}
"""What the target is, by the loss; a number for any other."""


def sweep_table(
    model: nn.Module | Callable[..., nn.Module],
    data: Any,
    *,
    target: str | None = None,
    features: Sequence[str] | None = None,
    val: float = 0.0,
    missing: str = "error",
    standardize: bool | None = None,
    table: Table | None = None,
    loss: str | None = None,
    step: StepFunction | None = None,
    seed: int = 0,
    dtype: str = "float32",
    name: str = "model",
    **options: Any,
) -> TorchSweepResult:
    """Train a PyTorch model on a table under many learning rates side by side.

    The table is prepared as `learnrate.sweep` does it: text columns become columns of 0 and 1, features are brought to
    mean 0 and standard deviation 1. With the loss ``"mse"`` the target is brought there too, since most networks
    start near 0; a remark of the result says by which numbers. With ``"cross-entropy"`` it becomes class numbers.

    Parameters
    ----------
    model : nn.Module or callable
        A callable returns the module; it is given the number of features if it takes an argument, and the number of
        classes if it takes two.
    data, target, features, val, missing, standardize, table
        See `learnrate.sweep`.
    loss : str
        ``"mse"`` (unless given), ``"cross-entropy"``, ``"bce"``, or another name in `learnrate.torch.LOSSES`.
    step : callable, in place of ``loss``
        See `learnrate.torch.sweep`; it is given a pair of tensors, and the target as the table has it, classes as
        numbers.
    seed : int
        Decides the held-out rows, the start and the order.
    dtype : {"float32", "float64"}
        Of features, targets and parameters.
    name : str
        The model's, for messages.
    **options
        Of `learnrate.torch.sweep`.

    Raises
    ------
    DataError, OptionError
        If the table, the model or an option cannot be used; the message says what to do.

    Examples
    --------
    >>> from torch import nn
    >>> from learnrate.torch import sweep_table
    >>> result = sweep_table(
    ...     lambda d: nn.Sequential(nn.Linear(d, 8), nn.ReLU(), nn.Linear(8, 1)),
    ...     "houses", target="price", missing="mean", lrs=[0.01, 0.1],
    ... )
    >>> result.losses.shape
    (1, 2, 4)
    """
    if loss is None and step is None:
        loss = "mse"
    prepared = examples(
        data,
        target=target,
        features=features,
        missing=missing,
        table=table,
        target_kind="auto" if step is not None else _KINDS.get(loss or "", "number"),
        standardize=standardize,
        val=val,
        seed=seed,
        dtype=dtype,
    )
    scaled = loss == "mse" and prepared.scaling is not None
    mean, scale = _mean_and_scale(prepared.y_train) if scaled else (0.0, 1.0)

    def targets(y: Array) -> Array:
        if scaled:
            return (y - mean) / scale
        return _of_two_classes(y, prepared) if loss == "bce" and prepared.classes else y

    held_out = None
    if prepared.X_val is not None and prepared.y_val is not None:
        held_out = (prepared.X_val, targets(prepared.y_val))
    result = sweep(
        model if isinstance(model, nn.Module) else _factory(name, model, prepared, dtype),
        (prepared.X_train, targets(prepared.y_train)),
        val_data=held_out,
        loss=loss,
        step=step,
        seed=seed,
        **options,
    )
    notes = [] if prepared.said_classes is None else [f"{prepared.said_classes}."]
    if scaled:
        sign = "-" if mean >= 0 else "+"
        notes.append(
            f"Features and {prepared.target_name} were brought to mean 0 and standard deviation 1 for training, so a "
            f"loss of 1 is that of always answering the mean. Train with (y {sign} {abs(mean):.6g}) / {scale:.6g} to use "
            "the rate, or leave both as they are by the option standardize."
        )
    return replace(result, notes=(*notes, *result.notes))


def _factory(
    name: str, build: Callable[..., Any], data: Prepared, dtype: str
) -> Callable[[], nn.Module]:
    """Call the user's callable, with the numbers of features and classes if it asks for them."""
    try:
        parameters = inspect.signature(build).parameters.values()
    except (TypeError, ValueError):  # something compiled
        parameters = {}.values()
    asked = sum(
        p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        for p in parameters
    )
    given = (data.X_train.shape[1], len(data.classes))[:asked]

    def make() -> Any:
        try:
            made = build(*given)
        except LearnrateError:
            raise
        except (Exception, SystemExit) as error:  # the user's own code can raise anything
            raise OptionError(
                f"The model must be a callable that returns an nn.Module. Got {type(error).__name__} when {name} was "
                f"called: {error}"
            ) from error
        return made.to(getattr(torch, dtype)) if isinstance(made, nn.Module) else made

    return make


def _mean_and_scale(y: Float[Array, " n"]) -> tuple[float, float]:
    """Mean and standard deviation of the labels; 1 in place of a deviation of 0."""
    return float(y.mean()), float(y.std()) or 1.0


def _of_two_classes(y: Array, data: Prepared) -> Array:
    """Codes of two classes as numbers 0 and 1."""
    if len(data.classes) != 2:
        raise DataError(
            f"For the loss bce the target {data.target_name!r} must hold 2 classes. Got {len(data.classes)} instead; use "
            "cross-entropy, with as many outputs."
        )
    return y.astype(data.X_train.dtype)
