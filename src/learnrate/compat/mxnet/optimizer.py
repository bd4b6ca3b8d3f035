"""Optimisers, each one recurrence: what `gluon.Trainer` does to a parameter in a step.

Throughout, ``w`` is the parameter, η the learning rate and λ the weight decay ``wd``; ``g`` is the gradient
times ``rescale_grad`` (the trainer's 1/|B|), clipped to ``±clip_gradient`` if that is given. Formulas and defaults
are those of MXNet 1.9.1; its answers are in tests/compat/data.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from learnrate._missing import missing
from learnrate._shapes import Array
from learnrate.errors import OptionError, did_you_mean
from learnrate.nd import NDArray
from learnrate.nd.apply import quiet

__all__ = ["SGD", "AdaDelta", "AdaGrad", "Adam", "Optimizer", "RMSProp", "create"]


class Optimizer:
    """What all optimisers share.

    Parameters
    ----------
    learning_rate : float
        η.
    wd : float
        Weight decay λ.
    rescale_grad : float
        The gradient is multiplied by it; the trainer multiplies it by 1/|B|.
    clip_gradient : float, optional
        Largest size of an element of the rescaled gradient.
    """

    states = 0
    """Arrays shaped like the parameter, zeros at first, that are kept from step to step."""

    def __init__(
        self,
        learning_rate: float = 0.01,
        wd: float = 0.0,
        rescale_grad: float = 1.0,
        clip_gradient: float | None = None,
    ) -> None:
        self.learning_rate = learning_rate
        self.wd = wd
        self.rescale_grad = rescale_grad
        self.clip_gradient = clip_gradient
        self.lr_mult: dict[Any, float] = {}
        self.wd_mult: dict[Any, float] = {}
        self._kept: dict[Any, tuple[Array, ...]] = {}
        self._steps: dict[Any, int] = {}

    def set_learning_rate(self, lr: float) -> None:
        """Change η from the next step on."""
        self.learning_rate = lr

    def update(self, index: Any, weight: NDArray, grad: NDArray) -> None:
        """One step of the parameter ``index``: ``weight`` is changed in place.

        The first step of an index allocates what is kept for it.
        """
        w = weight._data
        if index not in self._kept:
            self._kept[index] = tuple(np.zeros_like(w) for _ in range(self.states))
        self._steps[index] = t = self._steps.get(index, 0) + 1
        lr = self.learning_rate * self.lr_mult.get(index, 1.0)
        wd = self.wd * self.wd_mult.get(index, 1.0)
        quiet.call(self._update, w, grad._data, self._kept[index], t, lr, wd)

    def _update(
        self, w: Array, grad: Array, kept: tuple[Array, ...], t: int, lr: float, wd: float
    ) -> None:
        raise NotImplementedError

    def _clipped(self, g: Array) -> Array:
        if self.clip_gradient is None:
            return g
        return np.clip(g, -self.clip_gradient, self.clip_gradient)

    def _rescaled(self, grad: Array) -> Array:
        return self._clipped(grad * self.rescale_grad)


class SGD(Optimizer):
    """``v ← μ·v − η(g + λw)``, ``w ← w + v``; with momentum μ = 0, plain SGD."""

    states = 1

    def __init__(self, momentum: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.momentum = momentum

    def _update(
        self, w: Array, grad: Array, kept: tuple[Array, ...], t: int, lr: float, wd: float
    ) -> None:
        (v,) = kept
        step = lr * (self._rescaled(grad) + wd * w)
        if self.momentum:
            v *= self.momentum
            v -= step
            w += v
        else:
            w -= step


class AdaGrad(Optimizer):
    """``s ← s + g²``, ``w ← w − η(g/√(s + ε) + λw)``.

    Source: Duchi, Hazan & Singer, JMLR 12 (2011).
    """

    states = 1

    def __init__(self, eps: float = 1e-7, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.eps = eps

    def _update(
        self, w: Array, grad: Array, kept: tuple[Array, ...], t: int, lr: float, wd: float
    ) -> None:
        (s,) = kept
        g = self._rescaled(grad)
        s += g * g
        w -= lr * (g / np.sqrt(s + self.eps) + wd * w)


class RMSProp(Optimizer):
    """``g ← g + λw``, ``s ← γs + (1 − γ)g²``, ``w ← w − η g/√(s + ε)``, where γ is ``gamma1``.

    Source: Tieleman & Hinton, *Neural Networks for Machine Learning*, lecture 6.5 (2012).
    """

    states = 1

    def __init__(
        self,
        learning_rate: float = 0.001,
        gamma1: float = 0.9,
        epsilon: float = 1e-8,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.gamma1, self.epsilon = gamma1, epsilon

    def _update(
        self, w: Array, grad: Array, kept: tuple[Array, ...], t: int, lr: float, wd: float
    ) -> None:
        (s,) = kept
        g = self._clipped(grad * self.rescale_grad + wd * w)
        s *= self.gamma1
        s += (1 - self.gamma1) * g * g
        w -= lr * g / np.sqrt(s + self.epsilon)


class AdaDelta(Optimizer):
    """``s ← ρs + (1 − ρ)g²``, ``g' = g·√(Δ + ε)/√(s + ε)``, ``Δ ← ρΔ + (1 − ρ)g'²``, ``w ← w − g' − λw``.

    There is no learning rate. Source: Zeiler, arXiv 1212.5701.
    """

    states = 2

    def __init__(self, rho: float = 0.9, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rho, self.epsilon = rho, epsilon

    def _update(
        self, w: Array, grad: Array, kept: tuple[Array, ...], t: int, lr: float, wd: float
    ) -> None:
        s, delta = kept
        g = self._rescaled(grad)
        s *= self.rho
        s += (1 - self.rho) * g * g
        step = g * np.sqrt(delta + self.epsilon) / np.sqrt(s + self.epsilon)
        delta *= self.rho
        delta += (1 - self.rho) * step * step
        w -= step + wd * w


class Adam(Optimizer):
    """``g ← g + λw``, ``m ← β₁m + (1 − β₁)g``, ``v ← β₂v + (1 − β₂)g²``, ``w ← w − η_t m/(√v + ε)``.

    The t-th step has ``η_t = η √(1 − β₂ᵗ)/(1 − β₁ᵗ)``. Source: Kingma & Ba, arXiv 1412.6980.
    """

    states = 2

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def _update(
        self, w: Array, grad: Array, kept: tuple[Array, ...], t: int, lr: float, wd: float
    ) -> None:
        m, v = kept
        g = self._clipped(grad * self.rescale_grad + wd * w)
        m *= self.beta1
        m += (1 - self.beta1) * g
        v *= self.beta2
        v += (1 - self.beta2) * g * g
        lr *= math.sqrt(1 - self.beta2**t) / (1 - self.beta1**t)
        w -= lr * m / (np.sqrt(v) + self.epsilon)


_BY_NAME = {cls.__name__.lower(): cls for cls in (SGD, AdaDelta, AdaGrad, Adam, RMSProp)}


def create(name: str, **kwargs: Any) -> Optimizer:
    """Return an optimiser by its name: sgd, adagrad, rmsprop, adadelta or adam.

    Raises
    ------
    OptionError
        If there is none of that name, or it does not take one of the arguments.
    """
    if not isinstance(name, str) or name.lower() not in _BY_NAME:
        raise OptionError(
            f"The optimizer must be one of {', '.join(sorted(_BY_NAME))}. Got {name!r} instead."
            + (did_you_mean(name, _BY_NAME) if isinstance(name, str) else "")
        )
    try:
        return _BY_NAME[name.lower()](**kwargs)
    except TypeError as error:
        raise OptionError(
            f"{name} must be given arguments that it has in learnrate. Got instead: {error}."
        ) from error


__getattr__ = missing("optimizer", __all__)
