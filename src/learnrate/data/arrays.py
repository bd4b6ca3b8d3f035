"""Preparing examples that are arrays: checks, split and scaling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from learnrate.data.plan import TargetKind
from learnrate.data.prepared import Prepared, as_float_type, as_type, assemble, remarks_on_target
from learnrate.data.split import split_rows
from learnrate.data.target import label_codes
from learnrate.errors import DataError

__all__ = ["from_arrays"]

_KINDS = {"c": "complex numbers", "O": "Python objects", "U": "texts", "S": "bytes", "M": "dates"}


def from_arrays(
    X: Any,
    y: Any,
    *,
    feature_names: Sequence[str] | None = None,
    target_name: str = "y",
    standardize: bool = False,
    val_fraction: float = 0.0,
    seed: int = 0,
    dtype: Any = np.float64,
    target_kind: TargetKind = "number",
) -> Prepared:
    """Check arrays and prepare them for training.

    Parameters
    ----------
    X : array-like, shape (n, d)
        Real numbers; anything that NumPy (or a method ``asnumpy``) converts to an array.
    y : array-like, shape (n,) or (n, 1)
        One label for each example.
    feature_names : sequence of str, optional
        By default ``X.columns`` if there are any, else ``"0"``, ``"1"``, …
    target_name : str
        Name of the label.
    standardize : bool
        Whether to scale each feature to mean 0 and standard deviation 1 on the training examples.
    val_fraction : float
        Fraction of the examples to hold out for validation, 0 ≤ fraction < 1, drawn at random by ``seed``.
    seed : int
        At least 0.
    dtype : float64 or float32
        Type of the prepared arrays.
    target_kind : {"number", "class", "auto"}
        What y is. With ``"class"`` the labels become class codes; ``"auto"`` is ``"class"`` where y holds texts or truth
        values.

    Returns
    -------
    Prepared
        It holds the given arrays, not copies, if their type and memory order are right and nothing is split or scaled.

    Raises
    ------
    DataError
        If the arrays are not real numbers, not finite, of other shapes or of different lengths, or hold
        fewer than 2 examples.
    OptionError
        If ``dtype`` or ``val_fraction`` cannot be used.
    """
    wanted = as_float_type(dtype)
    names = feature_names if feature_names is not None else getattr(X, "columns", None)
    X, classes = _numbers(X, "X"), None
    if target_kind == "class" or (target_kind == "auto" and _holds_classes(y)):
        y = _column(_as_array(y, "y"))
        _check_labels(y)
        y, classes = label_codes(y, target_name)
    else:
        y = _numbers(y, "y")
    y = _column(y)
    _check_shapes(X, y)
    names = [str(name) for name in (range(X.shape[1]) if names is None else names)]
    if len(names) != X.shape[1]:
        raise DataError(
            f"feature_names must name each of the {X.shape[1]} columns of X. Got {len(names)} names "
            "instead."
        )
    _refuse_not_finite(X, "X")
    _refuse_not_finite(y, "y")
    rows = split_rows(len(y), val_fraction, seed, None if classes is None else y)
    if rows is None and not standardize:
        X = as_type(X, wanted, "X")
        if classes is None:
            y = as_type(y, wanted, target_name)
        notes = () if classes is not None else remarks_on_target(y, target_name)
        prepared = Prepared(X, y, None, None, tuple(names), target_name, notes=notes)
    else:
        if classes is None and y.dtype.kind != "f":
            y = as_type(y, np.dtype(np.float64), target_name)
        prepared = assemble(
            ((name, X[:, j]) for j, name in enumerate(names)),
            names,
            y,
            rows=rows,
            standardize=standardize,
            dtype=wanted,
            target_name=target_name,
        )
    if classes is None:
        return prepared
    return replace(prepared, classes=tuple(classes), class_counts=tuple(classes.values()))


def _holds_classes(y: Any) -> bool:
    """Whether labels are texts or truth values."""
    return not hasattr(y, "asnumpy") and _as_array(y, "y").dtype.kind in "bUSOT"


def _column(y: Any) -> Any:
    """Labels of shape (n, 1) in shape (n,)."""
    return y.ravel() if y.ndim == 2 and y.shape[1] == 1 else y


def _numbers(values: Any, name: str) -> Any:
    """An array of real numbers in its own type; `DataError` for text, objects and complex numbers."""
    if hasattr(values, "toarray"):
        raise DataError(
            f"{name} must be dense. Got a sparse matrix instead; give {name}.toarray()."
        )
    if np.ma.is_masked(values):
        raise DataError(
            f"{name} must have no masked values. Got {int(values.mask.sum()):,} of them; "
            "fill them or drop their examples."
        )
    array = _as_array(values, name)
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{name} must hold real numbers. Got {_KINDS.get(array.dtype.kind, array.dtype)} instead; "
            "convert them, or give a table and the name of its target: sweep(frame, target=...)."
        )
    return array


def _as_array(values: Any, name: str) -> Any:
    """What NumPy makes of the values; `DataError` if it cannot."""
    try:
        return np.asarray(values.asnumpy() if hasattr(values, "asnumpy") else values)
    except (TypeError, ValueError, RuntimeError) as error:
        # Such as rows of several lengths, or a tensor on a GPU.
        raise DataError(
            f"{name} must be an array of numbers. Got a {type(values).__name__} that NumPy cannot turn "
            f"into one instead ({str(error).splitlines()[0]})."
        ) from error


def _check_labels(y: Any) -> None:
    if y.ndim != 1:
        raise DataError(
            f"y must have the shape (examples,), one label for each. Got {y.shape} instead; choose one "
            "column, such as y[:, 0]."
        )


def _check_shapes(X: Any, y: Any) -> None:
    if X.ndim != 2 or X.shape[1] == 0:
        hint = "; give X.reshape(-1, 1) for one feature" if X.ndim == 1 else ""
        raise DataError(
            f"X must have the shape (examples, features), with 1 feature or more. Got {X.shape} "
            f"instead{hint}."
        )
    _check_labels(y)
    if len(X) != len(y):
        raise DataError(
            f"X and y must have the same length. Got {len(X):,} rows of X and {len(y):,} labels instead."
        )
    if len(y) < 2:
        raise DataError(f"There must be at least 2 examples. Got {len(y)} instead; add some.")


def _refuse_not_finite(array: Any, name: str) -> None:
    if array.dtype.kind != "f":
        return
    # A sum of squares, fast by BLAS, is finite only if every value is. If it overflows, check the extremes.
    with np.errstate(over="ignore", invalid="ignore"):
        if array.flags.forc and array.itemsize in (4, 8):
            values = array.ravel(order="K")
            total = values @ values
        else:
            total = array.sum()
    if math.isfinite(total) or (math.isfinite(array.min()) and math.isfinite(array.max())):
        return
    bad = np.argwhere(~np.isfinite(array))
    index = ", ".join(map(str, bad[0]))
    raise DataError(
        f"{name} must be finite. Got {array[tuple(bad[0])]} in {name}[{index}] ({len(bad):,} such values "
        "in all); correct them or drop their examples."
    )
