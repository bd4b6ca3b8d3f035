"""Read a user's table; the suffix picks the format."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from learnrate.data.arrow_files import read_arrow, read_parquet
from learnrate.data.builtin import BUILT_IN
from learnrate.data.delimited import read_delimited
from learnrate.data.frames import Frame, nameless
from learnrate.data.json_lines import read_json_lines
from learnrate.data.numpy_files import read_npy, read_npz
from learnrate.data.sources import Source, open_file
from learnrate.errors import DataError, did_you_mean

__all__ = ["FORMATS", "STANDARD_INPUT", "read_table", "refuse_other_columns", "several_types"]

STANDARD_INPUT = "-"


def _read_csv(source: Source) -> Frame:
    return read_delimited(source, ",")


def _read_tsv(source: Source) -> Frame:
    return read_delimited(source, "\t")


FORMATS: dict[str, Callable[[Source], Frame]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".parquet": read_parquet,
    ".feather": read_arrow,
    ".arrow": read_arrow,
    ".ipc": read_arrow,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".npy": read_npy,
    ".npz": read_npz,
}
"""The reader for each suffix. Any of them may be followed by ``.gz``."""


def read_table(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    stdin: Any = None,
) -> Frame:
    """Read a table into a Polars frame.

    Parameters
    ----------
    source : str, path, or several
        - A file: CSV, TSV, Parquet, Feather or Arrow IPC, JSON lines, ``.npy`` or ``.npz`` (`FORMATS`).
        - A pattern such as ``"parts/*.csv"``, or several files: their rows one below the other. The
          columns must be the same; their order is the first file's.
        - ``"-"``: CSV from ``stdin``.
        - The name of a data set that ships with learnrate (`BUILT_IN`), if there is no such file.
    stdin : file object, optional
        Standard input, text or binary.

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
    In CSV, TSV and JSON lines the texts in `learnrate.data.text.MISSING` (empty, ``NA``, ``NaN``,
    ``null``, ``?`` and their like) are missing values, and a column is numeric only if all of its other
    values are numbers, however late in the file they stand.
    """
    if not isinstance(source, str | os.PathLike):
        return _read_several([Path(one) for one in source], "the files given")
    name = os.fspath(source)
    if name == STANDARD_INPUT:
        return _read_standard_input(stdin)
    path = Path(os.path.expanduser(name))
    if not _exists(path):
        if name in BUILT_IN:
            return BUILT_IN[name].load()
        if glob.has_magic(name):
            found = sorted(glob.glob(str(path), recursive=True))
            return _read_several([Path(one) for one in found], repr(name))
        if path.parent == Path() and not path.suffix:
            raise DataError(
                f"A table must be a file, or a data set that ships with learnrate. Got {name!r} "
                f"instead.{did_you_mean(name, [*BUILT_IN, *_tables_here()])}"
            )
    return _read_file(path)


def several_types(name: str, types: Iterable[Any]) -> DataError:
    """What to raise for a column whose types do not go together."""
    return DataError(
        f"Column {name!r} must be of one type in all files of a table. "
        f"Got {', '.join(sorted(map(str, types)))} instead; write the files alike."
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that the system refuses, because it is too long for one
        return False


def _tables_here() -> list[str]:
    return sorted(p.name for p in Path().iterdir() if p.suffix.lower() in FORMATS)


def _read_file(path: Path) -> Frame:
    source = open_file(path, FORMATS)
    return _refuse_nothing(FORMATS[source.suffix](source), source.label)


def _read_standard_input(stdin: Any) -> Frame:
    if stdin is None:
        raise DataError(
            "'-' means CSV on standard input. Got no standard input; name a file instead."
        )
    stream = getattr(stdin, "buffer", stdin)
    content = stream.read()
    if isinstance(content, str):
        content = content.encode()
    source = Source("Standard input (-)", ".csv", content)
    source.refuse_empty()
    return _read_csv(source)


def _refuse_nothing(frame: Frame, label: str) -> Frame:
    if not frame.width or not frame.height:
        raise DataError(
            f"{label} must hold rows and columns. Got {frame.height} rows and {frame.width} columns "
            "instead; check the program that wrote it."
        )
    return frame


def _read_several(paths: list[Path], label: str) -> Frame:
    """Read files with the same columns, one below the other."""
    import polars as pl

    if not paths:
        raise DataError(f"A pattern must match at least one file. Got {label}, which matches none.")
    frames = [_read_file(path) for path in paths]
    names = frames[0].columns
    for path, frame in zip(paths, frames, strict=True):
        refuse_other_columns(names, repr(str(paths[0])), frame.columns, repr(str(path)))
    return pl.concat(
        _with_one_type_per_column(
            [pl.DataFrame([frame.get_column(name) for name in names]) for frame in frames]
        )
    )


def refuse_other_columns(
    names: Sequence[str], first: str, others: Sequence[str], label: str
) -> None:
    """Raise `DataError` if a file has other columns than the first of its table."""
    odd = sorted(set(names) ^ set(others))
    if odd:
        held = "lacks" if odd[0] in names else "has another column,"
        raise DataError(
            f"The files of one table must have the same columns. Got {label}, which {held} "
            f"{odd[0]!r}, beside {first}; mend it, or leave it out."
        )


def _with_one_type_per_column(frames: list[Frame]) -> list[Frame]:
    """Let a column be of one type in all files: the numbers' common one, or text.

    A file whose column is wholly missing has no say in its type.
    """
    import polars as pl

    for name in frames[0].columns:
        columns = [nameless(frame, name) for frame in frames]
        types = {column.dtype for column in columns if column.null_count() < len(column)}
        if len(types | {column.dtype for column in columns}) == 1:
            continue
        if len(types) <= 1:
            common: pl.DataType = next(iter(types), pl.String())
        else:
            common = pl.Float64() if all(dtype.is_numeric() for dtype in types) else pl.String()
        try:
            columns = [column.cast(common) for column in columns]
        except pl.exceptions.PolarsError as error:
            raise several_types(name, types) from error
        frames = [
            frame.with_columns(column.alias(name))
            for frame, column in zip(frames, columns, strict=True)
        ]
    return frames
