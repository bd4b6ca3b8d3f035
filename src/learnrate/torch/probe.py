"""One lane's first minibatch, run plainly and twice: what is wrong with model, data or loss shows here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from learnrate.errors import OptionError
from learnrate.torch.batches import alike, applied, copied, same
from learnrate.torch.copying import copy_of, hooked
from learnrate.torch.kept import Place, activations, changed, kept_state
from learnrate.torch.losses import check_scalar
from learnrate.torch.memory import Meter, is_out_of_memory
from learnrate.torch.outputs import in_one_line_on
from learnrate.torch.randomness import python_randomness
from learnrate.torch.reach import check_graph, leaves
from learnrate.torch.whole import Whole

__all__ = ["Probe", "probe", "probe_evaluation"]


@dataclass(frozen=True)
class Probe:
    """What a pass forward and back showed.

    Attributes
    ----------
    activations : int
        Bytes that are held for the backward pass.
    moving : frozenset of str
        Buffers that it changes, or writes the same numbers into.
    kept : tuple of str
        What besides buffers is other after a second pass than after the first.
    rewritten : str or None
        A parameter that the pass forward changes.
    hooked : str or None
        A parameter or module with a gradient hook.
    sparse : str or None
        A parameter whose gradient is a sparse tensor.
    draws_in_python : bool
        Whether it drew from Python's or NumPy's generators.
    overwritten : tuple of pairs of str
        Parts and attributes in which a pass leaves activations that no other pass reads.
    evaluated_with_gradients : bool
        Whether the model needs gradients in evaluation too.
    warmed : Whole or None
        The module with what a first pass fills in; it shares the memory of the start's parameters and buffers.
    """

    activations: int
    moving: frozenset[str]
    kept: tuple[str, ...]
    rewritten: str | None
    hooked: str | None
    sparse: str | None
    draws_in_python: bool
    overwritten: tuple[Place, ...] = ()
    evaluated_with_gradients: bool = False
    warmed: Whole | None = None

    @property
    def keeps_state(self) -> bool:
        """Whether there is state that is in no array."""
        return bool(self.kept)

    def fixed_in(self, whole: Whole) -> list[Tensor]:
        """The parameters and buffers of a lane that training does not change."""
        buffers = (b for name, b in whole.named_buffers() if name not in self.moving)
        return [*(p for p in whole.parameters() if not p.requires_grad), *buffers]

    def why_separate(self) -> str | None:
        """Why lanes have to be trained one at a time, if this alone says so."""
        if self.kept:
            return (
                f"state is kept outside of buffers: {', '.join(self.kept[:3])} (tensors kept by register_buffer can be "
                "stacked)"
            )
        if self.rewritten is not None:
            return f"the model changes its parameter {self.rewritten!r} in forward"
        if self.hooked is not None:
            return f"{self.hooked.removeprefix('model.')!r} has a gradient hook"
        if self.sparse is not None:
            return f"the gradient of {self.sparse.removeprefix('model.')!r} is sparse"
        return None


def probe(whole: Whole, batch: Any, source: Any, renew: Callable[[], object]) -> Probe:
    """Run a copy of a lane on a minibatch, forward and back, twice.

    Parameters
    ----------
    whole, batch
        What is run.
    source : nn.Module or callable
        The user's own model, for the names of what a loss reaches.
    renew : callable
        Puts the random generators where they are before the minibatch.

    Raises
    ------
    OptionError
        If model or loss fail on it.
    """
    original, whole = whole, copy_of(whole)
    before = {name: p.detach().clone() for name, p in whole.named_parameters()}
    memory = {name: p.data_ptr() for name, p in whole.named_parameters()}
    as_copied = {name: (buffer, buffer._version) for name, buffer in whole.named_buffers()}
    states, reached, left = [], [], []
    for _ in range(2):
        buffers_before = [buffer.detach().clone() for buffer in whole.buffers()]
        renew()
        random_before = python_randomness()
        value, saved = _forward(whole, batch)
        draws_in_python = python_randomness() != random_before
        states.append(kept_state(whole))
        reached.append(leaves(value))
        left.append(activations(whole))
        rewritten = [
            name
            for name, p in whole.named_parameters()
            if p.data_ptr() != memory[name] or not same(p.detach(), before[name])
        ]
        if rewritten:
            break
    written = {
        name
        for name, buffer in whole.named_buffers()
        if name in as_copied
        and (buffer is not as_copied[name][0] or buffer._version != as_copied[name][1])
    }
    trained = {name: p for name, p in whole.named_parameters() if p.requires_grad}
    check_graph(whole, [t for i, t in reached[0].items() if i in reached[-1]], source)
    if value.requires_grad:
        with in_one_line_on("Model and loss", batch), _backward_left():
            gradients = torch.autograd.grad(value, [*trained.values()], allow_unused=True)
    if not value.requires_grad or all(g is None for g in gradients):
        raise OptionError(
            "The loss must depend on the model's parameters. Got a loss that depends on none instead."
        )
    pairs = zip(trained, gradients, strict=True)
    sparse = (name for name, g in pairs if g is not None and g.layout != torch.strided)
    kept = tuple(changed(*states)) if len(states) > 1 else ()
    places: tuple[Place, ...] = ()
    new = {at: v for at, v in left[-1].items() if left[0].get(at) is not v}
    if kept and new and _are_overwritten(whole, batch, renew, new, value, buffers_before):
        places, state = tuple(new), kept_state(whole, new)
        renew()
        _forward(whole, batch)
        kept = tuple(changed(state, kept_state(whole, new)))
    buffers = dict(original.named_buffers())
    moving = {
        name
        for name, buffer in whole.named_buffers()
        if name not in buffers or not same(buffer, buffers[name])
    }
    return Probe(
        activations=saved,
        moving=frozenset(moving | written),
        kept=kept,
        rewritten=rewritten[0].removeprefix("model.") if rewritten else None,
        hooked=hooked(original),
        sparse=next(sparse, None),
        draws_in_python=draws_in_python,
        overwritten=places,
        warmed=None if kept or rewritten else _as_at_the_start(whole, original),
    )


def _are_overwritten(
    whole: Whole,
    batch: Any,
    renew: Callable[[], object],
    left: Mapping[Place, Any],
    value: Tensor,
    buffers: Sequence[Tensor],
) -> bool:
    """Whether passes come out the same, in evaluation too, if they find nan where the one before has left activations."""

    def spoil() -> None:
        for (name, attribute), found in left.items():
            vars(whole.get_submodule(name))[attribute] = applied(_nan, found)

    def measured() -> list[Tensor]:
        renew()
        return whole.run(copied(batch), measuring=True)

    try:
        whole.eval()
        as_left = measured()
        spoil()
        evaluated = measured()
        whole.train()
        spoil()
        for buffer, before in zip(whole.buffers(), buffers, strict=True):
            buffer.detach().copy_(before)
        renew()
        again, _ = _forward(whole, batch)
    except Exception as error:  # of a model that takes no nan
        if is_out_of_memory(error):
            raise
        return False
    after = [vars(whole.get_submodule(name)).get(attribute) for name, attribute in left]
    return alike([again, *evaluated, after], [value, *as_left, list(left.values())])


def _nan(tensor: Tensor) -> Tensor:
    return torch.full_like(tensor, torch.nan, requires_grad=False)


def _forward(whole: Whole, batch: Any) -> tuple[Tensor, int]:
    """The loss, and the bytes that are held for its backward pass."""
    with in_one_line_on("Model and loss", batch), Meter() as meter:
        held = copied(batch)
        values = whole.run(held)
    return check_scalar(values[0], "The loss of a minibatch"), meter.now


@contextmanager
def _backward_left() -> Iterator[None]:
    """Say what is wrong where a step has gone backward by itself."""
    try:
        yield
    except RuntimeError as error:
        if "second time" not in str(error):
            raise
        raise OptionError(
            "step must return the loss and leave backward() and the optimizer's step to the sweep. Got a loss whose graph "
            "has been gone through already."
        ) from error


def _as_at_the_start(whole: Whole, original: Whole) -> Whole:
    """The module with the values of another's parameters and buffers, which both then hold in one copy."""
    parameters = dict(original.named_parameters())
    for name, parameter in whole.named_parameters():
        parameter.data = parameters[name].detach()
    buffers = dict(original.named_buffers(remove_duplicate=False))
    for name, part in whole.named_modules():
        for key in part._buffers:
            part._buffers[key] = buffers.get(f"{name}.{key}" if name else key, part._buffers[key])
    return whole


def probe_evaluation(found: Probe, whole: Whole, batch: Any, of: str) -> Probe:
    """Run a copy of a lane on a minibatch in evaluation mode, with gradients only if it needs them."""
    whole = copy_of(whole).eval()
    with_gradients = found.evaluated_with_gradients
    with in_one_line_on("Model and loss", batch, of=of):
        try:
            with torch.set_grad_enabled(with_gradients):
                whole.run(copied(batch), measuring=True)
        except RuntimeError as error:
            if with_gradients or "does not require grad" not in str(error):
                raise
            whole.run(copied(batch), measuring=True)
            with_gradients = True
    return replace(found, evaluated_with_gradients=with_gradients)
