"""A perceptron with one hidden layer, as the note has it, and many of them trained at once by plain NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from learnrate import autograd, nd, scratch
from learnrate.book.steps.opening import Opening

__all__ = ["STARTS", "Net", "Training", "examples", "opened", "perceptron", "start", "trained"]

STARTS = ("random", "equal", "zero")
"""How hidden units may begin: each with weights of its own, all alike, or all zero."""


def perceptron(X: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    """``ŷ = relu(X W₁ + b₁) W₂ + b₂``. Shapes: X (n, d), W₁ (d, H), b₁ (H,), W₂ (H, 1), b₂ (1,); result (n, 1)."""
    z = scratch.linreg(X, W1, b1)
    h = nd.relu(z)
    return scratch.linreg(h, W2, b2)


def examples(n: int = 60) -> tuple[Any, Any]:
    """Points of a wave with noise: X (n, 1) and y (n,)."""
    x = np.linspace(-3, 3, n)
    return x[:, None], np.sin(1.6 * x) + 0.3 * x + np.random.default_rng(0).normal(0, 0.1, n)


@dataclass(frozen=True, eq=False)
class Net:
    """Parameters of K perceptrons of d features and H hidden units: W1 (d, K, H), b1 (K, H), W2 (K, H), b2 (K,).

    ``slope`` is that of the activation below 0: 0 is ReLU, 0.01 leaky ReLU, 1 no activation at all.
    """

    W1: Any
    b1: Any
    W2: Any
    b2: Any
    slope: float = 0.0

    @property
    def arrays(self) -> tuple[Any, Any, Any, Any]:
        """The parameters."""
        return self.W1, self.b1, self.W2, self.b2

    def times(self, K: int) -> Net:
        """K copies of a single one."""
        W1, b1, W2, b2 = self.arrays
        b1, W2, b2 = (np.repeat(a, K, axis=0) for a in (b1, W2, b2))
        return Net(np.repeat(W1, K, axis=1), b1, W2, b2, self.slope)

    def one(self, k: int) -> Net:
        """The k-th alone."""
        at = slice(k, k + 1)
        return Net(self.W1[:, at], self.b1[at], self.W2[at], self.b2[at], self.slope)

    def hidden(self, X: Any) -> tuple[Any, Any]:
        """``z`` and ``h`` of every example and unit, shape (n, K, H)."""
        d, K, H = self.W1.shape
        z = (X @ self.W1.reshape(d, -1)).reshape(-1, K, H) + self.b1
        return z, np.maximum(z, self.slope * z) if self.slope else np.maximum(z, 0)

    def __call__(self, X: Any) -> Any:
        """``ŷ``, shape (n, K)."""
        return (self.hidden(X)[1] * self.W2).sum(axis=2) + self.b2

    def loss(self, X: Any, y: Any) -> Any:
        """Mean over the examples of ½(ŷ − y)², shape (K,); infinite where it is not a number."""
        with np.errstate(all="ignore"):
            return _mean_loss(self(X) - y[:, None])

    def gradient(self, X: Any, y: Any) -> tuple[Any, Net]:
        """The mean loss, shape (K,), and its gradient with respect to each parameter, by the chain rule."""
        z, h = self.hidden(X)
        error = (h * self.W2).sum(axis=2) + self.b2 - y[:, None]
        r = error / len(y)
        slopes = (z > 0) + self.slope * (z <= 0) if self.slope else z > 0
        back = r[..., None] * self.W2 * slopes
        found = Net(
            (X.T @ back.reshape(len(y), -1)).reshape(self.W1.shape),
            back.sum(axis=0),
            (h * r[..., None]).sum(axis=0),
            r.sum(axis=0),
        )
        return _mean_loss(error), found

    def moved(self, gradient: Net, lr: Any) -> Net:
        """``θ − η g`` for rates of shape (K,)."""
        column = lr[:, None]
        W1, b1, W2, b2 = gradient.arrays
        return Net(
            self.W1 - column * W1,
            self.b1 - column * b1,
            self.W2 - column * W2,
            self.b2 - lr * b2,
            self.slope,
        )

    def alive(self, X: Any) -> Any:
        """For how many of the examples each unit is above 0, shape (K, H): a unit with none is dead and stays so."""
        with np.errstate(all="ignore"):
            return (self.hidden(X)[0] > 0).sum(axis=0)

    def sharpness(self, X: Any, y: Any, h: float = 1e-6) -> float:
        """λmax of the Hessian of the mean loss of a single one, by central differences of the gradient; NaN if it is lost."""
        d, _, H = self.W1.shape
        P = (d + 2) * H + 1
        with np.errstate(all="ignore"):
            up, down = (
                self._shifted(sign * h * np.eye(P)).gradient(X, y)[1]._rows() for sign in (1, -1)
            )
            hessian = (up - down) / (2 * h)
        if not np.isfinite(hessian).all():
            return float("nan")
        return float(np.linalg.eigvalsh((hessian + hessian.T) / 2)[-1])

    def _rows(self) -> Any:
        """All parameters in a row of each perceptron, shape (K, P)."""
        W1 = self.W1.swapaxes(0, 1)
        return np.concatenate([W1.reshape(len(W1), -1), self.b1, self.W2, self.b2[:, None]], axis=1)

    def _shifted(self, shifts: Any) -> Net:
        """A single one, moved in as many ways as there are rows."""
        d, _, H = self.W1.shape
        rows = self._rows() + shifts
        W1, b1, W2, b2 = np.split(rows, np.cumsum([d * H, H, H]), axis=1)
        return Net(W1.reshape(-1, d, H).swapaxes(0, 1), b1, W2, b2[:, 0], self.slope)


def _mean_loss(error: Any) -> Any:
    loss = 0.5 * (error * error).mean(axis=0)
    return np.where(np.isnan(loss), np.inf, loss)


def start(units: int, seed: int = 0, kind: str = "random", bias: float = 0.0, d: int = 1) -> Net:
    """A single perceptron before training.

    ``W₁ ~ N(0, 2/d)``, ``W₂ ~ N(0, 1/H)``, hidden biases between −1 and 1, moved by ``bias``; or all units alike.
    """
    rng = np.random.default_rng([seed, units])
    W1, W2 = rng.normal(0, np.sqrt(2 / d), (d, 1, units)), rng.normal(0, 1, (1, units))
    b1 = rng.uniform(-1, 1, (1, units))
    if kind != "random":
        value = 0.5 if kind == "equal" else 0.0
        W1, b1, W2 = (np.full_like(a, value) for a in (W1, b1, W2))
    return Net(W1, b1 + bias, W2 / np.sqrt(units), np.zeros(1))


@dataclass(frozen=True, eq=False)
class Training:
    """Perceptrons from the same start, one for each rate.

    Attributes
    ----------
    lrs : array, shape (K,)
    losses : array, shape (K, steps + 1)
        Before training and after each step.
    nets : list of Net
        Before training and after every so many steps; the last is that at the end.
    every : int
    """

    lrs: Any
    losses: Any
    nets: list[Net]
    every: int


def trained(net: Net, X: Any, y: Any, lrs: Any, steps: int, *, every: int = 50) -> Training:
    """Gradient descent with all examples: ``θ ← θ − η ∇L``."""
    lrs = np.asarray(lrs, dtype=np.float64)
    net = net.times(len(lrs))
    losses, nets = [], [net]
    with np.errstate(all="ignore"):
        for step in range(1, steps + 1):
            loss, gradient = net.gradient(X, y)
            losses.append(loss)
            net = net.moved(gradient, lrs)
            if step % every == 0:
                nets.append(net)
    return Training(lrs, np.array([*losses, net.loss(X, y)]).T, nets, every)


def opened(net: Net, X: Any, y: Any, lr: float) -> Any:
    """One step of a single one, opened: the graph with every value and gradient, as ``learnrate explain`` has it."""
    W1, b1, W2, b2 = (
        nd.array(a, dtype="float64") for a in (net.W1[:, 0], net.b1[0], net.W2[0, :, None], net.b2)
    )
    X, y = nd.array(X, dtype="float64"), nd.array(y[:, None], dtype="float64")
    opening = Opening(1)
    with opening.watching():
        for param in (W1, b1, W2, b2):
            param.attach_grad()
        with autograd.record():
            XW = nd.dot(X, W1)
            z = XW + b1
            h = nd.relu(z)
            hW = nd.dot(h, W2)
            y_hat = hW + b2
            r = y_hat - y
            r2 = r**2
            loss = r2 / 2
        loss.backward()
        scratch.sgd([W1, b1, W2, b2], lr, len(y))
    return opening.explanation("learnrate note perceptron")
