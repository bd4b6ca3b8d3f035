"""Any loss and any optimizer in a plain loop: one lane, one example's derivative as it stands in books, float64."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from learnrate._shapes import Array
from learnrate.data.order import epoch_order, initial_weights
from learnrate.linear.problem import LinearProblem
from learnrate.training.losses import Huber
from learnrate.training.optimizers import OPTIMIZERS


class Trained(NamedTuple):
    """Losses (K, epochs + 1), and W (K, d, C) and b (K, C) after the last epoch."""

    losses: Array
    W: Array
    b: Array


def value_and_slope(problem: LinearProblem, z: Array, y: float) -> tuple[float, Array]:
    """``φ`` and ``∂φ/∂z`` of one example with C outputs, in Python's own arithmetic."""
    loss = problem.loss
    if loss.name == "softmax":
        largest = max(z)
        e = [math.exp(v - largest) for v in z]
        others = math.fsum(v for c, v in enumerate(e) if c != y)
        behind = z[int(y)] - largest
        value = math.log1p(math.expm1(behind) + others) - behind
        slope = np.array(e) / math.fsum(e)
        slope[int(y)] -= 1
        return value, slope
    out = float(z[0])
    if loss.name == "squared":
        return (out - y) ** 2 / 2, np.array([out - y])
    if isinstance(loss, Huber):
        r = out - y
        if abs(r) <= loss.delta:
            return r * r / 2, np.array([r])
        return loss.delta * (abs(r) - loss.delta / 2), np.array([math.copysign(loss.delta, r)])
    if loss.name == "poisson":
        constant = y * math.log(y) - y if y else 0.0
        return math.exp(out) - y * out + constant, np.array([math.exp(out) - y])
    assert loss.name == "logistic"
    margin = out if y else -out
    value = math.log1p(math.exp(-margin)) if margin > 0 else math.log1p(math.exp(margin)) - margin
    p = 1 / (1 + math.exp(-out)) if out > -700 else 0.0
    return value, np.array([p - y])


def loss_loop(problem: LinearProblem) -> Trained:
    """Train each lane with the class of `torch.optim` that its optimizer equals, on float64 tensors."""
    import torch

    X, y, B, K, d = problem.X, problem.y, problem.batch_size, problem.lrs.size, problem.d
    C = problem.loss.outputs
    options = problem.rule_options
    equal = OPTIMIZERS[problem.optimizer].equals
    assert equal is not None
    losses, W, b = np.empty((K, problem.epochs + 1)), np.empty((K, d, C)), np.empty((K, C))
    for k, lr in enumerate(problem.lrs):
        w = torch.tensor(initial_weights(d, problem.seed, C))
        bias = torch.zeros(C, dtype=torch.float64)
        groups = [{"params": [w]}, {"params": [bias], "weight_decay": 0.0}]
        made = getattr(torch.optim, equal)(groups, lr=float(lr), **options)
        for parameter in (w, bias):  # NAdam's product of momenta, which it would round to float32
            if problem.optimizer == "nadam":
                made.state[parameter] = {
                    "step": torch.tensor(0.0),
                    "mu_product": torch.ones((), dtype=torch.float64),
                    "exp_avg": torch.zeros_like(parameter),
                    "exp_avg_sq": torch.zeros_like(parameter),
                }

        def mean(w: Array, bias: Array) -> float:
            values = [value_and_slope(problem, X[i] @ w + bias, y[i])[0] for i in range(len(y))]
            return math.fsum(values) / len(y)

        losses[k, 0] = mean(w.numpy(), bias.numpy())
        for epoch in range(problem.epochs):
            order = epoch_order(
                len(y),
                B,
                seed=problem.seed,
                epoch=epoch,
                sampling=problem.sampling,
                block_size=problem.block_size,
            )
            for t, s in enumerate(problem.epoch_multipliers(epoch)):
                g_w, g_b = np.zeros((d, C)), np.zeros(C)
                for i in order[t * B : (t + 1) * B]:
                    slope = value_and_slope(problem, X[i] @ w.numpy() + bias.numpy(), y[i])[1]
                    g_w += np.outer(X[i], slope)
                    g_b += slope
                w.grad, bias.grad = torch.tensor(g_w / B), torch.tensor(g_b / B)
                for group in made.param_groups:
                    group["lr"] = float(lr) * float(s)
                made.step()
            losses[k, epoch + 1] = mean(w.numpy(), bias.numpy())
        W[k], b[k] = w.numpy(), bias.numpy()
    return Trained(losses, W, b)
