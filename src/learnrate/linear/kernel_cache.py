"""Where compiled kernels are kept between processes, and which are there. Needs no Numba.

Numba keeps what it compiled beside the source file of each kernel and compiles anew when that one file
changes. These kernels are made of several files, so their folder is named by what all of them hold, and by
the width of the vectors that they are made of where that is set.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from learnrate._files import user_cache
from learnrate.errors import OptionError

__all__ = ["cache_folder", "is_kept", "note_as_kept", "vector_bytes"]

_KEPT_VERSIONS = 8  # of the kernels, each width of vectors counted
_VARIABLE, _WIDTHS = "LEARNRATE_VECTOR_BYTES", (16, 32, 64)


@cache
def vector_bytes() -> int | None:
    """The width of vectors that ``LEARNRATE_VECTOR_BYTES`` asks for; None for the processor's own.

    Kernels of any width run on any processor: LLVM splits vectors that are too wide for it. So what another
    processor would do can be tried on this one. Read once in a process.

    Raises
    ------
    OptionError
        If it is none of 16, 32 and 64.
    """
    said = os.environ.get(_VARIABLE, "").strip()
    if not said:
        return None
    if said not in map(str, _WIDTHS):
        raise OptionError(
            f"The environment variable {_VARIABLE} must be 16, 32 or 64, the bytes of a vector. "
            f"Got {said!r} instead; unset it to have the processor's own."
        )
    return int(said)


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
    given = os.environ.get("NUMBA_CACHE_DIR")
    return Path(given) / "learnrate" / "kernels" if given else user_cache("kernels")


@cache
def _fingerprint() -> str:
    """A short hash of the kernels' sources, and the width of vectors where it is set."""
    width = vector_bytes()
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted((Path(__file__).parent / "kernels").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest() if width is None else f"{digest.hexdigest()}-{width}"
