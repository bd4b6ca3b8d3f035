"""The update rules of SGD, RMSProp, Adagrad and Lion."""

from __future__ import annotations

from typing import Any

from learnrate.training.optimizers.arrays import Operations, Step, decayed, shrink

__all__ = ["ADAGRAD", "LION", "RMSPROP", "SGD", "adagrad", "lion", "rmsprop", "sgd"]

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


RMSPROP = {"alpha": 0.99, "eps": 1e-8, "weight_decay": 0.0, "momentum": 0.0, "centered": False}
"""Options of `torch.optim.RMSprop`."""
ADAGRAD = {"lr_decay": 0.0, "weight_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 1e-10}
"""Options of `torch.optim.Adagrad`."""
LION = {"betas": (0.9, 0.99), "weight_decay": 0.0}
"""Options of Lion, as its authors and the package lion-pytorch name them."""


def rmsprop(ops: Operations, theta: Any, g: Any, step: Step) -> None:
    """``v ← α v + (1−α) g²``, ``θ ← θ − η g / (√v + ε)``.

    Centered: ``a ← α a + (1−α) g``, and ``√(v − a²)`` in place of ``√v``. With momentum μ: ``u ← μ u + g / (√v + ε)``,
    ``θ ← θ − η u``. Source: Tieleman and Hinton (2012), lecture 6.5, as `torch.optim.RMSprop` writes it.
    """
    g = decayed(ops, theta, g, step)
    v = step.state["v"]
    alpha = step.options["alpha"]
    v *= alpha
    ops.add_product(v, g, g, 1 - alpha)
    if step.options["centered"]:
        mean = step.state["mean"]
        ops.lerp(mean, g, 1 - alpha)
        root = ops.sqrt(ops.plus(v, mean * mean, -1))
    else:
        root = ops.sqrt(v)
    root += step.options["eps"]
    if step.options["momentum"]:
        velocity = step.state["velocity"]
        velocity *= step.options["momentum"]
        ops.add_ratio(velocity, g, root)
        ops.add_product(theta, velocity, step.lr, -1)
    else:
        ops.add_ratio(theta, g * step.lr, root, -1)


def adagrad(ops: Operations, theta: Any, g: Any, step: Step) -> None:
    """``s ← s + g²``, ``θ ← θ − η_t g / (√s + ε)`` with ``η_t = η / (1 + (t − 1) λ)``, λ the ``lr_decay``.

    Source: Duchi, Hazan and Singer (2011), as `torch.optim.Adagrad` writes it.
    """
    g = decayed(ops, theta, g, step)
    s = step.state["sum"]
    if step.t == 1:
        s += step.options["initial_accumulator_value"]
    ops.add_product(s, g, g)
    root = ops.sqrt(s)
    root += step.options["eps"]
    ops.add_ratio(theta, g * (step.lr / (1 + (step.t - 1) * step.options["lr_decay"])), root, -1)


def lion(ops: Operations, theta: Any, g: Any, step: Step) -> None:
    """``θ ← (1 − η α) θ − η sign(β₁ m + (1−β₁) g)``, ``m ← β₂ m + (1−β₂) g``.

    Source: Chen et al. (arXiv 2302.06675).
    """
    m = step.state["m"]
    beta1, beta2 = step.options["betas"]
    shrink(theta, step)
    direction = ops.plus(m * beta1, g, 1 - beta1)
    ops.add_product(theta, ops.sign(direction), step.lr, -1)
    ops.lerp(m, g, 1 - beta2)
