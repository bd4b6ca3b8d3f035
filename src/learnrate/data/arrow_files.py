"""Reading Parquet and Arrow IPC files with PyArrow.

PyArrow checks what it reads. With a damaged file Polars (2.1) may ask for so much memory that the process ends, or
panic and print a message.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from learnrate.data.blocks import TableBlock
from learnrate.data.frames import as_frame
from learnrate.data.options import Table
from learnrate.data.sources import Source, parsing, refuse_too_large

__all__ = ["read_arrow", "read_parquet"]

_VALUE_BYTES = 8  # of a value, as it is trained on


def read_parquet(
    source: Source, rows: int | None, options: Table, notes: list[str]
) -> Iterator[TableBlock]:
    """Read a Parquet file."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    with (
        parsing(source.label, "a Parquet file"),
        source.open() as stream,
        ParquetFile(stream, pre_buffer=False) as file,
    ):
        if rows is None:
            facts = file.metadata
            refuse_too_large(source.label, facts.num_rows * facts.num_columns * _VALUE_BYTES)
            yield _checked(file.read())
            return
        for batch in file.iter_batches(batch_size=rows, use_threads=False):
            yield _checked(pa.Table.from_batches([batch]))


def read_arrow(
    source: Source, rows: int | None, options: Table, notes: list[str]
) -> Iterator[TableBlock]:
    """Read an Arrow IPC file (Feather is the same format) or an Arrow IPC stream."""
    import pyarrow as pa
    from pyarrow import ipc

    with parsing(source.label, "an Arrow IPC (Feather) file"), source.open() as stream:
        is_file = stream.read(6) == b"ARROW1"
        stream.seek(0)
        with ipc.open_file(stream) if is_file else ipc.open_stream(stream) as reader:
            batches = map(reader.get_batch, range(reader.num_record_batches)) if is_file else reader
            held, size = [], 0
            for batch in batches:
                if rows is None:
                    held.append(batch)
                    size += batch.nbytes
                    refuse_too_large(source.label, size)
                    continue
                for first in range(0, batch.num_rows, rows):
                    yield _checked(pa.Table.from_batches([batch.slice(first, rows)]))
            if rows is None:
                yield _checked(pa.Table.from_batches(held, reader.schema))


def _checked(table: Any) -> TableBlock:
    table.validate(full=True)
    return TableBlock(as_frame(table))
