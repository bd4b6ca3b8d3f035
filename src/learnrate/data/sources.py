"""Where a table's bytes come from: a file, a gzipped file, or standard input."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learnrate._memory import free_memory
from learnrate.errors import DataError, did_you_mean

__all__ = [
    "GZIP_ERRORS",
    "Source",
    "damaged_gzip",
    "known_suffix",
    "open_file",
    "reading",
    "refuse_no_file",
    "refuse_too_large",
    "unreadable",
]


_SHARE = 0.8  # of the free memory
_PART = 1 << 24
GZIP_ERRORS = (gzip.BadGzipFile, EOFError, zlib.error)


@dataclass(frozen=True)
class Source:
    """Bytes with a name for messages.

    Attributes
    ----------
    label : str
        What messages call it: ``"'houses.csv'"`` or ``"Standard input"``.
    suffix : str
        ``".csv"`` and so on, in lower case, without ``.gz``: the format.
    content : Path, bytes or callable
        The file; the bytes themselves where they had to be unpacked or came from a pipe; or what opens
        the bytes, for a table that is read in a stream.
    """

    label: str
    suffix: str
    content: Path | bytes | Callable[[], Any]

    def open(self) -> Any:
        """Open for reading from the start, as often as needed."""
        if isinstance(self.content, bytes):
            return io.BytesIO(self.content)
        if isinstance(self.content, Path):
            return self.content.open("rb")
        return self.content()

    def refuse_empty(self) -> None:
        """Raise `DataError` if there is nothing in it."""
        with self.open() as stream:
            if not stream.read(1):
                raise DataError(
                    f"{self.label} must hold a table. Got nothing (0 bytes) instead; "
                    "check the program that wrote it."
                )


def open_file(path: Path, known: Iterable[str]) -> Source:
    """Return the file as a `Source`, or say why it cannot be read.

    Parameters
    ----------
    path : Path
        Relative to the working directory, or absolute.
    known : iterable of str
        The suffixes that can be read.

    Raises
    ------
    DataError
        If it does not exist (the nearest file name is suggested), is a folder, may not be read, is
        empty, or has a suffix that is not known.
    """
    label = repr(str(path))
    try:
        refuse_no_file(path, known)
        suffix, packed = known_suffix(path.name, label, known)
        with path.open("rb") as stream:
            content = _unpack(stream, label) if packed else path.absolute()
        source = Source(label, suffix, content)
        source.refuse_empty()
    except OSError as error:
        raise unreadable(label, error) from error
    return source


def known_suffix(name: str, label: str, known: Iterable[str]) -> tuple[str, bool]:
    """The suffix that tells the format, and whether the file is gzipped; `DataError` if not known."""
    *others, last = Path(name.lower()).suffixes or [""]
    packed = last == ".gz"
    suffix = (others or [""])[-1] if packed else last
    if suffix not in known:
        raise DataError(
            f"A table's suffix must be one of {', '.join(known)} (or .csv.gz and the like). "
            f"Got {label} instead; save the table as one of these, and name it so."
        )
    return suffix, packed


def unreadable(label: str, error: OSError) -> DataError:
    """What to raise where the system refuses to read."""
    return DataError(
        f"{label} must be readable. The system says: {error.strerror or error}; "
        "check its permissions and its name."
    )


def refuse_no_file(path: Path, known: Iterable[str]) -> None:
    """Raise `DataError` for a folder, or where there is nothing of that name."""
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
    readable = (*known, ".gz")
    near = sorted(p.name for p in path.parent.iterdir() if p.suffix.lower() in readable)
    hint = did_you_mean(path.name, near) if near else " No table is in that folder; check the path."
    raise DataError(f"A table must be a file that exists. Got {str(path)!r} instead.{hint}")


def _unpack(stream: io.BufferedReader, label: str) -> bytes:
    try:
        with gzip.open(stream) as unpacked:
            parts = []
            size = 0
            while part := unpacked.read(_PART):
                parts.append(part)
                size += len(part)
                refuse_too_large(label, 2 * size)  # the parts, and the whole made of them
            return b"".join(parts)
    except GZIP_ERRORS as error:
        raise damaged_gzip(label, error) from error


def refuse_too_large(label: str, needed: int) -> None:
    """Raise `DataError` if a table would take more bytes than most of the free memory.

    A few kilobytes of Parquet, npz or gzip can stand for terabytes; asked for these, a system ends the
    process instead of refusing.
    """
    free = free_memory()
    if needed > _SHARE * free:
        raise DataError(
            f"{label} must fit in memory. Got a table of {needed / 1e9:,.1f} GB or more, with {free / 1e9:,.1f} GB "
            "free; give a budget such as --memory 2GB, and it is read in blocks."
        )


def damaged_gzip(label: str, error: Exception) -> DataError:
    """What to raise for a gzip file that does not unpack."""
    return DataError(
        f"{label} must be a whole gzip file. Got bytes that do not unpack instead ({error}); "
        "fetch or write it again."
    )


@contextmanager
def reading(label: str, form: str) -> Iterator[None]:
    """Turn whatever a parser raises on a broken file into one `DataError`.

    Every exception is meant: on bytes that are not what they claim to be, parsers raise OSError,
    ValueError, MemoryError (from a size that the bytes claim) and more, and Polars may panic, which is
    not even an Exception. The user can act on none of these except by looking at the file.
    """
    import polars as pl

    try:
        yield
    except DataError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise DataError(
            f"{label} must be {form}. Got something else or a damaged file instead ({said}); "
            "write it again, or name it by what it is."
        ) from error
