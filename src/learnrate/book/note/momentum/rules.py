"""The three rules of note three, as functions of arrays of any shape: what is shown is what runs."""

from __future__ import annotations

from typing import Any

__all__ = ["adam", "momentum", "sgd"]


def sgd(theta: Any, g: Any, lr: float) -> Any:
    """``θ ← θ − η g``."""
    return theta - lr * g


def momentum(theta: Any, v: Any, g: Any, lr: float, mu: float) -> Any:
    """``v ← μ v + g``, ``θ ← θ − η v``; v is 0 at the start. As `torch.optim.SGD` has it."""
    v = mu * v + g
    return (theta - lr * v, v)


def adam(
    theta: Any,
    m: Any,
    v: Any,
    g: Any,
    t: int,
    lr: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> Any:
    """``m`` and ``v`` average g and g²; ``θ ← θ − η m̂ / (√v̂ + ε)`` in step t = 1, 2, …

    Source: Kingma and Ba, "Adam: a method for stochastic optimization" (arXiv 1412.6980).
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return (theta - lr * m_hat / (v_hat**0.5 + eps), m, v)
