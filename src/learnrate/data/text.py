"""What a column of texts means: numbers, truth values, dates, or categories."""

from __future__ import annotations

from learnrate.data.frames import Series

__all__ = ["MISSING", "first_not_a_number", "stripped", "typed"]

MISSING = (
    *("", "?", ".", "NA", "N/A", "n/a", "na", "#N/A", "#NA", "<NA>", "NaN", "nan", "-nan", "NAN"),
    *("null", "NULL", "Null", "none", "None", "NONE"),
)
"""Texts that stand for a missing value in a text file, spaces around them aside."""


def typed(text: Series, *, decimal_comma: bool = False) -> Series:
    """The column in the narrowest type that holds every value of it.

    Tried in turn: whole numbers, numbers, ``true``/``false``, dates and times; what fits none of
    these stays text, without the spaces around it. `MISSING` texts become nulls.

    Parameters
    ----------
    text : Series of String
        As it stands in the file.
    decimal_comma : bool
        Also read ``1,5`` as 1.5, in a column where every number is written with commas or none.
    """
    import polars as pl

    number = _numbers(text)
    if number is not None:
        return number
    text = stripped(text)
    number = _numbers(text)
    if number is None and decimal_comma:
        number = _numbers(text.str.replace(",", ".", literal=True))
    if number is not None:
        return number
    lower = text.str.to_lowercase()
    if lower.is_in(["true", "false"]).all():
        return (lower == "true").cast(pl.Boolean)
    dates = _dates(text)
    return text if dates is None else dates


def stripped(text: Series) -> Series:
    """Without the spaces around it; `MISSING` texts become nulls."""
    text = text.str.strip_chars()
    return text.set(text.is_in(list(MISSING)), None)


def first_not_a_number(text: Series) -> tuple[int, int] | None:
    """Index of the first value that is no number, and how many such values there are."""
    import polars as pl

    bad = (text.is_not_null() & text.cast(pl.Float64, strict=False).is_null()).arg_true()
    return (int(bad[0]), len(bad)) if len(bad) else None


def _numbers(text: Series) -> Series | None:
    """Int64, or else Float64, if that loses no value."""
    import polars as pl

    for dtype in (pl.Int64(), pl.Float64()):
        for some in (text.head(100), text):  # the head tells most columns of another type at once
            number = some.cast(dtype, strict=False)
            if number.null_count() > some.null_count():
                break
        else:
            return number
    return None


def _dates(text: Series) -> Series | None:
    """Date, Datetime or Time, if every value reads as one; Polars guesses the form from the first."""
    import polars as pl

    first = str(text.drop_nulls().first())
    if not (first[:1].isdigit() and any(mark in first for mark in "-/:")):
        return None
    for parse in (text.str.to_date, text.str.to_datetime, text.str.to_time):
        try:
            dates = parse(strict=False)
        except pl.exceptions.ComputeError:  # it knows no form that fits the first value
            continue
        if dates.null_count() == text.null_count():
            return dates
    return None
