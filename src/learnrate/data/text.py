"""The type of a column of texts: numbers, truth values, dates, or categories."""

from __future__ import annotations

from collections.abc import Iterable

from learnrate.data.frames import Series

__all__ = [
    "MISSING",
    "date_formats",
    "first_not_a_number",
    "meaning",
    "plain_numbers",
    "stripped",
]

MISSING = (
    *("", "?", ".", "NA", "N/A", "n/a", "na", "#N/A", "#NA", "<NA>", "NaN", "nan", "-nan", "NAN"),
    *("null", "NULL", "Null", "none", "None", "NONE"),
)
"""Texts that mean a missing value in a text file, also with spaces around them."""

_DAYS = (
    *(
        "%Y-%m-%d",
        "%Y/%m/%d",
        "%Y.%m.%d",
        "%d.%m.%Y",
        "%d/%m/%Y",
        "%m/%d/%Y",
        "%d-%m-%Y",
        "%m-%d-%Y",
    ),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%b %d %Y", "%b %d, %Y", "%B %d %Y", "%B %d, %Y"),
    *("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y"),
)
_TIMES = (
    " %H:%M:%S",
    " %H:%M",
    "T%H:%M:%S",
    "T%H:%M",
    " %H:%M:%S%.f",
    "T%H:%M:%S%.f",
    " %I:%M %p",
    " %I:%M:%S %p",
)
_DATE_LIKE = r"^(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}[- ]\p{L}{3,9}[- ]\d{2,4}|\p{L}{3,9} \d{1,2},? \d{4})(?:[T ,].*)?$"


def plain_numbers(text: Series) -> tuple[Series | None, Series]:
    """The values of a column that holds only numbers, else None; and the text, `stripped` if that was necessary."""
    number = _numbers(text)
    if number is None:
        text = stripped(text)
        number = _numbers(text)
    if number is not None and number.dtype.is_float() and number.is_nan().any():
        number = number.fill_nan(None)
    return number, text


def meaning(text: Series, formats: Iterable[str] | None = None) -> Series:
    """The values of a `stripped` column that does not hold numbers: truth values, dates, times, or the text itself."""
    import polars as pl

    first = str(text.drop_nulls().first())
    if first.casefold() in ("true", "false"):
        lower = text.str.to_lowercase()
        if lower.is_in(["true", "false"]).all():
            return (lower == "true").cast(pl.Boolean)
    if formats is None:
        formats = date_formats(text)
    for form in formats:
        return _dates(text, form)
    if first[:1].isdigit() and any(mark in first for mark in "-:"):
        for parse in (text.str.to_datetime, text.str.to_time):  # with zones, and times of day
            try:
                found = parse(strict=False)
            except pl.exceptions.ComputeError:  # no format fits the first value
                continue
            if found.null_count() == text.null_count():
                return found
    return text


def date_formats(text: Series) -> list[str]:
    """The date formats that fit every value: several where day and month cannot be told apart."""
    head = text.drop_nulls().head(100)
    if not len(head) or not head.str.contains(_DATE_LIKE).all():
        return []
    fits = []
    clock = head.str.contains(":").any()
    long_years = head.str.contains(r"(?:^|\D)\d{4}(?:\D|$)").all()
    if not long_years and not head.str.contains(r"\D\d{2}(?:[ T]|$)").all():
        return []
    for day in _DAYS:
        if ("%Y" in day) != long_years:
            continue
        for form in (day + time for time in _TIMES) if clock else (day,):
            if all(_dates(some, form).null_count() == some.null_count() for some in (head, text)):
                fits.append(form)
                break
    return fits


def _dates(text: Series, form: str) -> Series:
    if any(time in form for time in ("%H", "%I")):
        return text.str.to_datetime(form, strict=False)
    return text.str.to_date(form, strict=False)


def stripped(text: Series) -> Series:
    """The text without spaces around it; `MISSING` texts become null."""
    text = text.str.strip_chars()
    return text.set(text.is_in(list(MISSING)), None)


def first_not_a_number(text: Series) -> tuple[int, int] | None:
    """Index of the first value that is not a number, and how many there are; None if there are none."""
    import polars as pl

    bad = (text.is_not_null() & text.cast(pl.Float64, strict=False).is_null()).arg_true()
    return (int(bad[0]), len(bad)) if len(bad) else None


def _numbers(text: Series) -> Series | None:
    """The column as Int64, Int128 or Float64, the first that loses no value; None if it is not all numbers."""
    import polars as pl

    for dtype in (pl.Int64(), pl.Int128(), pl.Float64()):
        for some in (text.head(100), text):  # try the head first, which is fast
            number = some.cast(dtype, strict=False)
            if number.null_count() > some.null_count():
                break
        else:
            return number
    return None
