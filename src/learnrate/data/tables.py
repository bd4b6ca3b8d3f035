"""Reading a table; the suffix decides the format."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from learnrate.data.arrow_files import read_arrow, read_parquet
from learnrate.data.blocks import Blocks, TableBlock
from learnrate.data.builtin import built_in
from learnrate.data.databases import read_database
from learnrate.data.delimited import read_delimited
from learnrate.data.finding import DATABASE, exists, find_sources
from learnrate.data.frames import Frame
from learnrate.data.json_lines import read_json_lines
from learnrate.data.numpy_files import read_npy, read_npz
from learnrate.data.options import Table
from learnrate.data.settle import settle
from learnrate.data.sources import Source
from learnrate.data.workbooks import read_workbook
from learnrate.errors import DataError, OptionError, option

__all__ = ["FORMATS", "STANDARD_INPUT", "load_table", "read_table", "stream_table"]

STANDARD_INPUT = "-"
_STARTS = {b"PAR1": ".parquet", b"ARROW1": ".arrow", b"{": ".jsonl", b"[": ".json", b"PK": ".xlsx"}
_COMPRESSED = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7zXZ": ".xz", b"\x28\xb5\x2f\xfd": ".zst"}

Reader = Callable[[Source, int | None, Table, list[str]], Iterator[TableBlock]]
_TEXT = partial(read_delimited, usual=None)

FORMATS: dict[str, Reader] = {
    ".csv": partial(read_delimited, usual=","),
    ".tsv": partial(read_delimited, usual="\t"),
    ".txt": _TEXT,
    ".data": _TEXT,
    ".dat": _TEXT,
    ".parquet": read_parquet,
    ".feather": read_arrow,
    ".arrow": read_arrow,
    ".ipc": read_arrow,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".json": read_json_lines,
    ".xlsx": read_workbook,
    ".xls": read_workbook,
    ".ods": read_workbook,
    ".npy": read_npy,
    ".npz": read_npz,
    "": _TEXT,
    DATABASE: read_database,
}
"""The reader for each suffix. A suffix may be followed by ``.gz``, ``.bz2``, ``.xz``, ``.zst`` or ``.zip``.

A reader yields blocks of at most about ``rows`` rows, or a single block if that is None, and adds to the notes what it
found out about the format.
"""

_KNOWN = [suffix for suffix in FORMATS if suffix != DATABASE]
_IN_BLOCKS = [suffix for suffix in _KNOWN if suffix not in (".npy", ".npz")]
_OF_TEXT = {"header", "comment", "sep", "encoding", "skip_lines"}


def read_table(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    stdin: Any = None,
    table: Table | None = None,
) -> Frame:
    """Read a table into a Polars frame.

    Parameters
    ----------
    source : str, path, or several
        - A file: CSV, TSV or other text, Parquet, Feather or Arrow IPC, JSON, a workbook, ``.npy`` or ``.npz``
          (`FORMATS`).
        - ``"file.db::table"``: a table of a database of SQLite or DuckDB.
        - A pattern such as ``"parts/*.csv"``, or several files, whose rows are put together. Their columns must be
          the same; the order of columns is that of the first file.
        - An address such as ``"s3://bucket/houses.parquet"``, opened by PyArrow or fsspec.
        - ``"-"``: text, JSON, Parquet or Arrow from ``stdin``.
        - The name of a data set that ships with learnrate (`BUILT_IN`), if there is no such file.
    stdin : file object, optional
        Standard input, text or binary.
    table : Table, optional
        How to read it. What is not given is detected.

    Returns
    -------
    polars.DataFrame
        With at least one row and one column.

    Raises
    ------
    DataError
        If it cannot be read as a table; one line says why.

    Notes
    -----
    In text files and JSON the texts in `learnrate.data.text.MISSING` (empty, ``NA``, ``NaN``, ``null``, ``?`` and
    others) are missing values. A column is numeric only if all its other values, in the whole file, are numbers.
    """
    return load_table(source, table or Table(), stdin=stdin).frame()


def load_table(source: Any, options: Table, *, stdin: Any = None) -> Blocks:
    """Read a table into memory, with notes on what was detected; arguments as for `read_table`."""
    notes: list[str] = []
    if isinstance(source, str | os.PathLike):
        name = os.fspath(source)
        if name == STANDARD_INPUT:
            return _in_memory([_standard_input(stdin)], options, notes)
        data = built_in(name)
        if data is not None and not exists(Path(name)):
            if name != data.name:
                notes.append(
                    f"There is no file {name!r} here; the table {data.name!r} that ships with learnrate is read."
                )
            return Blocks.of(data.load(), notes=notes)
        if _is_pipe(Path(name)):
            with Path(name).open("rb") as stream:
                return _in_memory([_read_once(stream, repr(name))], options, notes)
    return _in_memory(find_sources(source, _KNOWN), options, notes)


def _in_memory(sources: list[Source], options: Table, notes: list[str]) -> Blocks:
    unpacked = [source.in_memory() for source in sources]
    return settle(list(_blocks(unpacked, None, options, notes)), options, notes)


def stream_table(
    data: Any, rows: Callable[[int], int], options: Table
) -> tuple[list[Source], Blocks]:
    """A table that is read from its files in blocks, whenever it is needed.

    Parameters
    ----------
    data : str, path, or several
        As for `read_table`, without standard input, built-in data sets and NumPy files.
    rows : callable
        Given the number of columns, returns the number of rows of a block.
    options : Table
        How to read it.

    Returns
    -------
    sources : list of Source
        The files.
    table : Blocks
        The table.
    """
    if isinstance(data, str | os.PathLike):
        name = os.fspath(data)
        if name == STANDARD_INPUT or _is_pipe(Path(name)):
            came = "standard input (-)" if name == STANDARD_INPUT else f"the pipe {name!r}"
            raise OptionError(
                f"{option('memory')} must come with a table in files, which are read twice. Got {came} "
                "instead; write it to a file first, or leave memory out."
            )
        if built_in(name) is not None and not exists(Path(name)):
            raise OptionError(
                f"{option('memory')} must come with a table in files. Got {name!r}, which ships with learnrate and "
                "is small; leave memory out."
            )
    sources = find_sources(data, _IN_BLOCKS)
    known: list[int] = []
    notes: list[str] = []

    def read() -> Iterator[TableBlock]:
        if not known:  # the first rows tell how many columns there are
            known.append(rows(next(_blocks(sources, 256, options, [])).frame.width))
        return _blocks(sources, known[0], options, notes)

    return sources, Blocks(read, notes=notes)


def _standard_input(stdin: Any) -> Source:
    if stdin is None:
        raise DataError(
            "'-' means a table on standard input. Got no standard input; name a file instead."
        )
    return _read_once(getattr(stdin, "buffer", stdin), "Standard input (-)")


def _is_pipe(path: Path) -> bool:
    """Whether the path can be read only once: a named pipe, or ``<(command)`` of a shell."""
    return exists(path) and not path.is_file() and not path.is_dir()


def _read_once(stream: Any, label: str) -> Source:
    """A source with the bytes of a stream, whose format is told by the first ones."""
    content = stream.read()
    data = content.encode() if isinstance(content, str) else content
    suffix = next(
        (kind for start, kind in _STARTS.items() if data.lstrip().startswith(start)), ".csv"
    )
    compression = next(
        (compression for start, compression in _COMPRESSED.items() if data.startswith(start)), ""
    )
    source = Source(label, suffix, lambda: io.BytesIO(data), compression)
    source.refuse_empty()
    return source


def _blocks(
    sources: Sequence[Source], rows: int | None, options: Table, notes: list[str]
) -> Iterator[TableBlock]:
    """All rows of a table; `DataError` if a file has none, or has other columns than the first."""
    names: list[str] | None = None
    for source in sources:
        height = width = 0
        reader = FORMATS[source.suffix]
        _refuse_without_effect(source, reader, options)
        found: list[str] = []
        with source.reading():
            for block in reader(source, rows, options, found):
                columns = block.frame.columns
                height, width = height + block.frame.height, len(columns)
                if not block.frame.height:
                    continue
                if names is None:
                    names = columns
                # In blocks of JSON lines, keys may be absent.
                if rows is None or source.suffix not in (".jsonl", ".ndjson"):
                    _refuse_other_columns(names, sources[0].label, columns, source.label)
                yield block
        notes += [note for note in found if note not in notes]
        if not height or not width:
            raise DataError(
                f"{source.label} must hold rows and columns. Got {height} rows and {width} columns "
                "instead; check the program that wrote it."
            )


def _refuse_other_columns(
    names: Sequence[str], first: str, others: Sequence[str], label: str
) -> None:
    """Raise `DataError` if a file has other columns than the first of its table."""
    odd = sorted(set(names) ^ set(others))
    if odd:
        held = "lacks" if odd[0] in names else "has another column,"
        raise DataError(
            f"The files of one table must have the same columns. Got {label}, which {held} "
            f"{odd[0]!r}, beside {first}; correct it, or leave it out."
        )


def _refuse_without_effect(source: Source, reader: Reader, options: Table) -> None:
    """Raise `OptionError` for an option that has no effect on files of this format."""
    useless = set(options.given(_OF_TEXT | {"sheet"}))
    if reader is read_workbook:
        useless &= {"comment", "sep", "encoding"}
    elif reader is read_json_lines:
        useless -= {"encoding"}
    elif getattr(reader, "func", None) is read_delimited:
        useless &= {"sheet"}
    if useless:
        name = min(useless)
        raise OptionError(
            f"{option(name)} must come with a {'workbook' if name == 'sheet' else 'text file'}. Got it with {source.label}; "
            "leave it out."
        )
