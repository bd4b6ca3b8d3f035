"""The cache of a prepared table: a folder that is written whole or not at all.

A cache is a folder with ``X.npy`` (n, d) and ``y.npy`` (n,), in C order, with ``val_X.npy`` and ``val_y.npy`` if rows
are held out, and with ``cache.json``: what it was made from (files with sizes and times, options, versions) and what it
holds. Its name is two hashes: one of the table's files and options, one of the files' sizes and times. So the cache of
a changed file has another name, and the outdated one is removed when the new one is complete.

A cache is written under a temporary name in a folder that its writer locks, flushed to the disk, and renamed. So a
folder with the final name is complete. Folders of interrupted writers have no lock, and the next writer removes them.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from learnrate.errors import OutputError, option

__all__ = ["FACTS", "build", "find", "name_of"]

FACTS = "cache.json"
_VERSION = 1
_BUILDING = ".building-"
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def name_of(asked: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """The name of a cache: hashes of what was asked for and of the state of the files."""
    return f"{_digest({'version': _VERSION, **asked})}-{_digest(state)}"


def _digest(facts: Mapping[str, Any]) -> str:
    text = json.dumps(facts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def find(folder: Path, name: str) -> dict[str, Any] | None:
    """The facts about the cache of this name; None if there is no complete one."""
    try:
        facts: dict[str, Any] = json.loads((folder / name / FACTS).read_text(encoding="utf-8"))
        for file, size in facts["sizes"].items():
            if (folder / name / file).stat().st_size != size:
                return None
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None
    return facts


def build(
    folder: Path, name: str, needed: int, write: Callable[[Path], Mapping[str, Any]]
) -> dict[str, Any]:
    """Write a cache, and return the facts about it.

    Parameters
    ----------
    folder : Path
        The folder of all caches; created if necessary.
    name : str
        The name from `name_of`.
    needed : int
        Bytes that the cache will take.
    write : callable
        Called with a folder; writes the arrays there and returns facts about them.

    Raises
    ------
    OutputError
        If the disk is full or cannot be written. No part of the cache is left.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(folder)
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with _own_folder(folder) as own:
            facts = dict(write(own))
            facts["sizes"] = {file.name: file.stat().st_size for file in sorted(own.iterdir())}
            _write_through(own / FACTS, json.dumps(facts, ensure_ascii=False, indent=1))
            _sync(own)
            _give_name(own, folder / name)
            _sync(folder)
    except OSError as error:
        raise _refusal(folder, needed, error) from error
    _remove_outdated(folder, name)
    return facts


def _refusal(folder: Path, needed: int, error: OSError) -> OutputError:
    if error.errno in _DISK_FULL:
        try:
            free = f", {_size(shutil.disk_usage(folder).free)} free"
        except OSError:
            free = ""
        return OutputError(
            f"The cache must fit on its disk: {_size(needed)} are needed in {str(folder)!r}. "
            f"Got: {os.strerror(error.errno or 0)}{free}; free some space, or name another folder with "
            f"{option('cache')}."
        )
    return OutputError(
        f"The cache folder {str(folder)!r} must be writable. Got: {error.strerror or error}; "
        f"change its permissions, or name another with {option('cache')}."
    )


def _size(count: float | int) -> str:
    """A number of bytes with a unit: ``64 kB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


@contextmanager
def _own_folder(folder: Path) -> Iterator[Path]:
    """A new folder with a temporary name, locked while it is written, and removed at the end if it was not renamed."""
    own = folder / f"{_BUILDING}{os.getpid()}-{secrets.token_hex(4)}"
    lock = own.with_suffix(".lock")
    with lock.open("wb") as held:
        try:
            _lock(held)  # before the folder exists, so that no other process finds it unlocked
            own.mkdir()
            yield own
        finally:
            shutil.rmtree(own, ignore_errors=True)
            lock.unlink(missing_ok=True)


def _lock(stream: Any) -> bool:
    """Lock a file until it is closed or the process ends; False if another process has locked it."""
    try:
        import fcntl
    except ImportError:  # Windows, where an open file cannot be removed
        return True
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_abandoned(folder: Path) -> None:
    """Remove the folders of interrupted writers."""
    for own in folder.glob(f"{_BUILDING}*"):
        if own.suffix == ".lock":
            continue
        lock = own.with_suffix(".lock")
        try:
            with lock.open("ab") as held:
                if not _lock(held):
                    continue
                shutil.rmtree(own, ignore_errors=True)
            lock.unlink(missing_ok=True)
        except OSError:
            continue


def _give_name(own: Path, whole: Path) -> None:
    """Rename a complete cache. One that another process has written meanwhile is kept; a damaged one is replaced."""
    try:
        own.rename(whole)
    except OSError:
        if find(whole.parent, whole.name) is None:
            shutil.rmtree(whole)
            own.rename(whole)


def _remove_outdated(folder: Path, name: str) -> None:
    """Remove caches of the same table and options whose files have changed since."""
    asked = name.partition("-")[0]
    for other in folder.glob(f"{asked}-*"):
        if other.name != name:
            shutil.rmtree(other, ignore_errors=True)


def _write_through(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(folder: Path) -> None:
    """Flush the entries of a folder to the disk, if the operating system can."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
