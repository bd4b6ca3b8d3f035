"""A stacked step, recorded once as a graph of tensor operations and replayed without Python around it.

Replaying saves what `torch.func` spends per call on wrapping tensors, which for small models is most of
the time.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx
from torch.utils._python_dispatch import TorchDispatchMode

from learnrate.torch.memory import free_memory, is_out_of_memory
from learnrate.torch.randomness import draws

__all__ = ["COARSE", "NOISE", "Traced", "close", "first_apart"]

NOISE = 1e-2
"""The share of the whole gradient's norm that is added to a parameter's, whose own may be rounding alone."""
COARSE = 30.0
"""Rounding errors in bfloat16 and float16, as a multiple of those in float32."""

_GRAPHS = 8
"""Sizes of minibatches that are recorded; a model fed with more kinds runs unrecorded."""
_CHUNK = 1 << 20
"""Numbers that are compared at a time, in float64."""
_TOLERANCE = {torch.float64: 1e-9}
_SHARE = 8
"""A recording holds all that a step computes. It may take one part in so many of the free memory."""
_PATIENCE = 20
"""Calls before a recording is made: it costs about as much as these calls lose by not having one."""

Step = Callable[..., tuple[Tensor, ...]]


class Traced:
    """A function of tensors to tensors that is recorded for each combination of shapes that recurs.

    A recording is used only if it repeats the function's own values on the arguments that it was made
    with, random draws included, and if no size in it goes by the tensors' values, as in ``output[target > 0]``:
    sizes are part of a recording. Otherwise the function itself goes on being called.

    Attributes
    ----------
    coming : int
        Calls that are known to come.
    """

    def __init__(self, function: Step, *, device: torch.device, worthwhile: bool = True) -> None:
        self.function = function
        self.device = device
        self.worthwhile = worthwhile
        self.graphs: dict[tuple[Any, ...], Step] = {}
        self.calls: Counter[tuple[Any, ...]] = Counter()
        self.coming = 0

    def __call__(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The function's values."""
        if not self.worthwhile:
            return self.function(*tensors)
        key = tuple((tensor.shape, tensor.dtype) for tensor in tensors)
        graph = self.graphs.get(key)
        if graph is not None:
            return graph(*tensors)
        self.calls[key] += 1
        if self.calls[key] + self.coming <= _PATIENCE or len(self.graphs) == _GRAPHS:
            return self.function(*tensors)
        return self._record(key, tensors)

    def _record(self, key: tuple[Any, ...], tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        state = draws(self.device)
        values = self.function(*tensors)
        after = draws(self.device)
        self.graphs[key] = self.function
        recorder = _Recorder(tensors, free_memory(self.device) // _SHARE)
        try:
            self._set_random_state(state)
            with recorder:
                recorded = self.function(*tensors)
            if not recorder.goes_by_values:
                graph = recorder.graph(recorded)
                self._set_random_state(state)
                repeated = graph(*tensors)
                same_draws = all(map(torch.equal, draws(self.device), after))
                if same_draws and all(map(close, repeated, values)):
                    self.graphs[key] = graph
        except Exception as error:  # what cannot be recorded is run
            if is_out_of_memory(error):
                raise
        self._set_random_state(after)
        return values

    def _set_random_state(self, state: list[Tensor]) -> None:
        torch.set_rng_state(state[0])
        if len(state) > 1:
            torch.cuda.set_rng_state(state[1], self.device)


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Writes down the tensor operations that are made, those of the backward pass and of `vmap` included.

    A tensor that comes from elsewhere, such as a number in the model's code, is kept as it is.

    Parameters
    ----------
    tensors : sequence of Tensor
        The arguments of what is recorded.
    room : int
        Bytes that results may take.

    Attributes
    ----------
    goes_by_values : bool
        Whether the size of a result depended on what a tensor holds, or a number was taken out of one.
    """

    def __init__(self, tensors: Sequence[Tensor], room: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.goes_by_values, self._room = False, room
        self._written, self._constants = fx.Graph(), torch.nn.Module()
        self._nodes: dict[
            int, tuple[fx.Node, Tensor]
        ] = {}  # with the tensors, so that they stay apart
        for number, tensor in enumerate(tensors):
            self._nodes[id(tensor)] = self._written.placeholder(f"given{number}"), tensor

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Make an operation, and write it down."""
        kwargs = dict(kwargs or {})
        if func is _aten.lift_fresh.default:  # a constant: what changes it must change a copy
            func = _aten.lift_fresh_copy.default
        self.goes_by_values |= _goes_by_values(func, args)
        result = func(*args, **kwargs)
        if func in _ALIKE and result.shape == args[0].shape:
            self._nodes[id(result)] = self._node(args[0]), result
            return result
        node = self._written.call_function(func, self._put(tuple(args)), self._put(kwargs))
        for number, part in enumerate([result] if isinstance(result, Tensor) else result or ()):
            if isinstance(part, Tensor) and id(part) not in self._nodes:
                self._room -= part.nbytes
                if self._room < 0:
                    raise OverflowError("the results of a step do not fit beside one another")
                of = node
                if part is not result:
                    of = self._written.call_function(operator.getitem, (node, number))
                self._nodes[id(part)] = of, part
        return result

    def graph(self, values: Sequence[Tensor]) -> fx.GraphModule:
        """What was written down, as a function to these values, without what nobody uses."""
        self._written.output(self._put(tuple(values)))
        for node in reversed(self._written.nodes):
            if (
                node.op in ("call_function", "get_attr")
                and not node.users
                and not _acts(node.target)
            ):
                self._written.erase_node(node)
        return fx.GraphModule(self._constants, self._written)

    def _put(self, value: Any) -> Any:
        """Arguments with nodes in place of tensors."""
        if isinstance(value, Tensor):
            return self._node(value)
        if isinstance(value, list | tuple):
            return type(value)([self._put(part) for part in value])
        if isinstance(value, dict):
            return {key: self._put(part) for key, part in value.items()}
        return value

    def _node(self, tensor: Tensor) -> fx.Node:
        if id(tensor) not in self._nodes:
            name = f"constant{len(self._nodes)}"
            self._constants.register_buffer(name, tensor)
            self._nodes[id(tensor)] = self._written.get_attr(name), tensor
        return self._nodes[id(tensor)][0]


_aten = torch.ops.aten
_ALIKE = {
    _aten.detach.default,
    _aten.alias.default,
    _aten.expand.default,
    _aten.view.default,
    _aten._unsafe_view.default,
}
"""What gives the tensor itself where the shape stays as it is."""


def _goes_by_values(func: Any, args: Sequence[Any]) -> bool:
    """Whether the shape of a result depends on what tensors hold."""
    if func is _aten.index.Tensor:  # only where a mask is among the indices
        return any(i is not None and i.dtype in (torch.bool, torch.uint8) for i in args[1])
    tags = getattr(func, "tags", ())
    return torch.Tag.dynamic_output_shape in tags or torch.Tag.data_dependent_output in tags


def _acts(func: Any) -> bool:
    """Whether an operation does more than to return something: it changes a tensor, or draws."""
    schema = getattr(func, "_schema", None)
    return schema is not None and (
        schema.is_mutable or torch.Tag.nondeterministic_seeded in getattr(func, "tags", ())
    )


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
    tolerance = coarse * _TOLERANCE.get(a.dtype, 1e-3)
    return bool(error**0.5 <= tolerance * (size**0.5 + beside) + 1e-30)


def first_apart(
    a: Sequence[Tensor], b: Sequence[Tensor], sizes: Tensor, beside: float, coarse: float
) -> int | None:
    """The number of the first pair that is not `close`, None if all are; ``sizes`` are the finite norms of ``b``."""
    if not b:
        return None
    tolerance = coarse * _TOLERANCE.get(b[0].dtype, 1e-3)
    errors = torch.stack(torch._foreach_norm(torch._foreach_sub(list(a), list(b))))
    if bool((errors <= tolerance * (sizes + beside) + 1e-30).all()):  # all at once, as is usual
        return None
    pairs = enumerate(zip(a, b, strict=True))
    return next((i for i, (x, y) in pairs if not close(x, y, beside, coarse)), None)
