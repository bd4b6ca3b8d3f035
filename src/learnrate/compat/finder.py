"""The import finder: while a script runs, ``mxnet`` and ``d2lzh`` are learnrate's modules.

A ``d2lzh`` of the script's own is used instead of learnrate's. ``IPython`` is IPython if it is installed, with the
function `set_matplotlib_formats` that was removed in version 9; else a small replacement. ``pandas`` stores text as
objects, as it did when the scripts were written.
"""

from __future__ import annotations

import importlib
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from learnrate._missing import is_mxnet_name, why_missing
from learnrate.compat.absent import AbsentModule
from learnrate.errors import MissingModuleError

__all__ = ["missing_import", "mxnet_imports"]

_REPLACED = {"mxnet": "learnrate.compat.mxnet", "d2lzh": "learnrate.compat.d2lzh"}
_STAND_IN = {"IPython": "learnrate.compat.ipython"}
_SHARED = {"mxnet.nd": "learnrate.nd", "mxnet.autograd": "learnrate.autograd"}
"""Modules of learnrate that are submodules of mxnet."""

_REFUSED = {"mxnet.gluon.rnn"}
"""Importing one of these is an error. Other modules that learnrate lacks raise an error only when they are used."""

_PANDAS_TEXT = "future.infer_string"


class _Alias(Loader):
    """Loads an existing module under another name."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def exec_module(self, module: ModuleType) -> None:
        """Put the existing module into `sys.modules`, in place of the new, empty one."""
        assert module.__spec__ is not None
        sys.modules[module.__spec__.name] = self._module


class _PatchedLoader(Loader):
    """Loads a module with its own loader, then calls ``change`` with it."""

    def __init__(self, loader: Any, change: Callable[[ModuleType], None]) -> None:
        self._loader, self._change = loader, change

    def create_module(self, spec: ModuleSpec) -> Any:
        """Create the module with its own loader."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module with its own loader, then change it."""
        self._loader.exec_module(module)
        self._change(module)


def _with_formats(display: ModuleType) -> None:
    """Add `set_matplotlib_formats`, which was removed in version 9, to ``IPython.display``."""
    from learnrate.compat.ipython.display import set_matplotlib_formats

    display.__dict__.setdefault("set_matplotlib_formats", set_matplotlib_formats)


def _text_as_objects(pandas: Any, objects: bool = True) -> None:
    """Let pandas store columns of text as objects, as before version 3, or reset that option.

    pandas 4 will remove the option.
    """
    with suppress(KeyError, AttributeError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if objects:
            pandas.set_option(_PANDAS_TEXT, False)
        else:
            pandas.reset_option(_PANDAS_TEXT)


_CHANGES: dict[str, Callable[[ModuleType], None]] = {
    "IPython.display": _with_formats,
    "pandas": _text_as_objects,
}


class _Finder(MetaPathFinder):
    """Finds the modules under the names that scripts for MXNet use."""

    def __init__(self) -> None:
        self.roots = dict(_REPLACED)
        if PathFinder.find_spec("IPython") is None:
            self.roots |= _STAND_IN
        self.absent: dict[str, AbsentModule] = {}
        self.packages: list[ModuleType] = []

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module by the name that the script uses.

        Raises
        ------
        MissingModuleError
            If neither learnrate nor MXNet has such a module.
        """
        del target
        root, *parts = name.split(".")
        if root == "d2lzh" and (path is not None or PathFinder.find_spec(name) is not None):
            return None  # the script's own
        if root in self.roots:
            return ModuleSpec(
                name, _Alias(self._as_package(self._part(name, self.roots[root], parts)))
            )
        if name in _CHANGES:
            spec = PathFinder.find_spec(name, path)
            if spec is not None and spec.loader is not None:
                spec.loader = _PatchedLoader(spec.loader, _CHANGES[name])
            return spec
        known_as = _in_mxnet(
            name
        )  # ``from mxnet import image`` asks for a part of learnrate's module
        if known_as and self._is_absent(known_as) and PathFinder.find_spec(name, path) is None:
            return ModuleSpec(name, _Alias(self._stand_in(name, known_as)))
        return None

    @staticmethod
    def _is_absent(name: str) -> bool:
        return is_mxnet_name(name.rpartition(".")[2]) and name not in _REFUSED

    def _part(self, name: str, root: str, parts: Sequence[str]) -> ModuleType:
        """The module that is reached from ``root`` by attributes: ``nd`` of mxnet is learnrate.nd."""
        module: Any = importlib.import_module(root)
        for part in parts:
            if isinstance(module, AbsentModule):
                return self._stand_in(name, name)
            found = getattr(module, part, None)
            if not isinstance(found, ModuleType):
                if self._is_absent(name):
                    return self._stand_in(name, name)
                raise _missing_part(name, getattr(module, "__all__", ()))
            module = found
        return module  # type: ignore[no-any-return]

    def _as_package(self, module: ModuleType) -> ModuleType:
        """Make a module look like a package, so that ``from module import name`` asks this finder for unknown names."""
        if not hasattr(module, "__path__"):
            module.__path__ = []
            self.packages.append(module)
        return module

    def _stand_in(self, name: str, known_as: str) -> AbsentModule:
        return self.absent.setdefault(name, AbsentModule(known_as))

    def forget(self) -> None:
        """Undo the imports: remove absent modules from their parents, and the attributes added to modules."""
        for name, module in self.absent.items():
            sys.modules.pop(name, None)
            parent, _, child = name.rpartition(".")
            holder = sys.modules.get(parent)
            if holder is not None and holder.__dict__.get(child) is module:
                delattr(holder, child)
        for opened in self.packages:
            del opened.__path__


def missing_import(error: ImportError) -> MissingModuleError | None:
    """Translate Python's ImportError of ``from mxnet.gluon.nn import Dens`` into one with MXNet's names.

    Returns
    -------
    MissingModuleError or None
        None if the error is not about a module of MXNet.
    """
    wanted = re.match(r"cannot import name '(\w+)'", str(error))
    if wanted is None or error.name is None:
        return None
    module = _in_mxnet(error.name)
    if module is None:
        return None
    known = getattr(sys.modules[error.name], "__all__", ())
    return _missing_part(f"{module}.{wanted[1]}", known)


def _in_mxnet(name: str) -> str | None:
    """The name that scripts use for a module of learnrate: ``mxnet.nd`` for ``learnrate.nd``; else None."""
    for borrowed, ours in {**_REPLACED, **_STAND_IN, **_SHARED}.items():
        if name == ours or name.startswith(ours + "."):
            return borrowed + name.removeprefix(ours)
    return None


def _missing_part(name: str, known: Sequence[str]) -> MissingModuleError:
    why = why_missing(name.rpartition(".")[2], known)
    return MissingModuleError(f"{name} is not part of learnrate{why}", name=name)


@contextmanager
def mxnet_imports() -> Iterator[None]:
    """Scope in which ``import mxnet`` finds learnrate's modules; all changes are undone at the end."""
    finder = _Finder()

    def borrowed(name: str) -> bool:
        return name.partition(".")[0] in finder.roots

    before = {name: sys.modules.pop(name) for name in list(sys.modules) if borrowed(name)}
    sys.meta_path.insert(0, finder)
    if "pandas" in sys.modules:
        _text_as_objects(sys.modules["pandas"])
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        finder.forget()
        if "pandas" in sys.modules:
            _text_as_objects(sys.modules["pandas"], False)
        for name in [name for name in sys.modules if borrowed(name)]:
            del sys.modules[name]
        sys.modules.update(before)
