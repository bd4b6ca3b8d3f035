"""The optimisers of `gluon.Trainer`.

In the formulas ``w`` is the parameter, η the learning rate and λ the weight decay ``wd``; ``g`` is the gradient times
``rescale_grad`` (the trainer sets it to 1/|B|), clipped to ``±clip_gradient`` if that is given. Formulas and defaults are
those of MXNet 1.9.1, whose results are in tests/compat/data.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from learnrate._missing import is_mxnet_name, missing
from learnrate._shapes import Array
from learnrate.errors import OptionError, did_you_mean
from learnrate.nd import NDArray
from learnrate.nd.apply import quiet

__all__ = ["NAG", "SGD", "AdaDelta", "AdaGrad", "Adam", "Optimizer", "RMSProp", "create"]


@dataclass(frozen=True, eq=False)
class Step:
    """One update of one parameter, as `watch_steps` reports it.

    Attributes
    ----------
    weight : NDArray
        The parameter.
    old, new : array
        Its values before and after.
    formulas : tuple of str
        The formulas in the order of computation, with ``grad`` for the gradient and ``w`` for the parameter.
    constants : dict of str to float
        The values of the other symbols: ``η``, ``|B|``, ``μ``, ….
    kept : dict of str to (array, array)
        The arrays of the optimizer state by their symbols, before and after.
    """

    weight: NDArray
    old: Array
    new: Array
    formulas: tuple[str, ...]
    constants: dict[str, float]
    kept: dict[str, tuple[Array, Array]]


Kept = tuple[Array, ...]
"""The arrays of the optimizer state of one parameter."""

_LETTER = re.compile(r"\|B\||\w+")

_watchers: list[Callable[[Step], None]] = []


@contextmanager
def watch_steps(watcher: Callable[[Step], None]) -> Iterator[None]:
    """Scope in which ``watcher`` is called with the `Step` of every update of a parameter."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


class Optimizer:
    """Base class of optimisers.

    Parameters
    ----------
    learning_rate : float
        Learning rate η.
    wd : float
        Weight decay λ.
    rescale_grad : float
        A factor for the gradient. The trainer multiplies it by 1/|B|.
    clip_gradient : float, optional
        Elements of the rescaled gradient are clipped to this absolute value.
    """

    states: tuple[str, ...] = ()
    """The symbols of the arrays of the optimizer state, which have the shape of the parameter and are 0 at first."""

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
        self._kept: dict[Any, Kept] = {}
        self._steps: dict[Any, int] = {}

    def set_learning_rate(self, lr: float) -> None:
        """Change η from the next step on."""
        self.learning_rate = lr

    def update(self, index: Any, weight: NDArray, grad: NDArray) -> None:
        """Update the parameter number ``index``: ``weight`` is changed in place.

        The first update of a number creates its optimizer state.
        """
        w = weight._data
        if index not in self._kept:
            self._kept[index] = tuple(np.zeros_like(w) for _ in self.states)
        self._steps[index] = t = self._steps.get(index, 0) + 1
        lr = self.learning_rate * self.lr_mult.get(index, 1.0)
        wd = self.wd * self.wd_mult.get(index, 1.0)
        kept = self._kept[index]
        if not _watchers:
            quiet.call(self._update, w, grad._data, kept, t, lr, wd)
            return
        old, before = w.copy(), [state.copy() for state in kept]
        quiet.call(self._update, w, grad._data, kept, t, lr, wd)
        after = [state.copy() for state in kept]
        pairs = zip(self.states, zip(before, after, strict=True), strict=True)
        formulas = self._formulas(wd)
        letters = {"η": lr, "λ": wd, "|B|": 1 / self.rescale_grad, "c": self.clip_gradient, "t": t}
        letters |= self._letters()
        used = set(_LETTER.findall(" ".join(formulas)))
        constants = {
            name: float(v) for name, v in letters.items() if v is not None and name in used
        }
        changed = {name: pair for name, pair in pairs if name in used}
        step = Step(weight, old, w.copy(), formulas, constants, changed)
        for watcher in _watchers:
            watcher(step)

    def _update(self, w: Array, grad: Array, kept: Kept, t: int, lr: float, wd: float) -> None:
        raise NotImplementedError

    def _formulas(self, wd: float) -> tuple[str, ...]:
        """The formulas of `_update`, with ``grad`` for the gradient, and λ only if there is weight decay."""
        raise NotImplementedError

    def _letters(self) -> dict[str, float]:
        """The values of the symbols that only this optimiser has."""
        return {}

    def _g(self, decay: str = "") -> str:
        """The formula of ``g``."""
        scaled = ("grad" if self.rescale_grad == 1 else "grad / |B|") + decay
        return f"g ← {scaled}" if self.clip_gradient is None else f"g ← clip({scaled}, c)"

    def _clipped(self, g: Array) -> Array:
        if self.clip_gradient is None:
            return g
        return np.clip(g, -self.clip_gradient, self.clip_gradient)

    def _rescaled(self, grad: Array) -> Array:
        return self._clipped(grad * self.rescale_grad)


class SGD(Optimizer):
    """``v ← μ·v − η(g + λw)``, ``w ← w + v``; with momentum μ = 0, plain SGD."""

    states = ("v",)

    def __init__(self, momentum: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.momentum = momentum

    def _update(self, w: Array, grad: Array, kept: Kept, t: int, lr: float, wd: float) -> None:
        (v,) = kept
        step = lr * (self._rescaled(grad) + wd * w)
        if self.momentum:
            v *= self.momentum
            v -= step
            w += v
        else:
            w -= step

    def _formulas(self, wd: float) -> tuple[str, ...]:
        g = "(g + λ·w)" if wd else "g"
        if self.momentum:
            return self._g(), f"v ← μ·v − η·{g}", "w ← w + v"
        return self._g(), f"w ← w − η·{g}"

    def _letters(self) -> dict[str, float]:
        return {"μ": self.momentum}


class NAG(SGD):
    """``g ← g + λw``, ``v ← μ·v − ηg``, ``w ← w + μ·v − ηg``: Nesterov's momentum.

    MXNet uses the new ``w`` for the weight decay in ``v`` and the old one in ``w``; here both use the old one.

    Source: Sutskever, Martens, Dahl & Hinton, ICML 2013.
    """

    def _update(self, w: Array, grad: Array, kept: Kept, t: int, lr: float, wd: float) -> None:
        (v,) = kept
        step = lr * (self._rescaled(grad) + wd * w)
        v *= self.momentum
        v -= step
        w += self.momentum * v - step

    def _formulas(self, wd: float) -> tuple[str, ...]:
        first = (self._g(), "g ← g + λ·w") if wd else (self._g(),)
        return *first, "v ← μ·v − η·g", "w ← w + μ·v − η·g"


class AdaGrad(Optimizer):
    """``s ← s + g²``, ``w ← w − η(g/√(s + ε) + λw)``.

    Source: Duchi, Hazan & Singer, JMLR 12 (2011).
    """

    states = ("s",)

    def __init__(self, eps: float = 1e-7, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.eps = eps

    def _update(self, w: Array, grad: Array, kept: Kept, t: int, lr: float, wd: float) -> None:
        (s,) = kept
        g = self._rescaled(grad)
        s += g * g
        w -= lr * (g / np.sqrt(s + self.eps) + wd * w)

    def _formulas(self, wd: float) -> tuple[str, ...]:
        decay = " − η·λ·w" if wd else ""
        return self._g(), "s ← s + g²", f"w ← w − η·g / √(s + ε){decay}"

    def _letters(self) -> dict[str, float]:
        return {"ε": self.eps}


class RMSProp(Optimizer):
    """``g ← g + λw``, ``s ← γs + (1 − γ)g²``, ``w ← w − η g/√(s + ε)``, where γ is ``gamma1``.

    Source: Tieleman & Hinton, *Neural Networks for Machine Learning*, lecture 6.5 (2012).
    """

    states = ("s",)

    def __init__(
        self,
        learning_rate: float = 0.001,
        gamma1: float = 0.9,
        epsilon: float = 1e-8,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.gamma1, self.epsilon = gamma1, epsilon

    def _update(self, w: Array, grad: Array, kept: Kept, t: int, lr: float, wd: float) -> None:
        (s,) = kept
        g = self._clipped(grad * self.rescale_grad + wd * w)
        s *= self.gamma1
        s += (1 - self.gamma1) * g * g
        w -= lr * g / np.sqrt(s + self.epsilon)

    def _formulas(self, wd: float) -> tuple[str, ...]:
        g = self._g(" + λ·w" if wd else "")
        return g, "s ← γ·s + (1 − γ)·g²", "w ← w − η·g / √(s + ε)"

    def _letters(self) -> dict[str, float]:
        return {"γ": self.gamma1, "ε": self.epsilon}


class AdaDelta(Optimizer):
    """``s ← ρs + (1 − ρ)g²``, ``g' = g·√(Δ + ε)/√(s + ε)``, ``Δ ← ρΔ + (1 − ρ)g'²``, ``w ← w − g' − λw``.

    There is no learning rate. Source: Zeiler, arXiv 1212.5701.
    """

    states = ("s", "Δ")

    def __init__(self, rho: float = 0.9, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rho, self.epsilon = rho, epsilon

    def _update(self, w: Array, grad: Array, kept: Kept, t: int, lr: float, wd: float) -> None:
        s, delta = kept
        g = self._rescaled(grad)
        s *= self.rho
        s += (1 - self.rho) * g * g
        step = g * np.sqrt(delta + self.epsilon) / np.sqrt(s + self.epsilon)
        delta *= self.rho
        delta += (1 - self.rho) * step * step
        w -= step + wd * w

    def _formulas(self, wd: float) -> tuple[str, ...]:
        return (
            self._g(),
            "s ← ρ·s + (1 − ρ)·g²",
            "d ← g·√(Δ + ε) / √(s + ε)",
            "Δ ← ρ·Δ + (1 − ρ)·d²",
            f"w ← w − d{' − λ·w' if wd else ''}",
        )

    def _letters(self) -> dict[str, float]:
        return {"ρ": self.rho, "ε": self.epsilon}


class Adam(Optimizer):
    """``g ← g + λw``, ``m ← β₁m + (1 − β₁)g``, ``v ← β₂v + (1 − β₂)g²``, ``w ← w − η_t m/(√v + ε)``.

    The t-th step has ``η_t = η √(1 − β₂ᵗ)/(1 − β₁ᵗ)``. Source: Kingma & Ba, arXiv 1412.6980.
    """

    states = ("m", "v")

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

    def _update(self, w: Array, grad: Array, kept: Kept, t: int, lr: float, wd: float) -> None:
        m, v = kept
        g = self._clipped(grad * self.rescale_grad + wd * w)
        m *= self.beta1
        m += (1 - self.beta1) * g
        v *= self.beta2
        v += (1 - self.beta2) * g * g
        lr *= math.sqrt(1 - self.beta2**t) / (1 - self.beta1**t)
        w -= lr * m / (np.sqrt(v) + self.epsilon)

    def _formulas(self, wd: float) -> tuple[str, ...]:
        return (
            self._g(" + λ·w" if wd else ""),
            "m ← β₁·m + (1 − β₁)·g",
            "v ← β₂·v + (1 − β₂)·g²",
            "η_t ← η·√(1 − β₂^t) / (1 − β₁^t)",
            "w ← w − η_t·m / (√v + ε)",
        )

    def _letters(self) -> dict[str, float]:
        return {"β₁": self.beta1, "β₂": self.beta2, "ε": self.epsilon}


_BY_NAME = {cls.__name__.lower(): cls for cls in (NAG, SGD, AdaDelta, AdaGrad, Adam, RMSProp)}


def create(name: str, **kwargs: Any) -> Optimizer:
    """Return the optimiser of a name: sgd, nag, adagrad, rmsprop, adadelta or adam.

    Raises
    ------
    OptionError
        If there is no optimiser of this name, or it does not have one of the arguments.
    """
    if not isinstance(name, str) or name.lower() not in _BY_NAME:
        typo = isinstance(name, str) and not is_mxnet_name(name)
        raise OptionError(
            f"The optimizer must be one of {', '.join(sorted(_BY_NAME))}. Got {name!r} instead."
            + (did_you_mean(name, _BY_NAME) if typo else "")
        )
    try:
        return _BY_NAME[name.lower()](**kwargs)
    except TypeError as error:
        raise OptionError(
            f"{name} must be given arguments that it has in learnrate. Got instead: {error}."
        ) from error


__getattr__ = missing("optimizer", __all__)
