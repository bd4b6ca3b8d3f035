"""The user's own objects against what stands for them in a sweep: the model that was given, and the data read anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from learnrate.errors import DataError, OptionError
from learnrate.torch.batches import alike, copied
from learnrate.torch.copying import copy_of
from learnrate.torch.examples import Examples
from learnrate.torch.kept import PLUMBING, fingerprint
from learnrate.torch.outputs import in_one_line_on
from learnrate.torch.trace import COARSE, NOISE, close
from learnrate.torch.whole import MODEL, Recipe, Whole

__all__ = ["check_data", "check_own_model"]


def check_own_model(
    source: Any, whole: Whole, recipe: Recipe, batch: Any, renew: Callable[[], object]
) -> None:
    """Make one pass with the very model that was given, which a loss may know from elsewhere, and one with a copy.

    The model has the lane's parameters, buffers and modes for that pass, and is afterwards as it was.

    Parameters
    ----------
    source : nn.Module or callable
        The user's own; nothing is done for a callable, whose models nobody else knows.
    whole : Whole
        What the lanes start from.
    recipe : Recipe
        What is called besides the model.
    batch, renew
        A minibatch, and what puts the random generators where they are before it.

    Raises
    ------
    OptionError
        If they do not give the same loss and gradients, though two copies do.
    """
    if not isinstance(source, nn.Module):
        return
    own = recipe.whole(getattr(source, "_orig_mod", source))
    names = [name for name, _ in whole.named_parameters()]
    if [name for name, _ in own.named_parameters()] != names or any(
        a.device != b.device or a.is_inference()
        for a, b in zip(own.parameters(), whole.parameters(), strict=True)
    ):
        return
    lane = copy_of(whole)
    held = _held(lane)
    expected = _pass(lane, batch, renew)
    if any(fingerprint(value) != mark for value, mark in held):
        return  # a pass changes what could not be put back
    with _lent(own, whole):
        found = _pass(own, batch, renew)
    coarse = 1.0 if whole.precision is None else COARSE
    trained = [name for name, p in whole.named_parameters() if p.requires_grad]

    def different(a: _Found, b: _Found) -> str | None:
        if not close(a.loss, b.loss, coarse=coarse):
            return "loss"
        size = float(sum(g.double().square().sum() for g in b.gradients if g is not None)) ** 0.5
        for name, one, other in zip(trained, a.gradients, b.gradients, strict=True):
            if (one is None) != (other is None) or (
                one is not None
                and other is not None
                and not close(one, other, NOISE * size, coarse)
            ):
                return f"gradient of {name.removeprefix(MODEL)!r}"
        return None

    what = different(found, expected)
    if what is not None and different(_pass(copy_of(whole), batch, renew), expected) is None:
        raise OptionError(
            "A training must depend on the model by what it is given. Got another "
            f"{what} from the model that was given than from a copy of it, on the same minibatch: the loss or step "
            "reaches that model from elsewhere; write the training as step=lambda model, batch: …, whose model is the "
            "lane's own."
        )


class _Found(NamedTuple):
    """What a training step on a minibatch gives, to compare two models."""

    loss: Tensor
    gradients: list[Tensor | None]


def _pass(whole: Whole, batch: Any, renew: Callable[[], object]) -> _Found:
    """The loss of a minibatch in training mode, and the gradient of each trained parameter."""
    renew()
    whole.train()
    with in_one_line_on("Model and loss", batch):
        (value,) = whole.run(copied(batch))
        trained = [p for p in whole.parameters() if p.requires_grad]
        found = torch.autograd.grad(value, trained, allow_unused=True)
    return _Found(value.detach(), [None if g is None else g.to_dense() for g in found])


def _held(module: nn.Module) -> list[tuple[Any, Any]]:
    """Objects that parts of a module hold as attributes, with what shows whether they change."""
    values = (
        value
        for part in module.modules()
        for name, value in vars(part).items()
        if name not in PLUMBING and not isinstance(value, bool | int | float | str | bytes | None)
    )
    return [(value, fingerprint(value)) for value in values]


@contextmanager
def _lent(own: nn.Module, like: nn.Module) -> Iterator[None]:
    """A module with the parameters and buffers of another of its kind; afterwards all is as it was."""
    tensors = {**dict(like.named_parameters()), **dict(like.named_buffers())}
    parts = [
        (part, dict(vars(part)), dict(part._parameters), dict(part._buffers))
        for part in own.modules()
    ]
    data = [(p, p.data) for p in own.parameters()]
    try:
        for name, p in own.named_parameters():
            p.data = tensors[name].detach().clone()
        for prefix, part in own.named_modules():
            for key, buffer in part._buffers.items():
                of = tensors.get(f"{prefix}.{key}" if prefix else key)
                if buffer is not None and of is not None:
                    part._buffers[key] = of.clone()
        yield
    finally:
        for part, attributes, parameters, buffers in parts:
            vars(part).clear()
            vars(part).update(attributes)
            part._parameters.clear()
            part._parameters.update(parameters)
            part._buffers.clear()
            part._buffers.update(buffers)
        for p, before in data:
            p.data = before


def check_data(examples: Examples, indices: Tensor, renew: Callable[[], object]) -> None:
    """Refuse a minibatch of examples that are held which is another when its items are read and collated anew.

    Raises
    ------
    DataError
        If it is.
    """
    renew()
    anew = examples.anew(indices)
    if anew is None:
        return
    renew()
    if not alike(examples.batch(indices), anew):
        raise DataError(
            "data must give the same minibatch when its items are read again. Got another; hold=False reads them at "
            "every visit, hold=True keeps them as they were first."
        )
