"""A kernel that computes ``Generator.permutation`` for PCG64, several times as fast as NumPy.

NumPy shuffles by the method of Fisher and Yates and draws each place by masked rejection from 32 random bits. Here the
places of a block are drawn first, without branches that the processor would mispredict, and then swapped. NumPy may
change its method, so `permutation` compares the two once per process, and calls NumPy if they differ.

PCG64 has a state of 128 bits, ``s ← a s + c``, and gives ``rotr(high(s) ⊕ low(s), s / 2¹²²)``; where
32 bits are asked for, the lower half comes first.

Source: Knuth, *The Art of Computer Programming*, vol. 2, algorithm 3.4.2P; O'Neill, "PCG: A Family of Simple Fast
Space-Efficient Statistically Good Algorithms for Random Number Generation" (2014), XSL RR 128/64.
"""

# mypy: disable-error-code="import-untyped, no-untyped-call, untyped-decorator"

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from learnrate.data.order import STRETCH, MinibatchOrders
from learnrate.linear.kernels.compiled import compiled, inner
from learnrate.linear.kernels.layout import indices
from learnrate.linear.kernels.vectors import intrinsic, prefetch

__all__ = ["epoch_orders", "permutation"]

_BLOCK = 1 << 12  # even: draws at a time, of 64 bits
_AHEAD = 64  # swaps to come whose places are asked for early
_LARGEST = 1 << 31
_PROBE = 30_000
_FACTOR = 0x2360ED051FC65DA44385DF649FCCF645  # a
_WHOLE, _LOW = 1 << 128, (1 << 64) - 1


@cache
def _jump(times: int) -> tuple[int, int]:
    """The factors ``aᵗ`` and ``aᵗ⁻¹ + … + a + 1`` of t steps of PCG64 at once: ``s ← aᵗ s + (aᵗ⁻¹ + … + 1) c``.

    Source: Brown, "Random Number Generation with Arbitrary Strides" (1994).
    """
    factor, share, a, c = 1, 0, _FACTOR, 1
    while times:
        if times & 1:
            factor, share = factor * a % _WHOLE, (share * a + c) % _WHOLE
        a, c, times = a * a % _WHOLE, (a + 1) * c % _WHOLE, times >> 1
    return factor, share


def _stepper(times: int) -> Any:
    """The intrinsic that takes so many steps at once; state and increment are given as halves of 64 bits."""
    factor, share = _jump(times)

    @intrinsic
    def step(typing: Any, high: Any, low: Any, c_high: Any, c_low: Any) -> Any:
        half = types.uint64

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            whole, part = ir.IntType(128), ir.IntType(64)

            def join(high: Any, low: Any) -> Any:
                high = builder.shl(builder.zext(high, whole), ir.Constant(whole, 64))
                return builder.or_(high, builder.zext(low, whole))

            s = builder.mul(join(*args[:2]), ir.Constant(whole, factor))
            s = builder.add(s, builder.mul(join(*args[2:]), ir.Constant(whole, share)))
            halves = builder.lshr(s, ir.Constant(whole, 64)), s
            parts = [builder.trunc(half, part) for half in halves]
            return context.make_tuple(builder, signature.return_type, parts)

        return types.UniTuple(half, 2)(half, half, half, half), generate

    return step


_one_step, _two_steps = _stepper(1), _stepper(2)


@inner
def _output(high: Any, low: Any) -> Any:
    """The 64 random bits of a state."""
    mixed, turn = high ^ low, high >> np.uint64(58)
    return (mixed >> turn) | (mixed << ((np.uint64(64) - turn) & np.uint64(63)))


@inner
def _select(bits: Any, draws: Any, place: Any, targets: Any, floor: Any) -> Any:
    """Draw the targets of ``place, place − 1, …``, that of a place at ``targets[place − floor]``.

    Returns the next place. With unsigned numbers, accepting a draw takes two instructions and no branch.
    """
    one, used, draws = np.uint64(1), np.uint64(0), np.uint64(draws)
    while place > np.uint64(0) and used < draws:
        mask = one
        while mask < place:
            mask = np.uint64(2) * mask + one
        smallest = mask >> one  # the mask serves all places above this one
        while used < draws and place > smallest:
            stop = used + min(draws - used, place - smallest)
            while used < stop:
                target = np.uint64(bits[used]) & mask
                used += one
                targets[place - floor] = np.int32(target)
                place -= np.uint64(target <= place)
    return place


@compiled
def _fill(orders: Any, words: Any, bits: Any, targets: Any, states: Any) -> None:
    """Write a permutation to each row of ``orders``.

    A row of ``states`` has the halves of a state and of its increment. ``words`` is room for the random bits of a block,
    and ``bits`` the same memory as numbers of 32 bits; ``targets`` is room for the places that are drawn.
    """
    for row in range(len(orders)):
        order = orders[row]
        for i in range(order.size):
            order[i] = i
        c_high, c_low = states[row, 2], states[row, 3]
        high, low = _one_step(states[row, 0], states[row, 1], c_high, c_low)
        high_2, low_2 = _one_step(high, low, c_high, c_low)
        place = order.size - 1
        while place > 0:
            # A draw is accepted with probability over a half; on average 0.72 of 64 bits serve a place.
            drawn = min(words.size, (place * 3 // 4 + 9) // 2 * 2)
            for k in range(0, drawn, 2):
                words[k], words[k + 1] = _output(high, low), _output(high_2, low_2)
                high, low = _two_steps(high, low, c_high, c_low)
                high_2, low_2 = _two_steps(high_2, low_2, c_high, c_low)
            floor = max(0, place - 2 * drawn)
            rest = np.int64(_select(bits, 2 * drawn, np.uint64(place), targets, np.uint64(floor)))
            for here in range(place, rest, -1):
                prefetch(order, targets[max(here - floor - _AHEAD, 0)])
                there = targets[here - floor]
                order[here], order[there] = order[there], order[here]
            place = rest


def permutation(rng: np.random.Generator, n: int) -> Any:
    """``rng.permutation(n)`` as int32, for a PCG64 generator that has no half of a draw left over.

    The state of the generator does not change, unlike with NumPy's method.
    """
    if n < _LARGEST and _is_numpys():
        return _permutations([_state(rng)], n)[0]
    return rng.permutation(n).astype(np.int32 if n < _LARGEST else np.int64)


def epoch_orders(orders: MinibatchOrders, first: int, stop: int) -> Any:
    """The orders of the epochs ``first, …, stop − 1``, one in each row, if all examples are one block."""
    if not (orders.permutes and orders.n < _LARGEST and _is_numpys()):
        return np.array([indices(orders.inside(epoch, 0)) for epoch in range(first, stop)])
    states = [_state(orders.generator(first, 0))]
    factor, share = _jump(STRETCH)
    for _ in range(first + 1, stop):
        s, c = states[-1]
        states.append(((factor * s + share * c) % _WHOLE, c))
    return _permutations(states, orders.n)


def _state(rng: np.random.Generator) -> tuple[int, int]:
    """The state and the increment of a PCG64 generator."""
    state = rng.bit_generator.state["state"]
    return state["state"], state["inc"]


def _permutations(states: list[tuple[int, int]], n: int) -> Any:
    """The permutations of n that generators with these states would draw, one in each row."""
    orders = np.empty((len(states), n), dtype=np.int32)
    words = min(_BLOCK, n // 2 * 2 + 10)
    halves = [(s >> 64, s & _LOW, c >> 64, c & _LOW) for s, c in states]
    room, targets = np.empty(words, dtype=np.uint64), np.empty(2 * words + 1, dtype=np.int32)
    _fill(orders, room, room.view(np.uint32), targets, np.array(halves, dtype=np.uint64))
    return orders


@cache
def _is_numpys() -> bool:
    """Whether NumPy shuffles by the method of this file."""
    expected = np.random.Generator(np.random.PCG64(0)).permutation(_PROBE)
    ours = _permutations([_state(np.random.Generator(np.random.PCG64(0)))], _PROBE)[0]
    return bool((ours == expected).all())
