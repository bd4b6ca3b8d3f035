"""What to do with missing values: an error, dropping rows, or filling in."""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence

from learnrate.data.facts import Gap
from learnrate.data.wording import abridged
from learnrate.errors import DataError, not_one_of, option

__all__ = ["Missing", "as_policy", "describe_filling", "judge_gaps"]

_DROP, _MEAN = option("missing", "drop"), option("missing", "mean")
_LEAST_SHARE = 0.05  # it is an error if dropping rows keeps a smaller share of them


class Missing(enum.StrEnum):
    """What to do with missing values."""

    ERROR = "error"
    """Raise an error."""
    DROP = "drop"
    """Drop the rows with missing values."""
    MEAN = "mean"
    """Fill numbers with the mean of the training rows; give missing texts a category ``missing``."""


def as_policy(missing: str) -> Missing:
    """The policy of this name; `OptionError` if there is none."""
    try:
        return Missing(missing)
    except ValueError:
        raise not_one_of(option("missing"), missing, Missing) from None


def judge_gaps(
    gaps: Sequence[Gap],
    policy: Missing,
    *,
    target: str,
    columns: int,
    rows: int,
    with_target: int,
    complete: int,
) -> list[str]:
    """Check the missing values against the policy; returns notes on the rows that are dropped.

    Parameters
    ----------
    gaps : sequence of Gap
        The missing values of each column.
    policy : Missing
        What to do with them.
    target : str
        Name of the target.
    columns, rows : int
        Number of columns and rows.
    with_target, complete : int
        Number of rows that have a target, and of those that have all values.

    Raises
    ------
    DataError
        If values are missing and the policy is an error, or too few rows would be left.
    """
    if policy is Missing.ERROR and gaps and gaps[0].name == target and with_target >= 2:
        _, count, row = gaps[0]
        drop = complete >= max(2, _LEAST_SHARE * with_target)
        advice = f"{_DROP} leaves these rows out, and keeps {complete:,}" if drop else ""
        if len(gaps) > 1 or not drop:
            mean = f"{_MEAN} leaves them out, fills what features lack, and keeps {with_target:,}"
            advice = f"{advice}; {mean}" if advice else mean
        raise DataError(
            f"The target {target!r} must have a value in every row; it is never filled in. Got none in {count:,} of "
            f"{rows:,} rows, first in data row {row:,}; {advice}."
        )
    if policy is Missing.ERROR and gaps and with_target >= 2:
        described = [f"{name} ({count:,}, first in data row {row:,})" for name, count, row in gaps]
        raise DataError(
            f"There must be no missing values. Got some in {len(gaps)} of {columns} columns: "
            f"{abridged(described)}; use {_MEAN} to fill them in, or {_DROP}, which would keep {complete:,} of {rows:,} rows."
        )
    kept = complete if policy is Missing.DROP else with_target
    if with_target < 2:
        raise DataError(
            f"The target {target!r} must have values in at least 2 rows. Got {with_target} of "
            f"{rows:,}; choose another."
        )
    if kept < max(2, _LEAST_SHARE * with_target):
        most = sorted(gaps, key=lambda gap: -gap.number)
        described = [f"{name} ({count:,})" for name, count, _ in most]
        raise DataError(
            f"{_DROP} must leave at least 2 rows and {100 * _LEAST_SHARE:g} % of those with a "
            f"target. Got {kept:,} of {rows:,} rows, for values are missing in {abridged(described)}; use "
            f"{_MEAN} instead."
        )
    notes = []
    if without := rows - with_target:
        notes.append(f"{without:,} of {rows:,} rows dropped: the target {target!r} is missing.")
    if incomplete := with_target - kept:
        notes.append(f"{incomplete:,} of {rows:,} rows dropped: a feature is missing.")
    return notes


def describe_filling(gaps: Sequence[Gap], texts: Collection[str]) -> list[str]:
    """Notes on the values that are filled in; ``texts`` are the columns of text."""
    notes = []
    means = [f"{name} ({count:,})" for name, count, _ in gaps if name not in texts]
    if means:
        notes.append(
            f"Missing numbers filled with the mean of the training rows: {abridged(means)}."
        )
    own = [f"{name} ({count:,})" for name, count, _ in gaps if name in texts]
    if own:
        notes.append(f"Missing texts made a category of their own, 'missing': {abridged(own)}.")
    return notes
