"""From whatever the user holds to prepared examples: the one place that tells the kinds apart."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from learnrate.data.arrays import from_arrays
from learnrate.data.frames import is_frame
from learnrate.data.missing import as_policy
from learnrate.data.prepared import Prepared
from learnrate.data.streaming.examples import from_stream
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
    features: Sequence[str] | None = None,
    missing: str = "error",
    standardize: bool | None = None,
    val: float = 0.0,
    seed: int = 0,
    dtype: str = "float64",
    memory: int | None = None,
    cache: str | os.PathLike[str] | None = None,
    on_message: Callable[[str], object] | None = None,
) -> Prepared:
    """Examples ready to train on, from arrays, a frame, a file's name or an open file.

    Parameters are those of `learnrate.sweep`. The note's own examples and arrays are taken as they are
    unless ``standardize`` is True; tables are standardised unless it is False.

    Raises
    ------
    DataError, OptionError
        If no examples can be made of them.
    """
    if standardize is not None and not isinstance(standardize, bool | np.bool_):
        raise OptionError(f"standardize must be True, False or None. Got {standardize!r} instead.")
    split: dict[str, Any] = {"val_fraction": val, "seed": seed, "dtype": dtype}
    if memory is not None:
        _refuse_other_than_files(data, y)
        return from_stream(
            data,
            target,
            memory=memory,
            features=features,
            missing=missing,
            standardize=standardize is not False,
            cache=cache,
            on_message=on_message,
            **split,
        )
    if cache is not None:
        raise OptionError("cache must come with memory, the budget. Got cache alone; give both.")
    names: Sequence[str] | None = None
    as_policy(missing)  # a typing error is refused also where nothing can be missing
    if isinstance(data, str) and data == NOTE:
        if target is not None or features is not None:
            raise OptionError(
                "target and features must name columns of a table. Got no table (the note's own "
                "examples have none to choose from); name the table first: learnrate sweep FILE."
            )
        (data, y), names = note_data(), ("x1", "x2")
    if y is not None:
        if is_frame(data) or target is not None or features is not None:
            raise OptionError(
                "target and features must name columns of a table. Got separate labels y beside them; "
                "give arrays X and y alone, or a frame that holds the target too."
            )
        return from_arrays(data, y, feature_names=names, standardize=bool(standardize), **split)
    return _from_table(data, target, features, missing, standardize is not False, split)


def _refuse_other_than_files(data: Any, y: Any) -> None:
    several = isinstance(data, list | tuple) and all(isinstance(d, str | os.PathLike) for d in data)
    if y is not None or not (several or isinstance(data, str | os.PathLike)) or data == NOTE:
        came = "the note's examples" if isinstance(data, str) else f"a {type(data).__name__}"
        raise OptionError(
            f"memory must come with a table in files. Got {came}, in memory already, instead; name "
            "its file, or leave memory out (block_size alone visits examples in blocks)."
        )


def _from_table(
    data: Any,
    target: str | None,
    features: Sequence[str] | None,
    missing: str,
    standardize: bool,
    split: dict[str, Any],
) -> Prepared:
    from learnrate.data.prepare import prepare
    from learnrate.data.tables import STANDARD_INPUT, read_table

    if hasattr(data, "read"):
        data = read_table(STANDARD_INPUT, stdin=data)
    elif isinstance(data, str | os.PathLike):
        data = read_table(data)
    elif not is_frame(data):
        raise OptionError(
            "Labels must come with an array of features: sweep(X, y). "
            f"Got {type(data).__name__} alone; give y, or a frame with target=."
        )
    return prepare(
        data, target, features=features, missing=missing, standardize=standardize, **split
    )
