"""One lane's first minibatch, run plainly: what is wrong with model, data or loss shows here, in one line."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from learnrate.errors import LearnrateError, OptionError
from learnrate.torch.examples import Batch
from learnrate.torch.losses import LossFunction, check_scalar
from learnrate.torch.memory import is_out_of_memory
from learnrate.torch.randomness import python_randomness

__all__ = ["Probe", "probe"]

_PLUMBING = {"_parameters", "_buffers", "_modules", "training"}


@dataclass(frozen=True)
class Probe:
    """What one pass forward and back showed.

    Attributes
    ----------
    unused : frozenset of str
        Parameters that the loss does not depend on; like `torch.optim`, the sweep leaves them alone.
    activations : int
        Bytes that the backward pass saved.
    keeps_state : bool
        Whether the forward pass changed something in the module besides its buffers.
    draws_in_python : bool
        Whether it drew from Python's or NumPy's generators.
    """

    unused: frozenset[str]
    activations: int
    keeps_state: bool
    draws_in_python: bool


def probe(
    module: nn.Module, batch: Batch, loss: LossFunction, metrics: Mapping[str, LossFunction]
) -> Probe:
    """Run a copy of the module on a minibatch, forward and back.

    Raises
    ------
    OptionError
        If model, loss or metric fail on it.
    """
    module = copy.deepcopy(module)
    inputs, target = batch
    own = {id(p) for p in module.parameters()}
    saved: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        if id(tensor) not in own:
            saved[tensor.data_ptr()] = tensor.nbytes
        return tensor

    before, random_before = _python_state(module), python_randomness()
    try:
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            output = module(*inputs)
        with _no_broadcast(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            value = check_scalar(loss(output, target), "of a minibatch")
        keeps_state = _python_state(module) != before
        with torch.no_grad(), _no_broadcast():
            for name, metric in metrics.items():
                check_scalar(metric(output, target), f"(metric {name})")
        trained = {n: p for n, p in module.named_parameters() if p.requires_grad}
        gradients: Sequence[Tensor | None] = [None] * len(trained)
        if value.requires_grad:
            gradients = torch.autograd.grad(value, list(trained.values()), allow_unused=True)
    except LearnrateError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        alone = "; the last minibatch has 1 example" if len(target) == 1 else ""
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in (*inputs, target))
        text = " ".join(str(error).split())
        raise OptionError(
            f"Model and loss must take a minibatch of the data (shapes {shapes}, target last{alone}). "
            f"Got {type(error).__name__} instead: {text[:300]}"
        ) from error
    unused = frozenset(n for n, g in zip(trained, gradients, strict=True) if g is None)
    if len(unused) == len(trained):
        raise OptionError(
            "The loss must depend on the model's parameters. Got a loss that depends on none instead."
        )
    return Probe(
        unused=unused,
        activations=sum(saved.values()),
        keeps_state=keeps_state,
        draws_in_python=python_randomness() != random_before,
    )


@contextmanager
def _no_broadcast() -> Iterator[None]:
    """PyTorch only warns where a loss pairs every output with every target: here that is refused."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Using a target size", category=UserWarning)
        yield


def _python_state(module: nn.Module) -> dict[tuple[str, str], Any]:
    """What each submodule holds besides parameters and buffers, as values that can be compared."""
    return {
        (name, attribute): _fingerprint(value)
        for name, part in module.named_modules()
        for attribute, value in vars(part).items()
        if attribute not in _PLUMBING
    }


def _fingerprint(value: Any) -> Any:
    if isinstance(value, Tensor):
        return id(value), value._version
    if isinstance(value, bool | int | float | str | bytes | None):
        return value
    if isinstance(value, list | tuple | set | dict):
        return id(value) if isinstance(value, tuple) else (id(value), len(value))
    return id(value)
