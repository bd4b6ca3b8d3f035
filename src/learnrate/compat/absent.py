"""Modules of MXNet that learnrate does not have: they can be imported, and raise an error when they are used."""

from __future__ import annotations

from types import ModuleType
from typing import Any, NoReturn

from learnrate.errors import MissingNameError

__all__ = ["AbsentModule"]


class AbsentModule(ModuleType):
    """Replaces a module of MXNet, or a function or class that was imported like a module; any use is an error."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []  # so that its submodules can be imported too

    def _refuse(self, name: str) -> NoReturn:
        raise MissingNameError(
            f"{name} is not part of learnrate, which has what chapters 2, 3, 4 and 7 of the book use.",
            name=name.rpartition(".")[2],
        )

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # asked for by Python itself
            raise AttributeError(name)
        self._refuse(f"{self.__name__}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise MissingNameError for a call."""
        self._refuse(self.__name__)

    def __instancecheck__(self, instance: Any) -> NoReturn:
        """Raise MissingNameError for ``isinstance``."""
        self._refuse(self.__name__)

    def __mro_entries__(self, bases: Any) -> NoReturn:
        """Raise MissingNameError for use as a base class."""
        self._refuse(self.__name__)
