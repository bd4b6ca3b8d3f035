"""Detecting the format of a text file: its separator, its header, and the lines that are not rows.

The format is detected from the first thousand lines. The separator is the one that splits most of them into the same
number of values. Above the header there may be comments (``#``), Excel's ``sep=;`` and a title; below it a line of units.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from learnrate.data.first_lines import Row, header_of, is_value, looks_like_data
from learnrate.data.options import SEPARATORS, Table
from learnrate.data.sources import Source
from learnrate.errors import DataError

__all__ = ["TextFormat", "detect_format"]

_LINES = 1_000
_BYTES = 1 << 20
_SEPARATOR_BYTES = 1 << 16  # bytes from which the separator is detected


@dataclass(frozen=True)
class TextFormat:
    """How a text file is read.

    Attributes
    ----------
    separator : str
        ``" "`` means any number of blanks.
    names : tuple of str
        Names of the columns.
    skipped : frozenset of int
        Numbers of the lines that are not rows, with those of the header.
    comment : str
        Lines that begin with this are skipped; empty for none.
    columns : tuple of int, optional
        Positions at which columns begin, in a file of fixed columns.
    notes : tuple of str
        Sentences for the user about what was detected.
    header_alone : bool
        Whether only the first line that is not blank is skipped, and it has a name for each value.
    """

    separator: str
    names: tuple[str, ...]
    skipped: frozenset[int]
    comment: str = ""
    columns: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()
    header_alone: bool = False


def detect_format(source: Source, options: Table, usual: str | None) -> TextFormat:
    """Detect the format of a text file.

    Parameters
    ----------
    source : Source
        The file, in UTF-8.
    options : Table
        What the user gave need not be detected.
    usual : str or None
        The separator that the suffix suggests.

    Raises
    ------
    DataError
        If there are no rows, the header repeats a name, or the first line looks like data.
    """
    with source.reading(), source.open() as stream:
        content = stream.read(_BYTES)
        whole = not stream.read(1)
    text = content.decode("utf-8-sig", errors="replace")
    lines = [line.rstrip("\r") for line in text.split("\n")[: _LINES + 1]]
    if not (whole and len(lines) <= _LINES) and len(lines) > 1:
        lines.pop()  # it may be incomplete
    notes: list[str] = []
    skipped = set(range(1, options.skip_lines + 1))
    separator = options.sep
    first = options.skip_lines
    excel = re.fullmatch(r"sep=(.)", lines[first]) if first < len(lines) else None
    if excel:
        separator = separator or excel[1]
        skipped.add(first + 1)
    comment = "#" if options.comment is None else options.comment
    held = {
        n: line
        for n, line in enumerate(lines, start=1)
        if n not in skipped and line.strip(" \t\ufeff")
    }
    hidden = {n for n, line in held.items() if comment and line.startswith(comment)}
    shown = {n: line for n, line in held.items() if n not in hidden}
    if not held:
        raise _blank(source)
    judged = shown if len(shown) >= 2 else held
    separator = separator or _separator(judged.values(), usual)
    columns = None
    if separator == " " and options.sep is None:
        columns = _fixed(list(judged.values()))
    rows = list(_split(judged, separator, columns))
    if not rows:
        raise _blank(source)
    width = _usual_width(rows)
    if options.comment is None:
        hidden, rows = _real_comments(held, hidden, rows, separator, columns, width)
    if hidden:
        skipped |= hidden
        notes.append(f"Lines that begin with {comment!r} are skipped.")
    names, below, header_notes = header_of(rows, width, options, source.label, separator)
    kept = {row.line for row in below}
    for row in rows:
        if row.line not in kept:
            skipped |= set(range(row.line, max(row.line, row.last) + 1))
    notes += header_notes
    if separator != (usual or ",") or usual is None:
        how = "fixed columns" if columns is not None else SEPARATORS.get(separator, repr(separator))
        notes.insert(0, f"Values are separated by {how}." if columns is None else f"Read in {how}.")
    first_row = rows[0]
    alone = (
        options.header is not False
        and not hidden
        and skipped == set(range(first_row.line, first_row.last + 1))
        and first_row.line == min(held)
        and len(first_row.cells) == len(names)
    )
    return TextFormat(
        separator,
        names,
        frozenset(skipped),
        comment if hidden else "",
        columns,
        tuple(notes),
        alone,
    )


def _blank(source: Source) -> DataError:
    return DataError(
        f"{source.label} must hold a header line and rows. Got blank lines alone instead; "
        "check the program that wrote it."
    )


def _split(
    lines: dict[int, str], separator: str, columns: Sequence[int] | None = None
) -> Iterator[Row]:
    """Split lines into rows of values, each with the number of its first line."""
    numbers = list(lines)
    if columns is not None:
        for number, line in lines.items():
            ends = [*columns[1:], None]
            yield Row(number, [line[a:b].strip() for a, b in zip(columns, ends, strict=True)])
        return
    if separator == " ":
        lines = {n: re.sub(r"[ \t]+", " ", line.strip(" \t")) for n, line in lines.items()}
    reader = csv.reader((line + "\n" for line in lines.values()), delimiter=separator)
    before = 0
    try:
        for cells in reader:
            last = numbers[reader.line_num - 1]
            yield Row(numbers[before], [cell.strip() for cell in cells], last)
            before = reader.line_num
    except csv.Error:
        return


def _separator(lines: Iterable[str], usual: str | None) -> str:
    """The separator that splits most lines into the same number of values.

    Among equals it is the usual one, then the one with most values.
    """
    sample: list[str] = []
    size = 0
    for line in itertools.islice(lines, 200):
        sample.append(line)
        size += len(line)
        if size > _SEPARATOR_BYTES and len(sample) >= 20:
            break
    numbered = dict(enumerate(sample, start=1))
    split = {separator: list(_split(numbered, separator)) for separator in SEPARATORS}
    found: dict[str, tuple[float, int]] = {}
    for separator, rows in split.items():
        widths = Counter(len(row.cells) for row in rows)
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        if width > 1:
            found[separator] = count / len(rows), width
    blanks = found.pop(" ", None)
    if found:
        best = max(found, key=lambda s: (round(found[s][0], 2), s == usual, found[s][1]))
        share, width = found[best]
        if share >= 0.5 or len(split[best][0].cells) > 1:
            if blanks is None or blanks[0] < max(share, 0.95) or blanks[1] <= width:
                return best
            cells = [cell for row in split[" "][1:] for cell in row.cells]
            return " " if sum(map(is_value, cells)) >= 0.6 * len(cells) else best
    if blanks is not None and (blanks[0] >= 0.5 or _fixed(sample)):
        return " "
    return usual or ","


def _fixed(lines: Sequence[str]) -> tuple[int, ...] | None:
    """The positions at which fixed columns begin; None if this is not a file of fixed columns.

    It is one if blanks do not split all lines into the same number of values, but are at the same positions in all.
    """
    rows = list(_split(dict(enumerate(lines, start=1)), " "))
    if (
        len({len(row.cells) for row in rows}) == 1
        or len(lines) < 3
        or any("\t" in line for line in lines)
    ):
        return None
    length = max(map(len, lines))
    blank = [all(line[i : i + 1].strip() == "" for line in lines) for i in range(length)]
    starts = [i for i in range(length) if not blank[i] and (i == 0 or blank[i - 1])]
    return tuple(starts) if len(starts) > 1 else None


def _usual_width(rows: Sequence[Row]) -> int:
    widths = Counter(len(row.cells) for row in rows)
    return max(widths, key=lambda width: (widths[width], width), default=1)


def _real_comments(
    held: dict[int, str],
    hidden: set[int],
    rows: list[Row],
    separator: str,
    columns: Sequence[int] | None,
    width: int,
) -> tuple[set[int], list[Row]]:
    """The lines that begin with ``#`` and are comments, not rows or the header; and the rows."""
    if not hidden:
        return hidden, rows
    whole = list(_split(held, separator, columns))
    wide = {row.line for row in whole if row.line in hidden and len(row.cells) == width > 1}
    above = [row for row in whole if row.line in hidden and (not rows or row.line < rows[0].line)]
    if above and rows and looks_like_data(rows[0].cells, rows[1:]):
        last = above[-1]
        cells = [
            cell
            for cell in [last.cells[0].lstrip("#").strip(), *last.cells[1:]]
            if cell or separator != " "
        ]
        if len(cells) == width:
            return hidden - {last.line}, [Row(last.line, cells), *rows]
    if hidden and len(wide) > len(hidden) / 2:
        return set(), whole
    return hidden, rows
