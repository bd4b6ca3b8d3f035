"""The derivative and the value of each loss for a vector of lanes, with exponentials and logarithms of LLVM's vectors.

LLVM compiles ``math.exp`` in a loop to one call for each number; docs/engines.md says what that costs. `_Vector` has the
operators of numbers, so that a formula reads as in `learnrate.training.losses`. The table `FORMULAS` has all of them.

Sources: Cody and Waite, *Software Manual for the Elementary Functions* (1980), for the way that arguments are
reduced; Tang (1990), "Table-driven implementation of the logarithm function", for ``2 artanh(f/(2 + f))``.
"""

# mypy: disable-error-code="import-untyped, no-untyped-call, untyped-decorator"

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils

from learnrate.linear.kernels.vectors import LANE_BYTES, Emitter, intrinsic

__all__ = ["FORMULAS", "Formulas"]

_INDEX = ir.IntType(64)


class _Kind(NamedTuple):
    """Constants of float32 or float64: its bits, those of its mantissa, and the terms of the series that it needs.

    ``e^x`` is 0 for x below ``least`` and infinite for x above ``most``.
    """

    bits: int
    mantissa: int
    least: float
    most: float
    exp_terms: int
    log_terms: int

    @property
    def one(self) -> int:
        """The bits of 1."""
        return ((1 << (self.bits - self.mantissa - 2)) - 1) << self.mantissa

    @property
    def magic(self) -> float:
        """``1.5 · 2^mantissa``: adding a number to it rounds the number to an integer, which is then in the lowest bits."""
        return 1.5 * 2.0**self.mantissa

    @property
    def half(self) -> int:
        """The bits of √½."""
        steps = round((math.sqrt(0.5) - 0.5) * 2 ** (self.mantissa + 1))
        return int(self.one - (1 << self.mantissa) + steps)


_KINDS = {
    32: _Kind(32, 23, -87.33, 88.37, 8, 6),
    64: _Kind(64, 52, -708.39, 709.43, 14, 11),
}


class _Vector:
    """A vector of numbers, one for each lane, in LLVM; it has the operators of numbers, and comparisons give masks."""

    def __init__(self, emit: Emitter, value: Any) -> None:
        self.emit, self.value = emit, value

    def of(self, number: float | _Vector) -> _Vector:
        """The number in every lane."""
        if isinstance(number, _Vector):
            return number
        return _Vector(self.emit, ir.Constant(self.emit.of, [float(number)] * self.emit.count))

    def _do(self, name: str, left: Any, right: Any) -> _Vector:
        return _Vector(
            self.emit, getattr(self.emit.builder, name)(self.of(left).value, self.of(right).value)
        )

    def __add__(self, other: Any) -> _Vector:
        return self._do("fadd", self, other)

    def __sub__(self, other: Any) -> _Vector:
        return self._do("fsub", self, other)

    def __rsub__(self, other: Any) -> _Vector:
        return self._do("fsub", other, self)

    def __mul__(self, other: Any) -> _Vector:
        return self._do("fmul", self, other)

    def __truediv__(self, other: Any) -> _Vector:
        return self._do("fdiv", self, other)

    def __rtruediv__(self, other: Any) -> _Vector:
        return self._do("fdiv", other, self)

    def __neg__(self) -> _Vector:
        return self * -1.0

    def times_plus(self, factor: Any, more: Any) -> _Vector:
        """``self · factor + more``"""
        parts = (v.value for v in (self, self.of(factor), self.of(more)))
        return _Vector(self.emit, self.emit.multiply_add(*parts))

    def compare(self, sign: str, other: Any) -> Any:
        """The mask of the lanes where ``self sign other`` holds; it does not hold for NaN."""
        return self.emit.builder.fcmp_ordered(sign, self.value, self.of(other).value)

    def where(self, mask: Any, other: Any) -> _Vector:
        """``other`` in the lanes where the mask is true, ``self`` in the others."""
        value = self.emit.builder.select(mask, self.of(other).value, self.value)
        return _Vector(self.emit, value)

    def at_most(self, bound: Any) -> _Vector:
        """``min(self, bound)`` in each lane; NaN stays NaN."""
        return self.where(self.compare(">", bound), bound)

    def at_least(self, bound: Any) -> _Vector:
        """``max(self, bound)`` in each lane; NaN stays NaN."""
        return self.where(self.compare("<", bound), bound)

    def size(self) -> _Vector:
        """The absolute value."""
        return self.where(self.compare("<", 0.0), -self)


class _Bits:
    """Converts vectors of floating-point numbers to the integers with the same bits, and back."""

    def __init__(self, like: _Vector) -> None:
        self.emit = like.emit
        self.kind = _KINDS[8 * self.emit.align]
        self.of = ir.VectorType(ir.IntType(self.kind.bits), self.emit.count)

    def whole(self, number: int) -> Any:
        """The number in every lane."""
        return ir.Constant(self.of, [number] * self.emit.count)

    def read(self, vector: _Vector) -> Any:
        """The bits of a vector."""
        return self.emit.builder.bitcast(vector.value, self.of)

    def number(self, bits: Any) -> _Vector:
        """The vector of these bits."""
        return _Vector(self.emit, self.emit.builder.bitcast(bits, self.emit.of))


def exponential(x: _Vector) -> _Vector:
    """``e^x = 2^k e^r`` with an integer k and ``|r| ≤ ½ log 2``, to two units in the last place.

    A result below the smallest normal number is 0.
    """
    bits = _Bits(x)
    kind, build = bits.kind, x.emit.builder
    shifted = x.times_plus(1 / math.log(2), kind.magic)
    k = shifted - kind.magic
    high = math.floor(math.log(2) * 2**9) / 2**9  # k times it is exact
    low = 0.693147180559945309417232121458 - high
    r = k.times_plus(-low, k.times_plus(-high, x))
    total = x.of(1 / math.factorial(kind.exp_terms - 1))
    for term in range(kind.exp_terms - 2, -1, -1):
        total = total.times_plus(r, 1 / math.factorial(term))
    raised = build.shl(bits.read(shifted), bits.whole(kind.mantissa))
    scaled = total * bits.number(build.add(raised, bits.whole(kind.one)))
    scaled = scaled.where(x.compare("<", kind.least), 0.0)
    return scaled.where(x.compare(">", kind.most), math.inf)


def log1p(u: _Vector) -> _Vector:
    """``log(1 + u)`` for ``u ≥ 0``, to a few units in the last place, for small u too.

    ``1 + u = 2^e m`` with m from √½ to √2, and ``log m = 2 artanh(f/(2 + f))`` with ``f = m − 1``. The
    rounding error of ``1 + u`` is added at the end.
    """
    bits = _Bits(u)
    kind, build = bits.kind, u.emit.builder
    w = u + 1.0
    lost = (u - (w - 1.0)) / w
    above = build.sub(bits.read(w), bits.whole(kind.half))
    e = build.lshr(above, bits.whole(kind.mantissa))
    power = bits.number(build.add(e, bits.read(u.of(kind.magic)))) - kind.magic
    mantissa = build.and_(above, bits.whole((1 << kind.mantissa) - 1))
    f = bits.number(build.add(mantissa, bits.whole(kind.half))) - 1.0
    s = f / (f + 2.0)
    square = s * s
    total = u.of(2 / (2 * kind.log_terms - 1))
    for term in range(kind.log_terms - 2, -1, -1):
        total = total.times_plus(square, 2 / (2 * term + 1))
    return power.times_plus(math.log(2), total.times_plus(s, lost))


class _Row:
    """The outputs of one example in a vector of lanes: their place in memory, the label, and the option of the loss."""

    def __init__(self, emit: Emitter) -> None:
        self.emit = emit
        _, self.at, self.stride, self.outputs, self._label, self._option, *_ = emit.args

    def read(self, c: Any = None) -> _Vector:
        """The output ``z_c``, the first one by default."""
        return _Vector(self.emit, self.emit.read(0, self._place(c)))

    def write(self, vector: _Vector, c: Any = None) -> None:
        """Write a vector to the place of the output ``z_c``, the first one by default."""
        self.emit.write(0, self._place(c), vector.value)

    def _place(self, c: Any) -> Any:
        return self.at if c is None else self.emit.offset(self.at, self.stride, c)

    @property
    def label(self) -> _Vector:
        """The label, in every lane."""
        return _Vector(self.emit, self.emit.spread(self._label))

    @property
    def option(self) -> _Vector:
        """δ of Huber's loss, or ``y log y − y`` of the Poisson loss, in every lane."""
        return _Vector(self.emit, self.emit.spread(self._option))

    @property
    def own(self) -> Any:
        """The label as the index of an output."""
        return self.emit.builder.fptosi(self._label, _INDEX)

    @contextmanager
    def each(self) -> Iterator[Any]:
        """A loop over the outputs."""
        with cgutils.for_range(self.emit.builder, self.outputs) as loop:
            yield loop.index

    def variable(self, vector: _Vector) -> _Variable:
        """A variable for a vector that a loop changes."""
        return _Variable(self.emit, vector)


class _Variable:
    """A variable that holds a vector."""

    def __init__(self, emit: Emitter, vector: _Vector) -> None:
        self.emit = emit
        self.place = cgutils.alloca_once(emit.builder, emit.of)
        self.set(vector)

    def set(self, vector: _Vector) -> None:
        """Change its value."""
        self.emit.builder.store(vector.value, self.place)

    def get(self) -> _Vector:
        """Its value."""
        return _Vector(self.emit, self.emit.builder.load(self.place))


Measured = tuple[_Vector, _Vector | None]
"""The loss, and what is summed for the score: 1 where the class is right, or the squared error; or None."""


def _logistic_slope(row: _Row) -> None:
    """``s / (1 + e^{−s z})`` with ``s = 1 − 2y`` and y in {0, 1}."""
    sign = 1.0 - row.label * 2.0
    row.write(sign / (exponential(-(sign * row.read())) + 1.0))


def _logistic(row: _Row) -> Measured:
    """``log(1 + e^−|z|) + max(−m, 0)`` with ``m = (2y − 1) z``; the class is right where ``m > 0``, or z and y are 0."""
    z, sign = row.read(), 1.0 - row.label * 2.0
    behind, build = (sign * z).at_least(0.0), row.emit.builder
    positive = row.label.compare(">", 0.5)
    right = build.select(positive, z.compare(">", 0.0), z.compare("<=", 0.0))
    right = build.and_(right, z.size().compare("<", math.inf))
    return log1p(exponential(-z.size())) + behind, z.of(0.0).where(right, 1.0)


def _largest(row: _Row) -> _Vector:
    """``max_c z_c``; NaN where the first output is NaN."""
    largest = row.variable(row.read())
    with row.each() as c:
        largest.set(largest.get().at_least(row.read(c)))
    return largest.get()


def _softmax_slope(row: _Row) -> None:
    """``softmax(z) − e_y``, where ``e_y`` is 1 at the class y and 0 elsewhere."""
    m = _largest(row)
    total = row.variable(m.of(0.0))
    with row.each() as c:
        e = exponential(row.read(c) - m)
        row.write(e, c)
        total.set(total.get() + e)
    share = 1.0 / total.get()
    with row.each() as c:
        row.write(row.read(c) * share, c)
    row.write(row.read(row.own) - 1.0, row.own)


def _softmax(row: _Row) -> Measured:
    """``log1p(Σ e^{z_c − m}) + m − z_y``; the sum leaves out ``m = max_c z_c`` once; the class is right where ``z_y = m``."""
    m, own = _largest(row), row.read(row.own)
    others, ties = row.variable(m.of(0.0)), row.variable(m.of(-1.0))
    with row.each() as c:
        z = row.read(c)
        at_top = z.compare("==", m)
        others.set(others.get() + exponential(z - m).where(at_top, 0.0))
        ties.set(ties.get() + z.of(0.0).where(at_top, 1.0))
    value = log1p(others.get() + ties.get().at_least(0.0)) + (m - own)
    return value, m.of(0.0).where(own.compare(">=", m), 1.0)


def _huber_slope(row: _Row) -> None:
    """``max(−δ, min(r, δ))`` with the residual ``r = z − y``."""
    row.write((row.read() - row.label).at_most(row.option).at_least(-row.option))


def _huber(row: _Row) -> Measured:
    """``½ c² + δ (|r| − c)`` with ``c = min(|r|, δ)``, and ``r²``, where ``r = z − y``."""
    r = (row.read() - row.label).size()
    inside = r.at_most(row.option)
    return inside * inside * 0.5 + row.option * (r - inside), r * r


def _poisson_slope(row: _Row) -> None:
    """``e^z − y``"""
    row.write(exponential(row.read()) - row.label)


def _poisson(row: _Row) -> Measured:
    """``e^z − y z + y log y − y``; the option of the row holds the last two terms."""
    z = row.read()
    return (exponential(z) - row.label * z + row.option).at_least(0.0), None


class Formulas(NamedTuple):
    """A loss as kernels call it, for one example and a vector of lanes.

    ``slope(R, at, stride, outputs, label, option)`` replaces the outputs, the vectors at ``R[at + c·stride]``, by the
    derivatives of the loss. ``measure(R, at, stride, outputs, label, option, sums, fits, k)`` adds the loss of lane v to
    ``sums[k + v]``, and its part of the score to ``fits[k + v]``, in float64.
    """

    slope: Any
    measure: Any


def _slope(formula: Callable[[_Row], None]) -> Any:
    @intrinsic
    def slope(
        typing: Any, R: Any, at: Any, stride: Any, outputs: Any, label: Any, option: Any
    ) -> Any:
        """Replace the outputs by the derivatives of the loss."""

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            formula(_Row(Emitter(LANE_BYTES, 0, context, builder, signature, args)))
            return context.get_dummy_value()

        i = types.intp
        return types.void(R, i, i, i, R.dtype, R.dtype), generate

    return slope


def _measure(formula: Callable[[_Row], Measured]) -> Any:
    @intrinsic
    def measure(
        typing: Any,
        R: Any,
        at: Any,
        stride: Any,
        outputs: Any,
        label: Any,
        option: Any,
        sums: Any,
        fits: Any,
        k: Any,
    ) -> Any:
        """Add the loss, and its part of the score, to the sums of every lane."""

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            emit = Emitter(LANE_BYTES, 0, context, builder, signature, args)
            value, fit = formula(_Row(emit))
            emit.add_doubles(6, args[8], value.value)
            if fit is not None:
                emit.add_doubles(7, args[8], fit.value)
            return context.get_dummy_value()

        i = types.intp
        return types.void(R, i, i, i, R.dtype, R.dtype, sums, fits, i), generate

    return measure


FORMULAS = {
    "logistic": Formulas(_slope(_logistic_slope), _measure(_logistic)),
    "softmax": Formulas(_slope(_softmax_slope), _measure(_softmax)),
    "huber": Formulas(_slope(_huber_slope), _measure(_huber)),
    "poisson": Formulas(_slope(_poisson_slope), _measure(_poisson)),
}
"""The losses that kernels can compute, by name."""
