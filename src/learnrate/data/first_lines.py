"""The first lines of a table: a title above the header, the header, and units below it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from learnrate.data.frames import refuse_repeated
from learnrate.data.options import Table
from learnrate.data.text import MISSING
from learnrate.data.wording import abridged, shortened
from learnrate.errors import DataError, option

__all__ = ["Row", "header_of", "is_value", "looks_like_data"]

_NUMBER = re.compile(r"[-+−]?(\d[\d.,'’_ \u00a0]*|[.,]\d+)([eE][-+]?\d+)?%?")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?")


@dataclass(frozen=True)
class Row:
    """The values of a row, and the number of its line from 1; ``last`` is that of its last line, if it has several."""

    line: int
    cells: list[str]
    last: int = 0


def header_of(
    rows: Sequence[Row], width: int, options: Table, label: str, separator: str = "\t"
) -> tuple[tuple[str, ...], list[Row], list[str]]:
    """The names of the columns, the rows below them, and notes.

    Parameters
    ----------
    rows : sequence of Row
        The first lines of the file without comments.
    width : int
        The usual number of values.
    options : Table
        The user's options.
    label : str
        The name of the file in messages.
    separator : str
        The separator.

    Raises
    ------
    DataError
        If the header has not one name for each column, repeats a name, or looks like data.
    """
    notes: list[str] = []
    below = list(rows)
    if options.header is False:
        notes.append(f"No header: the columns are called column_1 to column_{width}.")
        return tuple(f"column_{number}" for number in range(1, width + 1)), below, notes
    if not _ends_or_row_names(below, width, separator):
        first = next(i for i, row in enumerate(below) if _is_wide(row.cells, width))
        if first and _numbers(below[first].cells):
            _refuse_header(below, first, width, label)
        while len(below) > first + 2 and _is_title(below[first].cells, below[first + 1].cells):
            first += 1
        if first:
            titles = [shortened(" ".join(filter(None, row.cells)), 40) for row in below[:first]]
            lines = "Line" if first == 1 else "Lines"
            notes.append(f"{lines} above the header skipped: {abridged(titles, 2)}.")
        below = below[first:]
    header, below = below[0], below[1:]
    cells = header.cells[:width]
    if len(cells) < width:
        if all(row.cells[-1] == "" for row in below if len(row.cells) == width):
            cells = [*cells, ""]  # each row ends in a separator
        else:
            cells = ["row names", *cells]  # as R writes tables
            notes.append(
                "The first value of each row is read as the row's name: the header has one name fewer."
            )
    if options.header is None:
        _refuse_data_as_names(header, below, label, notes)
    names = tuple(
        " ".join(cell.split()) or f"column_{number}" for number, cell in enumerate(cells, start=1)
    )
    refuse_repeated(names, f"The header of {label}")
    if below and len(below) > 2 and _are_units(below[0].cells, below[1:]):
        notes.append(f"Line {below[0].line} is read as units: {', '.join(below[0].cells)[:60]}.")
        below = below[1:]
    return names, below, notes


def _is_wide(cells: Sequence[str], width: int) -> bool:
    """Whether a line has the usual number of values, without separators at its end."""
    return len(cells) >= width and not any(cells[width:])


def _ends_or_row_names(rows: Sequence[Row], width: int, separator: str) -> bool:
    """Whether the rows have one value more than the header: an empty one, or the row's name, as R writes tables."""
    wide = [row for row in rows[1:] if len(row.cells) == width]
    if (
        len(rows[0].cells) != width - 1
        or len(wide) <= (len(rows) - 1) / 2
        or width < 3
        or _numbers(rows[0].cells)
    ):
        return False
    return separator in " \t" or all(row.cells[-1] == "" for row in wide)


def _refuse_header(rows: Sequence[Row], first: int, width: int, label: str) -> None:
    """Raise `DataError` for a header that has not one name for each value of the rows below it."""
    header = rows[first - 1]
    bare = f" {option('no_header')} (for columns called column_1 to column_{width})"
    raise DataError(
        f"{label} must have as many names as values. Got {len(header.cells)} names in line {header.line}, "
        f"{shortened(', '.join(header.cells), 50)}, and {width} values in most lines below; correct that line, or use "
        f"{option('skip_lines', str(rows[first].line - 1))}{bare} if it is no header."
    )


def _is_title(cells: Sequence[str], following: Sequence[str]) -> bool:
    """Whether a line of the usual width is a title: it is mostly empty, and the next line could be the header."""
    filled = sum(bool(cell) for cell in cells)
    return (
        len(following) == len(cells) > 1
        and filled <= len(cells) / 2
        and not _numbers([*cells, *following])
    )


def _numbers(cells: Sequence[str]) -> int:
    return sum(bool(_NUMBER.fullmatch(cell)) for cell in cells)


def is_value(cell: str) -> bool:
    """Whether a cell is a number, a date or a missing value."""
    return cell in MISSING or bool(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell))


def _refuse_data_as_names(header: Row, below: Sequence[Row], label: str, notes: list[str]) -> None:
    """Raise `DataError` if the first line looks like data; for consecutive numbers or years only add a note."""
    cells = header.cells
    numbers = [cell for cell in cells if is_value(cell) and cell not in MISSING]
    data = looks_like_data(cells, below)
    if (data and not _count(numbers)) or (len(numbers) > 1 and not _rise(numbers)):
        shown = ", ".join(cells[:3]) + (", …" if len(cells) > 3 else "")
        bare = (
            f" {option('no_header')}"
            if below and looks_like_data(below[0].cells, below[1:])
            else ""
        )
        raise DataError(
            f"{label} must begin with a line that names the columns. Got {shown} in line {header.line} instead, "
            f"which looks like data; use {option('no_header')} if it is (for columns called column_1 to column_{len(cells)}), "
            f"{option('skip_lines', str(header.line))}{bare} if it is neither, {option('header')} if these are the names, or add a line of names."
        )
    if data:
        notes.append(
            f"Line {header.line} is read as column names ({abridged(numbers, 3)}); if it is data, use the option no-header."
        )


def _rise(cells: Sequence[str]) -> bool:
    """Whether the numbers in a header are whole and increasing."""
    if not all(cell.isdigit() for cell in cells):
        return False
    return all(int(a) < int(b) for a, b in itertools.pairwise(cells))


def _count(cells: Sequence[str]) -> bool:
    """Whether the numbers in a header number the columns from 0 or 1, or are equally spaced years."""
    if len(cells) < 2 or not _rise(cells):
        return False
    steps = {int(b) - int(a) for a, b in itertools.pairwise(cells)}
    years = all(1500 <= int(cell) <= 2500 for cell in cells)
    return len(steps) == 1 and (years or (steps == {1} and int(cells[0]) in (0, 1)))


def looks_like_data(cells: Sequence[str], below: Sequence[Row]) -> bool:
    """Whether a line looks like those below it: numbers in the same columns, or texts that occur below too."""
    for place, cell in enumerate(cells):
        if cell in MISSING or not is_value(cell):
            continue
        column = (row.cells[place] for row in below[:200] if len(row.cells) == len(cells))
        known = [value for value in column if value not in MISSING]
        if known and all(map(is_value, known)):
            return all(
                is_value(c)
                or c == ""
                or _comes_again(c, below, j, len(cells))
                or _free(below, j, len(cells))
                for j, c in enumerate(cells)
            )
    return (
        not any(map(is_value, cells))
        and len(below) > 2
        and all(_comes_again(cell, below, place, len(cells)) for place, cell in enumerate(cells))
    )


def _comes_again(cell: str, below: Sequence[Row], place: int, width: int) -> bool:
    return any(row.cells[place] == cell for row in below if len(row.cells) == width)


def _free(below: Sequence[Row], place: int, width: int) -> bool:
    """Whether a column holds many different texts, so that its name cannot be told from them."""
    texts = [row.cells[place] for row in below if len(row.cells) == width]
    return bool(texts) and not all(map(is_value, texts)) and len(set(texts)) > len(texts) / 2


def _are_units(cells: Sequence[str], below: Sequence[Row]) -> bool:
    """Whether a line holds units: at least two texts, or one in brackets, in columns of numbers."""
    numeric = texts = 0
    for place, cell in enumerate(cells):
        column = (row.cells[place] for row in below[:200] if len(row.cells) == len(cells))
        if all(_NUMBER.fullmatch(value) for value in column if value not in MISSING):
            numeric += 1
            if _NUMBER.fullmatch(cell):
                return False
            texts += cell not in MISSING
    bracketed = any(cell[:1] in "[(" for cell in cells if cell)
    return numeric >= 2 and (texts >= 2 or (texts == 1 and bracketed))
