"""Tables in a stream of batches, each a Polars frame: one reader for each format.

PyArrow reads Parquet, Arrow IPC and CSV; JSON lines are cut at line ends and read by Polars. What is wrong
with a file is told in the words of the readers for memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from learnrate.data.delimited import (
    SEPARATORS,
    header,
    refuse_other_bytes,
    refuse_ragged,
    refuse_wrong_encoding,
)
from learnrate.data.frames import Frame, as_frame
from learnrate.data.json_lines import refuse_bad_line
from learnrate.data.sources import GZIP_ERRORS, Source, damaged_gzip, reading, unreadable
from learnrate.data.streaming.parts import Part
from learnrate.data.tables import refuse_other_columns
from learnrate.errors import DataError

__all__ = ["Batch", "batches"]

_BYTES = 1 << 21
"""Of a text file at a time."""


@dataclass(frozen=True)
class Batch:
    """Some consecutive rows.

    Attributes
    ----------
    frame : polars.DataFrame
    untyped : bool
        Whether texts stand as in a text file, and may be numbers.
    decimal_comma : bool
        Whether their numbers may be written so.
    """

    frame: Frame
    untyped: bool = False
    decimal_comma: bool = False


def batches(parts: list[Part], rows: int) -> Iterator[Batch]:
    """All rows of a table, at most about so many at a time.

    Raises
    ------
    DataError
        If a file cannot be read, holds no rows, or has other columns than the first.
    """
    names: list[str] | None = None
    for part in parts:
        empty = True
        for batch in _read(part.source, rows):
            if not batch.frame.height:
                continue
            empty = False
            columns = batch.frame.columns
            if names is None:
                names = columns
            if part.source.suffix not in (".jsonl", ".ndjson"):  # there, a key may be left out
                refuse_other_columns(names, parts[0].source.label, columns, part.source.label)
            yield batch
        if empty:
            raise DataError(
                f"{part.source.label} must hold rows and columns. Got 0 rows instead; check the "
                "program that wrote it."
            )


def _read(source: Source, rows: int) -> Iterator[Batch]:
    try:
        yield from _READERS[source.suffix](source, rows)
    except GZIP_ERRORS as error:
        raise damaged_gzip(source.label, error) from error
    except OSError as error:
        raise unreadable(source.label, error) from error


def _parquet(source: Source, rows: int) -> Iterator[Batch]:
    from pyarrow.parquet import ParquetFile

    with (
        reading(source.label, "a Parquet file"),
        source.open() as stream,
        ParquetFile(stream, pre_buffer=False) as file,
    ):
        for batch in file.iter_batches(batch_size=rows, use_threads=False):
            yield _checked(batch)


def _arrow(source: Source, rows: int) -> Iterator[Batch]:
    from pyarrow import ipc

    with reading(source.label, "an Arrow IPC (Feather) file"), source.open() as stream:
        is_file = stream.read(6) == b"ARROW1"
        stream.seek(0)
        with ipc.open_file(stream) if is_file else ipc.open_stream(stream) as reader:
            count = reader.num_record_batches if is_file else None
            held = map(reader.get_batch, range(count)) if count is not None else iter(reader)
            for batch in held:
                for first in range(0, batch.num_rows, rows):
                    yield _checked(batch.slice(first, rows))


def _checked(batch: Any) -> Batch:
    import pyarrow as pa

    table = pa.Table.from_batches([batch])
    table.validate(full=True)
    return Batch(as_frame(table))


def _csv(source: Source, rows: int) -> Iterator[Batch]:
    return _delimited(source, rows, ",")


def _tsv(source: Source, rows: int) -> Iterator[Batch]:
    return _delimited(source, rows, "\t")


def _delimited(source: Source, rows: int, usual: str) -> Iterator[Batch]:
    import polars as pl
    import pyarrow as pa
    from pyarrow import csv

    refuse_other_bytes(source)
    names, separator = header(source, usual)
    form = f"a table whose values are separated by {SEPARATORS[separator]}"
    try:
        with reading(source.label, form), source.open() as stream:
            reader = csv.open_csv(
                stream,
                # The names are those that `header` found; the line itself is passed over.
                csv.ReadOptions(
                    use_threads=False,
                    block_size=_BYTES,
                    column_names=names,
                    skip_rows_after_names=1,
                ),
                csv.ParseOptions(delimiter=separator, newlines_in_values=True),
                csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
            )
            for batch in reader:
                for first in range(0, batch.num_rows, rows):
                    columns = batch.slice(first, rows).columns
                    frame = pl.DataFrame(
                        [
                            pl.Series(name, pl.from_arrow(column))
                            for name, column in zip(names, columns, strict=True)
                        ]
                    )
                    yield Batch(frame, untyped=True, decimal_comma=separator == ";")
    except DataError:
        refuse_wrong_encoding(source)
        refuse_ragged(source, separator, len(names))
        raise


def _json_lines(source: Source, rows: int) -> Iterator[Batch]:
    import io

    import polars as pl

    try:
        with reading(source.label, "JSON lines (one object per line)"), source.open() as stream:
            rest = b""
            while True:
                some = stream.read(_BYTES)
                whole, end, rest = (rest + some).rpartition(b"\n") if some else (rest, b"", b"")
                if whole.strip():
                    frame = pl.read_ndjson(io.BytesIO(whole + end), infer_schema_length=None)
                    for first in range(0, frame.height, rows):
                        yield Batch(frame.slice(first, rows), untyped=True)
                if not some:
                    return
    except DataError:
        refuse_wrong_encoding(source)
        refuse_bad_line(source)
        raise


_READERS: dict[str, Callable[[Source, int], Iterator[Batch]]] = {
    ".csv": _csv,
    ".tsv": _tsv,
    ".parquet": _parquet,
    ".feather": _arrow,
    ".arrow": _arrow,
    ".ipc": _arrow,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
}
