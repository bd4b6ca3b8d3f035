"""What all lanes of a seed start from: a copy, the caller's own is never touched."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from learnrate.errors import OptionError, option
from learnrate.torch.copying import copy_of
from learnrate.torch.failures import in_one_line
from learnrate.torch.randomness import Stream, reseed
from learnrate.torch.reach import check_functions
from learnrate.torch.resetting import reset
from learnrate.torch.whole import Recipe, Whole

__all__ = ["STARTS", "Source", "as_device", "model_dtype", "start_whole"]

Source = nn.Module | Callable[[], nn.Module]
STARTS = ("given", "reset")
_DOORS = {
    "NeuralNet": "learnrate.skorch.sweep(net, X, y)",
    "Trainer": "learnrate.transformers.sweep(trainer)",
}
"""What people may give in place of a module, and where it belongs."""

_DTYPES = (torch.float64, torch.float32)


def start_whole(
    model: Source, recipe: Recipe, start: str, seed: int, device: torch.device | None
) -> Whole:
    """What the lanes of ``seed`` start from: a copy of the model and all that its training calls, on the device.

    A callable is called for every seed. Of a module, ``start="given"`` takes the parameters as they are, and
    ``"reset"`` draws new ones by each submodule's ``reset_parameters``. Draws come from the seed's own
    stream, so this runs inside `learnrate.torch.randomness.forked_random_states`.

    Raises
    ------
    OptionError
        If the module cannot be copied, reset or trained.
    """
    reseed(device or torch.device("cpu"), seed, Stream.START)
    module = _module(model)
    _check(module)
    if recipe.step is None and any(c.__name__ == "LightningModule" for c in type(module).__mro__):
        raise OptionError(
            "model must be a plain nn.Module with a loss. Got a LightningModule, which brings its own training, instead; "
            "use learnrate.lightning.sweep(module, data, …)."
        )
    whole = recipe.whole(module)
    check_functions(whole.functions, model)
    whole = copy_of(whole)
    if start == "reset" and isinstance(model, nn.Module):
        reset(whole.model)
        given = {name: p for name, p in module.named_parameters() if not p.requires_grad}
        for name, p in whole.model.named_parameters():
            if name in given and not torch.equal(p, given[name]):
                raise OptionError(
                    "start='reset' must leave frozen parameters as they are. Got another "
                    f"{name!r}; give a callable that returns a new model."
                )
    if device is not None:
        whole = whole.to(device)
    return whole


def _module(model: Source) -> nn.Module:
    """The module itself, or what a callable returns."""
    if isinstance(model, nn.Module):
        original: nn.Module = getattr(model, "_orig_mod", model)  # what torch.compile wrapped
        return original
    for kind in type(model).__mro__:
        if kind.__name__ in _DOORS:
            raise OptionError(
                f"model must be an nn.Module. Got a {kind.__name__}, which brings its own training, instead; use "
                f"{_DOORS[kind.__name__]}."
            )
    if not callable(model):
        raise OptionError(
            "model must be an nn.Module or a callable that returns one. "
            f"Got {type(model).__name__} instead; several networks go into one nn.ModuleDict, with step=."
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
    return module


def _check(module: nn.Module) -> None:
    """Refuse what cannot be trained as copies."""
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
    for name, parameter in module.named_parameters():
        if parameter._post_accumulate_grad_hooks:
            raise OptionError(
                "model must leave the steps to the optimizer. Got a hook that runs once the gradient of "
                f"{name!r} is there (register_post_accumulate_grad_hook) instead; take it off."
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
            f"{option('device')} must be one that PyTorch can use here. Got {str(device)!r} instead ({reason}); "
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
            "convert it with .float() or .double(), and use precision='bf16' to compute in bfloat16."
        )
    return dtypes.pop()
