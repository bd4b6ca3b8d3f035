"""Pickling for workers: the user's own modules are sent as code, and an error names what cannot be pickled."""

from __future__ import annotations

import site
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["by_value", "what_cannot_be_sent"]

_MOST_LEVELS = 8


@contextmanager
def by_value(cloudpickle: Any) -> Iterator[None]:
    """Pickle modules that are not installed with their code, since a worker may not be able to import them."""
    own = [module for module in list(sys.modules.values()) if _is_own(module)]
    for module in own:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)


def _is_own(module: object) -> bool:
    """Whether a module is the user's script or a file beside it, not part of an installed package."""
    path = getattr(module, "__file__", None)
    if not isinstance(module, ModuleType) or not isinstance(path, str):
        return False
    if module.__name__ == "__main__" or module.__name__.partition(".")[0] == "learnrate":
        return False
    return not any(Path(path).is_relative_to(folder) for folder in _installed())


@cache
def _installed() -> set[str]:
    """Folders of the standard library and of installed packages."""
    folders = {*sysconfig.get_paths().values(), *site.getsitepackages(), site.getusersitepackages()}
    return {str(Path(folder).resolve()) for folder in folders} | folders


def what_cannot_be_sent(value: Any, cloudpickle: Any, error: Exception) -> str:
    """The innermost attribute that cannot be pickled: its path, its type and the error, as one phrase."""
    name, depth = "", 0
    while depth < _MOST_LEVELS:
        for part_name, part in _parts(value):
            try:
                cloudpickle.dumps(part)
            except Exception as inner:  # pickling calls the user's code, which can raise anything
                name, value, error = f"{name}{part_name}", part, inner
                break
        else:
            break
        depth += 1
    said = str(error).strip().splitlines()
    return f"{name.lstrip('.') or 'it'}, of type {type(value).__name__} ({said[0] if said else type(error).__name__})"


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((f"[{key!r}]", part) for key, part in value.items())
    elif isinstance(value, list | tuple):
        yield from ((f"[{i}]", part) for i, part in enumerate(value))
    elif hasattr(value, "__dict__") and not isinstance(value, type):
        yield from ((f".{key}", part) for key, part in vars(value).items())
