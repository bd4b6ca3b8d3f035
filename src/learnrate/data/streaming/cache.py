"""The folder that holds a prepared table, and what makes sure that it is whole.

A cache is a folder with ``X.npy`` (n, d) and ``y.npy`` (n,), in C order, ``val_X.npy`` and ``val_y.npy`` where
rows are held out, and ``cache.json``: what it was made of (files with sizes and times, options, versions) and
what is in it. Its name is made of the first: the first half of the table's names and options, the second
of its files' sizes and times. So a changed source has another name, and the outdated cache is removed once
the new one is there.

It is written under another name, in a folder locked by its writer, brought to the disk and then renamed. So
what has the name is whole. What an interrupted writer left has no lock, and is removed by the next one.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from learnrate.errors import OutputError

__all__ = ["FACTS", "build", "default_folder", "find", "name_of"]

FACTS = "cache.json"
_VERSION = 1
_BUILDING = ".building-"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def default_folder() -> Path:
    """``learnrate/tables`` in the user's folder for caches, ``$XDG_CACHE_HOME`` where that is set."""
    home = os.environ.get("XDG_CACHE_HOME")
    if home:
        parent = Path(home)
    elif sys.platform == "win32":
        parent = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        parent = Path.home() / "Library" / "Caches"
    else:
        parent = Path.home() / ".cache"
    return parent / "learnrate" / "tables"


def name_of(asked: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """The name of a cache, from what was asked for and the state of the files."""
    return f"{_digest({'version': _VERSION, **asked})}-{_digest(state)}"


def _digest(facts: Mapping[str, Any]) -> str:
    text = json.dumps(facts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def find(folder: Path, name: str) -> dict[str, Any] | None:
    """What is in the cache of that name; None if there is none that is whole."""
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
    """Make a cache and return what is in it.

    Parameters
    ----------
    folder : Path
        That of all caches; made if need be.
    name : str
        From `name_of`.
    needed : int
        Bytes that it will take.
    write : callable
        Writes the arrays into the folder that it is given and returns the facts about them.

    Raises
    ------
    OutputError
        If the disk is full or cannot be written. Nothing of this cache stays.
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
    if error.errno in _FULL:
        try:
            free = f", {_size(shutil.disk_usage(folder).free)} free"
        except OSError:
            free = ""
        return OutputError(
            f"The cache must fit on its disk: {_size(needed)} are needed in {str(folder)!r}. "
            f"Got: {os.strerror(error.errno or 0)}{free}; make room, or name another folder with --cache "
            "(in Python: cache=...)."
        )
    return OutputError(
        f"The cache folder {str(folder)!r} must be writable. Got: {error.strerror or error}; "
        "change its permissions, or name another with --cache (in Python: cache=...)."
    )


def _size(count: float | int) -> str:
    """``64 kB`` and the like."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


@contextmanager
def _own_folder(folder: Path) -> Iterator[Path]:
    """A new folder under a passing name, locked while it is written, and gone afterwards in any case."""
    own = folder / f"{_BUILDING}{os.getpid()}-{secrets.token_hex(4)}"
    lock = own.with_suffix(".lock")
    with lock.open("wb") as held:
        try:
            _lock(held)  # before the folder is there, so that no other process finds it unlocked
            own.mkdir()
            yield own
        finally:
            shutil.rmtree(own, ignore_errors=True)
            lock.unlink(missing_ok=True)


def _lock(stream: Any) -> bool:
    """Lock a file until it is closed, by whatever end of the process; False if another has."""
    try:
        import fcntl
    except ImportError:  # Windows: an open file cannot be removed there, which serves as well
        return True
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_abandoned(folder: Path) -> None:
    """Remove what interrupted writers left behind."""
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
    """Rename; a cache that another process has put there meanwhile is as good, a damaged one is replaced."""
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
    """Bring the names in a folder to the disk, where the system can."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
