"""Adam and its variants: AdamW, NAdam, RAdam, Adamax."""

from __future__ import annotations

import math
from typing import Any

from learnrate.training.optimizers.arrays import Operations, Step, decayed, shrink

__all__ = [
    "ADAM",
    "ADAMAX",
    "NADAM",
    "RADAM",
    "adam",
    "adamax",
    "adamw",
    "nadam",
    "product_of_momenta",
    "radam",
]

_COMMON = {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0}
ADAM = {**_COMMON, "amsgrad": False}
"""Options of `torch.optim.Adam`; those of `torch.optim.AdamW` have a weight decay of 0.01."""
NADAM = {**_COMMON, "momentum_decay": 4e-3, "decoupled_weight_decay": False}
"""Options of `torch.optim.NAdam`."""
RADAM = {**_COMMON, "decoupled_weight_decay": False}
"""Options of `torch.optim.RAdam`."""
ADAMAX = _COMMON
"""Options of `torch.optim.Adamax`."""

_NEGLIGIBLE = 1e-20


def adam(ops: Operations, theta: Any, g: Any, step: Step) -> None:
    """``m ← β₁ m + (1−β₁) g``, ``v ← β₂ v + (1−β₂) g²``, ``θ ← θ − η m̂ / (√v̂ + ε)``.

    ``m̂ = m / (1 − β₁ᵗ)`` and ``v̂ = v / (1 − β₂ᵗ)``; with AMSGrad the largest v so far takes the place of v.
    Sources: Kingma and Ba (arXiv 1412.6980); Reddi, Kale and Kumar (arXiv 1904.09237).
    """
    _adam_step(ops, theta, decayed(ops, theta, g, step), step)


def adamw(ops: Operations, theta: Any, g: Any, step: Step) -> None:
    """``θ ← (1 − η α) θ``, then Adam's step without decay. Source: Loshchilov and Hutter (arXiv 1711.05101)."""
    shrink(theta, step)
    _adam_step(ops, theta, g, step)


def _moments(ops: Operations, g: Any, step: Step) -> tuple[float, float]:
    """``m ← β₁ m + (1−β₁) g``, ``v ← β₂ v + (1−β₂) g²``; returns the betas."""
    m, v, (beta1, beta2) = step.state["m"], step.state["v"], step.options["betas"]
    ops.lerp(m, g, 1 - beta1)
    v *= beta2
    ops.add_product(v, g, g, 1 - beta2)
    return beta1, beta2


def _adam_step(ops: Operations, theta: Any, g: Any, step: Step) -> None:
    beta1, beta2 = _moments(ops, g, step)
    m, v = step.state["m"], step.state["v"]
    if step.options["amsgrad"]:
        ops.maximum(step.state["largest"], v)
        v = step.state["largest"]
    root = ops.sqrt(v) / math.sqrt(1 - beta2**step.t)
    root += step.options["eps"]
    ops.add_ratio(theta, m * (step.lr / (1 - beta1**step.t)), root, -1)


def nadam(ops: Operations, theta: Any, g: Any, step: Step) -> None:
    """Adam with Nesterov momentum: ``θ ← θ − η ((1−μ_t)/(1−Πμ) g + μ_{t+1}/(1−Πμ μ_{t+1}) m) / (√v̂ + ε)``.

    ``μ_t = β₁ (1 − ½ · 0.96^{t ψ})`` with the momentum decay ψ, and ``Πμ = μ_1 ⋯ μ_t``.
    Source: Dozat (2016), as `torch.optim.NAdam` writes it.
    """
    if step.options["decoupled_weight_decay"]:
        shrink(theta, step)
    else:
        g = decayed(ops, theta, g, step)
    beta1, beta2 = _moments(ops, g, step)
    m, v = step.state["m"], step.state["v"]
    decay = step.options["momentum_decay"]
    now, then = (beta1 * (1 - 0.5 * 0.96 ** (t * decay)) for t in (step.t, step.t + 1))
    product = product_of_momenta(beta1, decay, step.t)
    root = ops.sqrt(v / (1 - beta2**step.t))
    root += step.options["eps"]
    ops.add_ratio(theta, g * (step.lr * ((1 - now) / (1 - product))), root, -1)
    ops.add_ratio(theta, m * (step.lr * (then / (1 - product * then))), root, -1)


def product_of_momenta(beta1: float, decay: float, t: int) -> float:
    """``μ_1 ⋯ μ_t`` of NAdam with ``μ_t = β₁ (1 − ½ · 0.96^{t ψ})``; below 1e-20 further factors are left out."""
    product = 1.0
    for number in range(1, t + 1):
        product *= beta1 * (1 - 0.5 * 0.96 ** (number * decay))
        if product < _NEGLIGIBLE:
            break
    return product


def radam(ops: Operations, theta: Any, g: Any, step: Step) -> None:
    """Adam with a correction while ``v`` is an average of few gradients: ``θ ← θ − η m̂ r_t / (√v̂ + ε)``.

    ``ρ_∞ = 2/(1−β₂) − 1``, ``ρ_t = ρ_∞ − 2 t β₂ᵗ/(1−β₂ᵗ)``, and
    ``r_t² = (ρ_t−4)(ρ_t−2)ρ_∞ / ((ρ_∞−4)(ρ_∞−2)ρ_t)``; up to ``ρ_t = 5`` the step is ``θ ← θ − η m̂``.
    Source: Liu et al. (arXiv 1908.03265), as `torch.optim.RAdam` writes it.
    """
    if step.options["decoupled_weight_decay"]:
        shrink(theta, step)
    else:
        g = decayed(ops, theta, g, step)
    beta1, beta2 = _moments(ops, g, step)
    m, v = step.state["m"], step.state["v"]
    move = m * (step.lr / (1 - beta1**step.t))
    most = 2 / (1 - beta2) - 1
    rho = most - 2 * step.t * beta2**step.t / (1 - beta2**step.t)
    if rho <= 5:
        ops.add(theta, move, -1)
        return
    rectified = math.sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho))
    root = ops.sqrt(v)
    root += step.options["eps"]
    ops.add_ratio(theta, move, root, -rectified * math.sqrt(1 - beta2**step.t))


def adamax(ops: Operations, theta: Any, g: Any, step: Step) -> None:
    """``m ← β₁ m + (1−β₁) g``, ``u ← max(β₂ u, |g| + ε)``, ``θ ← θ − η m̂ / u``.

    Source: Kingma and Ba (arXiv 1412.6980), section 7.1.
    """
    g = decayed(ops, theta, g, step)
    m, u = step.state["m"], step.state["u"]
    beta1, beta2 = step.options["betas"]
    ops.lerp(m, g, 1 - beta1)
    u *= beta2
    ops.maximum(u, ops.absolute(g) + step.options["eps"])
    ops.add_ratio(theta, m * (step.lr / (1 - beta1**step.t)), u, -1)
