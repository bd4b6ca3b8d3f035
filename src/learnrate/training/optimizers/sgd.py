"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

from learnrate.training.optimizers.arrays import Operations, Step, decayed

__all__ = ["SGD", "sgd"]

SGD = {"momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False}
"""Options of `torch.optim.SGD`."""


def sgd(ops: Operations, theta: Any, g: Any, step: Step) -> None:
    """``v ← μ v + (1 − τ) g``, ``θ ← θ − η v``; with Nesterov momentum ``θ ← θ − η (g + μ v)``.

    μ is the momentum and τ the dampening; in the first step ``v = g``.
    Source: Sutskever et al. (2013), as `torch.optim.SGD` writes it.
    """
    g = decayed(ops, theta, g, step)
    momentum = step.options["momentum"]
    if momentum:
        v = step.state["velocity"]
        if step.t == 1:
            ops.copy(v, g)
        else:
            v *= momentum
            ops.add(v, g, 1 - step.options["dampening"])
        g = ops.plus(g, v, momentum) if step.options["nesterov"] else v
    ops.add_product(theta, g, step.lr, -1)
