"""From whatever the user holds to prepared examples: the one place that tells the kinds apart."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from learnrate.data.frames import is_frame
from learnrate.data.prepare import Prepared, from_arrays, prepare
from learnrate.data.synthetic import note_data
from learnrate.errors import OptionError

__all__ = ["NOTE", "examples"]

NOTE = "note"
"""The name of the note's own examples."""


def examples(
    data: Any,
    y: Any = None,
    *,
    target: str | None = None,
    features: Iterable[str] | None = None,
    missing: str = "error",
    standardize: bool | None = None,
    val: float = 0.0,
    seed: int = 0,
    dtype: str = "float64",
) -> Prepared:
    """Examples ready to train on, from arrays, a frame, a file's name or an open file.

    Parameters are those of `learnrate.sweep`. The note's own examples and arrays are taken as they are
    unless ``standardize`` says otherwise; tables are standardised unless it says otherwise.

    Raises
    ------
    DataError, OptionError
        If no examples can be made of them.
    """
    if isinstance(data, str) and data == NOTE:
        X, y = note_data()
        names = ("x1", "x2")
        return _from_arrays(X, y, standardize, val, seed, dtype, feature_names=names)
    if y is not None:
        if is_frame(data):
            raise OptionError(
                "A frame must hold the target in a column of its own. Got a separate y; "
                "add it as a column and name it with target=."
            )
        _refuse_columns(target, features, "an array of features has no named columns")
        return _from_arrays(data, y, standardize, val, seed, dtype)
    if isinstance(data, str | os.PathLike) or hasattr(data, "read"):
        data, target = _read(data, target)
    elif not is_frame(data):
        raise OptionError(
            "Labels must come with an array of features: sweep(X, y). "
            f"Got {type(data).__name__} alone; give y, or a frame with target=."
        )
    return prepare(
        data,
        target,
        features=None if features is None else [name.strip() for name in features],
        missing=missing,
        standardize=standardize is not False,
        val_fraction=val,
        seed=seed,
        dtype=np.dtype(dtype),
    )
