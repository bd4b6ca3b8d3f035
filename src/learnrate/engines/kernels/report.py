"""What the lanes are at the end of an epoch, in full numbers."""

from __future__ import annotations

from typing import Any

from learnrate.engines.kernels.compiled import compiled, inner

__all__ = ["PARTS", "close", "close_sums", "read_lanes", "report"]

PARTS = 16
"""Sums of matrices are made in so many parts, each by one thread, and then added in one order."""


@inner
def close_sums(sums: Any, width: int, n: int, Q: Any) -> None:
    """From the parts of the sums over ``n`` examples to Q of `learnrate.engines.losses.Quadratic`.

    The sums are there on and above the diagonal; what is below it follows by symmetry.
    """
    for i in range(len(Q)):
        for j in range(i, len(Q)):
            total = 0.0
            for part in range(PARTS):
                total += sums[(part * width + i) * width + j]
            Q[i, j] = Q[j, i] = total / n


@inner
def read_lanes(
    delta: Any,
    block_rows: int,
    lanes: int,
    w_ref: Any,
    beta: float,
    shift: Any,
    Q: Any,
    u: Any,
    W: Any,
    b: Any,
    loss: Any,
) -> None:
    """Parameters of all lanes in float64, ``δ`` rounded to what they say, and the losses.

    ``u`` is room for ``(d + 2) · lanes`` numbers, a block's lanes being ``lanes``. Losses are left alone where
    Q is empty.
    """
    d = w_ref.size
    for lane in range(0, b.size, lanes):
        block = lane * block_rows
        kept = min(lanes, b.size - lane)
        for k in range(kept):
            b[lane + k] = 0.0
        for j in range(d):
            for k in range(kept):
                w = delta[block + j * lanes + k] + w_ref[j]
                delta[block + j * lanes + k] = w - w_ref[j]
                u[j * lanes + k] = delta[block + j * lanes + k]
                W[lane + k, j] = w
                b[lane + k] += shift[j] * w
        for k in range(kept):
            known = b[lane + k]
            b[lane + k] = delta[block + d * lanes + k] + beta - known
            delta[block + d * lanes + k] = b[lane + k] + known - beta
            u[d * lanes + k] = delta[block + d * lanes + k]
            u[(d + 1) * lanes + k] = -1.0
        if not Q.size:
            continue
        for k in range(kept):
            loss[lane + k] = 0.0
        for i in range(d + 2):
            for j in range(d + 2):
                q = 0.5 * Q[i, j]
                for k in range(kept):
                    loss[lane + k] += q * u[i * lanes + k] * u[j * lanes + k]
        for k in range(kept):
            if loss[lane + k] < 0.0:
                loss[lane + k] = 0.0


report = compiled(read_lanes.py_func)
"""Kernel: `read_lanes` by itself."""

close = compiled(close_sums.py_func)
"""Kernel: `close_sums` by itself."""
