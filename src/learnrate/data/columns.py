"""Which columns of a table become features, how, and why the others do not.

The rules, in the order in which a column meets them; it is left out if it

1. holds dates, times, lists or anything else that is neither number, truth value nor text;
2. is wholly missing;
3. is constant, its missing values aside (a text column whose missing values become a category of their
   own has two values, and stays);
4. looks like row ids: whole numbers, all different, that are named like an id (``Id``, ``customer_id``,
   ``index``, ``no``, an unnamed column) or count the rows, 0, 1, 2, … or 1, 2, 3, …;
5. is text with a different value in more than half of the rows (names, remarks), or with more
   categories than `category_limit`.

A column that the user names is not asked for its likeness to row ids. Nor is one that merely counts the
rows when it is the only thing to learn from (a first example, x = 1, 2, 3, …).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from learnrate.data.frames import Frame, Series, nameless
from learnrate.data.text import first_not_a_number
from learnrate.data.wording import short

__all__ = ["Column", "LeftOut", "as_text", "category_limit", "choose_columns"]

MISSING_CATEGORY = "missing"

_ID_WORDS = {"id", "ids", "index", "idx", "no", "nr", "key", "uuid", "guid", "rowid"}
_ID_NAMES = {"", "#", "row", "unnamed: 0", "column 1", "__index_level_0__"}


@dataclass(frozen=True)
class LeftOut:
    """A column that is not learned from, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Column:
    """A column that is learned from.

    Attributes
    ----------
    name : str
    categories : tuple of str
        Empty for a number. For text the reference category (the most frequent, the first by name
        among equals) comes first, then the others by name; each of those becomes a feature.
    """

    name: str
    categories: tuple[str, ...] = ()


def category_limit(rows: int) -> int:
    """Most categories that a text column may have: one for ten rows, but at least 10 and at most 50."""
    return min(50, max(10, rows // 10))


def choose_columns(
    frame: Frame, names: Iterable[str], *, chosen_by_user: bool, missing_is_category: bool
) -> tuple[list[Column], list[LeftOut]]:
    """Sort the columns into those to learn from and those left out.

    Parameters
    ----------
    frame : polars.DataFrame
        In which a missing value is a null.
    names : iterable of str
        The columns to judge.
    chosen_by_user : bool
        Whether the user named them.
    missing_is_category : bool
        Whether the missing values of a text column become a category.
    """
    kept: list[Column] = []
    counters: list[Column] = []
    left_out: list[LeftOut] = []
    for name in names:
        values = nameless(frame, name)
        is_text = _is_text(values)
        if is_text:
            values = as_text(values, missing_is_category=missing_is_category)
        reason = _why_unusable(values, is_text)
        if reason is None and not is_text and not chosen_by_user:
            reason = _why_row_ids(values, name)
            if reason and not _is_named_like_an_id(name):
                counters.append(Column(name))
        if reason is None and is_text:
            reason = _why_too_many(values)
        if reason is None:
            kept.append(Column(name, _categories(values) if is_text else ()))
        else:
            left_out.append(LeftOut(name, reason))
    if not kept:
        names_kept = {column.name for column in counters}
        return counters, [out for out in left_out if out.name not in names_kept]
    return kept, left_out


def _is_text(values: Series) -> bool:
    import polars as pl

    return values.dtype in (pl.String, pl.Categorical, pl.Enum)


def as_text(values: Series, *, missing_is_category: bool) -> Series:
    """Text, Categorical or Enum as text, its gaps filled if they are a category.

    A column that is wholly missing keeps its gaps, so that it can be told.
    """
    import polars as pl

    values = values.cast(pl.String)
    if missing_is_category and values.null_count() < len(values):
        return values.fill_null(MISSING_CATEGORY)
    return values


def _why_unusable(values: Series, is_text: bool) -> str | None:
    """Rules 1 to 3."""
    import polars as pl

    dtype = values.dtype
    if dtype.is_temporal():
        return f"holds dates or times ({dtype})"
    if not (is_text or dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)):
        return f"holds values of the type {dtype}"
    present = values.drop_nulls()
    if not len(present):
        return "wholly missing"
    if present.n_unique() == 1 if is_text else present.min() == present.max():
        besides = " wherever it is not missing" if values.null_count() else ""
        return f"constant: {short(present[0])}{besides}"
    return None


def _why_row_ids(values: Series, name: str) -> str | None:
    """Rule 4."""
    if not values.dtype.is_integer() or values.null_count():
        return None
    first, second, last = values[0], values[1], values[-1]
    counts = first in (0, 1) and last == first + len(values) - 1 and values.is_sorted()
    if counts and values.n_unique() == len(values):
        return (
            f"counts the rows ({first}, {second}, …, {last}); name it among the features to keep it"
        )
    if _is_named_like_an_id(name) and values.n_unique() == len(values):
        return "looks like a row id (all values differ); name it among the features to keep it"
    return None


def _is_named_like_an_id(name: str) -> bool:
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
    return name.casefold() in _ID_NAMES or bool(words and words[-1].casefold() in _ID_WORDS)


def _why_too_many(values: Series) -> str | None:
    """Rule 5."""
    rows = len(values)
    different = values.drop_nulls().n_unique()
    limit = category_limit(rows)
    if different <= min(limit, rows // 2):
        return None
    found = first_not_a_number(values)
    if found is None:
        return "numbers stored as text; store them as numbers to use them"
    first, texts = found
    if texts < (rows - values.null_count()) / 2:
        return f"numbers except in {texts:,} of {rows:,} rows, such as {short(values[first])}"
    if different > rows // 2:
        return f"text that differs from row to row ({different:,} values in {rows:,} rows)"
    return f"text with {different:,} categories (at most {limit} can be used)"


def _categories(values: Series) -> tuple[str, ...]:
    counts = values.drop_nulls().value_counts(sort=False)
    names, frequencies = counts.to_series(0).to_list(), counts.to_series(1).to_numpy()
    by_name = sorted(range(len(names)), key=names.__getitem__)
    reference = names[by_name[int(np.argmax(frequencies[by_name]))]]
    return (reference, *(names[i] for i in by_name if names[i] != reference))
