"""Kernel: ``Generator.permutation`` for PCG64, several times as fast.

NumPy shuffles by Fisher and Yates and draws each place by masked rejection from 32 random bits. Here the
draws of a block are made first, without branches that the processor would mispredict, and then swapped.
How NumPy shuffles is its own affair and may change, so `permutation` asks it once per process, and leaves
the work to NumPy should the two ever differ.

Source: Knuth, *The Art of Computer Programming*, vol. 2, algorithm 3.4.2P.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from learnrate.engines.kernels.compiled import compiled

__all__ = ["permutation"]

_BLOCK = 1 << 15  # draws at a time, of 64 bits
_LARGEST = 1 << 31
_PROBE = 3000


@compiled
def _draw_and_swap(order: Any, bits: Any, targets: Any, place: Any) -> Any:
    """Swap the places ``place, place − 1, …`` for as long as there are bits; return the next place."""
    first, drawn, used = place, 0, 0
    while place > 0 and used < bits.size:
        mask = 1
        while mask < place:
            mask = 2 * mask + 1
        smallest = mask >> 1  # the mask serves all places above this one
        while used < bits.size and place > smallest:
            target = np.int64(bits[used] & np.uint32(mask))
            used += 1
            targets[drawn] = target
            accepted = int(target <= place)
            drawn += accepted
            place -= accepted
    for k in range(drawn):
        here, there = first - k, targets[k]
        order[here], order[there] = order[there], order[here]
    return place


def permutation(rng: np.random.Generator, n: int) -> Any:
    """``rng.permutation(n)`` as int32, for a generator that stands at a fresh PCG64 draw."""
    if n < _LARGEST and _is_numpys():
        return _permutation(rng, n)
    return rng.permutation(n).astype(np.int32 if n < _LARGEST else np.int64)


def _permutation(rng: np.random.Generator, n: int) -> Any:
    order = np.arange(n, dtype=np.int32)
    targets = np.empty(min(2 * _BLOCK, 2 * n) + 16, dtype=np.int32)
    place = n - 1
    while place > 0:
        # A draw is accepted with probability over a half; on average 0.72 of 64 bits serve a place.
        words = min(_BLOCK, place * 3 // 4 + 8)
        bits = rng.bit_generator.random_raw(words).view(np.uint32)
        place = _draw_and_swap(order, bits, targets, place)
    return order


@cache
def _is_numpys() -> bool:
    """Whether NumPy shuffles in the way that is written here."""
    expected = np.random.Generator(np.random.PCG64(0)).permutation(_PROBE)
    ours = _permutation(np.random.Generator(np.random.PCG64(0)), _PROBE)
    return bool((ours == expected).all())
