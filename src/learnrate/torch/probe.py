"""One lane's first minibatch, run plainly: what is wrong with model, data or loss shows here, in one line."""

from __future__ import annotations

import copy
import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from learnrate.errors import OptionError
from learnrate.torch.examples import Batch
from learnrate.torch.failures import in_one_line
from learnrate.torch.losses import LossFunction, check_scalar
from learnrate.torch.randomness import python_randomness

__all__ = ["Probe", "probe", "probe_held_out"]

_PLUMBING = {"_parameters", "_buffers", "_modules", "training"}
_ALIKE = 1e-5
"""Values of a loss that differ by less than this share are the same."""
_DEPTH = 3
"""Containers and objects are looked into so deep."""
_MANY = 1000
"""Of a longer container only the length is looked at."""


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
    module: nn.Module,
    batch: Batch,
    loss: LossFunction,
    metrics: Mapping[str, LossFunction],
    check: Callable[[int | None], object],
) -> Probe:
    """Run a copy of the module on a minibatch, forward and back.

    Parameters
    ----------
    module, batch, loss, metrics
        What is run.
    check : callable
        Called before the loss is, with the numbers along the second axis of the output; None where there
        is no such axis.

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
    with _in_one_line("Model and loss", batch):
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            output = module(*inputs)
        check(_classes(output))
        with _no_broadcast(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            value = check_scalar(loss(output, target), "The loss of a minibatch")
    keeps_state = _python_state(module) != before
    _check_loss(loss, output, target)
    _check_metrics(metrics, output, batch)
    trained = {n: p for n, p in module.named_parameters() if p.requires_grad}
    gradients: Sequence[Tensor | None] = [None] * len(trained)
    if value.requires_grad:
        with _in_one_line("Model and loss", batch):
            gradients = torch.autograd.grad(value, list(trained.values()), allow_unused=True)
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


def probe_held_out(
    module: nn.Module,
    batch: Batch,
    loss: LossFunction,
    metrics: Mapping[str, LossFunction],
    check: Callable[[int | None], object],
) -> None:
    """Run a copy of the module on held-out examples, in evaluation mode. See `probe`."""
    module = copy.deepcopy(module).eval()
    inputs, target = batch
    with torch.no_grad():
        with _in_one_line("Model and loss", batch, of="val_data"), _no_broadcast():
            output = module(*inputs)
            check(_classes(output))
            check_scalar(loss(output, target), "The loss of val_data")
        _check_metrics(metrics, output, batch, of="val_data")


def _check_loss(loss: LossFunction, output: Any, target: Tensor) -> None:
    """Refuse a loss that adds up over examples, and one that pairs each output with every target.

    A mean does not change when all examples come twice; a sum doubles. The mean over all pairs is the same
    for the targets in another order, and another one for targets of the outputs' shape.
    """
    if not isinstance(output, Tensor):
        return
    output, target = output.detach().clone(), target.clone()  # a loss may change them
    rng = torch.Generator(output.device).manual_seed(0)
    drawn = torch.randn(output.shape, generator=rng, dtype=output.dtype, device=output.device)
    pairs = target.shape != output.shape and target.numel() == output.numel()
    try:
        with torch.no_grad():
            once = loss(output, target)
            twice = loss(torch.cat([output, output]), torch.cat([target, target]))
            adds_up = bool(once != 0) and _alike(twice, 2 * once)
            if pairs and not torch.equal(target, target.flip(0)):
                value = loss(drawn, target)
                pairs = _alike(loss(drawn, target.flip(0)), value)
                pairs = pairs and not _alike(loss(drawn, target.reshape(output.shape)), value)
            else:
                pairs = False
    except Exception:  # made for other outputs; those that it is made for came before
        return
    if adds_up:
        raise OptionError(
            "loss must average over the minibatch. Got one that doubles when all examples come twice "
            "instead; divide by their number."
        )
    if pairs:
        raise OptionError(
            "loss must compare each output with its own target. Got one that pairs every output with every "
            f"target instead: outputs are {tuple(output.shape)}, targets {tuple(target.shape)}; reshape one "
            "of them."
        )


def _alike(a: Tensor, b: Tensor) -> bool:
    return bool((a - b).abs() <= _ALIKE * b.abs())


def _check_metrics(
    metrics: Mapping[str, LossFunction],
    output: Any,
    batch: Batch,
    of: str = "a minibatch of the data",
) -> None:
    for name, metric in metrics.items():
        with torch.no_grad(), _in_one_line(f"Metric {name!r}", batch, of=of), _no_broadcast():
            check_scalar(metric(output, batch[1]), f"Metric {name!r}")


def _classes(output: Any) -> int | None:
    return output.shape[1] if isinstance(output, Tensor) and output.ndim > 1 else None


@contextmanager
def _in_one_line(who: str, batch: Batch, of: str = "a minibatch of the data") -> Iterator[None]:
    inputs, target = batch
    shapes = ", ".join(
        f"{tuple(part.shape)} {str(part.dtype).removeprefix('torch.')}"
        for part in (*inputs, target)
    )
    alone = "; the last minibatch has 1 example" if len(target) == 1 and "mini" in of else ""
    with in_one_line(f"{who} must take {of} (shapes {shapes}, target last{alone})."):
        yield


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


def _fingerprint(value: Any, depth: int = 0) -> Any:
    """Something that differs after the value has changed, if only inside a container or an object."""
    if isinstance(value, bool | int | float | str | bytes | None):
        return value
    if isinstance(value, Tensor):
        return id(value), value._version
    if isinstance(value, np.ndarray):
        return id(value), value.tobytes()
    if isinstance(value, torch.Generator):
        return id(value), bytes(value.get_state().numpy())
    if isinstance(value, np.random.Generator):
        return id(value), str(value.bit_generator.state)
    if isinstance(value, random.Random):
        return id(value), value.getstate()
    inside: Any = ()
    if depth < _DEPTH and not isinstance(value, nn.Module | type | ModuleType | Callable):
        inside = vars(value) if hasattr(value, "__dict__") else ()
        inside = value if isinstance(value, list | tuple | set | frozenset | dict) else inside
    if len(inside) > _MANY:
        return id(value), len(inside)
    parts = [*inside, *inside.values()] if isinstance(inside, dict) else inside
    return id(value), *(_fingerprint(part, depth + 1) for part in parts)
