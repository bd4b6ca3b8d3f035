"""The mean loss of all lanes on some examples, and the means from which scores are computed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.rows import Block
from learnrate.training.losses import Loss

__all__ = ["OUTPUTS", "means"]

OUTPUTS = 1 << 18
"""Outputs that are computed at a time, so that they fit into a level-2 cache."""


def means(
    loss: Loss, blocks: Iterable[Block], theta: Float[Array, "D C K"]
) -> dict[str, Float[Array, " K"]]:
    """Means over all rows of the blocks, by name: of ``"loss"``, and of what `Loss.fit` sums; not finite once diverged.

    Computed in float64, so that they show the rounding errors of the training and not their own.

    Parameters
    ----------
    loss : Loss
        The loss of one example.
    blocks : iterable of Block
        The examples.
    theta : array, shape (D, C, K)
        Parameters of all lanes, see `learnrate.linear.parameters`.
    """
    flat = theta.reshape(len(theta), -1).astype(np.float64)
    rows = max(1, OUTPUTS // flat.shape[1])
    total: dict[str, Any] = {}
    n = 0
    with np.errstate(all="ignore"):
        for X, y in blocks:
            n += len(y)
            for first in range(0, len(y), rows):
                some = slice(first, first + rows)
                z = X[some] @ flat[:-1]
                z += flat[-1]
                z = z.reshape(len(z), *theta.shape[1:])
                labels = loss.encode(y[some], z.dtype)
                value = loss.value(z, labels).sum(axis=0, dtype=np.float64)
                for name, part in {"loss": value, **loss.fit(z, labels)}.items():
                    total[name] = total.get(name, 0.0) + part
        return {name: value / n for name, value in total.items()}
