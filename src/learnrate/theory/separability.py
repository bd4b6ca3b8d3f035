"""Whether a linear model can separate the classes without an error, so that the log loss has no optimum."""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array, Float, Int

__all__ = ["separable"]

_MOST = 20_000_000
"""Numbers in the constraints beyond which the linear program is not solved."""


def separable(
    X: Float[Array, "n d"], codes: Int[Array, " n"], *, seconds: float = 2.0
) -> bool | None:
    """Whether some ``θ`` has ``(θ_y − θ_c)·x̃ ≥ 0`` for every example and every other class c, and not 0 for all.

    Then the log loss falls forever along θ and has no optimum. A linear program decides it: the largest ``Σ t`` with
    ``0 ≤ t ≤ 1`` and ``(θ_y − θ_c)·x̃ ≥ t`` is 0 exactly if there is no such θ.

    Parameters
    ----------
    X : array, shape (n, d)
        Features; a 1 for the bias is added here.
    codes : int array, shape (n,)
        The class of each example.
    seconds : float
        Time limit of the solver.

    Returns
    -------
    bool or None
        None if it is not known, because the program is too large or the time limit was reached.

    Source: Albert and Anderson (1984), "On the existence of maximum likelihood estimates in logistic regression
    models"; the program is that of Konis (2007), "Linear programming algorithms for detecting separated data".
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, hstack, identity

    n, D, C = len(X), X.shape[1] + 1, int(codes.max()) + 1
    free = C - 1  # θ of the first class is 0: only differences matter
    rows = n * (C - 1)
    if 2 * rows * D > _MOST:
        return None
    scale = np.abs(X).max(axis=0)
    rows_x = np.column_stack([X / np.where(scale > 0, scale, 1), np.ones(n)])
    values, columns, lines = [], [], []
    for shift in range(1, C):
        other = (codes + shift) % C
        line = np.arange(n) + n * (shift - 1)
        for place, sign in ((codes, -1.0), (other, 1.0)):
            kept = place > 0
            columns.append(((place[kept] - 1)[:, None] * D + np.arange(D)).ravel())
            values.append((sign * rows_x[kept]).ravel())
            lines.append(np.repeat(line[kept], D))
    where = (np.concatenate(lines), np.concatenate(columns))
    theta = csr_array((np.concatenate(values), where), shape=(rows, free * D))
    found = linprog(
        np.concatenate([np.zeros(free * D), -np.ones(rows)]),
        A_ub=hstack([theta, identity(rows)], format="csr"),
        b_ub=np.zeros(rows),
        bounds=[(None, None)] * (free * D) + [(0, 1)] * rows,
        method="highs",
        options={"time_limit": seconds},
    )
    if found.status != 0:
        return None
    return bool(-found.fun > 1e-6)
