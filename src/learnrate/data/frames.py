"""Converting tables of Polars, pandas or Arrow to a Polars frame.

Polars is imported where it is used; ``Frame`` and ``Series`` are its types for the type checker alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from learnrate.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    Frame = pl.DataFrame
    Series = pl.Series
else:
    Frame = Series = Any

__all__ = [
    "Frame",
    "Series",
    "as_frame",
    "holds_text",
    "is_frame",
    "nameless",
    "refuse_repeated",
    "several_types",
]

_TABLES = {"polars": ("DataFrame", "LazyFrame"), "pandas": ("DataFrame",), "pyarrow": ("Table",)}


def _made_by(value: object, package: str) -> bool:
    """Whether ``value`` is a table of a package; the package is not imported."""
    loaded = sys.modules.get(package)
    kinds = [getattr(loaded, name, None) for name in _TABLES[package]]
    return any(isinstance(value, kind) for kind in kinds if kind is not None)


def is_frame(value: object) -> bool:
    """Whether ``value`` is a table that `as_frame` takes: of Polars, pandas or PyArrow."""
    if isinstance(value, np.ndarray):
        return False
    return any(_made_by(value, package) for package in _TABLES)


def as_frame(table: object) -> Frame:
    """Convert a table to a Polars frame in which NaN is null, a missing value.

    Raises
    ------
    DataError
        If it is not a table, or two columns have the same name.
    """
    import polars as pl

    if _made_by(table, "pandas"):
        frame = _from_pandas(table)
    elif isinstance(table, pl.LazyFrame):
        frame = table.collect()
    elif isinstance(table, pl.DataFrame):
        frame = table
    elif _made_by(table, "pyarrow"):
        frame = _from_arrow(table)
    else:
        raise DataError(
            "A table must be a Polars or pandas DataFrame or a PyArrow Table. "
            f"Got {type(table).__name__} instead."
        )
    with_nan = frame.select(pl.selectors.float().is_nan().any())
    return frame.with_columns(
        [
            nameless(frame, found.name).fill_nan(None).alias(found.name)
            for found in with_nan.iter_columns()
            if found.item()
        ]
    )


def nameless(frame: Frame, name: str) -> Series:
    """A column with an empty name, since Polars reads names such as ``*`` and ``^…$`` as patterns."""
    return frame.get_column(name).alias("")


def holds_text(dtype: Any) -> bool:
    """Whether a Polars type holds texts."""
    import polars as pl

    return dtype in (pl.String, pl.Categorical, pl.Enum)


def several_types(name: str, types: Iterable[Any]) -> DataError:
    """The error for a column whose types in several files have no common type."""
    return DataError(
        f"Column {name!r} must be of one type in all files of a table. "
        f"Got {', '.join(sorted(map(str, types)))} instead; write the files alike."
    )


def refuse_repeated(names: Sequence[str], label: str) -> None:
    """Raise `DataError` if two columns have the same name."""
    numbers: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        first = numbers.setdefault(name, number)
        if first != number:
            raise DataError(
                f"{label} must name each column once. Got {name!r} for column {first} and for "
                f"column {number}; rename one of them."
            )


def _from_arrow(table: Any) -> Frame:
    """Convert column by column, without the schema's metadata, which may be damaged."""
    import polars as pl

    refuse_repeated(table.column_names, "A table")
    columns = []
    for name, values in zip(table.column_names, table.columns, strict=True):
        try:
            if str(values.type).startswith("decimal"):  # Polars panics on 256 bits
                values = values.cast("float64")
            columns.append(pl.Series(name, pl.from_arrow(values)))
        except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
            raise DataError(
                f"Column {name!r} must be of a type that Polars knows. Got {values.type} instead; "
                "cast it, or remove it from the table."
            ) from error
    return pl.DataFrame(columns)


def _from_pandas(table: Any) -> Frame:
    """Convert column by column, since some columns need a conversion of their own."""
    import polars as pl

    names = [str(name) for name in table.columns]
    refuse_repeated(names, "A pandas frame")
    columns = (_from_pandas_column(table.iloc[:, j]) for j in range(len(names)))
    return pl.DataFrame(dict(zip(names, columns, strict=True)))


def _from_pandas_column(column: Any) -> Series:
    import polars as pl

    try:
        return pl.Series(pl.from_pandas(column))
    except Exception:
        # Python objects of several types, such as numbers and texts, for which Arrow has no type.
        missing = column.isna()
        return pl.Series(
            [None if gone else str(value) for value, gone in zip(column, missing, strict=True)],
            dtype=pl.String,
        )
