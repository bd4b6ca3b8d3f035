"""CSV and TSV: read as text by Polars, then typed column by column.

Polars reads text at full speed and is strict; what went wrong is found afterwards, by a slow second
reading that only a broken file pays for.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from learnrate.data.frames import Frame, nameless, refuse_repeated
from learnrate.data.sources import Source, reading
from learnrate.data.text import typed
from learnrate.errors import DataError

__all__ = [
    "SEPARATORS",
    "header",
    "read_delimited",
    "refuse_other_bytes",
    "refuse_ragged",
    "refuse_wrong_encoding",
]

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def read_delimited(source: Source, separator: str) -> Frame:
    """Read a table whose first line names the columns.

    A file without the usual separator in its first line is read by the one that is there (``;``, tab or
    ``|``); with ``;``, numbers may have a decimal comma. Lines that hold nothing are passed over.

    Raises
    ------
    DataError
        If it is not UTF-8, has no header or no rows, repeats a name, or a line has too few or too many
        values; the message names the line.
    """
    import polars as pl

    refuse_other_bytes(source)
    names, separator = header(source, separator)
    try:
        with reading(
            source.label, f"a table whose values are separated by {SEPARATORS[separator]}"
        ):
            content = source.content if isinstance(source.content, bytes | Path) else source.open()
            frame = pl.read_csv(content, separator=separator, infer_schema=False, glob=False)
            if frame.width != len(names):
                raise ValueError(f"{frame.width} columns, {len(names)} names")
    except DataError:
        refuse_wrong_encoding(source)
        refuse_ragged(source, separator, len(names))
        raise
    frame.columns = names
    if frame.width > 1 and frame.to_series(-1).null_count():
        # Polars fills a short line up with nulls, so only here may one have slipped through.
        refuse_ragged(source, separator, len(names))
        frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
    if not frame.height:
        raise DataError(
            f"{source.label} must hold rows below its header. Got the header alone "
            f"({len(names)} names); check the program that wrote it."
        )
    decimal_comma = separator == ";"
    return pl.DataFrame(
        [typed(nameless(frame, name), decimal_comma=decimal_comma).alias(name) for name in names]
    )


def refuse_other_bytes(source: Source) -> None:
    """Raise for what the first bytes give away: UTF-16, a binary file, line ends of old Macs."""
    with source.open() as stream:
        start = stream.read(1 << 16)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in start:
        raise DataError(
            f"{source.label} must be text in UTF-8. Got UTF-16 or a binary file instead; "
            "save it as 'CSV UTF-8', or name it by what it is."
        )
    if b"\r" in start and b"\n" not in start:
        raise DataError(
            f"{source.label} must end its lines with a line feed. Got carriage returns alone instead; "
            "save it again with the line ends of Unix or Windows."
        )


def refuse_wrong_encoding(source: Source) -> None:
    """Raise `DataError` that names the first line that is not UTF-8."""
    with source.open() as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{source.label} must be text in UTF-8. Got the byte 0x{line[error.start]:02X} at "
                    f"position {error.start + 1} of line {number}; save it as UTF-8, for instance with: "
                    "iconv -f latin1 -t utf-8"
                ) from None


def _rows(source: Source, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Lines that hold something, as values, each with the number of the line where it begins."""
    with source.open() as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
        reader = csv.reader(text, delimiter=separator)
        begins = 1
        try:
            for row in reader:
                if row:
                    yield begins, row
                begins = reader.line_num + 1
        except csv.Error as error:
            raise DataError(
                f"{source.label} must be a well-formed table. Got trouble in or after line {begins} "
                f"instead ({error}); look for a quotation mark that is never closed."
            ) from error


def header(source: Source, usual: str) -> tuple[list[str], str]:
    """Column names and the separator that is in use."""
    with source.open() as stream:
        lines = (line for line in stream if line.strip(b"\r\n\xef\xbb\xbf"))
        line = next(lines, b"").decode(errors="replace")
    counts = {separator: line.count(separator) for separator in (usual, *SEPARATORS)}
    separator = usual if counts[usual] else max(counts, key=lambda s: counts[s])
    cells = next(_rows(source, separator), (1, []))[1]
    if not cells:
        raise DataError(
            f"{source.label} must hold a header line and rows. Got blank lines alone instead; "
            "check the program that wrote it."
        )
    if "\ufffd" in "".join(cells):
        refuse_wrong_encoding(source)
    names = [
        " ".join(cell.split()) or f"column {place}" for place, cell in enumerate(cells, start=1)
    ]
    _refuse_numbers_as_names(source, names)
    refuse_repeated(names, f"The header of {source.label}")
    return names, separator


def _refuse_numbers_as_names(source: Source, names: list[str]) -> None:
    """Raise if the first line is data; whole numbers may be names (0, 1, … of pandas, years)."""
    try:
        [float(name) for name in names]
    except ValueError:
        return
    if not all(name.isdigit() for name in names) or len(set(names)) < len(names):
        raise DataError(
            f"{source.label} must begin with a line that names the columns. Got the numbers "
            f"{', '.join(names[:3])}{', …' if len(names) > 3 else ''} instead; add a header line."
        )


def refuse_ragged(source: Source, separator: str, width: int) -> None:
    """Raise `DataError` that names the first line with too few or too many values."""
    for line, row in _rows(source, separator):
        if len(row) != width:
            raise DataError(
                f"{source.label} must have {width} values in every line, one for each name in its "
                f"header. Got {len(row)} in line {line}; mend that line (a text that holds the "
                "separator needs quotation marks)."
            )
