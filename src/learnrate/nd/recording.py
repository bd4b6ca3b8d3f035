"""Gradients of gradients: values that record what gradient rules compute from them.

The gradient rules of operators use functions of NumPy. For a `Recording` in place of an array, NumPy calls its methods
``__array_ufunc__`` and ``__array_function__``, which apply the operator for that function and record a node. So a rule
is written once and can be differentiated any number of times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.lib.mixins import NDArrayOperatorsMixin

from learnrate.autograd import Node, Operator
from learnrate.nd.base import Base
from learnrate.nd.operators import arithmetic as op
from learnrate.nd.operators.choosing import GATHER, SLICE, WHERE
from learnrate.nd.operators.elementwise import CAST, ELEMENTWISE
from learnrate.nd.operators.products import DOT
from learnrate.nd.operators.reductions import REDUCTIONS
from learnrate.nd.operators.shaping import BROADCAST_TO, RESHAPE, TRANSPOSE

__all__ = ["Recording", "recording"]

_OPERATORS: dict[Callable[..., Any], Operator] = {
    np.add: op.ADD,
    np.subtract: op.SUBTRACT,
    np.multiply: op.MULTIPLY,
    np.true_divide: op.DIVIDE,
    np.power: op.POWER,
    **{getattr(np, name): ELEMENTWISE[name] for name in ("abs", "cos", "exp", "floor", "log")},
    **{getattr(np, name): ELEMENTWISE[name] for name in ("negative", "sign", "sin", "sqrt")},
    np.dot: DOT,
    np.broadcast_to: BROADCAST_TO,
}
_COMPARISONS = {np.equal, np.not_equal, np.greater, np.greater_equal, np.less, np.less_equal}
"""Functions without a gradient, which return plain arrays."""


class Recording(Base, NDArrayOperatorsMixin):
    """A value inside a gradient rule, with its node. It has only the attributes of arrays that rules use."""

    __slots__ = ()

    @property
    def dtype(self) -> Any:
        """Type of the elements."""
        return self._data.dtype

    def through(self, operator: Operator, *attributes: Any) -> Recording:
        """``operator(self, *attributes)``, recorded."""
        return _recorded(operator, self, *attributes)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "reduce" and ufunc is np.add:
            return self.sum(options.get("axis", 0), options.get("keepdims", False))
        if method != "__call__":
            return NotImplemented
        if ufunc in _COMPARISONS:
            return ufunc(*map(_plain, inputs))
        operator = _OPERATORS.get(ufunc)
        return NotImplemented if operator is None else _recorded(operator, *inputs)

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        if function is np.where:
            condition, x, y = inputs
            return _recorded(WHERE, x, y, condition)
        operator = _OPERATORS.get(function)
        return NotImplemented if operator is None else _recorded(operator, *inputs)

    @property
    def T(self) -> Recording:
        """The transpose."""
        return self.transpose(tuple(range(self.ndim))[::-1])

    def transpose(self, axes: Any) -> Recording:
        """The array with its axes in another order, recorded."""
        return self.through(TRANSPOSE, tuple(axes))

    def reshape(self, *shape: Any) -> Recording:
        """The elements in another shape, recorded."""
        return self.through(RESHAPE, shape[0] if isinstance(shape[0], tuple | list) else shape)

    def astype(self, dtype: Any) -> Recording:
        """The elements in another dtype, recorded."""
        return self.through(CAST, dtype)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Recording:
        """The sum over axes, recorded."""
        axes = range(self.ndim) if axis is None else axis
        if not isinstance(axes, int):
            axes = tuple(axes)
        return self.through(REDUCTIONS["sum"], normalize_axis_tuple(axes, self.ndim), keepdims)

    def __getitem__(self, key: Any) -> Recording:
        parts = key if isinstance(key, tuple) else (key,)
        basic = all(isinstance(part, int | slice) for part in parts)
        return self.through(SLICE if basic else GATHER, key)


def recording(value: Any, node: Node | None) -> Any:
    """``value``, as a `Recording` if it comes from a node."""
    return value if node is None else Recording(value, node)


def _plain(value: Any) -> Any:
    return value._data if isinstance(value, Recording) else value


def _recorded(operator: Operator, *values: Any) -> Recording:
    nodes = [value._node if isinstance(value, Recording) else None for value in values]
    plain = tuple(map(_plain, values))
    last = max(i for i, node in enumerate(nodes) if node is not None)
    out = operator.forward(*plain)
    return Recording(out, Node(operator, tuple(nodes[: last + 1]), plain, out))
