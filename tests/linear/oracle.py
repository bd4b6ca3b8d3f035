"""The recurrence of learnrate.linear.problem in plain NumPy: one lane, one step at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from learnrate._shapes import Array
from learnrate.data.order import epoch_order, initial_weights
from learnrate.linear.problem import LinearProblem


class Trained(NamedTuple):
    """What the plain loop gives: losses (K, epochs + 1), and W (K, d) and b (K,) after the last epoch.

    ``peaks``, shaped as the losses: the largest so far, those of minibatches before their steps included.
    """

    losses: Array
    W: Array
    b: Array
    peaks: Array


def numpy_loop(problem: LinearProblem) -> Trained:
    """Train each lane, one step at a time."""
    X, y, B, K = problem.X, problem.y, problem.batch_size, problem.lrs.size
    scales = (problem.momentum, problem.weight_decay)
    mu, alpha = (problem.dtype.type(scale) for scale in scales)
    losses, peaks = np.empty((2, K, problem.epochs + 1))
    W, bias = np.empty((K, problem.d)), np.empty(K)
    for k, lr in enumerate(problem.lrs):
        w, b = initial_weights(problem.d, problem.seed).astype(X.dtype), X.dtype.type(0)
        v_w, v_b = np.zeros_like(w), X.dtype.type(0)
        peaks[k, 0] = losses[k, 0] = np.mean((X @ w + b - y) ** 2) / 2
        for epoch in range(problem.epochs):
            peak = peaks[k, epoch]
            order = epoch_order(
                len(y),
                B,
                seed=problem.seed,
                epoch=epoch,
                sampling=problem.sampling,
                block_size=problem.block_size,
            )
            for t, s in enumerate(problem.epoch_multipliers(epoch)):
                J = order[t * B : (t + 1) * B]
                r = X[J] @ w + b - y[J]
                peak = max(peak, r @ r / (2 * len(r)))
                v_w = mu * v_w + X[J].T @ r / B + alpha * w
                v_b = mu * v_b + r.sum() / B
                w, b = w - X.dtype.type(lr * s) * v_w, b - X.dtype.type(lr * s) * v_b
            losses[k, epoch + 1] = np.mean((X @ w + b - y) ** 2) / 2
            peaks[k, epoch + 1] = max(peak, losses[k, epoch + 1])
        W[k], bias[k] = w, b
    return Trained(losses, W, bias, peaks)
