"""The files of a table that is read in a stream, on this machine or behind an address."""

from __future__ import annotations

import fnmatch
import glob
import gzip
import importlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from learnrate.data.builtin import BUILT_IN
from learnrate.data.sources import Source, known_suffix, refuse_no_file, unreadable
from learnrate.data.tables import STANDARD_INPUT
from learnrate.errors import DataError, MissingExtraError, OptionError

__all__ = ["SUFFIXES", "Part", "find_parts"]

SUFFIXES = (".csv", ".tsv", ".parquet", ".feather", ".arrow", ".ipc", ".jsonl", ".ndjson")
"""What can be read in a stream. Any of them may be followed by ``.gz``."""


@dataclass(frozen=True)
class Part:
    """One file of a table.

    Attributes
    ----------
    name : str
        Absolute path, or address.
    source : Source
        Opens it.
    size, changed : int
        Bytes, and nanoseconds since 1970; with these a changed file is noticed.
    """

    name: str
    source: Source
    size: int
    changed: int


def find_parts(data: Any) -> list[Part]:
    """The files of a table, in the order in which its rows stand below each other.

    Parameters
    ----------
    data : str, path, or several
        A file, a pattern such as ``"parts/*.csv"``, or an address such as ``"s3://bucket/parts/*.parquet"``
        that PyArrow or fsspec opens.

    Raises
    ------
    DataError
        If there is none, or one cannot be read in a stream.
    MissingExtraError
        If a package is needed to open the address.
    """
    if isinstance(data, str | os.PathLike):
        return _parts(os.fspath(data))
    return [part for one in data for part in _parts(os.fspath(one))]


def _parts(name: str) -> list[Part]:
    if name == STANDARD_INPUT:
        raise OptionError(
            "memory must come with a table in files, which are read twice. Got standard input (-) "
            "instead; write it to a file first, or leave memory out."
        )
    if "://" in name:
        return _behind(name)
    path = Path(os.path.expanduser(name))
    if not path.exists() and name in BUILT_IN:
        raise OptionError(
            f"memory must come with a table in files. Got {name!r}, which ships with learnrate and "
            "is small; leave memory out."
        )
    if not path.exists() and glob.has_magic(name):
        found = sorted(glob.glob(str(path), recursive=True))
        if not found:
            raise _no_match(name)
        return [_local(Path(one)) for one in found]
    return [_local(path)]


def _no_match(name: str) -> DataError:
    return DataError(f"A pattern must match at least one file. Got {name!r}, which matches none.")


def _local(path: Path) -> Part:
    label = repr(str(path))
    try:
        refuse_no_file(path, SUFFIXES)
        status = path.stat()
        whole = path.absolute()
        return _part(
            str(whole), label, lambda: whole.open("rb"), status.st_size, status.st_mtime_ns
        )
    except OSError as error:
        raise unreadable(label, error) from error


def _part(name: str, label: str, opener: Callable[[], Any], size: int, changed: int) -> Part:
    suffix, packed = known_suffix(name, label, SUFFIXES)
    source = Source(label, suffix, partial(_unpacked, opener) if packed else opener)
    if not size:
        source.refuse_empty()
    return Part(name, source, size, changed)


def _unpacked(opener: Callable[[], Any]) -> gzip.GzipFile:
    stream = opener()
    unpacked = gzip.GzipFile(fileobj=stream)
    unpacked.myfileobj = stream  # which it then closes with itself
    return unpacked


def _behind(address: str) -> list[Part]:
    """By PyArrow where it knows the scheme, else by fsspec."""
    import pyarrow as pa
    from pyarrow import fs

    folder, _, pattern = address.rpartition("/")
    magic = glob.has_magic(pattern)
    try:
        try:
            system, path = fs.FileSystem.from_uri(folder if magic else address)
        except pa.ArrowInvalid:
            return _by_fsspec(address)
        asked: Any = fs.FileSelector(path, allow_not_found=True) if magic else [path]
        found = [
            info
            for info in system.get_file_info(asked)
            if info.type == fs.FileType.File
            and (not magic or fnmatch.fnmatchcase(info.base_name, pattern))
        ]
    except OSError as error:
        raise unreadable(repr(address), error) from error
    return _all_or_none(
        address,
        [
            _part(
                f"{address.partition('://')[0]}://{info.path}",
                repr(info.path),
                partial(system.open_input_file, info.path),
                info.size,
                info.mtime_ns or 0,
            )
            for info in sorted(found, key=lambda info: str(info.path))
        ],
    )


def _by_fsspec(address: str) -> list[Part]:
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
            _part(
                f"{scheme}://{name}",
                repr(name),
                partial(system.open, name, "rb"),
                int(info["size"]),
                _time_of(info),
            )
            for name, info in infos.items()
        ],
    )


def _time_of(info: Any) -> int:
    """When a file was changed, as far as its store tells; of an ETag, a number made of it."""
    for key in ("mtime", "LastModified", "last_modified", "updated", "created", "ETag", "etag"):
        if info.get(key) is not None:
            value = info[key]
            stamp = value.timestamp() if hasattr(value, "timestamp") else value
            if isinstance(stamp, int | float):
                return int(stamp * 1e9)
            return int.from_bytes(str(stamp).encode()[-12:])
    return 0


def _all_or_none(address: str, parts: Sequence[Part]) -> list[Part]:
    if parts:
        return list(parts)
    if glob.has_magic(address):
        raise _no_match(address)
    raise DataError(
        f"A table must be a file that exists. Got {address!r} instead; check the address."
    )
