"""What a training keeps besides parameters and buffers, and whether a pass has changed it."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

__all__ = [
    "PLUMBING",
    "Place",
    "activations",
    "changed",
    "fingerprint",
    "kept_state",
    "variables_of",
]

PLUMBING = {"_parameters", "_buffers", "_modules", "training"}
_STOPPED = nn.Module | type | ModuleType | FunctionType | MethodType | BuiltinFunctionType
_WHOLE = _STOPPED | Tensor | np.ndarray | random.Random | np.random.Generator
_CONTAINERS = (list, tuple, set, frozenset, dict)
_DEPTH = 3
"""Depth to which containers and objects are compared."""
_MANY = 1000
"""Of a container with more entries only the length is compared."""


Place = tuple[str, str]
"""The name of a part of a module, and of an attribute."""


def activations(module: nn.Module) -> dict[Place, Any]:
    """Attributes that hold floating-point tensors, alone or in a container, and are neither parameters nor buffers."""
    return {
        (name, attribute): value
        for name, part in module.named_modules()
        for attribute, value in vars(part).items()
        if attribute not in PLUMBING and _is_floating(value)
    }


def _is_floating(value: Any) -> bool:
    if isinstance(value, list | tuple | dict) and value:
        return all(map(_is_floating, value.values() if isinstance(value, dict) else value))
    return isinstance(value, Tensor) and value.is_floating_point()


def kept_state(module: nn.Module, without: Collection[Place] = ()) -> dict[str, Any]:
    """What each part holds besides parameters and buffers, and what its functions see around them, to be compared."""
    state: dict[str, Any] = {}
    for at, part in module.named_modules():
        of = {"ByStep": "the step"}.get(type(part).__name__, type(part).__name__)
        for attribute, value in vars(part).items():
            if attribute in PLUMBING or (isinstance(value, _CONTAINERS) and not value):
                continue  # what an empty container is filled with is seen then
            if (at, attribute) in without:
                continue
            inside = list(value.values()) if isinstance(value, dict) else [value]
            items = [(attribute, of, value)]
            for thing in inside:
                if hasattr(thing, "__dict__") and not isinstance(thing, _WHOLE):
                    items += [(key, type(thing).__name__, v) for key, v in vars(thing).items()]
                    items = items[1:] if items[0][2] is thing else items
            for key, owner, held in items:
                name = f"{key!r} of {owner}"
                state[name] = state.get(name), fingerprint(held)
            for function in inside:
                for name, seen in variables_of(function).items():
                    state[f"{name!r} of a function"] = _of_variable(seen)
    return state


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Names of what is not as it was."""
    return [
        name
        for name in dict.fromkeys([*before, *after])
        if name not in before or name not in after or before[name] != after[name]
    ]


def variables_of(function: Any, seen: set[int] | None = None) -> dict[str, Any]:
    """What a function sees by name besides its arguments: closures and globals, also of functions that it calls.

    Nothing for what is no function of Python's.
    """
    found: dict[str, Any] = {}
    seen = set() if seen is None else seen
    if isinstance(function, MethodType):
        function = function.__func__
    function = getattr(function, "__wrapped__", function)
    if hasattr(function, "func") and hasattr(function, "keywords"):  # functools.partial
        found.update({f"argument {i}": v for i, v in enumerate(function.args)}, **function.keywords)
        function = function.func
    if not isinstance(function, FunctionType) or id(function) in seen or _foreign(function):
        return found
    seen.add(id(function))
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not filled yet
            continue
    for name in _names(function.__code__):
        if name in function.__globals__:
            found[name] = function.__globals__[name]
    for value in list(found.values()):
        if isinstance(value, FunctionType | MethodType):
            found = {**variables_of(value, seen), **found}
    skipped = ModuleType | type | BuiltinFunctionType | FunctionType
    return {name: value for name, value in found.items() if not isinstance(value, skipped)}


def _foreign(function: FunctionType) -> bool:
    """Whether it is a function of PyTorch or NumPy, which keep no state of a training."""
    return (function.__module__ or "").split(".")[0] in ("torch", "numpy", "learnrate")


def _names(code: Any) -> Iterator[str]:
    """Global names in a function and in functions written inside of it."""
    yield from code.co_names
    for constant in code.co_consts:
        if hasattr(constant, "co_names"):
            yield from _names(constant)


def _of_variable(value: Any) -> Any:
    modules = [value]
    if isinstance(value, _CONTAINERS):
        modules = list(value.values() if isinstance(value, dict) else value)[:_MANY]
    found = [fingerprint(value)]
    for module in (m for m in modules if isinstance(m, nn.Module)):
        tensors = [*module.parameters(), *module.buffers()]
        found += [kept_state(module), [fingerprint(tensor) for tensor in tensors]]
    return found


class _Same:
    """Equal to the same object only; it keeps that object, so that no other can take its place in memory."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    __hash__ = None  # type: ignore[assignment]


def fingerprint(value: Any, depth: int = 0) -> Any:
    """Something that differs after the value has changed, if only inside a container or an object."""
    if isinstance(value, bool | int | float | str | bytes | None):
        return repr(value)  # nan is like nan
    if isinstance(value, Tensor):
        return _Same(value), value._version
    if isinstance(value, np.ndarray):
        return _Same(value), value.tobytes()
    if isinstance(value, torch.Generator):
        return _Same(value), bytes(value.get_state().numpy())
    if isinstance(value, np.random.Generator):
        return _Same(value), str(value.bit_generator.state)
    if isinstance(value, np.random.RandomState):
        return _Same(value), str(value.get_state())
    if isinstance(value, random.Random):
        return _Same(value), value.getstate()
    inside: Any = ()
    if depth < _DEPTH and not isinstance(value, _STOPPED):
        inside = vars(value) if hasattr(value, "__dict__") else ()
        inside = value if isinstance(value, _CONTAINERS) else inside
    if len(inside) > _MANY:
        return _Same(value), len(inside)
    parts = [*inside, *inside.values()] if isinstance(inside, dict) else inside
    return _Same(value), *(fingerprint(part, depth + 1) for part in parts)
