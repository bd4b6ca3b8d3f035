"""What becomes of each column of a table that is read in a stream: settled before anything is written.

Which columns can serve, which categories a text has, and the scaling all rest on the whole table. So the
table is read once to settle them, and a second time to write the features; once more between the two only
where rows are dropped or held out, whose numbers are then not the table's. Writing unscaled numbers and
scaling them later would save the second reading, but a float32 cache of ``1e6 ± 1`` has no digits left.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.columns import Column, LeftOut, sort_columns
from learnrate.data.facts import as_text
from learnrate.data.missing import Gap, Missing, describe_filling, judge_gaps
from learnrate.data.prepare import (
    feature_names,
    known_columns,
    refuse_few_rows,
    refuse_infinite,
    refuse_no_columns,
    refuse_other_than_numbers,
    refuse_wholly_missing,
)
from learnrate.data.prepared import Scaling, refuse_too_large, remarks_on_target
from learnrate.data.streaming.batches import Batch
from learnrate.data.streaming.gathered import Gathered
from learnrate.data.streaming.split import Split
from learnrate.data.streaming.survey import Kept, column, survey

__all__ = ["Plan", "make_plan"]


@dataclass(frozen=True, eq=False)
class Plan:
    """How rows of the table become rows of the cache.

    Attributes
    ----------
    n : int
        Rows that are used, held-out ones included.
    split : Split or None
        Which of them are held out.
    """

    n: int
    split: Split | None
    target: str
    columns: tuple[Column, ...]
    dtypes: Mapping[str, Any]
    kept: Kept | None
    fill: Mapping[str, float]
    scaling: Scaling | None
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    dtype: np.dtype[Any]

    @property
    def names(self) -> list[str]:
        """Of the features."""
        return [feature for column in self.columns for feature in feature_names(column)]

    def encode(self, batch: Batch) -> tuple[Float[Array, "rows d"], Float[Array, " rows"]]:
        """Features and labels of the rows of a batch that are used."""
        keep = None if self.kept is None else self.kept.rows(batch)
        y = self._numbers(batch, self.target, keep)
        names = self.names
        X = np.empty((len(y), len(names)), self.dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # what does not fit is refused below
            for j, values in enumerate(self._features(batch, keep)):
                if self.scaling is not None:
                    values = (values - self.scaling.mean[j]) / self.scaling.scale[j]
                X[:, j] = values
            labels = y.astype(self.dtype)
        if not np.isfinite(X).all():
            for j, name in enumerate(names):
                refuse_too_large(X[:, j], name, self.dtype)
        refuse_too_large(labels, self.target, self.dtype)
        return X, labels

    def _features(self, batch: Batch, keep: Any) -> Iterator[Float[Array, " rows"]]:
        import polars as pl

        for one in self.columns:
            if not one.categories:
                values = self._numbers(batch, one.name, keep)
                missing = np.isnan(values)
                if missing.any():
                    values = np.where(missing, self.fill[one.name], values)
                yield values
                continue
            texts = as_text(
                column(batch, one.name, self.dtypes[one.name]), missing_is_category=False
            )
            texts = (
                texts.fill_null("missing")
                if keep is None
                else texts.filter(keep).fill_null("missing")
            )
            codes = texts.cast(pl.Enum(one.categories)).to_physical().to_numpy()
            for code in range(1, len(one.categories)):
                yield (codes == code).astype(np.float64)

    def _numbers(self, batch: Batch, name: str, keep: Any) -> Float[Array, " rows"]:
        import polars as pl

        values = column(batch, name, self.dtypes[name]).cast(pl.Float64).to_numpy()
        return values if keep is None else values[keep]


def make_plan(
    read: Callable[[], Iterator[Batch]],
    target: str | None,
    *,
    features: Sequence[str] | None,
    policy: Missing,
    standardize: bool,
    val_fraction: float,
    seed: int,
    dtype: np.dtype[Any],
    on_rows: Callable[[int], object] | None = None,
) -> Plan:
    """Read the table, as often as needed, and settle what becomes of it.

    The rules are those of `learnrate.data.prepare.prepare`, and so are the errors.
    """
    all_rows = survey(read(), on_rows=on_rows)
    target, names = known_columns(list(all_rows), target, features)
    rows = all_rows[target].rows
    refuse_few_rows(rows)
    dtypes = {name: found.dtype for name, found in all_rows.items()}
    _refuse_target(all_rows, target)
    is_category = policy is Missing.MEAN
    by_user = features is not None
    columns, left_out = _sort(all_rows, names, by_user, is_category)
    used = [one.name for one in columns]
    for name in (*used, target):
        infinite = all_rows[name].infinite
        if infinite is not None:
            refuse_infinite(name, infinite.value, infinite.row, infinite.number)
    gaps = _gaps(all_rows, [target, *used])
    with_target = rows - all_rows[target].nulls
    kept, complete, found = None, with_target, all_rows
    if gaps and policy is not Missing.MEAN:
        complete = _count_kept(read, Kept(Missing.DROP, target, used, dtypes))
    notes = judge_gaps(
        gaps,
        policy,
        target=target,
        columns=len(used) + 1,
        rows=rows,
        with_target=with_target,
        complete=complete,
    )
    n = complete if policy is Missing.DROP else with_target
    if n < rows:
        kept = Kept(policy, target, used, dtypes)
        found = survey(read(), [*used, target], kept=kept, dtypes=dtypes, on_rows=on_rows)
        columns, more = _sort(found, used, by_user, is_category)
        left_out += more
    refuse_no_columns(columns, left_out, target)
    split = Split(n, val_fraction, seed) if val_fraction else None
    if split is not None:
        wanted = [*(one.name for one in columns), target]
        found = survey(
            read(), wanted, kept=kept, train=split.training, dtypes=dtypes, on_rows=on_rows
        )
    references = [one.name for one in columns if one.categories]
    notes += describe_filling(_gaps(found, [one.name for one in columns]), references)
    labels = found[target].all if split is None else found[target].train
    notes += remarks_on_target(np.array([labels.low, labels.high]), target)
    return Plan(
        n=n,
        split=split,
        target=target,
        columns=tuple(columns),
        dtypes=dtypes,
        kept=kept,
        fill={one.name: _fill(found[one.name], split) for one in columns if not one.categories},
        scaling=_scaling(found, columns, split) if standardize else None,
        left_out=tuple(left_out),
        notes=tuple(notes),
        dtype=dtype,
    )


def _sort(
    found: Mapping[str, Gathered], names: Sequence[str], by_user: bool, is_category: bool
) -> tuple[list[Column], list[LeftOut]]:
    facts = ((name, found[name].facts(missing_is_category=is_category)) for name in names)
    return sort_columns(facts, chosen_by_user=by_user)


def _gaps(found: Mapping[str, Gathered], names: Sequence[str]) -> list[Gap]:
    return [gap for name in names if (gap := found[name].gap) is not None]


def _refuse_target(found: Mapping[str, Gathered], target: str) -> None:
    import polars as pl

    known = found[target]
    if known.nulls == known.rows:
        refuse_wholly_missing(target, known.rows)
    if known.dtype.is_numeric() or known.dtype == pl.Boolean:
        return
    odd = None if known.odd is None else (known.odd.row - 1, known.odd.number, known.odd.text)
    schema = {name: one.dtype for name, one in found.items()}
    refuse_other_than_numbers(target, known.dtype, known.rows, odd, schema)


def _count_kept(read: Callable[[], Iterator[Batch]], kept: Kept) -> int:
    total = 0
    for batch in read():
        rows = kept.rows(batch)
        total += batch.frame.height if rows is None else int(rows.sum())
    return total


def _fill(found: Gathered, split: Split | None) -> float:
    """The mean of the values trained on, or of all where those are all missing."""
    return found.train.mean if split is not None and found.train.count else found.all.mean


def _scaling(
    found: Mapping[str, Gathered], columns: Sequence[Column], split: Split | None
) -> Scaling:
    """Mean and deviation of every feature over the rows that are trained on, its gaps filled."""
    pairs: list[tuple[float, float]] = []
    for one in columns:
        known = found[one.name]
        rows = known.train_rows
        if not one.categories:
            moments = known.all if split is None else known.train
            if (
                not moments.count
            ):  # every value was held out, and every gap is filled with one number
                pairs.append((known.all.mean, 1.0))
            else:
                pairs.append(moments.scaling(rows - moments.count))
            continue
        counts = dict(known.counts if split is None else known.train_counts)
        counts["missing"] = counts.get("missing", 0) + rows - sum(counts.values())
        for category in one.categories[1:]:
            share = counts.get(category, 0) / rows
            deviation = math.sqrt(share * (1 - share))
            pairs.append((share, deviation or 1.0))
    mean, scale = np.array(pairs, dtype=np.float64).T
    return Scaling(mean.copy(), scale.copy())
