"""The folder of compiled kernels, and which kernels it contains. Needs no Numba.

By default Numba stores compiled code beside the source file of each kernel and compiles again when this file changes.
These kernels depend on several files, so the name of their folder is a hash of all of them, with the width of vectors if
it is set.
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

_KEPT_VERSIONS = 8  # folders that are kept: one for each version and width of vectors
_VARIABLE, _WIDTHS = "LEARNRATE_VECTOR_BYTES", (16, 32, 64)


@cache
def vector_bytes() -> int | None:
    """The width of vectors in ``LEARNRATE_VECTOR_BYTES``; None for that of the processor.

    Kernels of any width run on any processor, because LLVM splits vectors that are too wide. So the kernels of another
    processor can be tested on this one. The variable is read once per process.

    Raises
    ------
    OptionError
        If it is not 16, 32 or 64.
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
    """The folder for this version of the kernels; None if it cannot be written.

    It is in ``$NUMBA_CACHE_DIR`` if that is set, else in the user's cache folder.
    """
    try:
        parent = _parent()
        folder = parent / _fingerprint()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, RuntimeError):  # the folder cannot be written, or there is no home folder
        return None
    others = sorted(parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in others[_KEPT_VERSIONS:]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def is_kept(name: str) -> bool:
    """Whether the kernels with this name can be loaded, so that they need not be compiled."""
    try:
        return (_parent() / _fingerprint() / f"{name}.kept").exists()
    except (OSError, RuntimeError):
        return False


def note_as_kept(name: str) -> None:
    """Note that the kernels with this name have been compiled and stored."""
    folder = cache_folder()
    if folder is not None:
        (folder / f"{name}.kept").touch()


def _parent() -> Path:
    given = os.environ.get("NUMBA_CACHE_DIR")
    return Path(given) / "learnrate" / "kernels" if given else user_cache("kernels")


@cache
def _fingerprint() -> str:
    """A short hash of the kernels' sources, with the width of vectors if it is set."""
    width = vector_bytes()
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted((Path(__file__).parent / "kernels").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest() if width is None else f"{digest.hexdigest()}-{width}"
