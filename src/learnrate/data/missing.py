"""Missing values: refused, dropped with their rows, or filled in."""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from learnrate._shapes import Array, Bool, Float
from learnrate.data.frames import Frame, nameless
from learnrate.data.wording import abridged
from learnrate.errors import DataError, OptionError, did_you_mean

__all__ = [
    "Gap",
    "Missing",
    "as_policy",
    "describe_filling",
    "filled",
    "judge_gaps",
    "notes_on_filling",
    "rows_to_keep",
]

_LEAST_SHARE = 0.05  # `--missing drop` that keeps less than this of the rows is refused


class Missing(enum.StrEnum):
    """What to do about missing values."""

    ERROR = "error"
    """Refuse them."""
    DROP = "drop"
    """Drop the rows that have one."""
    MEAN = "mean"
    """Fill numbers with the mean of the training rows; give texts a category ``missing``."""


def as_policy(missing: str) -> Missing:
    """The policy of that name; raises `OptionError` if there is none."""
    try:
        return Missing(missing)
    except ValueError:
        raise OptionError(
            f"missing must be one of {', '.join(Missing)}. Got {missing!r} instead."
            + did_you_mean(str(missing), list(Missing))
        ) from None


class Gap(NamedTuple):
    """What is missing in a column: how often, and the first row, counted from 1."""

    name: str
    number: int
    row: int


def _missing_in(frame: Frame, names: Sequence[str]) -> list[Gap]:
    """The columns where something is missing."""
    found = []
    for name in names:
        values = nameless(frame, name)
        if values.null_count():
            gaps = values.is_null().arg_true()
            found.append(Gap(name, len(gaps), int(gaps[0]) + 1))
    return found


def rows_to_keep(
    frame: Frame, target: str, features: Sequence[str], policy: Missing
) -> tuple[Bool[Array, " n"], list[str]]:
    """Which rows to train on, and what to say of the others.

    Raises
    ------
    DataError
        If values are missing and may not be, or too few rows would be left.
    """
    names = [target, *features]
    gaps = _missing_in(frame, names)
    has_target = _present(frame, [target])
    complete = _present(frame, names)
    notes = judge_gaps(
        gaps,
        policy,
        target=target,
        columns=len(names),
        rows=frame.height,
        with_target=int(has_target.sum()),
        complete=int(complete.sum()),
    )
    return complete if policy is Missing.DROP else has_target, notes


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
    """What to say of the rows that are dropped, from what is missing in so many columns and rows.

    Raises
    ------
    DataError
        As in `rows_to_keep`.
    """
    if policy is Missing.ERROR and gaps:
        described = [f"{name} ({count:,}, first in data row {row:,})" for name, count, row in gaps]
        raise DataError(
            f"There must be no missing values. Got some in {len(gaps)} of {columns} columns: "
            f'{abridged(described)}; use --missing mean to fill them in (in Python: missing="mean"), or '
            f"--missing drop, which would keep {complete:,} of {rows:,} rows."
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
            f"--missing drop must leave at least 2 rows and {100 * _LEAST_SHARE:g} % of those with a "
            f"target. Got {kept:,} of {rows:,} rows, for values are missing in {abridged(described)}; use "
            '--missing mean instead (in Python: missing="mean").'
        )
    notes = []
    if without := rows - with_target:
        notes.append(f"{without:,} of {rows:,} rows dropped: the target {target!r} is missing.")
    if incomplete := with_target - kept:
        notes.append(f"{incomplete:,} of {rows:,} rows dropped: a feature is missing.")
    return notes


def _present(frame: Frame, names: Sequence[str]) -> Bool[Array, " n"]:
    """Whether a row has a value in all of these columns."""
    present = np.ones(frame.height, dtype=np.bool_)
    for name in names:
        values = nameless(frame, name)
        if values.null_count():
            present &= values.is_not_null().to_numpy()
    return present


def notes_on_filling(frame: Frame, features: Sequence[str], texts: Collection[str]) -> list[str]:
    """What to say of the values that are filled in; ``texts`` are the features that are text."""
    return describe_filling(_missing_in(frame, features), texts)


def describe_filling(gaps: Sequence[Gap], texts: Collection[str]) -> list[str]:
    """The same, from what is missing."""
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


def filled(values: Float[Array, " n"], train: Any) -> Float[Array, " n"]:
    """``values`` with the mean of the training rows, which ``train`` selects, in place of NaN."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    known = values[train][~missing[train]]
    if not known.size:  # all of its values were held out
        known = values[~missing]
    return np.where(missing, known.mean(), values)
