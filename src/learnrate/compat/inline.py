"""Figures without a display: the names of the files that ``plt.show()`` saves, and whether open figures are shown at the end.

This module does not import matplotlib, so a script without figures starts fast. `matplotlib_backend` saves the files.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["next_picture", "pictures", "set_inline"]

_BACKEND = "module://learnrate.compat.matplotlib_backend"
_TOOLKITS = ("_tkinter", "PyQt6", "PySide6", "PyQt5", "PySide2", "gi", "wx")


class _State:
    stem = "figure"
    """Prefix of the file names."""
    count = 0
    inline = False
    save = True


_state = _State()


def set_inline() -> None:
    """Show figures that are still open at the end of the run, as a notebook would."""
    _state.inline = True


def next_picture() -> Path | None:
    """The file of the next figure, ``SCRIPT-1.png``, ``SCRIPT-2.png``, … in the working directory; None: do not save."""
    if not _state.save:
        return None
    _state.count += 1
    return Path(f"{_state.stem}-{_state.count}.png")


def has_screen() -> bool:
    """Whether figures can be shown in a window, or the user has chosen a backend with MPLBACKEND."""
    chosen = os.environ.get("MPLBACKEND", "").lower()
    if chosen:
        return chosen != "agg"
    if sys.platform in ("win32", "darwin"):
        return True
    connected = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(connected) and any(importlib.util.find_spec(name) for name in _TOOLKITS)


@contextmanager
def pictures(stem: str, save: bool = True) -> Iterator[None]:
    """Scope in which ``plt.show()`` saves figures to files named after ``stem`` if there is no display.

    With ``save=False`` it only closes the figures, also where there is a display.
    """
    _state.stem, _state.count, _state.inline, _state.save = stem, 0, False, save
    if save and has_screen():
        yield
        return
    before = os.environ.get("MPLBACKEND")
    os.environ["MPLBACKEND"] = _BACKEND
    _switch(_BACKEND)
    try:
        yield
        if _state.inline and "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].show()
    finally:
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
        if before is None:
            del os.environ["MPLBACKEND"]
        else:
            os.environ["MPLBACKEND"] = before
        _switch("agg")


def _switch(backend: str) -> None:
    """Switch matplotlib, if it is imported, to a backend."""
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].use(backend)
