"""Memory: how much is free, what an error says that it ran out, and what a piece of work allocates."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, UntypedStorage
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from learnrate._memory import free_memory as memory_of_machine

__all__ = ["Meter", "free_memory", "is_out_of_memory"]


def free_memory(device: torch.device) -> int:
    """Bytes free on the device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return memory_of_machine()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on any device."""
    if isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "not enough memory" in text or "can't allocate memory" in text
    )


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
    """The storages of the tensors among some values; sparse ones have none."""
    tensors = (value for value in tree_leaves(values) if isinstance(value, Tensor))
    return [value.untyped_storage() for value in tensors if value.layout == torch.strided]
