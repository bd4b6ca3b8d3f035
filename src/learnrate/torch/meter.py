"""What a piece of work allocates: every tensor's memory, from the operation that made it until it is let go."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

from torch import Tensor, UntypedStorage
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["Meter"]


class Meter(TorchDispatchMode):
    """Counts the bytes of the tensors that are made inside of it, on any device, those of the backward pass too.

    What an operation uses within itself is not seen, nor what is made without an operation of PyTorch.

    Attributes
    ----------
    now, peak : int
        Bytes that are held, and the most that were held at a time.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._live: dict[int, weakref.ref[UntypedStorage]] = {}

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run an operation, and count what it made."""
        kwargs = kwargs or {}
        given = {id(storage) for storage in _storages((args, kwargs))}
        out = func(*args, **kwargs)
        for storage in _storages(out):
            if id(storage) not in self._live and id(storage) not in given:
                self._count(storage)
        return out

    def _count(self, storage: UntypedStorage) -> None:
        key, size = id(storage), storage.nbytes()

        def gone(_: Any) -> None:
            del self._live[key]
            self.now -= size

        self._live[key] = weakref.ref(storage, gone)
        self.now += size
        self.peak = max(self.peak, self.now)


def _storages(values: Any) -> list[UntypedStorage]:
    """Of the tensors among some values."""
    return [value.untyped_storage() for value in tree_leaves(values) if isinstance(value, Tensor)]
