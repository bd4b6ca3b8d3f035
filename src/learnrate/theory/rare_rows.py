"""Whether rows that a simulated run hardly ever visits would decide what a typical run does.

A level of a category that a few rows have is a direction of its own: its error moves only when one of them is
visited, by ``1 − ηs`` with ``s = ‖z‖²/B``, and shrinks a little in all other steps, by ``1 − ηh``. With k rows
alike it grows in the long run where::

    (Bk/n) log|1 − ηs| + log|1 − ηh| > 0,   k = Σ_j (z_jᵀu)⁴ / ‖z‖⁴,   h = (1/n) [Σ_j (z_jᵀu)² − k‖z‖²],   u = z/‖z‖

A run that is too short to meet these rows cannot show that.
"""

from __future__ import annotations

import numpy as np

from learnrate.theory.modes import Modes

__all__ = ["rare_rows"]

_ROWS = 24  # of the largest leverage
_VISITS = 6  # in one run: fewer are too few


def rare_rows(modes: Modes, batch_size: int, lr: float, steps: int) -> str | None:
    """Why the growth of runs of so many steps is not that of long ones, at a rate where it seems to shrink; or None.

    Parameters
    ----------
    modes : Modes
        The examples.
    batch_size : int
        B.
    lr : float
        η.
    steps : int
        Length of the runs.
    """
    X, Q, n = modes.examples.X, modes.spectrum.vectors, modes.n
    square = np.einsum("ij,ij->j", X, X)
    leverage = np.einsum("ij,ij,j->i", X, X, 1 / np.where(square > 0, square, np.inf))
    rows = np.argpartition(leverage, -min(_ROWS, n))[-_ROWS:]
    Z = np.concatenate([block @ Q for block in modes.examples.blocks(rows)])
    length = np.linalg.norm(Z, axis=1)
    along = (modes.examples @ (Q @ (Z / length[:, None]).T)) ** 2
    alike = np.sum(along**2, axis=0) / length**4
    with np.errstate(all="ignore"):
        each = batch_size / n * alike
        beside = np.maximum(along.mean(axis=0) - alike * length**2 / n, 0.0)
        grows = each * np.log(np.abs(1 - lr * length**2 / batch_size))
        grows += np.log(np.abs(1 - lr * beside))
    seldom = (each * steps < _VISITS) & (grows > 0)
    if not seldom.any():
        return None
    rarest = 1 / float(each[seldom].min())
    return f"rows that are met once in {rarest:.0f} steps would decide it, too seldom to simulate"
