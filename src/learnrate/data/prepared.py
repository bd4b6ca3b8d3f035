"""Examples ready to train on: arrays, split and scaled, with the way back to the user's units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.data.columns import LeftOut
from learnrate.data.fingerprint import fingerprint
from learnrate.data.rows import Rows
from learnrate.errors import DataError, OptionError

__all__ = [
    "SPLIT_STREAM",
    "Prepared",
    "Scaling",
    "Stored",
    "as_float_type",
    "as_type",
    "assemble",
    "held_out_count",
    "moments",
    "refuse_too_large",
    "remarks_on_target",
    "split_rows",
]

SPLIT_STREAM = 3  # 0 and 1 belong to the runs (learnrate.data.order), 2 to synthetic examples


@dataclass(frozen=True, eq=False)
class Scaling:
    """``x_standardised = (x − mean) / scale``, feature by feature.

    Attributes
    ----------
    mean, scale : float64 arrays, shape (d,)
        Of the training examples; ``scale`` is their standard deviation (divided by n, not n − 1), or 1
        for a feature that is constant among them.
    """

    mean: Float[Array, " d"]
    scale: Float[Array, " d"]


@dataclass(frozen=True, eq=False)
class Stored:
    """Examples that are too many for memory, in files.

    Attributes
    ----------
    train, val : Rows
        The examples to train on, and those held out, if any.
    val_variance : float or None
        Of the held-out labels.
    fingerprint : str
        That of the same arrays in memory.
    """

    train: Rows
    val: Rows | None
    val_variance: float | None
    fingerprint: str


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a sweep trains on.

    Attributes
    ----------
    X_train, y_train : arrays, shapes (n, d) and (n,)
        C-contiguous, float64 or float32.
    X_val, y_val : arrays, shapes (m, d) and (m,), or None
        The held-out examples.
    feature_names : tuple of str
        ``"area"`` for a number, ``"street=Grvl"`` for a category.
    target_name : str
    scaling : Scaling or None
        None if the features are in the user's own units.
    left_out : tuple of LeftOut
        Columns that are not learned from, with the reason.
    references : mapping of str to str
        For each text column the category that has no feature: the others are compared with it.
    notes : tuple of str
        What was done to the rows: sentences for the user.
    stored : Stored or None
        All examples, where they are too many for memory. ``X_train`` and ``y_train`` then are evenly
        spaced ones of them, and ``X_val`` and ``y_val`` None.
    """

    X_train: Float[Array, "n d"]
    y_train: Float[Array, " n"]
    X_val: Float[Array, "m d"] | None
    y_val: Float[Array, " m"] | None
    feature_names: tuple[str, ...]
    target_name: str
    scaling: Scaling | None = None
    left_out: tuple[LeftOut, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    stored: Stored | None = None

    @property
    def n(self) -> int:
        """Examples to train on."""
        return len(self.y_train) if self.stored is None else self.stored.train.n

    @property
    def held_out(self) -> int:
        """Examples that are held out."""
        if self.stored is not None:
            return 0 if self.stored.val is None else self.stored.val.n
        return 0 if self.y_val is None else len(self.y_val)

    @property
    def val_variance(self) -> float | None:
        """Variance of the held-out labels; None where there are none."""
        if self.stored is not None:
            return self.stored.val_variance
        return None if self.y_val is None else float(np.var(self.y_val))

    @cached_property
    def fingerprint(self) -> str:
        """Of the arrays as they are trained on and held out: the same for the same numbers, anywhere."""
        if self.stored is not None:
            return self.stored.fingerprint
        return fingerprint(self.X_train, self.y_train, self.X_val, self.y_val)

    def to_user_units(
        self, W: Float[Array, "*lanes d"], b: Float[Array, "*lanes"]
    ) -> tuple[Float[Array, "*lanes d"], Float[Array, "*lanes"]]:
        """Weights and bias that give the same predictions from the features in the user's units.

        ``w_user = w / scale`` and ``b_user = b − Σ_j w_j mean_j / scale_j``, in float64.
        """
        W, b = np.asarray(W, dtype=np.float64), np.asarray(b, dtype=np.float64)
        if self.scaling is None:
            return W, b
        with np.errstate(all="ignore"):  # a lane that diverged may hold anything
            W_user = W / self.scaling.scale
            return W_user, np.asarray(b - (W_user * self.scaling.mean).sum(axis=-1))


def as_float_type(dtype: Any) -> np.dtype[Any]:
    """float64 or float32, by name or as NumPy writes it.

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


def split_rows(
    n: int, val_fraction: Any, seed: Any
) -> tuple[Int[Array, " train"], Int[Array, " val"]] | None:
    """Split ``n`` rows at random into training and held-out ones, each in their old order.

    ``round(val_fraction · n)`` rows are held out. None if ``val_fraction`` is 0.

    Raises
    ------
    OptionError
        If it is not at least 0 and below 1, or leaves no row in one of the parts.
    """
    held_out = held_out_count(n, val_fraction, seed)
    if not held_out:
        return None
    order = np.random.default_rng([int(seed), SPLIT_STREAM]).permutation(n)
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def held_out_count(n: int, val_fraction: Any, seed: Any) -> int:
    """How many of ``n`` rows `split_rows` holds out; it raises what is said there."""
    if not (isinstance(val_fraction, float | int | np.number) and 0 <= val_fraction < 1):
        raise OptionError(
            "The held-out fraction (--val) must be at least 0 and below 1. "
            f"Got {val_fraction!r} instead."
        )
    if val_fraction == 0:
        return 0
    held_out = round(float(val_fraction) * n)
    if not 1 <= held_out < n:
        raise OptionError(
            "The held-out fraction (--val) must leave at least 1 row to hold out and 1 to train on. "
            f"Got {val_fraction:g} of {n:,} rows instead, which holds out {held_out:,}; choose a "
            "fraction nearer to a half."
        )
    if not (isinstance(seed, int | np.integer) and seed >= 0):
        raise OptionError(f"seed must be a whole number ≥ 0. Got {seed!r} instead.")
    return held_out


def assemble(
    features: Iterable[tuple[str, Any]],
    names: list[str],
    y: Float[Array, " n"],
    *,
    rows: tuple[Int[Array, " train"], Int[Array, " val"]] | None,
    standardize: bool,
    dtype: np.dtype[Any],
    target_name: str,
) -> Prepared:
    """Fill the arrays feature by feature, so that only one is held twice at any time.

    Parameters
    ----------
    features : iterable of (str, array of shape (n,))
        In the order of ``names``; the arrays may be made one after the other.
    names : list of str
        What the features are called.
    y : array, shape (n,)
        Labels.
    rows : pair of index arrays, or None
        The training and the held-out rows, from `split_rows`.
    standardize : bool
        Whether to bring each feature to mean 0 and standard deviation 1 on the training rows.
    dtype : numpy.dtype
        float64 or float32.
    target_name : str
        What the label is called.
    """
    train: Any = slice(None) if rows is None else rows[0]
    X_train = np.empty((y[train].size, len(names)), dtype)
    X_val = None if rows is None else np.empty((rows[1].size, len(names)), dtype)
    mean, scale = np.zeros(len(names)), np.ones(len(names))
    with np.errstate(over="ignore", invalid="ignore"):  # what does not fit is refused below
        for j, (name, values) in enumerate(features):
            if standardize:
                mean[j], scale[j] = moments(values[train])
                values = (values - mean[j]) / scale[j]
            X_train[:, j] = values[train]
            if X_val is not None and rows is not None:
                X_val[:, j] = values[rows[1]]
            refuse_too_large(X_train[:, j], name, dtype)
    y = as_type(y, dtype, target_name)
    return Prepared(
        X_train=X_train,
        y_train=y[train],
        X_val=X_val,
        y_val=None if rows is None else y[rows[1]],
        feature_names=tuple(names),
        target_name=target_name,
        scaling=Scaling(mean, scale) if standardize else None,
        notes=remarks_on_target(y[train], target_name),
    )


def as_type(values: Any, dtype: np.dtype[Any], name: str) -> Any:
    """``values`` in C order and of the type, not copied if they are so already."""
    if values.dtype == dtype:
        return np.ascontiguousarray(values)
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(values, dtype)
    refuse_too_large(converted, name, dtype)
    return converted


def remarks_on_target(y: Float[Array, " n"], name: str) -> tuple[str, ...]:
    """What a user should know about the labels trained on."""
    if y[0] != y[-1] or y.min() < y.max():
        return ()
    return (f"The target {name!r} is constant ({y[0]:g}) in training: there is nothing to learn.",)


def moments(values: Float[Array, " n"]) -> tuple[float, float]:
    """Mean and standard deviation ``√((1/n) Σ (x − mean)²)``, in float64 and in two passes.

    Deviations from the mean are squared, relative to the largest of them, so that neither a large
    offset nor a huge or tiny unit spoils the sum. Of constant values the scale is 1.

    Source: Chan, Golub and LeVeque (1983), "Algorithms for Computing the Sample Variance", The
    American Statistician 37(3), 242–247.
    """
    values = values.astype(np.float64, copy=False)
    if values.min() == values.max():
        return float(values[0]), 1.0
    mean = values.mean()
    deviations = values - mean
    largest = np.abs(deviations).max()
    deviations /= largest
    deviation = float(largest * np.sqrt(np.mean(deviations**2)))
    return float(mean), max(deviation, float(np.finfo(np.float64).tiny))  # never a rounded-off 0


def refuse_too_large(values: Any, name: str, dtype: np.dtype[Any]) -> None:
    """Raise `DataError` for values that became infinite in the type trained in."""
    if not np.isfinite(values).all():
        raise DataError(
            f"{name!r} must hold numbers that fit into {dtype}. Got larger ones instead; "
            "express it in a larger unit."
        )
