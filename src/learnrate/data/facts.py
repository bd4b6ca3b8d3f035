"""What the rules about columns need to know of one, read off a whole column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from learnrate.data.frames import Series
from learnrate.data.text import first_not_a_number

__all__ = ["MISSING_CATEGORY", "Facts", "Odd", "as_text", "facts_of", "holds_text"]

MISSING_CATEGORY = "missing"


class Odd(NamedTuple):
    """Texts among numbers: the first with its row, counted from 1, how many, and how many numbers."""

    text: str
    row: int
    number: int
    numbers: int


@dataclass(frozen=True)
class Facts:
    """A column as the rules see it.

    Attributes
    ----------
    rows, nulls : int
        All rows, and those where it is missing.
    dtype : Polars data type
    is_text : bool
    first : value
        The first that is not missing.
    constant : bool
        Whether all values that are not missing are the same.
    counted : (int, int, int) or None
        First, second and last value, where the column counts the rows from 0 or 1.
    all_differ : callable
        Of whole numbers: whether no value comes twice.
    frequencies : mapping of str to int
        Of a text: how often each value comes.
    at_least : bool
        Whether there are more values than these, which were not counted to the end.
    odd : callable
        Of a text: what is no number in it.
    """

    rows: int
    nulls: int
    dtype: Any
    is_text: bool
    first: Any = None
    constant: bool = True
    counted: tuple[int, int, int] | None = None
    all_differ: Callable[[], bool] = lambda: False
    frequencies: Mapping[str, int] = field(default_factory=dict)
    at_least: bool = False
    odd: Callable[[], Odd | None] = lambda: None

    @property
    def different(self) -> int:
        """Of a text: how many values there are, or were counted."""
        return len(self.frequencies)


def holds_text(dtype: Any) -> bool:
    """Whether a Polars type is one of texts."""
    import polars as pl

    return dtype in (pl.String, pl.Categorical, pl.Enum)


def as_text(values: Series, *, missing_is_category: bool) -> Series:
    """Text, Categorical or Enum as text, its gaps filled if they are a category.

    A column that is wholly missing keeps its gaps, so that it can be told.
    """
    import polars as pl

    values = values.cast(pl.String)
    if missing_is_category and values.null_count() < len(values):
        return values.fill_null(MISSING_CATEGORY)
    return values


def facts_of(values: Series, *, missing_is_category: bool) -> Facts:
    """The `Facts` of a column in memory."""
    import polars as pl

    is_text = holds_text(values.dtype)
    if is_text:
        given = values.cast(pl.String)
        values = as_text(values, missing_is_category=missing_is_category)
    dtype, rows, nulls = values.dtype, len(values), values.null_count()
    known: dict[str, Any] = {"rows": rows, "nulls": nulls, "dtype": dtype, "is_text": is_text}
    if nulls == rows or not (is_text or dtype.is_numeric() or dtype == pl.Boolean):
        return Facts(**known)
    present = values.drop_nulls()
    known["first"] = present[0]
    if is_text:
        counts = present.value_counts(sort=False)
        names, numbers = counts.to_series(0).to_list(), counts.to_series(1).to_list()

        def odd() -> Odd | None:
            found = first_not_a_number(given)  # a gap is no slip, even where it is a category
            if found is None:
                return None
            first, number = found
            return Odd(given[first], first + 1, number, rows - given.null_count() - number)

        frequencies = dict(zip(names, numbers, strict=True))
        return Facts(**known, constant=len(names) == 1, frequencies=frequencies, odd=odd)

    def all_differ() -> bool:
        return bool(values.n_unique() == rows)

    counted = None
    if dtype.is_integer() and not nulls and rows > 1:
        first, second, last = values[0], values[1], values[-1]
        counts_up = first in (0, 1) and last == first + rows - 1 and values.is_sorted()
        counted = (first, second, last) if counts_up and all_differ() else None
    constant = present.min() == present.max()
    return Facts(**known, constant=constant, counted=counted, all_differ=all_differ)
