"""The module that all lanes of a seed start from: a copy, the caller's own is never touched."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from learnrate.errors import OptionError
from learnrate.torch.failures import in_one_line
from learnrate.torch.randomness import Stream, reseed

__all__ = ["STARTS", "Source", "as_device", "model_dtype", "start_module"]

Source = nn.Module | Callable[[], nn.Module]
STARTS = ("given", "reset")

_DTYPES = (torch.float64, torch.float32)


def start_module(model: Source, start: str, seed: int, device: torch.device | None) -> nn.Module:
    """The module that the lanes of ``seed`` start from, on the device, in training mode.

    A callable is called for every seed. Of a module, ``start="given"`` takes the parameters as they are, and
    ``"reset"`` draws new ones by each submodule's ``reset_parameters``. Draws come from the seed's own
    stream, so this runs inside `learnrate.torch.randomness.forked_random_states`.

    Raises
    ------
    OptionError
        If the module cannot be copied, reset or trained.
    """
    reseed(device or torch.device("cpu"), seed, Stream.START)
    if isinstance(model, nn.Module):
        module = _copy(model)
        if start == "reset":
            _reset(module)
    else:
        if not callable(model):
            raise OptionError(
                "model must be an nn.Module or a callable that returns one. "
                f"Got {type(model).__name__} instead."
            )
        with in_one_line(
            "model must be an nn.Module or a callable that returns one without arguments."
        ):
            module = model()
        if not isinstance(module, nn.Module):
            raise OptionError(
                f"model must be an nn.Module or a callable that returns one. "
                f"Got {type(module).__name__} from it instead."
            )
    if any(is_lazy(tensor) for tensor in [*module.parameters(), *module.buffers()]):
        raise OptionError(
            "model must know the shapes of its parameters. Got lazy ones instead; call the model once "
            "on a minibatch before the sweep."
        )
    if any(isinstance(part, torch.jit.ScriptModule) for part in module.modules()):
        raise OptionError(
            "model must be written in Python. Got one from torch.jit instead; give the module that was "
            "scripted or traced."
        )
    if any(tensor.is_meta for tensor in [*module.parameters(), *module.buffers()]):
        raise OptionError(
            "model must hold its parameters. Got some on the device meta instead; build it on the cpu."
        )
    if device is not None:
        module = module.to(device)
    return module.train()


def _copy(model: nn.Module) -> nn.Module:
    original: nn.Module = getattr(model, "_orig_mod", model)  # what torch.compile wrapped
    try:
        return copy.deepcopy(original)
    except Exception as error:
        raise OptionError(
            f"model must be one that copy.deepcopy can copy. Got {type(error).__name__}: {error} "
            "instead; give a callable that returns a new model."
        ) from error


def _reset(module: nn.Module) -> None:
    for name, part in module.named_modules():
        reset: Any = getattr(part, "reset_parameters", getattr(part, "_reset_parameters", None))
        if callable(reset):
            reset()
        elif list(part.parameters(recurse=False)):
            raise OptionError(
                "For start='reset' every submodule with parameters must have reset_parameters(). "
                f"Got none in {name or type(part).__name__!r} instead; give a callable that returns a new model."
            )


def as_device(device: str | torch.device | None) -> torch.device | None:
    """The device of that name; ``"auto"`` is a GPU if there is one, and None where the model is.

    Raises
    ------
    OptionError
        If there is no such device here.
    """
    if device is None:
        return None
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
        torch.zeros(1, device=found).cpu()  # which the device meta refuses
    except Exception as error:  # which kind depends on the device's backend
        reason = str(error).splitlines()[0]
        raise OptionError(
            f"device must be one that PyTorch can use here. Got {str(device)!r} instead ({reason}); "
            "use cpu, or auto for a GPU where there is one."
        ) from None
    return found


def model_dtype(module: nn.Module) -> torch.dtype:
    """The type of the trained parameters.

    Raises
    ------
    OptionError
        If there are none, or not all of one type, or the type is neither float64 nor float32.
    """
    dtypes = {p.dtype for p in module.parameters() if p.requires_grad}
    if not dtypes:
        raise OptionError(
            "model must have parameters to train. Got none with requires_grad=True instead."
        )
    if len(dtypes) > 1 or not dtypes <= set(_DTYPES):
        names = ", ".join(sorted(str(dtype).removeprefix("torch.") for dtype in dtypes))
        raise OptionError(
            f"The model's parameters must all be float64, or all float32. Got {names} instead; "
            "convert it with .float() or .double()."
        )
    return dtypes.pop()
