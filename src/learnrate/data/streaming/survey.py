"""One pass over a table's batches that tells what there is to know of its columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from learnrate._shapes import Array, Bool
from learnrate.data.facts import holds_text
from learnrate.data.frames import Series, nameless
from learnrate.data.missing import Missing
from learnrate.data.streaming.batches import Batch
from learnrate.data.streaming.gathered import Gathered
from learnrate.data.text import stripped, typed

__all__ = ["Kept", "column", "survey"]


class Kept:
    """Which rows of a table are used: those without a gap in certain columns.

    Parameters
    ----------
    policy : Missing
        Where rows may be dropped, those with a gap in any column are; else those without a target.
    target : str
    features : sequence of str
    dtypes : mapping of str to Polars type
        Of these columns.
    """

    def __init__(
        self, policy: Missing, target: str, features: Sequence[str], dtypes: Mapping[str, Any]
    ) -> None:
        self._names = [target, *features] if policy is Missing.DROP else [target]
        self._dtypes = dtypes

    def rows(self, batch: Batch) -> Bool[Array, " n"] | None:
        """The rows of a batch to use; None for all."""
        present: Array | None = None
        for name in self._names:
            values = column(batch, name, self._dtypes[name])
            if values.null_count():
                here = values.is_not_null().to_numpy()
                present = here if present is None else present & here
        return present


def column(batch: Batch, name: str, dtype: Any) -> Series:
    """A column of a batch in the type that all its batches share, a missing value a null."""
    import polars as pl

    if name not in batch.frame.columns:
        return pl.Series([None] * batch.frame.height, dtype=dtype)
    values = nameless(batch.frame, name)
    if holds_text(dtype):
        values = values.cast(pl.String)
        return stripped(values) if batch.untyped else values
    return _typed(batch, values).cast(dtype)


def _typed(batch: Batch, values: Series) -> Series:
    import polars as pl

    if batch.untyped and values.dtype == pl.String:
        values = typed(values, decimal_comma=batch.decimal_comma)
    return values.fill_nan(None) if values.dtype.is_float() else values


def survey(
    source: Iterable[Batch],
    names: Sequence[str] | None = None,
    *,
    kept: Kept | None = None,
    train: Callable[[int, int], Bool[Array, " n"]] | None = None,
    dtypes: Mapping[str, Any] | None = None,
    on_rows: Callable[[int], object] | None = None,
) -> dict[str, Gathered]:
    """Gather what there is to know of the columns.

    Parameters
    ----------
    source : iterable of Batch
    names : sequence of str, optional
        The columns; all unless given.
    kept : Kept, optional
        The rows to look at; all unless given.
    train : callable, optional
        For the first of some rows, counted among those kept, and their number: which are trained on.
    dtypes : mapping, optional
        The types that are known already.
    on_rows : callable, optional
        Called with the number of rows that were read.
    """
    found: dict[str, Gathered] = {}
    read = done = 0
    for batch in source:
        rows = batch.frame.height
        keep = None if kept is None else kept.rows(batch)
        count = rows if keep is None else int(keep.sum())
        mask = None if train is None else train(done, count)
        here = [name for name in names or batch.frame.columns if name in batch.frame.columns]
        for name in here:
            gathered = found.setdefault(name, Gathered(name, done))
            values, texts = _both(batch, name, None if dtypes is None else dtypes[name])
            if keep is not None:
                values = values.filter(keep)
                texts = None if texts is None else texts.filter(keep)
            gathered.add(values, texts, mask)
        for name in set(found) - set(here):
            found[name].add_gap(count, mask)
        done, read = done + count, read + rows
        if on_rows is not None:
            on_rows(read)
    return found


def _both(batch: Batch, name: str, dtype: Any) -> tuple[Series, Series | None]:
    """A column as typed in this batch, or in all; and as text where it may be one."""
    import polars as pl

    values = nameless(batch.frame, name)
    if dtype is not None:
        values = column(batch, name, dtype)
        return values, values if holds_text(dtype) else None
    if holds_text(values.dtype) and not batch.untyped:
        values = values.cast(pl.String)
        return values, values
    typed_values = _typed(batch, values)
    if not batch.untyped or not (
        values.dtype == pl.String or values.dtype.is_numeric() or values.dtype == pl.Boolean
    ):
        return typed_values, None
    return typed_values, stripped(values.cast(pl.String))
