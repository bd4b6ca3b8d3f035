"""A stacked step, recorded once as a graph of tensor operations and replayed without Python around it.

Replaying saves what `torch.func` spends per call on wrapping tensors, which for small models is most of
the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from learnrate.torch.memory import is_out_of_memory
from learnrate.torch.randomness import draws

__all__ = ["Traced", "close"]

_GRAPHS = 8
"""Sizes of minibatches that are recorded; a model fed with more kinds runs unrecorded."""
_CHUNK = 1 << 20
"""Numbers that are compared at a time, in float64."""
_PATIENCE = 60
"""Calls before a recording is made: it costs about as much as these calls lose by not having one."""

Step = Callable[..., tuple[Tensor, ...]]


class Traced:
    """A function of tensors to tensors that is recorded for each combination of shapes that recurs.

    A recording is used only if it repeats the function's own values on the arguments that it was made
    with, random draws included, and if no size in it goes by the tensors' values, as in ``output[target > 0]``:
    sizes are part of a recording. Otherwise the function itself goes on being called.
    """

    def __init__(self, function: Step, *, device: torch.device, worthwhile: bool = True) -> None:
        self.function = function
        self.device = device
        self.worthwhile = worthwhile
        self.graphs: dict[tuple[Any, ...], Step] = {}
        self.calls: Counter[tuple[Any, ...]] = Counter()

    def __call__(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The function's values."""
        if not self.worthwhile:
            return self.function(*tensors)
        key = tuple((tensor.shape, tensor.dtype) for tensor in tensors)
        graph = self.graphs.get(key)
        if graph is not None:
            return graph(*tensors)
        self.calls[key] += 1
        if self.calls[key] <= _PATIENCE or len(self.graphs) == _GRAPHS:
            return self.function(*tensors)
        return self._record(key, tensors)

    def _record(self, key: tuple[Any, ...], tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        state = draws(self.device)
        values = self.function(*tensors)
        after = draws(self.device)
        try:
            from torch.fx.experimental.proxy_tensor import make_fx

            graph = make_fx(self.function)(*tensors)
            if any(map(_size_goes_by_values, graph.graph.nodes)):
                raise ValueError("sizes that go by values cannot be recorded")
            _tidy(graph)
            self._set_random_state(state)
            repeated = graph(*tensors)
            same_draws = all(map(torch.equal, draws(self.device), after))
            good = same_draws and all(map(close, repeated, values))
        except Exception as error:  # what cannot be recorded is run
            if is_out_of_memory(error):
                raise
            good = False
        self.graphs[key] = graph if good else self.function
        self._set_random_state(after)
        return values

    def _set_random_state(self, state: list[Tensor]) -> None:
        torch.set_rng_state(state[0])
        if len(state) > 1:
            torch.cuda.set_rng_state(state[1], self.device)


def _size_goes_by_values(node: torch.fx.Node) -> bool:
    """Whether the shape of a node's result depends on what its arguments hold."""
    tags = getattr(node.target, "tags", ())
    if node.target is torch.ops.aten.index.Tensor:  # only where a mask is among the indices
        indices = [index for index in node.args[1] if index is not None]  # type: ignore[union-attr]
        return any(index.meta["val"].dtype in (torch.bool, torch.uint8) for index in indices)  # type: ignore[union-attr]
    return torch.Tag.dynamic_output_shape in tags or torch.Tag.data_dependent_output in tags


def _tidy(module: torch.fx.GraphModule) -> None:
    """Take out what does nothing: changes of shape to the same shape, and what is not used."""
    aten = torch.ops.aten
    reshapes = (aten.expand.default, aten.view.default, aten._unsafe_view.default)
    for node in module.graph.nodes:
        source = node.all_input_nodes[0] if node.target in reshapes else None
        if source is not None and source.meta["val"].shape == node.meta["val"].shape:
            node.replace_all_uses_with(source)
    module.graph.eliminate_dead_code()
    module.recompile()


def close(a: Tensor, b: Tensor, beside: float = 0.0, coarse: float = 1.0) -> bool:
    """Whether two tensors are the same but for rounding, of numbers of size ``beside`` too; nan equals nan."""
    if a.shape != b.shape:
        return False
    if not a.is_floating_point():
        return bool((a == b).all())
    error = size = 0.0
    chunks = (torch.split(t.detach().reshape(-1), _CHUNK) for t in (a, b))
    for found, right in zip(*chunks, strict=True):
        found, right = found.double(), right.double()
        finite = torch.isfinite(right)
        if not bool((torch.isfinite(found) == finite).all()):
            return False
        error += float(torch.where(finite, found - right, 0.0).square().sum())
        size += float(torch.where(finite, right, 0.0).square().sum())
    tolerance = coarse * (1e-9 if a.dtype == torch.float64 else 1e-3)
    return bool(error**0.5 <= tolerance * (size**0.5 + beside) + 1e-30)
