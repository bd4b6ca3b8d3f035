"""Examples that are arrays already: checked, split and scaled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from learnrate.data.prepared import (
    Prepared,
    as_float_type,
    as_type,
    assemble,
    remarks_on_target,
    split_rows,
)
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
) -> Prepared:
    """Check arrays and make them ready to train on.

    Parameters
    ----------
    X : array-like, shape (n, d)
        Real numbers; anything that NumPy (or ``asnumpy``) turns into an array.
    y : array-like, shape (n,) or (n, 1)
        One label per example.
    feature_names : sequence of str, optional
        By default X's own columns if it has any, or ``"0"``, ``"1"``, …
    target_name : str
        What to call y.
    standardize, val_fraction, seed
        As in `learnrate.data.prepare.prepare`.
    dtype : float64 or float32
        What to train in.

    Returns
    -------
    Prepared
        Holding the arrays that were given, not copies, where type and layout are right already and
        nothing is split or scaled.

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
    X, y = _numbers(X, "X"), _numbers(y, "y")
    if y.ndim == 2 and y.shape[1] == 1:  # a column of labels: nothing else can be meant
        y = y.ravel()
    _check_shapes(X, y)
    names = [str(name) for name in (range(X.shape[1]) if names is None else names)]
    if len(names) != X.shape[1]:
        raise DataError(
            f"feature_names must name each of the {X.shape[1]} columns of X. Got {len(names)} names "
            "instead."
        )
    _refuse_not_finite(X, "X")
    _refuse_not_finite(y, "y")
    rows = split_rows(len(y), val_fraction, seed)
    if rows is None and not standardize:
        X, y = as_type(X, wanted, "X"), as_type(y, wanted, target_name)
        notes = remarks_on_target(y, target_name)
        return Prepared(X, y, None, None, tuple(names), target_name, notes=notes)
    return assemble(
        ((name, X[:, j]) for j, name in enumerate(names)),
        names,
        y,
        rows=rows,
        standardize=standardize,
        dtype=wanted,
        target_name=target_name,
    )


def _numbers(values: Any, name: str) -> Any:
    """An array of real numbers, in the type it came in; text, objects and complex are refused."""
    if hasattr(values, "toarray"):
        raise DataError(
            f"{name} must be dense. Got a sparse matrix instead; give {name}.toarray()."
        )
    if np.ma.is_masked(values):
        raise DataError(
            f"{name} must have no masked values. Got {int(values.mask.sum()):,} of them; "
            "fill them or drop their examples."
        )
    try:
        array = np.asarray(values.asnumpy() if hasattr(values, "asnumpy") else values)
    except (TypeError, ValueError, RuntimeError) as error:
        # Rows of several lengths, say, or a tensor that lives on a GPU.
        raise DataError(
            f"{name} must be an array of numbers. Got a {type(values).__name__} that NumPy cannot turn "
            f"into one instead ({str(error).splitlines()[0]})."
        ) from error
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{name} must hold real numbers. Got {_KINDS.get(array.dtype.kind, array.dtype)} instead; "
            "convert them, or give a table and the name of its target: sweep(frame, target=...)."
        )
    return array


def _check_shapes(X: Any, y: Any) -> None:
    if X.ndim != 2 or X.shape[1] == 0:
        hint = "; give X.reshape(-1, 1) for one feature" if X.ndim == 1 else ""
        raise DataError(
            f"X must have the shape (examples, features), with 1 feature or more. Got {X.shape} "
            f"instead{hint}."
        )
    if y.ndim != 1:
        raise DataError(
            f"y must have the shape (examples,), one label for each. Got {y.shape} instead; choose one "
            "column, such as y[:, 0]."
        )
    if len(X) != len(y):
        raise DataError(
            f"X and y must have one length. Got {len(X):,} rows of X and {len(y):,} labels instead."
        )
    if len(y) < 2:
        raise DataError(f"There must be at least 2 examples. Got {len(y)} instead; add some.")


def _refuse_not_finite(array: Any, name: str) -> None:
    if array.dtype.kind != "f":
        return
    # A sum is finite only if every value is, and no pass is quicker than that of BLAS for a sum of squares. One
    # that is not may have overflowed: then the extremes tell.
    with np.errstate(over="ignore", invalid="ignore"):
        if array.flags.forc and array.itemsize in (4, 8):
            values = array.ravel(order="K")
            total = values @ values
        else:
            total = array.sum()
    if math.isfinite(total) or (math.isfinite(array.min()) and math.isfinite(array.max())):
        return
    bad = np.argwhere(~np.isfinite(array))
    place = ", ".join(map(str, bad[0]))
    raise DataError(
        f"{name} must be finite. Got {array[tuple(bad[0])]} in {name}[{place}] ({len(bad):,} such values "
        "in all); mend them or drop their examples."
    )
