"""Checking output paths, and writing files whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs

from learnrate.errors import OutputError, did_you_mean

__all__ = [
    "check_output",
    "check_output_folder",
    "interrupt_later",
    "user_cache",
    "write_atomically",
]


def user_cache(name: str) -> Path:
    """The folder ``learnrate/NAME`` inside the operating system's cache folder of the user. It may not exist yet."""
    return platformdirs.user_cache_path("learnrate", appauthor=False) / name


def check_output(path: str | Path, suffixes: Sequence[str]) -> Path:
    """Raise OutputError unless ``path`` has one of the suffixes and can be written.

    Call it before long work starts, so that a typing error costs nothing.
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
    """Raise OutputError unless ``path`` is a folder that can be written, or can be created."""
    path = Path(path)
    existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not existing.is_dir():
        raise OutputError(
            f"The output must be a folder. Got {str(path)!r}, and {str(existing)!r} is a file; "
            "name another."
        )
    if not os.access(existing, os.W_OK):
        raise OutputError(
            f"The output must be writable. Got {str(path)!r}, and {str(existing)!r} may not be written; "
            "change its permissions or write elsewhere."
        )
    return path


@contextmanager
def interrupt_later() -> Iterator[None]:
    """Delay Ctrl-C until the code inside has ended, so that a file being written is finished and closed."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    interrupts: list[Any] = []
    signal.signal(signal.SIGINT, lambda *arguments: interrupts.append(arguments))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if interrupts:
            handler(*interrupts[0])


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a temporary file in the folder of ``path``, then rename it: no reader ever finds half a file.

    Parameters
    ----------
    path : Path
        Where the file goes. A file that exists is replaced only once the new one is complete.
    write : callable
        Called with a temporary path, which has the suffix of ``path``; writes the file there.

    Raises
    ------
    OutputError
        If the operating system refuses (no such folder, no permission, disk full). No temporary file is left.
    """
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        write(temporary)
        temporary.replace(path)
    except Exception as error:
        reason = _system_message(error)
        if reason is None:
            raise
        raise OutputError(
            f"{str(path)!r} must be writable. Got: {reason}; "
            "free some space, change its permissions or write elsewhere."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _system_message(error: BaseException | None) -> str | None:
    """The operating system's message, also where a library raised an error of its own from it; else None."""
    while error is not None:
        if isinstance(error, OSError):
            return error.strerror or str(error)
        found = re.search(r"([^:]+) \(os error \d+\)", str(error))  # Polars
        if found:
            return found[1].strip()
        error = error.__cause__ or error.__context__
    return None
