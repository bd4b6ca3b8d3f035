"""Taking one step of training with everything in sight: the note's code, watched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, islice

import numpy as np

from learnrate import autograd, nd
from learnrate._shapes import Array, Float, Int
from learnrate.data.order import epoch_order, initial_weights, steps_per_epoch
from learnrate.errors import OptionError
from learnrate.nd import NDArray
from learnrate.scratch import data_iter, linreg, sgd, squared_loss
from learnrate.steps.checking import check_gradient
from learnrate.steps.explanation import Attached, Explanation, Update
from learnrate.steps.graph import GraphReader
from learnrate.sweeps.config import SweepConfig
from learnrate.sweeps.rates import check_rates

__all__ = ["explain_step"]


def explain_step(
    X: Float[Array, "n d"],
    y: Float[Array, " n"],
    *,
    lr: float,
    batch_size: int,
    seed: int = 0,
    step: int = 1,
    feature_names: Sequence[str],
    target_name: str,
    standardized: bool = False,
) -> Explanation:
    """Train up to the given step as a sweep does, then take that step and keep every number.

    Parameters are those of `learnrate.explain`; ``X`` and ``y`` are the examples as they are trained on.

    Raises
    ------
    OptionError
        If the rate, the batch size, the seed or the step cannot be used.
    """
    n, d = X.shape
    lr = float(check_rates([lr])[0])
    config = SweepConfig(batch_size=batch_size, seed=seed)
    config.check_against(n)
    batch_size, seed = config.batch_size, config.seed
    step = _check_step(step)

    features, labels = nd.array(X, dtype="float64"), nd.array(y, dtype="float64")
    w = nd.array(initial_weights(d, seed).reshape(d, 1), dtype="float64")
    b = nd.zeros(1, dtype="float64")
    w.attach_grad()
    b.attach_grad()
    attached = (_attached("w", w), _attached("b", b))

    minibatches = _minibatches(n, batch_size, seed)
    for indices in islice(minibatches, step - 1):
        _compute_gradients(*_rows(features, labels, indices), w, b)
        sgd([w, b], lr, batch_size)

    indices = next(minibatches)
    X_batch, y_batch = _rows(features, labels, indices)
    before = _mean_loss(X_batch, y_batch, w, b)
    reader = GraphReader({"w": w, "b": b})
    with autograd.watch(reader):
        _compute_gradients(X_batch, y_batch, w, b)
    check = check_gradient(X_batch, y_batch, w, b)
    updates = _update({"w": w, "b": b}, lr, batch_size)

    epoch, place = divmod(step - 1, steps_per_epoch(n, batch_size))
    return Explanation(
        lr=lr,
        batch_size=batch_size,
        seed=seed,
        step=step,
        epoch=epoch + 1,
        minibatch=place + 1,
        minibatches=steps_per_epoch(n, batch_size),
        n=n,
        feature_names=tuple(feature_names),
        target_name=target_name,
        standardized=standardized,
        indices=indices,
        X=X_batch.asnumpy(),
        y=y_batch.asnumpy(),
        attached=attached,
        nodes=reader.nodes(),
        updates=updates,
        check=check,
        loss_before=before,
        loss_after=_mean_loss(X_batch, y_batch, w, b),
    )


def _check_step(step: int) -> int:
    if not hasattr(step, "__index__") or isinstance(step, bool) or step < 1:
        raise OptionError(
            f"step must be a whole number, 1 or more. Got {step!r} instead; the first step is 1."
        )
    return int(step)


def _attached(name: str, parameter: NDArray) -> Attached:
    return Attached(name, parameter.asnumpy(), parameter.grad.asnumpy(), "write")


def _minibatches(n: int, batch_size: int, seed: int) -> Iterator[Int[Array, " batch"]]:
    """The examples of every step of training, epoch after epoch, as in a sweep."""
    for epoch in count():
        order = epoch_order(n, batch_size, seed=seed, epoch=epoch)
        for i in range(0, n, batch_size):
            yield order[i : i + batch_size]


def _rows(
    features: NDArray, labels: NDArray, indices: Int[Array, " batch"]
) -> tuple[NDArray, NDArray]:
    return next(data_iter(len(indices), features, labels, order=indices))


def _compute_gradients(X: NDArray, y: NDArray, w: NDArray, b: NDArray) -> None:
    """The forward pass, recorded, and the backward pass: the note's three lines."""
    with autograd.record():
        loss = squared_loss(linreg(X, w, b), y)
    loss.backward()


def _update(params: dict[str, NDArray], lr: float, batch_size: int) -> tuple[Update, ...]:
    """Take the note's step and report what it did to each parameter."""
    old = {name: param.asnumpy() for name, param in params.items()}
    sgd(list(params.values()), lr, batch_size)
    return tuple(
        Update(
            name=name,
            old=old[name],
            gradient=param.grad.asnumpy(),
            change=(lr * param.grad / batch_size).asnumpy(),
            new=param.asnumpy(),
        )
        for name, param in params.items()
    )


def _mean_loss(X: NDArray, y: NDArray, w: NDArray, b: NDArray) -> float:
    return float(squared_loss(linreg(X, w, b), y).mean())
