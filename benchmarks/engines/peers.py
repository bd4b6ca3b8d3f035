"""The peers: the same recurrence in float32, each written as that library's user would write it for speed.

All are given the examples with a column of ones (its weight is the bias), the start, and the minibatch
orders, made beforehand with NumPy: learnrate makes its own inside the time that is measured. All report
the mean loss over all examples for each rate after each epoch, in blocks of rows that fit the caches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks import note_loop
from benchmarks.engines.cases import Case
from benchmarks.engines.contenders import Contender, fastest
from benchmarks.engines.ours import sweep

Array = Any

BLOCK = 8192  # rows at most of a block for the loss
FEW = 8  # rates that scikit-learn trains; its time is scaled to all of them


@dataclass(frozen=True)
class Given:
    """What a peer is given: ``X`` (n, d + 1) and ``y`` in float32, orders (E, n), start (d + 1,), or (d + 1, C) for C outputs.

    Of several classes ``y`` has the codes, as whole numbers.
    """

    case: Case
    X: Array
    y: Array
    lrs: Array
    orders: Array
    start: Array
    expected: Array

    @classmethod
    def of(cls, case: Case, X: Array, y: Array, expected: Array) -> Given:
        """For a case with examples ``X`` (n, d) and ``y``."""
        ones, start = np.ones((len(X), 1)), case.start()
        return cls(
            case,
            np.hstack([X, ones]).astype(np.float32),
            y.astype(np.int32 if case.outputs > 1 else np.float32),
            case.lrs.astype(np.float32),
            np.array(case.orders()),
            np.concatenate([start, np.zeros_like(start[:1])]).astype(np.float32),
            expected,
        )

    def work(self) -> note_loop.Work:
        """The same for the note's loop."""
        case = self.case
        return note_loop.Work(
            self.X[:, :-1].tolist(),
            self.y.tolist(),
            case.lrs.tolist(),
            case.batch_size,
            case.epochs,
            self.orders.tolist(),
            self.start[:-1].tolist(),
        )

    @property
    def block(self) -> int:
        """Rows of a block: a divisor of n."""
        return max(b for b in range(1, min(BLOCK, len(self.y)) + 1) if len(self.y) % b == 0)


def jax_lanes(given: Given) -> Contender:
    """``jit(vmap(scan))``: a lane is scans over epochs and minibatches, and lanes are mapped."""
    return fastest(_jax_variant(given, gather_once) for gather_once in (True, False))


def _jax_variant(given: Given, gather_once: bool) -> Contender:
    import jax  # type: ignore[import-not-found, unused-ignore]
    import jax.numpy as jnp  # type: ignore[import-not-found, unused-ignore]

    B, (n, width) = given.case.batch_size, given.X.shape
    whole = n // B * B

    def squared(z: Array, y: Array) -> Array:
        return (z - y) ** 2 / 2

    def logistic(z: Array, y: Array) -> Array:
        return jax.nn.softplus(z) - y * z

    def softmax(z: Array, y: Array) -> Array:
        return jax.nn.logsumexp(z, axis=1) - jnp.take_along_axis(z, y[:, None], axis=1)[:, 0]

    slopes: dict[str, Callable[[Array, Array], Array]] = {
        "squared": lambda z, y: z - y,
        "logistic": lambda z, y: jax.nn.sigmoid(z) - y,
        "softmax": lambda z, y: jax.nn.softmax(z) - jax.nn.one_hot(y, given.case.classes),
    }
    slope = slopes[given.case.loss]
    value = {"squared": squared, "logistic": logistic, "softmax": softmax}[given.case.loss]

    def train(lr: Array, start: Array, X: Array, y: Array, orders: Array) -> Array:
        def step(theta: Array, batch: tuple[Array, Array]) -> tuple[Array, None]:
            X_J, y_J = batch
            return theta - lr / B * (X_J.T @ slope(X_J @ theta, y_J)), None

        def step_at(theta: Array, J: Array) -> tuple[Array, None]:
            return step(theta, (X[J], y[J]))

        def loss(theta: Array) -> Array:
            def add(total: Array, block: tuple[Array, Array]) -> tuple[Array, None]:
                X_block, y_block = block
                return total + jnp.sum(value(X_block @ theta, y_block)), None

            blocks = X.reshape(-1, given.block, width), y.reshape(-1, given.block)
            return jax.lax.scan(add, jnp.float32(0), blocks)[0] / n

        def epoch(theta: Array, order: Array) -> tuple[Array, Array]:
            if gather_once:
                rows, labels = X[order], y[order]
                batches = rows[:whole].reshape(-1, B, width), labels[:whole].reshape(-1, B)
                theta, _ = jax.lax.scan(step, theta, batches)
                theta, _ = step(theta, (rows[whole:], labels[whole:]))
            else:
                batches = order[:whole].reshape(-1, B)
                theta, _ = jax.lax.scan(step_at, theta, batches)
                theta, _ = step_at(theta, order[whole:])
            return theta, loss(theta)

        return jax.lax.scan(epoch, start, orders)[1]

    lanes = jax.jit(jax.vmap(train, in_axes=(0, None, None, None, None)))
    arrays = [jnp.asarray(a) for a in (given.lrs, given.start, given.X, given.y)]
    orders = jnp.asarray(given.orders.astype(np.int32))

    def run() -> Array:
        return np.asarray(lanes(*arrays, orders))

    return Contender("JAX", run, given.expected, note=_gathered(gather_once))


def torch_columns(given: Given) -> Contender:
    """PyTorch, all rates as the columns of one matrix: few calls a step."""
    return fastest(_torch_variant(given, gather_once) for gather_once in (True, False))


def _torch_variant(given: Given, gather_once: bool) -> Contender:
    import torch

    torch.set_num_threads(1)
    n, K, B = len(given.y), len(given.lrs), given.case.batch_size
    C, loss = given.case.outputs, given.case.loss
    X: Array = torch.tensor(given.X)
    y: Array = torch.tensor(given.y).long() if C > 1 else torch.tensor(given.y)[:, None]
    rates = torch.tensor(-given.lrs / B).repeat(C)
    orders = torch.tensor(given.orders)
    start = torch.tensor(given.start).reshape(-1, C)

    def minibatches(order: Array) -> Iterator[tuple[Array, Array]]:
        if gather_once:
            yield from zip(X[order].split(B), y[order].split(B), strict=True)
        else:
            for J in order.split(B):
                yield X[J], y[J]

    def slope(X_J: Array, y_J: Array, theta: Array) -> Array:
        if loss == "squared":
            return torch.addmm(y_J, X_J, theta, beta=-1)
        z = X_J @ theta
        if loss == "logistic":
            return z.sigmoid_().sub_(y_J)
        p = z.view(-1, C, K).softmax(1)
        p[torch.arange(len(p)), y_J] -= 1
        return p.view(-1, C * K)

    def total(X_J: Array, y_J: Array, theta: Array) -> Array:
        if loss == "squared":
            return torch.addmm(y_J, X_J, theta, beta=-1).square_().sum(0) / 2
        z = X_J @ theta
        if loss == "logistic":
            return torch.nn.functional.softplus(z).addcmul_(y_J, z, value=-1).sum(0)
        z = z.view(-1, C, K)
        return (z.logsumexp(1) - z[torch.arange(len(z)), y_J]).sum(0)

    @torch.inference_mode()
    def run() -> Array:
        theta = start[:, :, None].repeat(1, 1, K).view(-1, C * K)
        losses = torch.empty((K, len(orders)))
        for e, order in enumerate(orders):
            for X_J, y_J in minibatches(order):
                theta.addcmul_(X_J.T @ slope(X_J, y_J, theta), rates)
            sums = torch.zeros(K)
            for X_J, y_J in zip(X.split(BLOCK), y.split(BLOCK), strict=True):
                sums += total(X_J, y_J, theta)
            losses[:, e] = sums / n
        return losses.numpy()

    return Contender("PyTorch", run, given.expected, note=_gathered(gather_once))


def _gathered(once: bool) -> str:
    return f"gather={'epoch' if once else 'step'}"


def sklearn_rates(given: Given) -> Contender:
    """``SGDRegressor.partial_fit`` or ``SGDClassifier``'s per rate: minibatches of one, at rates η / B.

    Of several classes it trains each against the rest, which is other work and is not compared.
    """
    from sklearn.linear_model import SGDClassifier, SGDRegressor

    case = given.case
    every = -(-case.lanes // FEW)
    lrs = case.lrs[::every] / case.batch_size
    X, classes = np.ascontiguousarray(given.X[:, :-1]), np.arange(case.classes)
    # Rows in the order of each epoch: also made beforehand.
    visits = [(X[order], given.y[order]) for order in given.orders]
    how: Array = {"penalty": None, "learning_rate": "constant", "shuffle": False}
    first = {"classes": classes} if case.classes else {}

    def run() -> Array:
        losses = np.empty((len(lrs), case.epochs))
        for k, lr in enumerate(lrs):
            kind = partial(SGDClassifier, loss="log_loss") if case.classes else SGDRegressor
            model = kind(eta0=float(lr), **how)
            model.t_ = 1.0
            model.coef_, model.intercept_ = given.start[:-1].T.copy(), np.zeros(1, np.float32)
            if case.classes:
                model.coef_ = model.coef_.reshape(case.outputs, -1)
                model.intercept_ = np.zeros(case.outputs, np.float32)
            for e, (rows, labels) in enumerate(visits):
                model.partial_fit(rows, labels, **first)
                losses[k, e] = _mean_loss(case, model, X, given.y)
        return losses

    expected = None
    if case.outputs == 1:
        double = X.astype(np.float64), given.y.astype(np.int64 if case.classes else np.float64)
        expected = sweep(case, *double, lrs, batch_size=1, engine="fused")
    note = f"B=1, rates=η/{case.batch_size}, timed={len(lrs)}/{case.lanes}"
    if case.outputs > 1:
        note += ", one class against the rest"
    return Contender("scikit-learn", run, expected, factor=case.lanes / len(lrs), note=note)


def _mean_loss(case: Case, model: Any, X: Array, y: Array) -> float:
    """Of a model of scikit-learn."""
    if not case.classes:
        return float(np.mean((model.predict(X) - y) ** 2) / 2)
    z = model.decision_function(X)
    if case.outputs == 1:
        return float(np.mean(np.logaddexp(0, z) - y * z))
    return float(np.mean(np.logaddexp.reduce(z, axis=1) - z[np.arange(len(y)), y]))


def torch_eager(given: Given) -> Contender:
    """PyTorch as the book has it, one rate after the other."""
    import torch

    run = note_loop.note_in_torch(torch, given.work())
    return Contender("PyTorch, one rate at a time", run, given.expected)


def mxnet_loop(given: Given, python: str) -> Contender:
    """MXNet's loop as the book has it, one rate after the other, in an interpreter of its own."""

    def answer() -> dict[str, Any]:
        answer = note_loop.in_its_own_process("mxnet", python, given.work())
        if "absent" in answer:
            raise ImportError(answer["absent"])
        return answer

    first = answer()
    return Contender(
        *("MXNet", lambda: first["losses"], given.expected),
        seconds=lambda: float(answer()["seconds"]),
        note=f"{first['version']}",
    )


def peers(given: Given, mxnet: str | None = None) -> Iterator[tuple[str, Callable[[], Contender]]]:
    """Every peer of a case and what makes it, which raises ImportError where it is not installed."""
    yield "JAX", partial(jax_lanes, given)
    yield "PyTorch", partial(torch_columns, given)
    yield "scikit-learn", partial(sklearn_rates, given)
    if given.case.name == "S":
        yield "PyTorch, one rate at a time", partial(torch_eager, given)
        if mxnet is not None:
            yield "MXNet", partial(mxnet_loop, given, mxnet)
