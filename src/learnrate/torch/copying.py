"""Deep copies of modules, with what `copy.deepcopy` leaves out or stumbles over."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from torch import Tensor, nn

from learnrate.errors import OptionError
from learnrate.torch.failures import short

__all__ = ["copy_of", "hooked"]

M = TypeVar("M", bound=nn.Module)


def copy_of(module: M, shared: Iterable[Tensor] = ()) -> M:
    """A deep copy. Gradient hooks on parameters come with it; values kept from an earlier pass lose their graph.

    Parameters
    ----------
    module : nn.Module
    shared : tensors
        Those of its own that are not copied: the copy holds them too.

    Raises
    ------
    OptionError
        If the module cannot be copied.
    """
    memo: dict[int, Any] = dict(_other_copies(module))
    memo.update({id(t): t for t in shared})
    try:
        copied = copy.deepcopy(module, memo)
    except Exception as error:
        raise OptionError(
            f"model must be one that copy.deepcopy can copy. Got {type(error).__name__}: {short(error, 200)} "
            "instead; keep in the model only what can be copied."
        ) from error
    for original, parameter in zip(module.parameters(), copied.parameters(), strict=True):
        if original is parameter:
            continue
        for hook in (original._backward_hooks or {}).values():
            parameter.register_hook(hook)  # type: ignore[no-untyped-call]
    return copied


def _other_copies(module: nn.Module) -> Iterator[tuple[int, Any]]:
    """Copies of what `copy.deepcopy` stumbles over, or takes most of its time for.

    The former are tensors that a pass computed and the module keeps: pruned weights, activations. The latter are the
    containers of hooks in each part, a dozen and mostly empty.
    """
    for part in module.modules():
        for value in vars(part).values():
            inside: Iterable[Any] = ()
            if isinstance(value, Tensor):
                inside = [value]
            elif isinstance(value, dict | list | tuple | set):
                if not value and type(value) in (OrderedDict, set):
                    yield id(value), type(value)()
                inside = value.values() if isinstance(value, dict) else value
            for t in inside:
                if isinstance(t, Tensor) and not t.is_leaf:
                    yield id(t), t.detach().clone()


def hooked(module: nn.Module) -> str | None:
    """The name of a parameter or module that has a gradient hook; None if none has."""
    for name, parameter in module.named_parameters():
        if parameter._backward_hooks:
            return name
    for name, part in module.named_modules():
        if part._backward_hooks or part._backward_pre_hooks:
            return name or type(part).__name__
    return None
