"""Which columns of a table become features, how, and why the others do not.

The rules, in the order in which a column meets them; it is left out if it

1. holds dates, times, lists or anything else that is neither number, truth value nor text;
2. is wholly missing;
3. is constant, its missing values aside (a text column whose missing values become a category of their
   own has two values, and stays);
4. looks like row ids: whole numbers, all different, that are named like an id (``Id``, ``customer_id``,
   ``index``, ``no``, an unnamed column) or count the rows, 0, 1, 2, … or 1, 2, 3, …;
5. is text with a different value in more than half of the rows (names, remarks), or with more
   categories than `category_limit`. But if at least nine of ten such texts are numbers, the others are
   mistakes to be mended, and that is an error.

A column that the user names is not asked for its likeness to row ids. Nor is one that merely counts the
rows when it is the only thing to learn from (a first example, x = 1, 2, 3, …).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from learnrate.data.facts import Facts, facts_of
from learnrate.data.frames import Frame, nameless
from learnrate.data.wording import short
from learnrate.errors import DataError

__all__ = [
    "Column",
    "LeftOut",
    "category_limit",
    "choose_columns",
    "is_named_like_an_id",
    "sort_columns",
]

_FEW = 10  # one of so many may be a mistake
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

    Raises
    ------
    DataError
        If a column of numbers has a few texts in it.
    """
    columns = (
        (name, facts_of(nameless(frame, name), missing_is_category=missing_is_category))
        for name in names
    )
    return sort_columns(columns, chosen_by_user=chosen_by_user)


def sort_columns(
    columns: Iterable[tuple[str, Facts]], *, chosen_by_user: bool
) -> tuple[list[Column], list[LeftOut]]:
    """The same, from what is known of each column."""
    kept: list[Column] = []
    counters: list[Column] = []
    left_out: list[LeftOut] = []
    for name, facts in columns:
        reason = _why_unusable(facts)
        if reason is None and not facts.is_text and not chosen_by_user:
            reason = _why_row_ids(facts, name)
            if reason and not is_named_like_an_id(name):
                counters.append(Column(name))
        if reason is None and facts.is_text:
            reason = _why_too_many(facts, name)
        if reason is None:
            kept.append(Column(name, _categories(facts.frequencies) if facts.is_text else ()))
        else:
            left_out.append(LeftOut(name, reason))
    if not kept:
        names_kept = {column.name for column in counters}
        return counters, [out for out in left_out if out.name not in names_kept]
    return kept, left_out


def _why_unusable(facts: Facts) -> str | None:
    """Rules 1 to 3."""
    import polars as pl

    dtype = facts.dtype
    if dtype.is_temporal():
        return f"holds dates or times ({dtype})"
    if not (facts.is_text or dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)):
        return f"holds values of the type {dtype}"
    if facts.nulls == facts.rows:
        return "wholly missing"
    if facts.constant:
        besides = " wherever it is not missing" if facts.nulls else ""
        return f"constant: {short(facts.first)}{besides}"
    return None


def _why_row_ids(facts: Facts, name: str) -> str | None:
    """Rule 4."""
    if not facts.dtype.is_integer() or facts.nulls:
        return None
    if facts.counted is not None:
        first, second, last = facts.counted
        return (
            f"counts the rows ({first}, {second}, …, {last}); name it among the features to keep it"
        )
    if is_named_like_an_id(name) and facts.all_differ():
        return "looks like a row id (all values differ); name it among the features to keep it"
    return None


def is_named_like_an_id(name: str) -> bool:
    """Whether a column's name is one that row ids have."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
    return name.casefold() in _ID_NAMES or bool(words and words[-1].casefold() in _ID_WORDS)


def _why_too_many(facts: Facts, name: str) -> str | None:
    """Rule 5; `DataError` for a few texts among numbers."""
    rows, different = facts.rows, facts.different
    limit = category_limit(rows)
    if different <= min(limit, rows // 2):
        return None
    odd = facts.odd()
    if odd is None:
        return "numbers stored as text; store them as numbers to use them"
    present = odd.number + odd.numbers
    if odd.number <= present / _FEW:
        not_numbers = "1 is not:" if odd.number == 1 else f"{odd.number:,} are not, the first"
        raise DataError(
            f"A column must hold numbers, or texts of few kinds. Got {name!r}, where {odd.numbers:,} values are "
            f"numbers and {not_numbers} {short(odd.text)} in data row {odd.row:,}; mend the table, or leave the "
            "cell empty and use --missing."
        )
    if odd.number < present / 2:
        return f"numbers except in {odd.number:,} of {rows:,} rows, such as {short(odd.text)}"
    if facts.at_least:
        return f"text with more than {different:,} categories (at most {limit} can be used)"
    if different > rows // 2:
        return f"text that differs from row to row ({different:,} values in {rows:,} rows)"
    return f"text with {different:,} categories (at most {limit} can be used)"


def _categories(frequencies: Mapping[str, int]) -> tuple[str, ...]:
    names = sorted(frequencies)
    reference = max(names, key=frequencies.__getitem__)  # the first of those that come most often
    return (reference, *(name for name in names if name != reference))
