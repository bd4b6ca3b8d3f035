"""Whether the growth of a typical run depends on rows that a simulated run visits too rarely to show it.

A level of a category that only a few rows have is a direction of its own. Its error is multiplied by ``1 − ηs``, with
``s = ‖z‖²/B``, when one of these rows is visited, and by ``1 − ηh`` in every other step. With k such rows it grows in
the long run if::

    (Bk/n) log|1 − ηs| + log|1 − ηh| > 0,   k = Σ_j (z_jᵀu)⁴ / ‖z‖⁴,   h = (1/n) [Σ_j (z_jᵀu)² − k‖z‖²],   u = z/‖z‖

A run that is too short to visit these rows does not show this growth.
"""

from __future__ import annotations

import numpy as np

from learnrate.theory.modes import Modes

__all__ = ["rare_rows"]

_ROWS = 24  # that are examined: those with the largest leverage
_VISITS = 6  # that a run must make to show the growth


def rare_rows(modes: Modes, batch_size: int, lr: float, steps: int) -> str | None:
    """A phrase that says why runs of so many steps would not show that they grow at this rate; None if they would.

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
    Q, n, Z = modes.spectrum.vectors, modes.n, modes.strongest_rows(_ROWS)
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
