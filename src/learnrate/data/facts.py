"""Facts about the columns of a table, collected block by block: missing values, extremes, counts, moments."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from learnrate.data.blocks import Look, Reading, TableBlock
from learnrate.data.frames import Series, holds_text, several_types
from learnrate.data.moments import Moments
from learnrate.data.numerals import Numerals
from learnrate.data.text import date_formats, first_not_a_number

__all__ = ["EXACT", "MISSING_CATEGORY", "Facts", "Gap", "Odd", "is_named_like_an_id", "survey"]

MISSING_CATEGORY = "missing"
_ID_WORDS = {"id", "ids", "index", "idx", "no", "nr", "key", "uuid", "guid", "rowid"}
_ID_NAMES = {"", "#", "row", "unnamed: 0", "column_1", "__index_level_0__"}

_MOST_TEXTS = 10_000
"""With more different texts in a column, further blocks are not counted; categories are far fewer."""
_MOST_NUMBERS = 20
"""With more different numbers in a column, they are not counted."""
EXACT = 1 << 53
"""Whole numbers up to this are exact in float64; larger ones are taken for ids."""
_MOST_IDS = 1 << 20
"""Whether ids differ is checked among so many values, and inside each later block."""


class Gap(NamedTuple):
    """Missing values of a column: how many, and the row of the first, counted from 1."""

    name: str
    number: int
    row: int


class Odd(NamedTuple):
    """Values that do not fit, such as texts among numbers: the first, its row counted from 1, and how many."""

    value: Any
    row: int
    number: int


class Facts:
    """Facts about a column.

    Parameters
    ----------
    name : str
        Name of the column.
    rows : int
        Rows before the first block that has this column; it is missing in them.

    Attributes
    ----------
    rows, nulls : int
        Number of rows, and of those where the value is missing.
    dtype : Polars data type
        The common type of all values so far.
    first : value
        The first value that is not missing.
    low, high : numbers
        The smallest and the largest value.
    moments : Moments
        Mean and standard deviation of numbers, if they are measured.
    counts : dict of str to int
        In a column of text, how often each value occurs.
    uncounted : bool
        Whether there were too many different texts to count all.
    odd : Odd or None
        In a column of text, the values that are not numbers.
    infinite : Odd or None
        Infinite values.
    few : dict or None
        How often each number occurs; None if there are many different ones.
    numerals : Numerals
        How numbers are written in a column of text, if that is examined.
    formats : list of str or None
        Date formats that fit all values, if that is examined.
    trouble : str
        Why the column cannot be used, without a full stop; empty if it can.
    """

    def __init__(self, name: str, rows: int = 0) -> None:
        import polars as pl

        self.name, self.rows, self.nulls = name, rows, rows
        self.dtype: Any = pl.Null()
        self.first: Any = None
        self.low: Any = None
        self.high: Any = None
        self.moments = Moments()
        self.counts: dict[str, int] = {}
        self.uncounted = False
        self.odd: Odd | None = None
        self.infinite: Odd | None = None
        self.few: dict[Any, int] | None = {}
        self.numerals = Numerals()
        self.formats: list[str] | None = None
        self.trouble = ""
        self._first_null = 0 if rows else None
        self._settled = False
        self._ids = _Ids(is_named_like_an_id(name))

    @property
    def is_text(self) -> bool:
        """Whether it holds texts."""
        return holds_text(self.dtype)

    @property
    def gap(self) -> Gap | None:
        """The missing values; None if there are none."""
        if self._first_null is None:
            return None
        return Gap(self.name, self.nulls, self._first_null + 1)

    @property
    def counted(self) -> tuple[int, int, int] | None:
        """First, second and last value if the column numbers the rows from 0 or 1; else None."""
        return self._ids.counted

    @property
    def all_differ(self) -> bool:
        """Whether no value occurs twice; for whole numbers that are large, or named like an id."""
        return self._ids.differ

    def frequencies(self, *, missing_is_category: bool) -> dict[str, int]:
        """In a column of text, how often each value occurs, with missing values if they are a category."""
        if missing_is_category and 0 < self.nulls < self.rows:
            missing = self.counts.get(MISSING_CATEGORY, 0) + self.nulls
            return {**self.counts, MISSING_CATEGORY: missing}
        return self.counts

    def add_gap(self, rows: int) -> None:
        """Add rows that do not have this column."""
        self._note_nulls(rows, 0)
        self.rows += rows

    def see_writing(self, block: TableBlock, look: Look) -> None:
        """Examine how numbers and dates are written in a block of text."""
        import polars as pl

        if look.texts is None or look.values.dtype == pl.Boolean:
            return
        given = block.frame.get_column(self.name).dtype
        if given != pl.String and not given.is_numeric():
            return  # a categorical type
        self.numerals.add(look.texts, look.values if look.plain else None)
        if block.untyped and not look.plain and self.formats != []:
            found = date_formats(look.texts)
            self.formats = (
                found if self.formats is None else [f for f in self.formats if f in found]
            )

    def add(
        self,
        values: Series,
        texts: Series | None = None,
        *,
        measure: bool = False,
        most: int = _MOST_NUMBERS,
    ) -> None:
        """Add a block.

        Parameters
        ----------
        values : Series
            The values in their type; missing ones are null.
        texts : Series, optional
            The values as text, if the column may be text.
        measure : bool
            Whether to update the moments.
        most : int
            The most different numbers to count.
        """
        import polars as pl

        nulls = values.null_count()
        if nulls:
            self._note_nulls(nulls, int(values.is_null().arg_true()[0]))
        if nulls < len(values):
            if self.first is None:
                self.first = values[0] if not nulls else values.drop_nulls()[0]
            self._settle_type(values.dtype, texts is not None)
            if values.dtype.is_numeric() or values.dtype == pl.Boolean:
                self._add_numbers(values, measure)
                self._count_numbers(values, most)
            elif values.dtype.is_temporal():
                low = values.min()
                self.low = low if self.low is None or low < self.low else self.low
            if texts is not None:
                self._add_texts(texts)
        elif not self._settled and texts is None:
            self.dtype = values.dtype
        self._ids.add(values, nulls)
        self.rows += len(values)

    def _note_nulls(self, count: int, first: int) -> None:
        if self._first_null is None:
            self._first_null = self.rows + first
        self.nulls += count

    def _settle_type(self, dtype: Any, as_text: bool) -> None:
        import polars as pl

        before, self.dtype = self.dtype, dtype
        if not self._settled or before == dtype:
            self._settled = True
        elif before.is_numeric() and dtype.is_numeric():
            self.dtype = pl.Float64()
        elif as_text or (holds_text(before) and holds_text(dtype)):
            self.dtype = pl.String()
        else:
            raise several_types(self.name, {before, dtype})

    def _add_numbers(self, values: Series, measure: bool) -> None:
        import polars as pl

        low, high = values.min(), values.max()
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)
        if values.dtype.is_float() and (low == -math.inf or high == math.inf):
            bad = values.is_infinite().fill_null(False).arg_true()
            first = int(bad[0])
            self.infinite = _more(self.infinite, values[first], self.rows + first, len(bad))
        elif measure:
            numbers = values.cast(pl.Float64).drop_nulls().to_numpy()
            self.moments.add(numbers)

    def _count_numbers(self, values: Series, most: int) -> None:
        if self.few is None:
            return
        if values.head(10 * most).n_unique() > most + 1:  # a null among them
            self.few = None
            return
        for value, number in values.drop_nulls().value_counts(sort=False).iter_rows():
            self.few[value] = self.few.get(value, 0) + number
        if len(self.few) > most:
            self.few = None

    def _add_texts(self, texts: Series) -> None:
        if not self.uncounted:
            counts = texts.drop_nulls().value_counts(sort=False)
            if len(self.counts) > _MOST_TEXTS:
                self.uncounted = True
            elif not self.counts:
                self.counts = dict(counts.iter_rows())
            else:
                for text, number in counts.iter_rows():
                    self.counts[text] = self.counts.get(text, 0) + number
        found = first_not_a_number(texts)
        if found is not None:
            first, number = found
            self.odd = _more(self.odd, texts[first], self.rows + first, number)


def _more(odd: Odd | None, value: Any, row: int, number: int) -> Odd:
    """Add ``number`` values that do not fit, the first of which is in ``row``, counted from 0."""
    return Odd(value, row + 1, number) if odd is None else odd._replace(number=odd.number + number)


class _Ids:
    """Whether whole numbers number the rows, and whether all differ (if ``watched``, or if they are large)."""

    def __init__(self, watched: bool) -> None:
        import polars as pl

        self._rows = 0
        self._first = self._second = self._last = 0
        self._counts, self.differ = True, watched
        self._seen = pl.Series(dtype=pl.Int128)

    @property
    def counted(self) -> tuple[int, int, int] | None:
        if self._counts and self._rows > 1:
            return self._first, self._second, self._last
        return None

    def add(self, values: Series, nulls: int) -> None:
        if not (self._counts or self.differ) or not len(values):
            return
        if not values.dtype.is_integer() or nulls:
            self._counts = self.differ = False
            return
        rows, first = len(values), int(values[0])
        if not self._rows:
            self._first, self._counts = first, first in (0, 1)
            self.differ = self.differ or abs(first) > EXACT
        if self._rows < 2 <= self._rows + rows:
            self._second = int(values[1 - self._rows])
        self._last = int(values[-1])
        self._counts = (
            self._counts
            and first == self._first + self._rows
            and self._last == first + rows - 1
            and values.is_sorted()
            and values.n_unique() == rows
        )
        if self.differ:
            self._compare(values)
        self._rows += rows

    def _compare(self, values: Series) -> None:
        import polars as pl

        before = len(self._seen)
        whole = values.cast(pl.Int128)
        if before >= _MOST_IDS:
            self.differ = whole.n_unique() == len(values)
            return
        self._seen = pl.concat([self._seen, whole]).unique()
        self.differ = len(self._seen) == before + len(values)


def is_named_like_an_id(name: str) -> bool:
    """Whether a column is named like an id: ``Id``, ``customer_id``, ``index``, ``no``."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
    return name.casefold() in _ID_NAMES or bool(words and words[-1].casefold() in _ID_WORDS)


def survey(
    blocks: Iterable[TableBlock],
    names: Sequence[str] | None = None,
    *,
    measure: bool,
    readings: Mapping[str, Reading] | None = None,
    look: bool = False,
    most: int = _MOST_NUMBERS,
) -> dict[str, Facts]:
    """Collect facts about the columns of a table.

    Parameters
    ----------
    blocks : iterable of TableBlock
        The table.
    names : sequence of str, optional
        The columns; all unless given.
    measure : bool
        Whether to compute the moments of numbers.
    readings : mapping of str to Reading, optional
        How the columns are read, if that is known.
    look : bool
        Whether to examine how numbers and dates are written.
    most : int
        The most different numbers of a column to count.

    Returns
    -------
    dict from str to Facts
    """
    found: dict[str, Facts] = {}
    done = 0
    for block in blocks:
        here = [name for name in names or block.frame.columns if name in block.frame.columns]
        for name in here:
            facts = found.setdefault(name, Facts(name, done))
            if readings is None:
                seen = block.look(name)
                if look:
                    facts.see_writing(block, seen)
                facts.add(seen.values, seen.texts, measure=measure, most=most)
                continue
            values = block.column(name, readings[name])
            texts = values if holds_text(values.dtype) else None
            facts.add(values, texts, measure=measure, most=most)
        for name in set(found) - set(here):
            found[name].add_gap(block.frame.height)
        done += block.frame.height
    return found
