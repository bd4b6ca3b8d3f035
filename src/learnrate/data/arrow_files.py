"""Parquet and Arrow IPC, read by PyArrow.

PyArrow checks what it reads. Polars (2.1) takes a damaged file's word for the memory it needs, and then the
whole process ends; or it panics, and prints so.
"""

from __future__ import annotations

from learnrate.data.frames import Frame, as_frame
from learnrate.data.sources import Source, reading

__all__ = ["read_arrow", "read_parquet"]


def read_parquet(source: Source) -> Frame:
    """Read a Parquet file."""
    from pyarrow.parquet import ParquetFile

    with reading(source.label, "a Parquet file"), source.open() as stream:
        with ParquetFile(stream) as file:
            table = file.read()
        table.validate(full=True)
        return as_frame(table)


def read_arrow(source: Source) -> Frame:
    """Read Arrow IPC: a file (Feather is the same thing), or a stream, which begins otherwise."""
    from pyarrow import ipc

    with reading(source.label, "an Arrow IPC (Feather) file"), source.open() as stream:
        is_file = stream.read(6) == b"ARROW1"
        stream.seek(0)
        with ipc.open_file(stream) if is_file else ipc.open_stream(stream) as reader:
            table = reader.read_all()
        table.validate(full=True)
        return as_frame(table)
