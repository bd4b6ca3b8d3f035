"""What is known of a column after its batches have gone by."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from learnrate._shapes import Array, Bool, Float
from learnrate.data.columns import is_named_like_an_id
from learnrate.data.facts import MISSING_CATEGORY, Facts, Odd, holds_text
from learnrate.data.frames import Series
from learnrate.data.missing import Gap
from learnrate.data.tables import several_types
from learnrate.data.text import first_not_a_number

__all__ = ["Gathered", "Infinite", "Moments"]

_MOST_TEXTS = 10_000
"""Values of a text that are counted; far fewer can be categories."""
_MOST_IDS = 1 << 20
"""Values that are compared to tell whether ids differ; past these, ids that came in no order count as such."""


class Infinite:
    """The infinite values of a column: the first, its row, and how many."""

    def __init__(self, value: float, row: int) -> None:
        self.value, self.row, self.number = value, row, 0


class Moments:
    """Mean and standard deviation of numbers that come in batches, in float64.

    Of two parts with counts n and m, means a and b and deviations s and t, the whole has the mean
    ``a + (b − a) m/(n + m)`` and the deviation ``√(n s² + m t² + (b − a)² n m/(n + m)) / √(n + m)``. Roots of
    sums of squares are taken by `math.hypot`, so that no unit is too huge or tiny.

    Source: Chan, Golub and LeVeque (1983), "Algorithms for Computing the Sample Variance", The
    American Statistician 37(3), 242–247.
    """

    def __init__(self) -> None:
        self.count, self.mean, self.deviation = 0, 0.0, 0.0
        self.low, self.high = math.inf, -math.inf

    def add(self, values: Float[Array, " n"]) -> None:
        """Take in finite numbers."""
        m = len(values)
        if not m:
            return
        low, high = float(values.min()), float(values.max())
        mean, deviation = low, 0.0
        if low < high:
            mean = float(values.mean())
            differences = values - mean
            largest = np.abs(differences).max()
            deviation = float(largest * np.sqrt(np.mean((differences / largest) ** 2)))
        n, whole = self.count, self.count + m
        apart = mean - self.mean if n else 0.0
        self.deviation = math.hypot(
            self.deviation * math.sqrt(n / whole),
            deviation * math.sqrt(m / whole),
            apart * math.sqrt(n * m) / whole,
        )
        self.mean = self.mean + apart * (m / whole) if n else mean
        self.count, self.low, self.high = whole, min(self.low, low), max(self.high, high)

    def scaling(self, gaps: int = 0) -> tuple[float, float]:
        """Mean and scale as `learnrate.data.prepared.moments`, with ``gaps`` means put in."""
        if self.low == self.high:
            return self.low, 1.0
        deviation = self.deviation * math.sqrt(self.count / (self.count + gaps))
        return self.mean, max(deviation, float(np.finfo(np.float64).tiny))


class Gathered:
    """One column, batch by batch.

    Parameters
    ----------
    name : str
    rows : int
        Rows that have gone by without this column: it is missing in them.
    """

    def __init__(self, name: str, rows: int = 0) -> None:
        import polars as pl

        self.name, self.rows, self.nulls = name, rows, rows
        self.first_null: int | None = 0 if rows else None
        self.dtype: Any = pl.Null()
        self.first: Any = None
        self.low: Any = None
        self.high: Any = None
        self.infinite: Infinite | None = None
        self.all = Moments()
        self.train = Moments()  # of the rows that are trained on
        self.train_rows = 0
        self.counts: dict[str, int] = {}
        self.train_counts: dict[str, int] = {}
        self.too_many = False
        self.odd_text: str | None = None
        self.odd_row = self.odd_number = 0
        self._said = False
        self._ids = _Ids(is_named_like_an_id(name))

    def add_gap(self, rows: int, train: Bool[Array, " n"] | None = None) -> None:
        """Rows that lack this column."""
        self._note_nulls(rows, 0)
        self.train_rows += rows if train is None else int(train.sum())
        self.rows += rows

    def add(
        self, values: Series, texts: Series | None = None, train: Bool[Array, " n"] | None = None
    ) -> None:
        """Take in a batch.

        Parameters
        ----------
        values : Series
            Typed, a missing value a null.
        texts : Series, optional
            The same as text, where it may turn out to be a column of texts.
        train : array of bool, optional
            The rows that are trained on; all unless given.
        """
        import polars as pl

        nulls = values.null_count()
        if nulls:
            self._note_nulls(nulls, int(values.is_null().arg_true()[0]))
        known = len(values) > nulls
        if known:
            if self.first is None:
                self.first = values.drop_nulls()[0]
            self._settle_type(values.dtype, texts is not None)
        elif not self._said:
            self.dtype = values.dtype if texts is None else self.dtype
        if known and (values.dtype.is_numeric() or values.dtype == pl.Boolean):
            self._add_numbers(values, train)
        if known and texts is not None:
            self._add_texts(texts, train)
        self._ids.add(values)
        self.train_rows += len(values) if train is None else int(train.sum())
        self.rows += len(values)

    def _note_nulls(self, count: int, first: int) -> None:
        if self.first_null is None:
            self.first_null = self.rows + first
        self.nulls += count

    def _settle_type(self, dtype: Any, as_text: bool) -> None:
        """The type of all values so far: numbers' common one, or text."""
        import polars as pl

        before, self.dtype = self.dtype, dtype
        if not self._said or before == dtype:
            self._said = True
        elif before.is_numeric() and dtype.is_numeric():
            self.dtype = pl.Float64()
        elif as_text or (holds_text(before) and holds_text(dtype)):
            self.dtype = pl.String()
        else:
            raise several_types(self.name, {before, dtype})

    def _add_numbers(self, values: Series, train: Bool[Array, " n"] | None) -> None:
        import polars as pl

        low, high = values.min(), values.max()
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)
        numbers = values.cast(pl.Float64).to_numpy()
        known = ~np.isnan(numbers)
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            bad = np.flatnonzero(np.isinf(numbers))
            if len(bad) and self.infinite is None:
                self.infinite = Infinite(float(numbers[bad[0]]), self.rows + int(bad[0]))
            if self.infinite is not None:
                self.infinite.number += len(bad)
            return
        self.all.add(numbers[known])
        if train is not None:
            self.train.add(numbers[known & train])

    def _add_texts(self, texts: Series, train: Bool[Array, " n"] | None) -> None:
        if not self.too_many:
            _count(texts, self.counts)
            if train is not None:
                _count(texts.filter(train), self.train_counts)
            self.too_many = len(self.counts) > _MOST_TEXTS
        found = first_not_a_number(texts)
        if found is not None:
            first, number = found
            if self.odd_text is None:
                self.odd_row, self.odd_text = self.rows + first, texts[first]
            self.odd_number += number

    @property
    def odd(self) -> Odd | None:
        """Texts among numbers, if there are any."""
        if self.odd_text is None:
            return None
        numbers = self.rows - self.nulls - self.odd_number
        return Odd(self.odd_text, self.odd_row + 1, self.odd_number, numbers)

    @property
    def gap(self) -> Gap | None:
        """What is missing, if anything is."""
        return None if self.first_null is None else Gap(self.name, self.nulls, self.first_null + 1)

    def facts(self, *, missing_is_category: bool) -> Facts:
        """As the rules about columns take them."""
        is_text = holds_text(self.dtype)
        counts, nulls, odd = self.counts, self.nulls, self.odd
        if is_text and missing_is_category and 0 < nulls < self.rows:
            counts = {**counts, MISSING_CATEGORY: counts.get(MISSING_CATEGORY, 0) + nulls}
            nulls = 0
        return Facts(
            rows=self.rows,
            nulls=nulls,
            dtype=self.dtype,
            is_text=is_text,
            first=self.first if not is_text else next(iter(counts), self.first),
            constant=len(counts) == 1 if is_text else self.low == self.high,
            counted=self._ids.counted,
            all_differ=lambda: self._ids.differ,
            frequencies=counts,
            at_least=self.too_many,
            odd=lambda: odd,
        )


def _count(texts: Series, into: dict[str, int]) -> None:
    counts = texts.drop_nulls().value_counts(sort=False)
    for text, number in counts.iter_rows():
        into[text] = into.get(text, 0) + number


class _Ids:
    """Whether whole numbers count the rows, or all differ."""

    def __init__(self, watched: bool) -> None:
        self._rows = 0
        self._first = self._second = self._last = 0
        self._counts = True
        self._watched = watched
        self._seen = np.empty(0, dtype=np.int64)
        self.differ = True

    @property
    def counted(self) -> tuple[int, int, int] | None:
        if self._counts and self._rows > 1:
            return self._first, self._second, self._last
        return None

    def add(self, values: Series) -> None:
        if not (self._counts or (self._watched and self.differ)) or not len(values):
            return
        if not values.dtype.is_integer() or values.null_count():
            self._counts = self.differ = False
            return
        numbers = values.to_numpy()
        steps = np.diff(numbers.astype(np.float64, copy=False))
        follows = not self._rows or int(numbers[0]) - self._last
        if not self._rows:
            self._first = int(numbers[0])
            self._counts = self._first in (0, 1)
        self._counts = self._counts and follows == 1 and bool((steps == 1).all())
        if self._rows < 2 <= self._rows + len(numbers):
            self._second = int(numbers[1 - self._rows])
        if self._watched and self.differ:
            before = self._seen if self._seen.size < _MOST_IDS else self._seen[:0]
            whole = np.unique(np.concatenate([before, numbers.astype(np.int64)]))
            self.differ = whole.size == before.size + len(numbers)
            if before.size == self._seen.size:
                self._seen = whole
        self._last, self._rows = int(numbers[-1]), self._rows + len(numbers)
