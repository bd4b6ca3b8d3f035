"""Where compiled kernels are kept between processes, and which are there. Needs no Numba.

Numba keeps what it compiled beside the source file of each kernel and compiles anew when that one file
changes. These kernels are made of several files, so their folder is named by what all of them hold.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path

__all__ = ["cache_folder", "is_kept", "note_as_kept"]

_KEPT_VERSIONS = 4


@cache
def cache_folder() -> Path | None:
    """The folder for this version of the kernels; None where none can be written.

    It is in ``$NUMBA_CACHE_DIR`` where that is set, else in the user's folder for caches.
    """
    try:
        parent = _parent()
        folder = parent / _fingerprint()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, RuntimeError):  # no folder for it, or no home at all
        return None
    others = sorted(parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in others[_KEPT_VERSIONS:]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def is_kept(name: str) -> bool:
    """Whether kernels noted under this name can be loaded instead of compiled."""
    try:
        return (_parent() / _fingerprint() / f"{name}.kept").exists()
    except (OSError, RuntimeError):
        return False


def note_as_kept(name: str) -> None:
    """Remember that kernels have been compiled and written."""
    folder = cache_folder()
    if folder is not None:
        (folder / f"{name}.kept").touch()


def _parent() -> Path:
    if "NUMBA_CACHE_DIR" in os.environ:
        base = Path(os.environ["NUMBA_CACHE_DIR"])
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "learnrate" / "kernels"


@cache
def _fingerprint() -> str:
    """A short hash of the kernels' sources."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted((Path(__file__).parent / "kernels").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
