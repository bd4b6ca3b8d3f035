"""Writing files so that a reader never finds half of one."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from learnrate.errors import OutputError, did_you_mean

__all__ = ["check_output", "check_output_folder", "write_atomically"]


def check_output(path: str | Path, suffixes: Sequence[str]) -> Path:
    """Raise OutputError unless ``path`` has a suffix that is known, in a place that can be written.

    Asked before long work starts, so that none is lost to a typing error.
    """
    path = Path(path)
    if path.suffix.lower() not in suffixes:
        raise OutputError(
            f"An output file must end in {', '.join(suffixes)}. Got {str(path)!r} instead."
            + (did_you_mean(path.suffix, suffixes) if path.suffix else "")
        )
    _check_writable(path)
    return path


def _check_writable(path: Path) -> None:
    folder = path.parent
    if path.is_dir():
        raise OutputError(f"The output must be a file. Got the folder {str(path)!r}; name a file.")
    if not folder.is_dir():
        raise OutputError(
            f"The output folder must exist. Got {str(path)!r}, and {str(folder)!r} is no folder; "
            "make it first or write elsewhere."
        )
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise OutputError(
            f"The output must be writable. Got {str(path)!r}, which may not be written here; "
            "change its permissions or write elsewhere."
        )


def check_output_folder(path: str | Path) -> Path:
    """Raise OutputError unless ``path`` is a folder that can be written, or one can be made there."""
    path = Path(path)
    there = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not there.is_dir():
        raise OutputError(
            f"The output must be a folder. Got {str(path)!r}, and {str(there)!r} is a file; "
            "name another."
        )
    if not os.access(there, os.W_OK):
        raise OutputError(
            f"The output must be writable. Got {str(path)!r}, and {str(there)!r} may not be written; "
            "change its permissions or write elsewhere."
        )
    return path


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Call ``write(temporary)`` beside ``path``, then rename: the whole file is there, or none of it.

    Parameters
    ----------
    path : Path
        Where the file goes; one that is there is replaced only by a whole new one.
    write : callable
        Writes the file under the temporary name that it is given, which has the suffix of ``path``.

    Raises
    ------
    OutputError
        If the system refuses (no such folder, no permission, disk full). Nothing is left behind.
    """
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        write(temporary)
        temporary.replace(path)
    except Exception as error:
        reason = _what_the_system_said(error)
        if reason is None:
            raise
        raise OutputError(
            f"{str(path)!r} must be writable. Got: {reason}; "
            "free some space, change its permissions or write elsewhere."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _what_the_system_said(error: BaseException | None) -> str | None:
    """What the system refused with, also where a library met it with an error of its own; else None."""
    while error is not None:
        if isinstance(error, OSError):
            return error.strerror or str(error)
        told = re.search(r"([^:]+) \(os error \d+\)", str(error))  # Polars
        if told:
            return told[1].strip()
        error = error.__cause__ or error.__context__
    return None
