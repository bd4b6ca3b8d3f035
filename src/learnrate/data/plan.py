"""The plan of preparing a table: how each column is read, which become features, and how they are filled and scaled.

All of this depends on the whole table. A table that is streamed from files is therefore read once to make the plan, and
a second time to write the features; where rows are dropped or held out it is read once more in between, to measure the
training rows alone. Unscaled features could be written in the first pass and scaled later, but float32 would lose the
digits of values such as ``1e6 ± 1``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.data.blocks import Blocks, Reading, TableBlock
from learnrate.data.columns import Column, LeftOut, choose_columns
from learnrate.data.dates import spread
from learnrate.data.facts import MISSING_CATEGORY, Facts, Gap, survey
from learnrate.data.missing import Missing, describe_filling, judge_gaps
from learnrate.data.number_verdicts import judge_numerals
from learnrate.data.options import Table
from learnrate.data.prepared import Scaling
from learnrate.data.remarks import remarks_on_spelling
from learnrate.data.settle import note_on_numbers
from learnrate.data.split import Split
from learnrate.data.target import (
    MOST_CLASSES,
    class_codes,
    classes_of,
    holds_classes,
    known_columns,
    refuse_target,
    remark_on_kind,
)
from learnrate.data.wording import abridged
from learnrate.errors import DataError, option

__all__ = ["Plan", "TargetKind", "make_plan"]

TargetKind = Literal["number", "class", "auto"]
"""What the target is; ``auto`` means a class if it holds texts or truth values, else a number."""


@dataclass(frozen=True, eq=False)
class Plan:
    """How the rows of a table become examples.

    Attributes
    ----------
    table : Blocks
        The rows that are used, with the held-out ones.
    n : int
        Number of these rows.
    split : Split or None
        Which of them are held out.
    target : str
        The column to predict.
    columns : tuple of Column
        The columns that become features.
    readings : mapping of str to Reading
        How each column is read.
    classes : mapping of str to int
        The classes of the target in the order of their codes, with their numbers of rows; empty for a number.
    fill : mapping of str to float
        For each numeric column with missing values, the mean of the training rows, which replaces them.
    scaling : Scaling or None
        None without scaling, and for a table in memory, whose features are scaled later.
    left_out : tuple of LeftOut
        The columns that are not used, with the reason.
    notes : tuple of str
        Sentences for the user.
    """

    table: Blocks
    n: int
    split: Split | None
    target: str
    columns: tuple[Column, ...]
    readings: Mapping[str, Reading]
    classes: Mapping[str, int]
    fill: Mapping[str, float]
    scaling: Scaling | None
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """Names of the features, all different: a category is quoted where ``column=category`` is a column's name."""
        taken = {column.name for column in self.columns if not column.categories}
        names: list[str] = []
        for column in self.columns:
            for name in column.features:
                if column.categories:
                    text, tries = name.removeprefix(f"{column.name}="), 1
                    while name in taken:
                        name, tries = f"{column.name}={text!r}" + "'" * (tries - 1), tries + 1
                    taken.add(name)
                names.append(name)
        return names

    @property
    def references(self) -> dict[str, str]:
        """For each text column the reference category, which has no feature."""
        return {one.name: one.categories[0] for one in self.columns if one.categories}

    def features(self, block: TableBlock) -> Iterator[tuple[str, Float[Array, " rows"]]]:
        """Yield name and values of each feature of a block, not scaled."""
        return zip(self.names, self._features(block), strict=True)

    def _features(self, block: TableBlock) -> Iterator[Float[Array, " rows"]]:
        import polars as pl

        for one in self.columns:
            values = block.column(one.name, self.readings[one.name])
            if one.categories:
                codes = values.fill_null(MISSING_CATEGORY).cast(pl.Enum(one.categories))
                code = codes.to_physical().to_numpy()
                for category in range(1, len(one.categories)):
                    yield (code == category).astype(np.float64)
            else:
                numbers = values.cast(pl.Float64)
                if numbers.null_count():
                    numbers = numbers.fill_null(self.fill[one.name])
                yield numbers.to_numpy()

    def codes(self) -> Int[Array, " n"]:
        """The class codes of all rows."""
        return np.concatenate([self.labels(block) for block in self.table.read()])

    def labels(self, block: TableBlock) -> Array:
        """The labels of a block, shape (rows,): float64 numbers, or int64 codes of classes."""
        import polars as pl

        values = block.column(self.target, self.readings[self.target])
        if self.classes:
            return class_codes(values, tuple(self.classes))
        return values.cast(pl.Float64).to_numpy(writable=True)


def make_plan(
    table: Blocks,
    target: str | None,
    *,
    features: Sequence[str] | None,
    policy: Missing,
    standardize: bool,
    val_fraction: float,
    seed: int,
    options: Table,
    target_kind: TargetKind = "number",
) -> Plan:
    """Read the table, as often as needed, and make the plan.

    Parameters
    ----------
    table : Blocks
        The table.
    target, features, standardize, val_fraction, seed, options, target_kind
        As for `learnrate.data.prepare.prepare`.
    policy : Missing
        What to do with missing values.

    Raises
    ------
    DataError, OptionError
        As `learnrate.data.prepare.prepare`.
    """
    in_stream = not table.in_memory
    found = survey(table.read(), measure=in_stream, look=in_stream)
    target, names = known_columns(list(found), target, features, options.drop, table.notes)
    rows = found[target].rows
    if rows < 2:
        raise DataError(f"A table must have at least 2 rows. Got {rows} instead; add some.")
    readings, notes = _readings(table, found, options)
    if options.dates is not None:
        table, names = _with_dates(table, names, found, readings, options.dates)
    if target_kind == "class" or (target_kind == "auto" and holds_classes(found[target])):
        counted = survey(
            table.read(), [target], measure=False, readings=readings, most=MOST_CLASSES
        )
        classes = classes_of(counted[target])
    else:
        classes = {}
        refuse_target(found, target)
        notes += remark_on_kind(found[target])

    def choose(names: Sequence[str]) -> tuple[list[Column], list[LeftOut]]:
        return choose_columns(
            [found[name] for name in names],
            chosen_by_user=features is not None,
            missing_is_category=policy is Missing.MEAN,
        )

    columns, left_out = choose(names)
    left_out += [LeftOut(name, "dropped, as asked") for name in options.drop]
    used = [one.name for one in columns]
    for name in (*used, target):
        _refuse_infinite(found[name], is_target=name == target)
    gaps = _gaps(found, [target, *used])
    with_target = n = rows - found[target].nulls
    whole = table
    if gaps and policy is not Missing.MEAN:
        whole = table.complete([target, *used], readings)
    complete = with_target if whole is table else whole.height()
    notes += judge_gaps(
        gaps,
        policy,
        target=target,
        columns=len(used) + 1,
        rows=rows,
        with_target=with_target,
        complete=complete,
    )
    refuse_no_columns(columns, left_out, target)
    if policy is Missing.DROP:
        n = complete
    if n < rows:  # in the rows that are left, a column may be constant
        table = whole if policy is Missing.DROP else table.complete([target], readings)
        found = survey(table.read(), [*used, target], measure=in_stream, readings=readings)
        if classes:
            counted = survey(
                table.read(), [target], measure=False, readings=readings, most=MOST_CLASSES
            )
        columns, more = choose(used)
        left_out += more
        classes = classes_of(counted[target]) if classes else classes
        refuse_no_columns(columns, left_out, target)
    plan = Plan(
        table=table,
        n=n,
        split=None,
        target=target,
        columns=tuple(columns),
        readings=readings,
        classes=classes,
        fill={},
        scaling=None,
        left_out=tuple(left_out),
        notes=(),
    )
    split = (
        Split(n, val_fraction, seed, plan.codes() if classes else None) if val_fraction else None
    )
    gaps = _gaps(found, [one.name for one in columns])
    notes += describe_filling(gaps, [one.name for one in columns if one.categories])
    kinds = {target: tuple(classes)} | {one.name: one.categories for one in columns}
    notes += remarks_on_spelling(kinds)
    with_gaps = {gap.name for gap in gaps}
    to_measure = [one for one in columns if in_stream or one.name in with_gaps]
    known = found
    if split is not None or not in_stream:
        known = _of_training_rows(table, [one.name for one in to_measure], split, readings)
    return replace(
        plan,
        split=split,
        fill={name: known[name].moments.mean for name in with_gaps},
        scaling=_scaling(known, columns) if standardize and in_stream else None,
        notes=(*table.notes, *notes),
    )


def _readings(
    table: Blocks, found: dict[str, Facts], options: Table
) -> tuple[dict[str, Reading], list[str]]:
    """How each column is read, and notes. Columns of a stream whose numbers are not plain are surveyed again."""
    notes: list[str] = []
    readings = {name: Reading(facts.dtype) for name, facts in found.items()}
    for name, trouble in table.troubles.items():
        found[name].trouble = trouble
    if table.in_memory:
        return readings, notes
    verdicts = judge_numerals(
        {name: facts.numerals for name, facts in found.items()},
        separator=next(iter(table.read())).separator,
        decimal=options.decimal,
        thousands=options.thousands,
    )
    again = []
    for name, verdict in verdicts.items():
        found[name].trouble = verdict.trouble
        if verdict.form is not None:
            readings[name] = Reading(None, verdict.form)
            again.append(name)
    for name, facts in found.items():
        if facts.dtype.is_temporal() and facts.formats:
            readings[name] = Reading(facts.dtype, None, facts.formats[0])
    if again:
        found.update(survey(table.read(), again, measure=True, readings=readings))
        readings |= {name: readings[name]._replace(dtype=found[name].dtype) for name in again}
    return readings, note_on_numbers(verdicts)


def _with_dates(
    table: Blocks,
    names: list[str],
    found: dict[str, Facts],
    readings: dict[str, Reading],
    how: str,
) -> tuple[Blocks, list[str]]:
    """Replace each column of dates by its features; returns the table and the names of the candidate columns."""
    dates = {name: readings[name] for name in names if readings[name].dtype.is_temporal()}
    first = {name: found[name].low for name in dates}
    columns = [name for name in found if name not in dates]
    table = table.map(lambda block: spread(block, dates, how, first))
    made = [name for name in next(iter(table.read())).frame.columns if name not in columns]
    facts = survey(table.read(), made, measure=not table.in_memory)
    found.update(facts)
    readings.update({name: Reading(one.dtype) for name, one in facts.items()})
    return table, [*(name for name in names if name not in dates), *made]


def _of_training_rows(
    table: Blocks, names: Sequence[str], split: Split | None, readings: Mapping[str, Reading]
) -> dict[str, Facts]:
    """Facts about the training rows; the mean is that of all rows where a column has no value in the training rows."""
    if not names:
        return {}
    trained = table
    if split is not None:
        trained = table.rows(lambda block, first: ~split.rows(first, block.frame.height))
    found = survey(trained.read(), names, measure=True, readings=readings)
    unknown = [name for name, facts in found.items() if facts.nulls == facts.rows]
    if unknown:
        for name, facts in survey(table.read(), unknown, measure=True, readings=readings).items():
            found[name].moments.mean = facts.moments.mean
    return found


def _gaps(found: Mapping[str, Facts], names: Sequence[str]) -> list[Gap]:
    return [gap for name in names if (gap := found[name].gap) is not None]


def _refuse_infinite(facts: Facts, *, is_target: bool) -> None:
    if facts.infinite is not None:
        value, row, count = facts.infinite
        other = "" if is_target else f", or leave the column out with {option('drop')}"
        raise DataError(
            f"Column {facts.name!r} must be finite. Got {value} in data row {row:,} "
            f"({count:,} such values in all); correct them{other}."
        )


def refuse_no_columns(columns: Sequence[Column], left_out: Sequence[LeftOut], target: str) -> None:
    """Raise `DataError` if no column can be used as a feature."""
    if not columns:
        reasons = abridged([f"{out.name} ({out.reason})" for out in left_out])
        how = f"{option('dates', 'parts')} or {option('dates', 'days')}"
        dated = any(out.reason.startswith("holds dates") for out in left_out)
        dates = f"; to learn from dates, use {how}" if dated else ""
        raise DataError(
            f"There must be at least 1 column to learn from besides {target!r}. "
            f"Got none that can be used: {reasons or 'there is no other column'}{dates}."
        )


def _scaling(found: Mapping[str, Facts], columns: Sequence[Column]) -> Scaling:
    """Mean and standard deviation of every feature, after filling missing values."""
    pairs: list[tuple[float, float]] = []
    for one in columns:
        facts = found[one.name]
        if not one.categories:
            moments = facts.moments
            if moments.count:
                pairs.append(moments.scaling(facts.rows - moments.count))
            else:  # no value in the training rows: all are filled with one number
                pairs.append((moments.mean, 1.0))
            continue
        counts = dict(facts.counts)
        counts[MISSING_CATEGORY] = counts.get(MISSING_CATEGORY, 0) + facts.nulls
        for category in one.categories[1:]:
            share = counts.get(category, 0) / facts.rows
            pairs.append((share, math.sqrt(share * (1 - share)) or 1.0))
    mean, scale = np.array(pairs, dtype=np.float64).T
    return Scaling(mean.copy(), scale.copy())
