"""Parquet and Arrow IPC, read by PyArrow.

PyArrow checks what it reads. Polars (2.1) takes a damaged file's word for the memory it needs, and then the
whole process ends; or it panics, and prints so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from learnrate.data.frames import Frame, as_frame
from learnrate.data.sources import Source, reading, refuse_too_large

__all__ = ["read_arrow", "read_parquet"]

_LEAST = 8  # bytes of a value, as it is trained on


def read_parquet(source: Source) -> Frame:
    """Read a Parquet file."""
    from pyarrow.parquet import ParquetFile

    with reading(source.label, "a Parquet file"), source.open() as stream:
        with ParquetFile(stream) as file:
            facts = file.metadata
            refuse_too_large(source.label, facts.num_rows * facts.num_columns * _LEAST)
            table = file.read()
        table.validate(full=True)
        return as_frame(table)


def read_arrow(source: Source) -> Frame:
    """Read Arrow IPC: a file (Feather is the same thing), or a stream, which begins otherwise."""
    import pyarrow as pa
    from pyarrow import ipc

    with reading(source.label, "an Arrow IPC (Feather) file"), source.open() as stream:
        is_file = stream.read(6) == b"ARROW1"
        stream.seek(0)
        with ipc.open_file(stream) if is_file else ipc.open_stream(stream) as reader:
            batches, size = [], 0
            for batch in _batches(reader):
                batches.append(batch)
                size += batch.nbytes
                refuse_too_large(source.label, size)
            table = pa.Table.from_batches(batches, reader.schema)
        table.validate(full=True)
        return as_frame(table)


def _batches(reader: Any) -> Iterator[Any]:
    """The record batches of a file, which are numbered, or of a stream, which come."""
    if hasattr(reader, "num_record_batches"):
        return (reader.get_batch(number) for number in range(reader.num_record_batches))
    return iter(reader)
