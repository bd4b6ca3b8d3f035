"""Where the bytes of a table come from: a file, a compressed file, an address, or standard input."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learnrate._memory import free_memory
from learnrate.errors import DataError, LearnrateError, option

__all__ = [
    "COMPRESSIONS",
    "TEXT_BYTES",
    "Source",
    "known_suffix",
    "parsing",
    "refuse_too_large",
    "tables_in",
    "unreadable",
]


TEXT_BYTES = 1 << 21
"""Bytes of a text file that are read at a time, where it is read in blocks."""
_MEMORY_SHARE = 0.8  # the most of the free memory that a table may take
_CHUNK_BYTES = 1 << 24
_DAMAGED = (gzip.BadGzipFile, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError)
COMPRESSIONS = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd", ".zip": "zip"}
"""Suffixes of compressed files, which follow the suffix of the format, and the names of the compressions."""


@dataclass(frozen=True)
class Source:
    """The bytes of a table, with a name for messages.

    Attributes
    ----------
    label : str
        The name in messages: ``"'houses.csv'"`` or ``"Standard input"``.
    suffix : str
        The suffix of the format in lower case, such as ``".csv"``, without that of a compression.
    opener : callable
        Opens the bytes as they are stored, at the beginning.
    compression : str
        A key of `COMPRESSIONS`; empty if the file is not compressed.
    path : Path, optional
        The path, if it is a file on this machine.
    name : str
        Absolute path, or address.
    table : str
        The name of a table in a database.
    size, changed : int
        Size in bytes, and time of the last change in nanoseconds since 1970, to notice that a file has changed.
    """

    label: str
    suffix: str
    opener: Callable[[], Any]
    compression: str = ""
    path: Path | None = None
    name: str = ""
    table: str = ""
    size: int = 0
    changed: int = 0

    def open(self) -> Any:
        """Open at the beginning, decompressed. It can be opened several times."""
        stream = self.opener()
        return _Decompressed(stream, self.compression, self.label) if self.compression else stream

    def in_memory(self) -> Source:
        """A source with the bytes decompressed in memory, for readers that seek; DataError if they do not fit."""
        if not self.compression:
            return self
        chunks: list[bytes] = []
        size = 0
        with self.reading(), self.open() as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                chunks.append(chunk)
                size += len(chunk)
                refuse_too_large(self.label, 2 * size)  # the chunks and the joined bytes
        content = b"".join(chunks)
        return Source(self.label, self.suffix, lambda: io.BytesIO(content))

    def refuse_empty(self) -> None:
        """Raise `DataError` if it has no bytes."""
        with self.reading(), self.open() as stream:
            if not stream.read(1):
                raise DataError(
                    f"{self.label} must hold a table. Got nothing (0 bytes) instead; "
                    "check the program that wrote it."
                )

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn errors of the operating system and of decompression into a `DataError`."""
        try:
            yield
        except (*_DAMAGED, OSError) as error:
            if isinstance(error, _DAMAGED) or (self.compression and error.errno is None):
                raise DataError(
                    f"{self.label} must be a whole {COMPRESSIONS.get(self.compression, 'compressed')} file. Got bytes that "
                    f"cannot be decompressed instead ({error}); fetch or write it again."
                ) from error
            raise unreadable(self.label, error) from error


class _Decompressed(io.BufferedReader):
    """A decompressed stream; closing it closes the compressed stream too."""

    def __init__(self, stream: Any, compression: str, label: str) -> None:
        self._under = [stream]
        try:
            super().__init__(self._open(stream, compression, label))
        except BaseException:
            self._close_under()
            raise

    def _open(self, stream: Any, compression: str, label: str) -> Any:
        if compression == ".bz2":
            return bz2.BZ2File(stream)
        if compression == ".xz":
            return lzma.LZMAFile(stream)
        if compression == ".zst":
            import pyarrow as pa

            return pa.CompressedInputStream(pa.PythonFile(stream), "zstd")
        if compression == ".gz":
            return gzip.GzipFile(fileobj=stream)
        archive = zipfile.ZipFile(stream)
        self._under.insert(0, archive)
        names = tables_in(archive)
        if len(names) != 1:
            listed = f": {', '.join(names[:5])}" if names else ""
            raise DataError(
                f"{label} must hold one table. Got {len(names)} files{listed}; extract them, and name one of them."
            )
        return archive.open(names[0])

    def _close_under(self) -> None:
        for one in self._under:
            one.close()

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._close_under()


def tables_in(archive: zipfile.ZipFile) -> list[str]:
    """The names of the files in an archive, without those that macOS adds."""
    return [
        name
        for name in archive.namelist()
        if not name.endswith("/") and not name.startswith("__MACOSX/") and ".DS_Store" not in name
    ]


def known_suffix(name: str, label: str, known: Iterable[str]) -> tuple[str, str]:
    """The suffix of the format and that of the compression (or ""); DataError if the format is not known."""
    *others, last = Path(name.lower()).suffixes or [""]
    compression = last if last in COMPRESSIONS else ""
    suffix = (others or [""])[-1] if compression else last
    if suffix not in known:
        raise DataError(
            f"A table's suffix must be one of {', '.join(one for one in known if one)} (or .csv.gz and the like). "
            f"Got {label} instead; save the table as one of these, and name it so."
        )
    return suffix, compression


def unreadable(label: str, error: OSError) -> DataError:
    """The error for a file that the operating system refuses to read."""
    return DataError(
        f"{label} must be readable. Got: {error.strerror or error}; "
        "check its permissions and its name."
    )


def refuse_too_large(label: str, needed: int) -> None:
    """Raise `DataError` if a table of ``needed`` bytes would take more than 80 % of the free memory.

    A few kilobytes of Parquet, npz or gzip can hold terabytes. Some operating systems end a process that asks for so
    much memory.
    """
    free = free_memory()
    if needed > _MEMORY_SHARE * free:
        raise DataError(
            f"{label} must fit in memory. Got a table of {needed / 1e9:,.1f} GB or more, with {free / 1e9:,.1f} GB "
            f"free; give a budget such as {option('memory', '2GB')}, and it is read in blocks."
        )


@contextmanager
def parsing(label: str, form: str) -> Iterator[None]:
    """Turn any exception of a parser, but not learnrate's own, into a `DataError` that says that the file is damaged, or not ``form``.

    On broken files parsers raise OSError, ValueError, MemoryError and others, and Polars may panic, with an exception
    that is not an Exception.
    """
    import polars as pl

    try:
        yield
    except LearnrateError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise DataError(
            f"{label} must be {form}. Got something else or a damaged file instead ({said}); "
            "write it again, or name it by what it is."
        ) from error
