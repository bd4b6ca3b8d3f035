"""Several steps in one product, for problems so small that calling NumPy costs more than its arithmetic.

With ``A_t = (G_t, −c_t)`` made square by a row of zeros, s steps of a lane with rate η are the product::

    (I − η A_s) ⋯ (I − η A_1) = Σ_j (−η)^j P_j

whose coefficients are the same for all lanes: ``P_j ← P_j + A_t P_{j−1}`` for one step more. So all lanes go
s steps on by one product of ``(P_0, −P_1, P_2, …)`` with the stack of ``η^j δ``.
"""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array, Float

__all__ = ["polynomials", "powers"]

_AT_ONCE = 4


def powers(lrs: Float[Array, " K"]) -> Float[Array, "terms K"]:
    """``η^j`` for j = 0, …, s."""
    return lrs ** np.arange(_AT_ONCE + 1)[:, None]


def polynomials(A: Float[Array, "steps D D1"]) -> Float[Array, "groups D1 terms D1"]:
    """``(P_0, −P_1, P_2, …)`` of each group of s steps; the last is filled up with steps of no length."""
    steps, _, size = A.shape
    groups = -(-steps // _AT_ONCE)
    square = np.zeros((groups * _AT_ONCE, size, size), dtype=A.dtype)
    square[:steps, :-1] = A
    square = square.reshape(groups, _AT_ONCE, size, size)
    P = np.zeros((_AT_ONCE + 1, groups, size, size), dtype=A.dtype)
    P[0] = np.eye(size, dtype=A.dtype)
    for t in range(_AT_ONCE):
        # From the highest down, so that each still finds the one below as it was.
        P[1 : t + 2] += square[:, t] @ P[: t + 1]
    P[1::2] *= -1
    return np.ascontiguousarray(P.transpose(1, 2, 0, 3))
