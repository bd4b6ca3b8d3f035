"""Prepared examples: arrays, split and scaled, and the conversion of weights to the units of the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.data.columns import LeftOut
from learnrate.data.fingerprint import fingerprint
from learnrate.data.moments import Moments
from learnrate.data.rows import Rows
from learnrate.data.wording import abridged
from learnrate.errors import DataError, OptionError

__all__ = [
    "Prepared",
    "Scaling",
    "Stored",
    "as_float_type",
    "as_type",
    "assemble",
    "refuse_overflow",
    "remarks_on_target",
]

_LONGEST_NAME = 30


@dataclass(frozen=True, eq=False)
class Scaling:
    """The scaling of the features, ``x_standardised = (x − mean) / scale``.

    Attributes
    ----------
    mean, scale : float64 arrays, shape (d,)
        Mean and standard deviation of the training examples (divided by n, not n − 1). The scale is 1 for a feature
        that is constant up to rounding.
    """

    mean: Float[Array, " d"]
    scale: Float[Array, " d"]


@dataclass(frozen=True, eq=False)
class Stored:
    """Examples in files, for tables larger than memory.

    Attributes
    ----------
    train, val : Rows
        The training examples, and the held-out ones, if any.
    val_variance : float or None
        Variance of the held-out labels.
    fingerprint : str
        Hash of the arrays, the same as in memory.
    """

    train: Rows
    val: Rows | None
    val_variance: float | None
    fingerprint: str


@dataclass(frozen=True, eq=False)
class Prepared:
    """Prepared examples, with what was done to the table.

    Attributes
    ----------
    X_train, y_train : arrays, shapes (n, d) and (n,)
        Training examples: C-contiguous, float64 or float32; codes of classes are int64.
    X_val, y_val : arrays, shapes (m, d) and (m,), or None
        The held-out examples.
    feature_names : tuple of str
        ``"area"`` for a number, ``"street=Grvl"`` for a category.
    target_name : str
        Name of the label.
    scaling : Scaling or None
        None if the features are in the units of the table.
    left_out : tuple of LeftOut
        Columns that are not used, with the reason.
    references : mapping of str to str
        For each text column the reference category, which has no feature.
    notes : tuple of str
        Sentences for the user about what was done to the table.
    classes : tuple of str
        The classes of the target in the order of their codes; empty if the target is a number.
    class_counts : tuple of int
        Number of rows of each class, with the held-out ones.
    stored : Stored or None
        All examples, if they are in files. Then ``X_train`` and ``y_train`` hold evenly spaced examples, and ``X_val``
        and ``y_val`` are None.
    """

    X_train: Float[Array, "n d"]
    y_train: Float[Array, " n"] | Int[Array, " n"]
    X_val: Float[Array, "m d"] | None
    y_val: Float[Array, " m"] | Int[Array, " m"] | None
    feature_names: tuple[str, ...]
    target_name: str
    scaling: Scaling | None = None
    left_out: tuple[LeftOut, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    class_counts: tuple[int, ...] = ()
    stored: Stored | None = None

    @property
    def n(self) -> int:
        """Number of training examples."""
        return len(self.y_train) if self.stored is None else self.stored.train.n

    @property
    def held_out(self) -> int:
        """Number of held-out examples."""
        if self.stored is not None:
            return 0 if self.stored.val is None else self.stored.val.n
        return 0 if self.y_val is None else len(self.y_val)

    @property
    def val_variance(self) -> float | None:
        """Variance of the held-out labels; None if no examples are held out, or the labels are classes."""
        if self.classes:
            return None
        if self.stored is not None:
            return self.stored.val_variance
        return None if self.y_val is None else float(np.var(self.y_val, dtype=np.float64))

    @property
    def said_classes(self) -> str | None:
        """The classes in words: ``3 classes: setosa (50), versicolor (50), virginica (50)``; None for a number.

        Of two classes it says which has the code 1.
        """
        if not self.classes:
            return None
        pairs = zip(self.classes, self.class_counts, strict=True)
        counts = abridged([f"{_shortened_name(name)} ({count:,})" for name, count in pairs], 12)
        told = len(self.classes) == 2 and self.classes[1] != "1"
        one = f"; {_shortened_name(self.classes[1])} is 1" if told else ""
        return f"{len(self.classes)} classes: {counts}{one}"

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the training and held-out arrays, the same on every machine."""
        if self.stored is not None:
            return self.stored.fingerprint
        return fingerprint(self.X_train, self.y_train, self.X_val, self.y_val)

    def to_user_units(
        self, W: Float[Array, "..."], b: Float[Array, "..."], *, outputs: bool = False
    ) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
        """Convert weights and bias of scaled features to the units of the table; the outputs stay the same.

        ``w_user = w / scale`` and ``b_user = b − Σ_j w_j mean_j / scale_j``, in float64.

        Parameters
        ----------
        W, b : arrays, shapes (..., d) and (...)
            Weights and biases; with ``outputs`` (..., d, C) and (..., C).
        outputs : bool
            Whether the last axis is that of the C outputs.
        """
        W, b = np.asarray(W, dtype=np.float64), np.asarray(b, dtype=np.float64)
        if self.scaling is None:
            return W, b
        mean, scale = self.scaling.mean, self.scaling.scale
        if outputs:
            mean, scale = mean[:, None], scale[:, None]
        with np.errstate(all="ignore"):  # weights of diverged lanes may not be finite
            W_user = W / scale
            return W_user, np.asarray(b - (W_user * mean).sum(axis=-2 if outputs else -1))


def _shortened_name(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def as_float_type(dtype: Any) -> np.dtype[Any]:
    """The NumPy type of the option ``dtype``: float64 or float32, given by name or as a type.

    Raises
    ------
    OptionError
        For any other type.
    """
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except (TypeError, ValueError):
        found = np.dtype(object)
    if found not in (np.float64, np.float32):
        raise OptionError(
            f"dtype must be float64 or float32. Got {getattr(dtype, '__name__', dtype)} instead."
        )
    return found


def assemble(
    features: Iterable[tuple[str, Any]],
    names: list[str],
    y: Float[Array, " n"] | Int[Array, " n"],
    *,
    rows: tuple[Int[Array, " train"], Int[Array, " val"]] | None,
    standardize: bool,
    dtype: np.dtype[Any],
    target_name: str,
) -> Prepared:
    """Split and scale the examples, feature by feature, to save memory.

    Parameters
    ----------
    features : iterable of (str, array of shape (n,))
        Name and values of each feature, in the order of ``names``.
    names : list of str
        Names of the features.
    y : array, shape (n,)
        Labels.
    rows : pair of index arrays, or None
        Indices of the training and the held-out rows.
    standardize : bool
        Whether to scale each feature to mean 0 and standard deviation 1 on the training rows.
    dtype : numpy.dtype
        float64 or float32.
    target_name : str
        Name of the label.

    Raises
    ------
    DataError
        If a value does not fit into the type.
    """
    train: Any = slice(None) if rows is None else rows[0]
    X_train = np.empty((y[train].size, len(names)), dtype)
    X_val = None if rows is None else np.empty((rows[1].size, len(names)), dtype)
    mean, scale = np.zeros(len(names)), np.ones(len(names))
    with np.errstate(over="ignore", invalid="ignore"):  # overflow is an error below
        for j, (name, values) in enumerate(features):
            if standardize:
                mean[j], scale[j] = Moments(values[train]).scaling()
                values = (values - mean[j]) / scale[j]
            X_train[:, j] = values[train]
            if X_val is not None and rows is not None:
                X_val[:, j] = values[rows[1]]
            refuse_overflow(X_train[:, j], name, dtype)
    if y.dtype != np.int64:  # codes of classes are not converted
        y = as_type(y, dtype, target_name)
    return Prepared(
        X_train=X_train,
        y_train=y[train],
        X_val=X_val,
        y_val=None if rows is None else y[rows[1]],
        feature_names=tuple(names),
        target_name=target_name,
        scaling=Scaling(mean, scale) if standardize else None,
        notes=() if y.dtype == np.int64 else remarks_on_target(y[train], target_name),
    )


def as_type(values: Any, dtype: np.dtype[Any], name: str) -> Any:
    """``values`` in C order and in this type, copied only if necessary; DataError if they do not fit."""
    if values.dtype == dtype:
        return np.ascontiguousarray(values)
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(values, dtype)
    refuse_overflow(converted, name, dtype)
    return converted


def remarks_on_target(y: Float[Array, " n"], name: str) -> tuple[str, ...]:
    """A sentence for the user if the training labels are constant."""
    if y[0] != y[-1] or y.min() < y.max():
        return ()
    return (f"The target {name!r} is constant ({y[0]:g}) in training: there is nothing to learn.",)


def refuse_overflow(values: Any, name: str, dtype: np.dtype[Any]) -> None:
    """Raise `DataError` for values that became infinite in this type."""
    if not np.isfinite(values).all():
        raise DataError(
            f"{name!r} must hold numbers that fit into {dtype}. Got larger ones instead; "
            "express it in a larger unit."
        )
