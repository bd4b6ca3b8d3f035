"""Pictures without a screen: what a figure that is shown is called, and whether figures show by themselves.

Nothing here loads matplotlib: a script that draws nothing does not wait for it. `matplotlib_backend` is the other
half.
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
    """What pictures are named after."""
    count = 0
    inline = False


_state = _State()


def set_inline() -> None:
    """Show what is still open at the end of the run, as a notebook shows every figure."""
    _state.inline = True


def next_picture() -> Path:
    """Where the next figure goes: ``SCRIPT-1.png``, ``SCRIPT-2.png``, … in the working directory."""
    _state.count += 1
    return Path(f"{_state.stem}-{_state.count}.png")


def has_screen() -> bool:
    """Whether figures can be shown in a window, or the user chose how they are drawn."""
    chosen = os.environ.get("MPLBACKEND", "").lower()
    if chosen:
        return chosen != "agg"
    if sys.platform in ("win32", "darwin"):
        return True
    connected = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(connected) and any(importlib.util.find_spec(name) for name in _TOOLKITS)


@contextmanager
def pictures(stem: str) -> Iterator[None]:
    """Scope in which ``plt.show()`` saves pictures named after ``stem`` if there is no screen."""
    _state.stem, _state.count, _state.inline = stem, 0, False
    if has_screen():
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
    """Have matplotlib, if it is loaded, draw by ``backend``."""
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].use(backend)
