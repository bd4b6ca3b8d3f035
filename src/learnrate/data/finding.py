"""Finding the files of a table, on this machine or at an address."""

from __future__ import annotations

import fnmatch
import glob
import importlib
import os
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from learnrate.data.builtin import BUILT_IN
from learnrate.data.sources import COMPRESSIONS, Source, known_suffix, tables_in, unreadable
from learnrate.errors import DataError, MissingExtraError, did_you_mean

__all__ = ["DATABASE", "exists", "find_sources"]

DATABASE = "::"
"""Used as the suffix of a table in a database, ``file.db::table``."""

_DATABASES = {".db", ".db3", ".duckdb", ".sqlite", ".sqlite3"}


def find_sources(data: Any, known: Iterable[str]) -> list[Source]:
    """The files of a table, in the order of its rows.

    Parameters
    ----------
    data : str, path, or several
        A file, a pattern such as ``"parts/*.csv"``, or an address such as ``"s3://bucket/parts/*.parquet"``
        that PyArrow or fsspec opens.
    known : iterable of str
        The suffixes that can be read.

    Raises
    ------
    DataError
        If there is none (the most similar file name is suggested), or one is a folder, cannot be read, is empty,
        or has an unknown suffix.
    MissingExtraError
        If a package is needed to open the address.
    """
    if isinstance(data, str | os.PathLike):
        return _named(os.fspath(data), known)
    found = [source for one in data for source in _named(os.fspath(one), known)]
    if not found:
        raise _no_match("the files given")
    return found


def _named(name: str, known: Iterable[str]) -> list[Source]:
    if "://" in name:
        return _behind(name, known)
    path = Path(os.path.expanduser(name))
    if not exists(path):
        file, _, table = name.partition("::")
        if table:
            source = _local(Path(os.path.expanduser(file)), [DATABASE])
            return [replace(source, label=repr(name), name=f"{source.name}::{table}", table=table)]
        if glob.has_magic(name):
            found = sorted(glob.glob(str(path), recursive=True))
            if not found:
                raise _no_match(repr(name))
            return [_local(Path(one), known) for one in found]
        if path.parent == Path() and not path.suffix:
            here = sorted(p.name for p in Path().iterdir() if p.suffix.lower() in known)
            raise DataError(
                f"A table must be a file, or a data set that ships with learnrate. Got {name!r} "
                f"instead.{did_you_mean(name, [*BUILT_IN, *here])}"
            )
    if path.suffix.lower() in _DATABASES:  # its reader names the tables
        return [_local(path, [DATABASE])]
    return [_local(path, known)]


def exists(path: Path) -> bool:
    """Whether there is a file or folder of that name."""
    try:
        return path.exists()
    except OSError:  # such as a name that is too long
        return False


def _no_match(label: str) -> DataError:
    return DataError(f"A pattern must match at least one file. Got {label}, which matches none.")


def _local(path: Path, known: Iterable[str]) -> Source:
    label = repr(str(path))
    try:
        _refuse_no_file(path, known)
        status = path.stat()
        whole = path.absolute()
        return _source(
            str(whole),
            label,
            lambda: whole.open("rb"),
            status.st_size,
            status.st_mtime_ns,
            known,
            whole,
        )
    except OSError as error:
        raise unreadable(label, error) from error


def _source(
    name: str,
    label: str,
    opener: Callable[[], Any],
    size: int,
    changed: int,
    known: Iterable[str],
    path: Path | None = None,
) -> Source:
    if list(known) == [DATABASE]:
        return Source(label, DATABASE, opener, "", path, name, "", size, changed)
    suffix, compression = known_suffix(name, label, known)
    if compression == ".zip" and not suffix:
        zipped = Source(label, "", opener, compression)
        with zipped.reading(), opener() as stream, zipfile.ZipFile(stream) as archive:
            inside = tables_in(archive)
        suffix, _ = known_suffix(inside[0] if inside else "", label, known)
    source = Source(label, suffix, opener, compression, path, name, "", size, changed)
    source.refuse_empty()
    return source


def _refuse_no_file(path: Path, known: Iterable[str]) -> None:
    """Raise `DataError` for a folder, or a path that does not exist."""
    if path.is_dir():
        raise DataError(
            f"A table must be a file. Got the folder {str(path)!r} instead; name a file in it, "
            f"or several at once, as in {str(path / '*.csv')!r}."
        )
    if path.exists():
        return
    if not path.parent.is_dir():
        raise DataError(
            f"A table must be a file that exists. Got {str(path)!r} instead, and there is no folder "
            f"{str(path.parent)!r} either; check the path."
        )
    readable = {*known, *COMPRESSIONS} - {""}
    near = sorted(p.name for p in path.parent.iterdir() if p.suffix.lower() in readable)
    hint = did_you_mean(path.name, near) if near else " No table is in that folder; check the path."
    raise DataError(f"A table must be a file that exists. Got {str(path)!r} instead.{hint}")


def _behind(address: str, known: Iterable[str]) -> list[Source]:
    """The sources at an address, opened by PyArrow if it knows the scheme, else by fsspec."""
    import pyarrow as pa
    from pyarrow import fs

    folder, _, pattern = address.rpartition("/")
    magic = glob.has_magic(pattern)
    try:
        try:
            system, path = fs.FileSystem.from_uri(folder if magic else address)
        except pa.ArrowInvalid:
            return _by_fsspec(address, known)
        asked: Any = fs.FileSelector(path, allow_not_found=True) if magic else [path]
        found = [
            info
            for info in system.get_file_info(asked)
            if info.type == fs.FileType.File
            and (not magic or fnmatch.fnmatchcase(info.base_name, pattern))
        ]
    except OSError as error:
        raise unreadable(repr(address), error) from error
    scheme = address.partition("://")[0]
    return _all_or_none(
        address,
        [
            _source(
                f"{scheme}://{info.path}",
                repr(info.path),
                partial(system.open_input_file, info.path),
                info.size,
                info.mtime_ns or 0,
                known,
            )
            for info in sorted(found, key=lambda info: str(info.path))
        ],
    )


def _by_fsspec(address: str, known: Iterable[str]) -> list[Source]:
    scheme = address.partition("://")[0]
    try:
        fsspec: Any = importlib.import_module("fsspec")
    except ImportError as error:
        raise MissingExtraError(
            f"fsspec is needed to open addresses that begin with {scheme}://. "
            "Install it with: pip install fsspec"
        ) from error
    try:
        system, path = fsspec.core.url_to_fs(address)
        found = sorted(system.glob(path)) if glob.has_magic(path) else [path]
        infos = {name: system.info(name) for name in found if system.isfile(name)}
    except ImportError as error:
        raise MissingExtraError(
            f"A package for fsspec is needed to open addresses that begin with {scheme}:// "
            f"({error}). Install it first."
        ) from error
    except ValueError as error:
        raise DataError(
            f"An address must begin with a scheme that PyArrow or fsspec knows. Got {address!r} "
            f"instead ({error}); check it."
        ) from error
    return _all_or_none(
        address,
        [
            _source(
                f"{scheme}://{name}",
                repr(name),
                partial(system.open, name, "rb"),
                int(info["size"]),
                _time_of(info),
                known,
            )
            for name, info in infos.items()
        ],
    )


def _time_of(info: Any) -> int:
    """When a file was last changed, in nanoseconds; a number made from the ETag where only that is known; else 0."""
    for key in ("mtime", "LastModified", "last_modified", "updated", "created", "ETag", "etag"):
        if info.get(key) is not None:
            value = info[key]
            stamp = value.timestamp() if hasattr(value, "timestamp") else value
            if isinstance(stamp, int | float):
                return int(stamp * 1e9)
            return int.from_bytes(str(stamp).encode()[-12:])
    return 0


def _all_or_none(address: str, sources: Sequence[Source]) -> list[Source]:
    if sources:
        return list(sources)
    if glob.has_magic(address):
        raise _no_match(repr(address))
    raise DataError(
        f"A table must be a file that exists. Got {address!r} instead; check the address."
    )
