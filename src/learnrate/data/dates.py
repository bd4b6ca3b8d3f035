"""Features from dates: the parts of a date, or the days since the first date."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from learnrate.data.blocks import Reading, TableBlock
from learnrate.data.frames import Series

__all__ = ["features_of_dates", "spread"]

_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def spread(
    block: TableBlock, dates: Mapping[str, Reading], how: str, first: Mapping[str, Any]
) -> TableBlock:
    """Replace each column of dates in a block by columns of features.

    Parameters
    ----------
    block : TableBlock
        Rows of the table.
    dates : mapping of str to Reading
        The columns of dates, and how they are read.
    how : {"parts", "days"}
        Which features: see `features_of_dates`.
    first : mapping of str to date
        The first date of each column.
    """
    frame = block.frame
    for name, reading in dates.items():
        values = block.column(name, reading)
        parts = features_of_dates(values, name, how, first[name])
        if name in frame.columns:
            frame = frame.drop(name)
        for part in parts:
            while part.name in frame.columns:  # the table has a column of this name
                part = part.alias(f"{part.name}'")
            frame = frame.with_columns(part)
    return replace(block, frame=frame)


def features_of_dates(values: Series, name: str, how: str, first: Any) -> list[Series]:
    """The features of a column of dates.

    With ``"parts"``: the year; ``sin`` and ``cos`` of the month's angle ``2π (month − 1)/12``, so that December is near
    January; the weekday, as text; and for times ``sin`` and ``cos`` of the hour's angle. With ``"days"``: the days
    since ``first``.
    """
    import polars as pl

    timed = values.dtype == pl.Datetime
    if values.dtype == pl.Time:
        hours = values.cast(pl.Int64) / 3.6e12
        return _cycle(hours, 24, f"{name} hour")
    if how == "days":
        since = (values - first).dt.total_microseconds() / 86_400e6
        return [since.alias(f"{name} days")]
    weekday = values.dt.weekday().replace_strict(
        dict(enumerate(_WEEKDAYS, start=1)), return_dtype=pl.String
    )
    parts = [
        values.dt.year().cast(pl.Float64).alias(f"{name} year"),
        *_cycle((values.dt.month() - 1).cast(pl.Float64), 12, f"{name} month"),
        weekday.alias(f"{name} weekday"),
    ]
    if timed:
        hours = values.dt.hour().cast(pl.Float64) + values.dt.minute().cast(pl.Float64) / 60
        parts += _cycle(hours, 24, f"{name} hour")
    return parts


def _cycle(values: Series, period: int, name: str) -> list[Series]:
    angle = values * (2 * math.pi / period)
    return [angle.sin().alias(f"{name} sin"), angle.cos().alias(f"{name} cos")]
