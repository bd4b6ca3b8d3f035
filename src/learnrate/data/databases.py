"""Reading a table of a database in a file, ``file.db::table``: SQLite, or DuckDB if it is installed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from learnrate._extras import require
from learnrate.data.blocks import TableBlock
from learnrate.data.frames import as_frame
from learnrate.data.options import Table
from learnrate.data.sources import Source, parsing, refuse_too_large
from learnrate.data.wording import abridged
from learnrate.errors import DataError, did_you_mean

__all__ = ["read_database"]

_ROWS = 100_000
_VALUE_BYTES = 8  # of a value, as it is trained on


def read_database(
    source: Source, rows: int | None, options: Table, notes: list[str]
) -> Iterator[TableBlock]:
    """Read one table or view, ``source.table``."""
    assert source.path is not None
    with source.path.open("rb") as stream:
        is_sqlite = stream.read(16) == b"SQLite format 3\0"
    with parsing(source.label, "a database of SQLite or DuckDB"):
        if is_sqlite:
            yield from _sqlite(source, source.path, rows)
        else:
            yield from _duckdb(source, source.path, rows)


def _sqlite(source: Source, path: Path, rows: int | None) -> Iterator[TableBlock]:
    import polars as pl

    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        names = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name"
        table = _quoted(source, [name for (name,) in connection.execute(names)])
        cursor = connection.execute(f"SELECT * FROM {table}")
        columns = [column[0] for column in cursor.description]
        held: list[Any] = []
        while some := cursor.fetchmany(_ROWS if rows is None else rows):
            if rows is None:
                held += some
                refuse_too_large(source.label, len(held) * len(columns) * _VALUE_BYTES)
                continue
            yield TableBlock(_frame(columns, some))
        if rows is None:
            yield TableBlock(_frame(columns, held) if held else pl.DataFrame(schema=columns))


def _frame(columns: Sequence[str], rows: Sequence[Any]) -> Any:
    """A frame of rows from SQLite, in which a column may hold numbers and texts; these become text."""
    import polars as pl

    found = {}
    for name, values in zip(columns, zip(*rows, strict=True), strict=True):
        kinds = {type(value) for value in values} - {type(None)}
        if len(kinds) > 1 and not kinds <= {int, float}:
            values = tuple(None if value is None else str(value) for value in values)
        found[name] = pl.Series(name, values, strict=False)
    return as_frame(pl.DataFrame(found))


def _duckdb(source: Source, path: Path, rows: int | None) -> Iterator[TableBlock]:
    duckdb: Any = require("duckdb", extra="duckdb", purpose="DuckDB databases")
    with closing(duckdb.connect(str(path), read_only=True)) as connection:
        table = _quoted(source, [row[0] for row in connection.execute("SHOW TABLES").fetchall()])
        if rows is None:
            (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            width = len(connection.execute(f"DESCRIBE {table}").fetchall())
            refuse_too_large(source.label, count * width * _VALUE_BYTES)
        found = connection.sql(f"SELECT * FROM {table}")
        if rows is None:
            yield TableBlock(as_frame(found.to_arrow_table()))
            return
        import pyarrow as pa

        read = getattr(found, "to_arrow_reader", None) or found.fetch_arrow_reader
        for batch in read(rows):
            yield TableBlock(as_frame(pa.Table.from_batches([batch])))


def _quoted(source: Source, names: Sequence[str]) -> str:
    """The table's name quoted for SQL; `DataError` if there is no table of this name."""
    if not source.table and names:
        raise DataError(
            f"A table of a database must be named after two colons. Got {source.label}, which holds "
            f"{abridged(names, 12)}; write {source.label[1:-1] + '::' + names[0]!r}."
        )
    if source.table not in names:
        raise DataError(
            f"{source.label} must name a table of that file. Got {source.table!r} instead."
            + (did_you_mean(source.table, names) if names else " It holds none.")
        )
    return '"' + source.table.replace('"', '""') + '"'
