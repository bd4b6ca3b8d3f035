"""Several steps in one product, for problems so small that calls of NumPy take longer than its arithmetic.

With ``A_t = (G_t, −c_t)`` made square by a row of zeros, s steps of a lane with rate η are the product::

    (I − η A_s) ⋯ (I − η A_1) = Σ_j (−η)^j P_j

whose coefficients are the same for all lanes: each step is ``P_j ← P_j + A_t P_{j−1}``. So one product of
``(P_0, −P_1, P_2, …)`` with the stack of ``η^j δ`` makes s steps of all lanes. Its terms are at most ``(1 + ηλ)^s``,
so with few steps the cancellation loses at most two digits for lanes that converge.
"""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array, Float

__all__ = ["polynomials", "powers", "steps_at_once"]


def steps_at_once(parameters: int, lanes: int) -> int:
    """The number of steps in one product; 1 if single steps are as fast.

    A single step takes three calls of about a microsecond. A product of s steps takes two, and ``s (s − 1) / 2`` products
    of matrices, which are computed for many steps at a time.
    """
    if parameters <= 8:
        return 4
    return 2 if parameters <= 32 and lanes <= 16 else 1


def powers(lrs: Float[Array, " K"], at_once: int) -> Float[Array, "terms K"]:
    """``η^j`` for j = 0, …, s."""
    return lrs ** np.arange(at_once + 1)[:, None]


def polynomials(A: Float[Array, "steps D D1"], at_once: int) -> Float[Array, "groups D1 terms D1"]:
    """``(P_0, −P_1, P_2, …)`` of each group of s steps; the last group is filled up with steps of size 0."""
    steps, _, size = A.shape
    groups = -(-steps // at_once)
    square = np.zeros((groups * at_once, size, size), dtype=A.dtype)
    square[:steps, :-1] = A
    square = square.reshape(groups, at_once, size, size)
    P = np.zeros((at_once + 1, groups, size, size), dtype=A.dtype)
    P[0] = np.eye(size, dtype=A.dtype)
    for t in range(at_once):
        # The right-hand side is computed before any P_j changes.
        P[2 : t + 2] += square[:, t] @ P[1 : t + 1]
        P[1] += square[:, t]
    P[1::2] *= -1
    return np.ascontiguousarray(P.transpose(1, 2, 0, 3))
