"""Reading text files of rows. All values are read as text; `learnrate.data.text` and others give them types later.

The fast readers of Polars and PyArrow only fail on a broken file. The error message comes from a slow second reading.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from learnrate.data.blocks import TableBlock, cut
from learnrate.data.encodings import as_utf8, refuse_wrong_encoding
from learnrate.data.frames import Frame
from learnrate.data.options import SEPARATORS, Table
from learnrate.data.sources import TEXT_BYTES, Source, parsing
from learnrate.data.text_format import TextFormat, detect_format
from learnrate.errors import DataError

__all__ = ["read_delimited"]


def read_delimited(
    source: Source, rows: int | None, options: Table, notes: list[str], *, usual: str | None
) -> Iterator[TableBlock]:
    """Read a text file whose lines are rows. Blank lines are skipped.

    Raises
    ------
    DataError
        If it is not text, has no header or no rows, repeats a name, or a line has too few or too many values; the
        message gives the line.
    """
    import polars as pl

    source, said = as_utf8(source, options.encoding)
    text_format = detect_format(source, options, usual)
    notes += said
    notes += text_format.notes
    cleaned = _cleaned(source, text_format)
    separator = "\t" if text_format.separator == " " else text_format.separator
    width = len(text_format.names)
    expected = f"a table whose values are separated by {SEPARATORS.get(text_format.separator, text_format.separator)}"
    read = _whole if rows is None else _batches
    found = False
    try:
        with parsing(source.label, expected):
            for frame in read(cleaned, separator, text_format, header=cleaned is source):
                if frame.width != width:
                    raise ValueError(f"{frame.width} columns, {width} names")
                frame.columns = text_format.names
                if width > 1 and frame.to_series(-1).null_count():
                    # Polars fills short lines with nulls, so there may be one.
                    _refuse_ragged(cleaned, separator, width)
                    frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
                found = found or frame.height > 0
                yield from cut(frame, rows, untyped=True, separator=text_format.separator)
    except DataError:
        with source.reading():
            refuse_wrong_encoding(source)
            _refuse_ragged(cleaned, separator, width)
        raise
    if not found:
        raise DataError(
            f"{source.label} must hold rows below its header. Got the header alone "
            f"({width} names); check the program that wrote it."
        )


def _whole(
    source: Source, separator: str, text_format: TextFormat, *, header: bool
) -> Iterator[Frame]:
    """Read the whole table with Polars."""
    import polars as pl

    options: dict[str, Any] = {"separator": separator, "infer_schema": False, "glob": False}
    plain = source.path is not None and not source.compression
    opened: Any = nullcontext(source.path) if plain else source.open()
    with opened as content:
        if header:
            yield pl.read_csv(content, **options)
            return
        names = dict.fromkeys(text_format.names, pl.String)
        text = content.read().lstrip(
            b"\r\n"
        )  # a blank first line would give Polars too few columns
        yield (
            pl.read_csv(text, has_header=False, schema=names, **options)
            if text
            else pl.DataFrame(schema=names)
        )


def _batches(
    source: Source, separator: str, text_format: TextFormat, *, header: bool
) -> Iterator[Frame]:
    """Read the table in batches with PyArrow, which can read any stream so."""
    import polars as pl
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names = list(text_format.names)
    with source.open() as stream:
        reader = arrow_csv.open_csv(
            stream,
            # The names come from text_format; a header line is skipped.
            arrow_csv.ReadOptions(
                use_threads=False,
                block_size=TEXT_BYTES,
                column_names=names,
                skip_rows_after_names=1 if header else 0,
            ),
            arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
        for batch in reader:
            columns = zip(names, batch.columns, strict=True)
            frame = pl.DataFrame(
                [pl.Series(name, pl.from_arrow(values)) for name, values in columns]
            )
            if frame.width > 1:  # drop lines of separators alone, as `_whole` does
                frame = frame.filter(~pl.all_horizontal(pl.all() == ""))
            yield frame


def _cleaned(source: Source, text_format: TextFormat) -> Source:
    """The file with its lines cleaned by `_CleanedLines`; the file itself, if that changes nothing."""
    plain = text_format.separator != " " and not text_format.comment and text_format.header_alone
    if plain:
        return source
    return replace(
        source,
        opener=lambda: io.BufferedReader(_CleanedLines(source.open(), text_format), 1 << 16),
        compression="",
        path=None,
    )


class _CleanedLines(io.RawIOBase):
    """A stream of the lines of a file, with values separated by one character.

    Lines that are not rows are blank, so that line numbers stay the same.
    """

    def __init__(self, stream: Any, text_format: TextFormat) -> None:
        self._stream, self._format = stream, text_format
        self._line, self._rest, self._ready = 0, b"", b""
        self._last = max(text_format.skipped, default=0)

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not self._ready:
            some = self._stream.read(TEXT_BYTES)
            whole, end, self._rest = (
                (self._rest + some).rpartition(b"\n") if some else (self._rest, b"", b"")
            )
            if whole or end:
                self._ready = self._change(whole) + end
            if not some:
                break
        count = min(len(into), len(self._ready))
        into[:count], self._ready = self._ready[:count], self._ready[count:]
        return count

    def _change(self, content: bytes) -> bytes:
        text_format = self._format
        if self._line == 0:
            content = content.removeprefix(b"\xef\xbb\xbf")
        if (
            text_format.separator != " "
            and not text_format.comment
            and self._line >= max(1, self._last)
        ):
            return content
        comment = text_format.comment.encode()
        lines = content.split(b"\n")
        for i, line in enumerate(lines):
            self._line += 1
            if self._line in text_format.skipped or (comment and line.startswith(comment)):
                lines[i] = b""
            elif text_format.separator == " ":
                lines[i] = self._by_tabs(line)
        return b"\n".join(lines)

    def _by_tabs(self, line: bytes) -> bytes:
        if self._format.columns is None:
            return b"\t".join(re.findall(rb'"(?:[^"]|"")*"|\S+', line))
        text = line.decode(errors="replace").rstrip("\r")
        starts = self._format.columns
        cells = [text[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)]
        if not any(cells):
            return b""
        into = io.StringIO()
        csv.writer(into, delimiter="\t", lineterminator="").writerow(cells)
        return into.getvalue().encode()

    def close(self) -> None:
        self._stream.close()
        super().close()


def _refuse_ragged(source: Source, separator: str, width: int) -> None:
    """Raise `DataError` for the first line with too few or too many values."""
    begins = 1
    with source.open() as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
        reader = csv.reader(text, delimiter=separator)
        try:
            for row in reader:
                if row and len(row) != width:
                    raise DataError(
                        f"{source.label} must have {width} values in every line, one for each name in its "
                        f"header. Got {len(row)} in line {begins}; correct that line (a text that holds the "
                        "separator needs quotation marks)."
                    )
                begins = reader.line_num + 1
        except csv.Error as error:
            raise DataError(
                f"{source.label} must be a well-formed table. Got trouble in or after line {begins} "
                f"instead ({error}); look for a quotation mark that is never closed."
            ) from error
