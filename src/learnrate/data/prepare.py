"""From a table and the name of its target to the arrays that a sweep trains on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.builtin import BUILT_IN
from learnrate.data.columns import Column, as_text, choose_columns
from learnrate.data.frames import Frame, Series, as_frame, nameless
from learnrate.data.missing import Missing, as_policy, filled, notes_on_filling, rows_to_keep
from learnrate.data.prepared import Prepared, as_float_type, assemble, split_rows
from learnrate.data.text import first_not_a_number
from learnrate.data.wording import abridged, short
from learnrate.errors import DataError, OptionError, did_you_mean

__all__ = ["default_target", "prepare"]


def prepare(
    table: Any,
    target: str | None = None,
    *,
    features: Sequence[str] | None = None,
    missing: str = Missing.ERROR,
    standardize: bool = True,
    val_fraction: float = 0.0,
    seed: int = 0,
    dtype: Any = np.float64,
) -> Prepared:
    """Make a table ready to train on.

    Numbers and truth values are features as they are. A text column of k categories becomes k − 1
    features that are 0 or 1; the most frequent category is the reference, which all of them being 0
    stands for. Columns that cannot serve are left out with a reason: see `learnrate.data.columns`.

    Parameters
    ----------
    table : Polars DataFrame or LazyFrame, pandas DataFrame, PyArrow Table
        One example per row. NaN, like null, is a missing value.
    target : str, optional
        The column to predict; by default `default_target`.
    features : sequence of str, optional
        The columns to learn from; by default all others.
    missing : {"error", "drop", "mean"}
        What to do about missing values: see `Missing`. A row without a target is never filled.
    standardize : bool
        Bring each feature, the 0-or-1 ones too, to mean 0 and standard deviation 1 on the training rows.
    val_fraction : float
        Share of the rows, drawn by ``seed``, to hold out for validation: 0 ≤ fraction < 1.
    seed : int
        At least 0.
    dtype : float64 or float32
        What to train in. Scaling is done in float64.

    Raises
    ------
    DataError
        If the table cannot be learned from as it is; the message says which flag helps, if one does.
        Rows in a message are counted from 1, below the header.
    OptionError
        If a name is not a column's, or another argument cannot be used.
    """
    frame = as_frame(table)
    wanted = as_float_type(dtype)
    policy = as_policy(missing)
    target = _known_target(frame, default_target(frame) if target is None else target)
    names = _known_features(frame, target, features)
    if frame.height < 2:
        raise DataError(f"A table must have at least 2 rows. Got {frame.height} instead; add some.")
    _refuse_non_numeric(frame, target)

    choose = partial(
        choose_columns,
        chosen_by_user=features is not None,
        missing_is_category=policy is Missing.MEAN,
    )
    columns, left_out = choose(frame, names)
    used = [column.name for column in columns]
    _refuse_infinite(frame, [*used, target])
    kept, notes = rows_to_keep(frame, target, used, policy)
    if not kept.all():
        frame = frame.filter(kept)
        columns, more = choose(frame, used)  # in fewer rows a column may have become constant
        left_out += more
    if not columns:
        reasons = abridged([f"{out.name} ({out.reason})" for out in left_out])
        raise DataError(
            f"There must be at least 1 column to learn from besides {target!r}. "
            f"Got none that can be used: {reasons or 'there is no other column'}."
        )
    rows = split_rows(frame.height, val_fraction, seed)
    references = {column.name: column.categories[0] for column in columns if column.categories}
    notes += notes_on_filling(frame, [column.name for column in columns], references)
    prepared = assemble(
        _features(frame, columns, slice(None) if rows is None else rows[0]),
        [feature for column in columns for feature in _feature_names(column)],
        _as_floats(nameless(frame, target)),
        rows=rows,
        standardize=standardize,
        dtype=wanted,
        target_name=target,
    )
    return replace(
        prepared,
        left_out=tuple(left_out),
        references=references,
        notes=(*notes, *prepared.notes),
    )


def default_target(frame: Frame) -> str:
    """Return the target where none is named: ``y``, or that of a data set that ships with learnrate.

    Raises
    ------
    OptionError
        If there is no such column.
    """
    for name in ("y", *(data.target for data in BUILT_IN.values())):
        if name in frame.columns:
            return name
    raise OptionError(
        "The column to predict must be named with --target (in Python: target=...). Got none, and no "
        f"column is called 'y'. Columns: {abridged([short(c) for c in frame.columns], 12)}."
    )


def _known_target(frame: Frame, target: str) -> str:
    if target not in frame.columns:
        raise OptionError(
            f"target must be a column of the table. Got {target!r} instead."
            + did_you_mean(target, frame.columns)
        )
    return target


def _known_features(frame: Frame, target: str, features: Sequence[str] | None) -> list[str]:
    if features is None:
        return [name for name in frame.columns if name != target]
    names = [features] if isinstance(features, str) else list(features)
    if not names:
        raise OptionError(
            "features must name at least 1 column. Got none; leave it out to use all."
        )
    others = [name for name in frame.columns if name != target]
    for place, name in enumerate(names):
        if name == target:
            raise OptionError(
                f"features must not name the target. Got {name!r} for both; take it out of one."
            )
        if name not in others:
            raise OptionError(
                f"features must be columns of the table. Got {name!r} instead."
                + did_you_mean(name, others)
            )
        if name in names[:place]:
            raise OptionError(f"features must name each column once. Got {name!r} twice.")
    return names


def _refuse_non_numeric(frame: Frame, target: str) -> None:
    import polars as pl

    values = nameless(frame, target)
    if values.null_count() == len(values):
        raise DataError(
            f"The target {target!r} must have values. Got {len(values):,} missing ones; choose another."
        )
    if values.dtype.is_numeric() or values.dtype == pl.Boolean:
        return
    came = f"values of the type {values.dtype}"
    if values.dtype in (pl.String, pl.Categorical, pl.Enum):
        texts = values.cast(pl.String)
        found = first_not_a_number(texts)
        came = "numbers stored as text"
        if found is not None:
            first, count = found
            came = (
                f"the text {short(texts[first])} in row {first + 1:,} ({count:,} of {len(texts):,} "
                "values are no numbers)"
            )
    numeric = [name for name, dtype in frame.schema.items() if dtype.is_numeric()]
    others = f", or choose a numeric column: {abridged(numeric, 8)}" if numeric else ""
    raise DataError(f"The target {target!r} must be numeric. Got {came}; mend it{others}.")


def _refuse_infinite(frame: Frame, names: Sequence[str]) -> None:
    for name in names:
        values = nameless(frame, name)
        if values.dtype.is_float() and (values.max() == np.inf or values.min() == -np.inf):
            bad = values.is_infinite().fill_null(False).arg_true()
            raise DataError(
                f"Column {name!r} must be finite. Got {values[int(bad[0])]} in row {bad[0] + 1:,} "
                f"({len(bad):,} such values in all); mend them, or choose other columns with "
                "--features."
            )


def _feature_names(column: Column) -> list[str]:
    if not column.categories:
        return [column.name]
    return [f"{column.name}={category}" for category in column.categories[1:]]


def _features(
    frame: Frame, columns: Sequence[Column], train: Any
) -> Iterator[tuple[str, Float[Array, " n"]]]:
    """Each feature's values, one after the other; gaps are filled with the training mean."""
    import polars as pl

    for column in columns:
        values = nameless(frame, column.name)
        if not column.categories:
            yield column.name, filled(_as_floats(values), train)
            continue
        texts = as_text(values, missing_is_category=True)
        codes = texts.cast(pl.Enum(column.categories)).to_physical().to_numpy()
        for code, name in enumerate(_feature_names(column), start=1):
            yield name, (codes == code).astype(np.float64)


def _as_floats(values: Series) -> Float[Array, " n"]:
    import polars as pl

    return values.cast(pl.Float64).to_numpy(writable=True)
