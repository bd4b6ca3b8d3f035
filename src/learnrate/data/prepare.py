"""From a table and the name of its target to the arrays that a sweep trains on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.builtin import BUILT_IN
from learnrate.data.columns import Column, LeftOut, choose_columns
from learnrate.data.facts import as_text, holds_text
from learnrate.data.frames import Frame, Series, as_frame, nameless
from learnrate.data.missing import Missing, as_policy, filled, notes_on_filling, rows_to_keep
from learnrate.data.prepared import Prepared, as_float_type, assemble, split_rows
from learnrate.data.text import first_not_a_number
from learnrate.data.wording import abridged, short
from learnrate.errors import DataError, OptionError, did_you_mean

__all__ = [
    "default_target",
    "feature_names",
    "known_columns",
    "prepare",
    "refuse_few_rows",
    "refuse_infinite",
    "refuse_no_columns",
    "refuse_other_than_numbers",
    "refuse_wholly_missing",
]


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
    target, names = known_columns(frame.columns, target, features)
    refuse_few_rows(frame.height)
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
    refuse_no_columns(columns, left_out, target)
    rows = split_rows(frame.height, val_fraction, seed)
    references = {column.name: column.categories[0] for column in columns if column.categories}
    notes += notes_on_filling(frame, [column.name for column in columns], references)
    prepared = assemble(
        _features(frame, columns, slice(None) if rows is None else rows[0]),
        [feature for column in columns for feature in feature_names(column)],
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
    return target_among(frame.columns)


def target_among(names: Sequence[str]) -> str:
    """The default target among the names of columns."""
    for name in ("y", *(data.target for data in BUILT_IN.values())):
        if name in names:
            return name
    raise OptionError(
        "The column to predict must be named with --target (in Python: target=...). Got none, and no "
        f"column is called 'y'. Columns: {abridged([short(c) for c in names], 12)}."
    )


def known_columns(
    columns: Sequence[str], target: str | None, features: Sequence[str] | None
) -> tuple[str, list[str]]:
    """The target and the columns to judge, which must be among ``columns``."""
    if target is None:
        target = target_among(columns)
    if target not in columns:
        raise OptionError(
            f"target must be a column of the table. Got {target!r} instead."
            + did_you_mean(target, columns)
        )
    return target, _known_features(columns, target, features)


def refuse_few_rows(rows: int) -> None:
    """Raise `DataError` for a table with fewer than 2 rows."""
    if rows < 2:
        raise DataError(f"A table must have at least 2 rows. Got {rows} instead; add some.")


def refuse_no_columns(columns: Sequence[Column], left_out: Sequence[LeftOut], target: str) -> None:
    """Raise `DataError` if there is nothing to learn from."""
    if not columns:
        reasons = abridged([f"{out.name} ({out.reason})" for out in left_out])
        raise DataError(
            f"There must be at least 1 column to learn from besides {target!r}. "
            f"Got none that can be used: {reasons or 'there is no other column'}."
        )


def _known_features(
    columns: Sequence[str], target: str, features: Sequence[str] | None
) -> list[str]:
    if features is None:
        return [name for name in columns if name != target]
    names = [features] if isinstance(features, str) else list(features)
    if not names:
        raise OptionError(
            "features must name at least 1 column. Got none; leave it out to use all."
        )
    others = [name for name in columns if name != target]
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
        refuse_wholly_missing(target, len(values))
    if values.dtype.is_numeric() or values.dtype == pl.Boolean:
        return
    odd = None
    if holds_text(values.dtype):
        texts = values.cast(pl.String)
        found = first_not_a_number(texts)
        if found is not None:
            odd = found[0], found[1], texts[found[0]]
    refuse_other_than_numbers(target, values.dtype, len(values), odd, frame.schema)


def refuse_other_than_numbers(
    target: str,
    dtype: Any,
    rows: int,
    odd: tuple[int, int, str] | None,
    schema: Mapping[str, Any],
) -> NoReturn:
    """Raise what there is to say of a target that holds no numbers.

    ``odd`` is the row of the first text that is none, counted from 0, how many there are, and the text.
    """
    came = f"values of the type {dtype}"
    if holds_text(dtype):
        came = "numbers stored as text"
        if odd is not None:
            first, count, text = odd
            came = (
                f"the text {short(text)} in data row {first + 1:,} ({count:,} of {rows:,} "
                "values are no numbers)"
            )
    numeric = [name for name, dtype in schema.items() if dtype.is_numeric()]
    others = f", or choose a numeric column: {abridged(numeric, 8)}" if numeric else ""
    raise DataError(f"The target {target!r} must be numeric. Got {came}; mend it{others}.")


def refuse_wholly_missing(target: str, rows: int) -> NoReturn:
    """Raise what there is to say of a target without any values."""
    raise DataError(
        f"The target {target!r} must have values. Got {rows:,} missing ones; choose another."
    )


def refuse_infinite(name: str, value: float, row: int, count: int) -> NoReturn:
    """Raise for the first infinite value, in a row counted from 0."""
    raise DataError(
        f"Column {name!r} must be finite. Got {value} in data row {row + 1:,} "
        f"({count:,} such values in all); mend them, or choose other columns with "
        "--features."
    )


def _refuse_infinite(frame: Frame, names: Sequence[str]) -> None:
    for name in names:
        values = nameless(frame, name)
        if values.dtype.is_float() and (values.max() == np.inf or values.min() == -np.inf):
            bad = values.is_infinite().fill_null(False).arg_true()
            refuse_infinite(name, values[int(bad[0])], int(bad[0]), len(bad))


def feature_names(column: Column) -> list[str]:
    """What the features are called that a column becomes."""
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
        for code, name in enumerate(feature_names(column), start=1):
            yield name, (codes == code).astype(np.float64)


def _as_floats(values: Series) -> Float[Array, " n"]:
    import polars as pl

    return values.cast(pl.Float64).to_numpy(writable=True)
