"""The import finder: for the length of a run ``mxnet`` and ``d2lzh`` are learnrate's modules.

``IPython`` is IPython where it is installed, with the `set_matplotlib_formats` that it lost in release 9; else
a small stand-in.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from learnrate.errors import MissingModuleError, did_you_mean

__all__ = ["borrowed_names", "missing_import"]

_OURS = {"mxnet": "learnrate.compat.mxnet", "d2lzh": "learnrate.compat.d2lzh"}
_STAND_IN = {"IPython": "learnrate.compat.ipython"}
_SHARED = {"mxnet.nd": "learnrate.nd", "mxnet.autograd": "learnrate.autograd"}
"""Modules of learnrate's own that are parts of mxnet."""


class _Lend(Loader):
    """Answers an import with a module that has another name."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def exec_module(self, module: ModuleType) -> None:
        """Put the lent module in the place of the new, empty one, as `importlib` allows."""
        assert module.__spec__ is not None
        sys.modules[module.__spec__.name] = self._module


class _Complete(Loader):
    """Loads IPython.display by its own loader, then gives it what current releases lack."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> Any:
        """As its own loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """As its own loader does, and one function more."""
        from learnrate.compat.ipython.display import set_matplotlib_formats

        self._loader.exec_module(module)
        if not hasattr(module, "set_matplotlib_formats"):
            module.__dict__["set_matplotlib_formats"] = set_matplotlib_formats


class _Finder(MetaPathFinder):
    """Finds the borrowed names."""

    def __init__(self) -> None:
        self._roots = dict(_OURS)
        if PathFinder.find_spec("IPython") is None:
            self._roots |= _STAND_IN

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module by the name that the script knows it by.

        Raises
        ------
        MissingModuleError
            If it is a part of MXNet that learnrate does not have.
        """
        del target
        root, *parts = name.split(".")
        if root in self._roots:
            return ModuleSpec(name, _Lend(_part(name, self._roots[root], parts)))
        if name == "IPython.display":
            spec = PathFinder.find_spec(name, path)
            if spec is not None and spec.loader is not None:
                spec.loader = _Complete(spec.loader)
            return spec
        return None


def _part(name: str, root: str, parts: Sequence[str]) -> ModuleType:
    """The module that is reached from ``root`` by its attributes: ``nd`` of mxnet is learnrate.nd."""
    module: Any = importlib.import_module(root)
    for part in parts:
        found = getattr(module, part, None)
        if not isinstance(found, ModuleType):
            raise _missing_part(name, getattr(module, "__all__", ()))
        module = found
    return module  # type: ignore[no-any-return]


def missing_import(error: ImportError) -> MissingModuleError | None:
    """What ``from mxnet.gluon.nn import Conv2D`` comes to: Python's own error, in MXNet's words.

    Returns
    -------
    MissingModuleError or None
        None if the error is about something else than a borrowed module.
    """
    wanted = re.match(r"cannot import name '(\w+)'", str(error))
    if wanted is None or error.name is None:
        return None
    for borrowed, ours in {**_OURS, **_STAND_IN, **_SHARED}.items():
        if error.name == ours or error.name.startswith(ours + "."):
            module = borrowed + error.name.removeprefix(ours)
            known = getattr(sys.modules[error.name], "__all__", ())
            return _missing_part(f"{module}.{wanted[1]}", known)
    return None


def _missing_part(name: str, known: Sequence[str]) -> MissingModuleError:
    nearest = did_you_mean(name.rpartition(".")[2], known)
    return MissingModuleError(f"{name} is not part of learnrate.{nearest}", name=name)


@contextmanager
def borrowed_names() -> Iterator[None]:
    """Scope in which ``import mxnet`` finds learnrate's modules; afterwards everything is as it was."""
    finder = _Finder()

    def borrowed(name: str) -> bool:
        return name.partition(".")[0] in finder._roots

    before = {name: sys.modules.pop(name) for name in list(sys.modules) if borrowed(name)}
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if borrowed(name)]:
            del sys.modules[name]
        sys.modules.update(before)
