"""Prepared examples from arrays, data frames, files or an open file."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from learnrate.data.arrays import from_arrays
from learnrate.data.frames import is_frame
from learnrate.data.missing import as_policy
from learnrate.data.options import Table
from learnrate.data.plan import TargetKind
from learnrate.data.prepare import prepare
from learnrate.data.prepared import Prepared
from learnrate.data.streaming.examples import from_stream
from learnrate.data.synthetic import note_data
from learnrate.data.tables import STANDARD_INPUT, load_table
from learnrate.errors import OptionError, option

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
    table: Table | None = None,
    target_kind: TargetKind = "number",
    standardize: bool | None = None,
    val: float = 0.0,
    seed: int = 0,
    dtype: str = "float64",
    memory: int | None = None,
    cache: str | os.PathLike[str] | None = None,
    on_message: Callable[[str], object] | None = None,
) -> Prepared:
    """Prepare examples for training, from arrays, a frame, a file name or an open file.

    Parameters are those of `learnrate.sweep`. Arrays and the note's own examples are standardised only if
    ``standardize`` is True; tables are, unless it is False. ``target_kind`` is ``"number"``, ``"class"``, or ``"auto"``,
    which decides by the values of the target.

    Raises
    ------
    DataError, OptionError
        If the data or an option are not valid.
    """
    if standardize is not None and not isinstance(standardize, bool | np.bool_):
        raise OptionError(
            f"{option('standardize')} must be True, False or None. Got {standardize!r} instead."
        )
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
            options=table,
            target_kind=target_kind,
            **split,
        )
    if (
        (y is not None or (isinstance(data, str) and data == NOTE))
        and table is not None
        and table.given()
    ):
        raise OptionError(
            f"{', '.join(map(option, table.given()))} must come with a table. Got "
            f"{'arrays' if y is not None else 'the examples of the note'} instead; name a table, or leave it out."
        )
    names: Sequence[str] | None = None
    as_policy(missing)  # also for arrays, which must not have missing values
    if isinstance(data, str) and data == NOTE:
        if target is not None or features is not None:
            raise OptionError(
                f"{option('target')} and {option('features')} must name columns of a table. Got no table (the note's "
                "own examples have none to choose from); name the table first."
            )
        (data, y), names = note_data(), ("x1", "x2")
    if y is not None:
        if is_frame(data) or target is not None or features is not None:
            raise OptionError(
                f"{option('target')} and {option('features')} must name columns of a table. Got separate labels y beside them; "
                "give arrays X and y alone, or a frame that holds the target too."
            )
        return from_arrays(
            data,
            y,
            feature_names=names,
            standardize=bool(standardize),
            target_kind=target_kind,
            **split,
        )
    blocks = _table(data, table or Table())
    return prepare(
        blocks,
        target,
        features=features,
        missing=missing,
        standardize=standardize is not False,
        options=table,
        target_kind=target_kind,
        **split,
    )


def _refuse_other_than_files(data: Any, y: Any) -> None:
    several = isinstance(data, list | tuple) and all(isinstance(d, str | os.PathLike) for d in data)
    if y is not None or not (several or isinstance(data, str | os.PathLike)) or data == NOTE:
        came = "the note's examples" if isinstance(data, str) else f"a {type(data).__name__}"
        raise OptionError(
            f"{option('memory')} must come with a table in files. Got {came}, in memory already, instead; name "
            "its file, or leave memory out (block_size alone visits examples in blocks)."
        )


def _table(data: Any, options: Table) -> Any:
    if hasattr(data, "read"):
        return load_table(STANDARD_INPUT, options, stdin=data)
    if isinstance(data, str | os.PathLike):
        return load_table(data, options)
    if not is_frame(data):
        raise OptionError(
            "Labels must come with an array of features: sweep(X, y). "
            f"Got {type(data).__name__} alone; give y, or a frame with target=."
        )
    useless = options.given(("header", "skip_lines", "comment", "sep", "encoding", "sheet"))
    if useless:
        raise OptionError(
            f"{option(min(useless))} must come with a file. Got it with a frame, which is read already; leave it out."
        )
    return data
