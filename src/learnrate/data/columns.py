"""Which columns of a table become features, how, and why the others are left out.

The rules are applied in this order. A column is left out if it

1. holds dates, times, lists or any other type that is not a number, a truth value or text;
2. has no value at all;
3. is constant, without its missing values, or constant up to rounding (a text column whose missing values
   become a category has two values, and is used);
4. looks like row ids: whole numbers, all different, that are named like an id (``Id``, ``customer_id``,
   ``index``, ``no``, an unnamed column) or number the rows, 0, 1, 2, … or 1, 2, 3, …;
5. is text with different values in more than half of the rows (names, remarks), or with more categories than
   `category_limit`. But if at least nine of ten such texts are numbers, the others are probably mistakes, and
   that is an error.

Rule 4 is not applied to columns that the user names, nor to one that numbers the rows if there is no other feature (a
first example with x = 1, 2, 3, …).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from learnrate.data.facts import EXACT, Facts, is_named_like_an_id
from learnrate.data.moments import is_constant
from learnrate.data.wording import shortened
from learnrate.errors import DataError, option

__all__ = ["Column", "LeftOut", "category_limit", "choose_columns"]

_MISTAKE_SHARE = 0.1  # up to this share of texts among numbers are mistakes


@dataclass(frozen=True)
class LeftOut:
    """A column that is not used as a feature, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Column:
    """A column that becomes one or more features.

    Attributes
    ----------
    name : str
        Name of the column.
    categories : tuple of str
        Empty for a number. For text, first the reference category (the most frequent; among equals the first by
        name), then the others by name, each of which becomes a feature.
    """

    name: str
    categories: tuple[str, ...] = ()

    @property
    def features(self) -> list[str]:
        """Names of the features that the column becomes."""
        if not self.categories:
            return [self.name]
        return [f"{self.name}={category}" for category in self.categories[1:]]


def category_limit(rows: int) -> int:
    """The most categories that a text column may have: a tenth of the rows, but at least 10 and at most 50."""
    return min(50, max(10, rows // 10))


def choose_columns(
    columns: Iterable[Facts], *, chosen_by_user: bool, missing_is_category: bool
) -> tuple[list[Column], list[LeftOut]]:
    """Divide the columns into those that become features and those left out.

    Parameters
    ----------
    columns : iterable of Facts
        Facts about the columns.
    chosen_by_user : bool
        Whether the user named them.
    missing_is_category : bool
        Whether the missing values of a text column become a category.

    Raises
    ------
    DataError
        If a column of numbers holds a few texts.
    """
    kept: list[Column] = []
    counters: list[Column] = []
    left_out: list[LeftOut] = []
    for facts in columns:
        if facts.trouble:
            raise DataError(f"{facts.trouble}, or leave the column out with {option('drop')}.")
        frequencies = facts.frequencies(missing_is_category=missing_is_category)
        reason = _why_unusable(facts, frequencies)
        if reason is None and not facts.is_text and not chosen_by_user:
            reason = _why_row_ids(facts)
            if reason and not is_named_like_an_id(facts.name):
                counters.append(Column(facts.name))
        if reason is None and facts.is_text:
            reason = _why_too_many(facts, len(frequencies))
        if reason is None:
            kept.append(Column(facts.name, _categories(frequencies) if facts.is_text else ()))
        else:
            left_out.append(LeftOut(facts.name, reason))
    if not kept and counters:
        names_kept = {column.name for column in counters}
        return counters, [out for out in left_out if out.name not in names_kept]
    return kept, left_out


def _why_unusable(facts: Facts, frequencies: Mapping[str, int]) -> str | None:
    """The reason for leaving a column out by rules 1 to 3; None if there is none."""
    import polars as pl

    dtype = facts.dtype
    if dtype.is_temporal():
        return "holds dates or times; the option dates=parts learns from them"
    if not (facts.is_text or dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)):
        return f"holds values of the type {dtype}"
    if facts.nulls == facts.rows:
        return "wholly missing"
    if facts.is_text:
        if len(frequencies) > 1:
            return None
        first, nulls = next(iter(frequencies)), facts.nulls if frequencies is facts.counts else 0
    elif is_constant(facts.low, facts.high, facts.rows - facts.nulls, dtype):
        first, nulls = facts.first, facts.nulls
    else:
        return None
    how = "constant" if facts.is_text or facts.low == facts.high else "constant up to rounding"
    return f"{how}: {shortened(first)}{' wherever it is not missing' if nulls else ''}"


def _why_row_ids(facts: Facts) -> str | None:
    """The reason for leaving a column out by rule 4; None if there is none."""
    if facts.counted is not None:
        first, second, last = facts.counted
        return (
            f"counts the rows ({first}, {second}, …, {last}); name it among the features to keep it"
        )
    if facts.all_differ and (is_named_like_an_id(facts.name) or facts.low > EXACT):
        return "looks like a row id (all values differ); name it among the features to keep it"
    return None


def _why_too_many(facts: Facts, different: int) -> str | None:
    """The reason for leaving a column out by rule 5, or None; `DataError` for a few texts among numbers."""
    rows, odd = facts.rows, facts.odd
    limit = category_limit(rows)
    if different <= min(limit, rows // 2):
        return None
    if odd is None:
        return "numbers stored as text; store them as numbers to use them"
    present = rows - facts.nulls
    if odd.number <= present * _MISTAKE_SHARE:
        not_numbers = "1 is not:" if odd.number == 1 else f"{odd.number:,} are not, the first"
        raise DataError(
            f"A column must hold numbers, or texts of few kinds. Got {facts.name!r}, where "
            f"{present - odd.number:,} values are numbers and {not_numbers} {shortened(odd.value)} in data row "
            f"{odd.row:,}; correct it, leave the cell empty and use {option('missing')}, or leave the column out "
            f"with {option('drop')}."
        )
    if odd.number < present / 2:
        return f"numbers except in {odd.number:,} of {rows:,} rows, such as {shortened(odd.value)}"
    if facts.uncounted:
        return f"text with more than {different:,} categories (at most {limit} can be used)"
    if different > rows // 2:
        return f"text that differs from row to row ({different:,} values in {rows:,} rows)"
    return f"text with {different:,} categories (at most {limit} can be used)"


def _categories(frequencies: Mapping[str, int]) -> tuple[str, ...]:
    names = sorted(frequencies)
    reference = max(names, key=frequencies.__getitem__)  # the first of the most frequent
    return (reference, *(name for name in names if name != reference))
