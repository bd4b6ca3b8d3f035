"""One step of training by the note's code, with every number stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count, islice

from learnrate import autograd, nd
from learnrate._shapes import Array, Int
from learnrate.book.steps.checking import check_gradient
from learnrate.book.steps.explanation import Explanation
from learnrate.book.steps.graph import GraphReader, Heads
from learnrate.book.steps.opened import Attached
from learnrate.book.steps.opened_step import Update
from learnrate.data.order import epoch_order, initial_weights, steps_per_epoch
from learnrate.data.prepared import Prepared
from learnrate.linear.recorded_losses import recorded
from learnrate.nd import NDArray
from learnrate.scratch import data_iter, linreg, sgd
from learnrate.sweeps.config import SweepConfig
from learnrate.training.losses import Loss

__all__ = ["explain_step"]


def explain_step(
    data: Prepared, loss: Loss, *, lr: float, config: SweepConfig, step: int
) -> Explanation:
    """Train up to the given step as a sweep does, then take that step and store every number.

    Parameters
    ----------
    data : Prepared
        The examples.
    loss : Loss
        The loss that is minimised.
    lr : float
        Learning rate η.
    config : SweepConfig
        Batch size and seed.
    step : int
        The number of the step, from 1.
    """
    (n, d), C = data.X_train.shape, loss.outputs
    batch_size, seed = config.batch_size, config.seed
    features, labels = (
        nd.array(data.X_train, dtype="float64"),
        nd.array(data.y_train, dtype="float64"),
    )
    w = nd.array(initial_weights(d, seed, C), dtype="float64")
    b = nd.zeros(C, dtype="float64")
    w.attach_grad()
    b.attach_grad()
    attached = (_attached("w", w), _attached("b", b))

    minibatches = _minibatches(n, batch_size, seed)
    for indices in islice(minibatches, step - 1):
        _compute_gradients(*_rows(features, labels, indices), w, b, loss)
        sgd([w, b], lr, batch_size)

    indices = next(minibatches)
    X_batch, y_batch = _rows(features, labels, indices)
    before = _mean_loss(X_batch, y_batch, w, b, loss)
    reader = _watched(X_batch, y_batch, w, b, loss)
    check = check_gradient(X_batch, y_batch, w, b, reader.replay(), loss)
    updates = _update({"w": w, "b": b}, lr, batch_size)

    epoch, place = divmod(step - 1, steps_per_epoch(n, batch_size))
    return Explanation(
        loss=loss.name,
        lr=lr,
        batch_size=batch_size,
        seed=seed,
        step=step,
        epoch=epoch + 1,
        minibatch=place + 1,
        minibatches=steps_per_epoch(n, batch_size),
        n=n,
        feature_names=data.feature_names,
        target_name=data.target_name,
        classes=data.classes if loss.of_classes else (),
        standardized=data.scaling is not None,
        left_out=tuple(f"{column.name} ({column.reason})" for column in data.left_out),
        notes=data.notes,
        indices=indices,
        X=X_batch.asnumpy(),
        y=y_batch.asnumpy(),
        attached=attached,
        nodes=reader.nodes(),
        updates=updates,
        check=check,
        loss_before=before,
        loss_after=_mean_loss(X_batch, y_batch, w, b, loss),
    )


def _attached(name: str, parameter: NDArray) -> Attached:
    return Attached(name, parameter.grad.asnumpy(), "write")


def _minibatches(n: int, batch_size: int, seed: int) -> Iterator[Int[Array, " batch"]]:
    """Yield the indices of the examples of each step, epoch after epoch, as in a sweep."""
    for epoch in count():
        order = epoch_order(n, batch_size, seed=seed, epoch=epoch)
        for i in range(0, n, batch_size):
            yield order[i : i + batch_size]


def _rows(
    features: NDArray, labels: NDArray, indices: Int[Array, " batch"]
) -> tuple[NDArray, NDArray]:
    return next(data_iter(len(indices), features, labels, order=indices))


def _compute_gradients(X: NDArray, y: NDArray, w: NDArray, b: NDArray, phi: Loss) -> None:
    """The recorded forward pass and the backward pass: the note's three lines."""
    with autograd.record():
        loss = recorded(phi)(linreg(X, w, b), y)
    loss.backward()


_RESULTS = {
    "squared": {"dot": "Xw", "add": "ŷ", "subtract": "r", "power": "r²", "divide": "loss"},
    "logistic": {"dot": "Xw", "add": "z", "multiply": "sz", "softrelu": "loss"},
    "softmax": {
        "dot": "Xw",
        "add": "o",
        "log_softmax": "log ŷ",
        "pick": "log ŷ[y]",
        "negative": "loss",
    },
}
_DATA = {"dot": "X", "subtract": "y", "multiply": "s", "pick": "y"}


class _ScratchNames:
    """Names for the results of `learnrate.scratch` and the recorded losses, by operator, as in the formulas."""

    def __init__(self, w: NDArray, b: NDArray, loss: Loss) -> None:
        self._parameters = {w._node: "w", b._node: "b"}
        self._results = _RESULTS[loss.name]

    def node(self, node: autograd.Node) -> str:
        return self._parameters.get(node) or self._results[node.operator.name]

    def data(self, value: Array, consumer: autograd.Node, position: int) -> str:
        del value, position
        return _DATA[consumer.operator.name]


def _watched(X: NDArray, y: NDArray, w: NDArray, b: NDArray, loss: Loss) -> GraphReader:
    """Call `_compute_gradients`, and return a copy of its graph with every gradient."""
    readers = []

    def read(heads: Heads, sweep: Callable[[], None]) -> None:
        readers.append(GraphReader(heads, _ScratchNames(w, b, loss)))
        with autograd.watch(readers[0]):
            sweep()

    with autograd.watch_backward(read):
        _compute_gradients(X, y, w, b, loss)
    return readers[0]


def _update(params: dict[str, NDArray], lr: float, batch_size: int) -> tuple[Update, ...]:
    """Update the parameters by the note's ``sgd``, and return what changed."""
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


def _mean_loss(X: NDArray, y: NDArray, w: NDArray, b: NDArray, loss: Loss) -> float:
    return float(recorded(loss)(linreg(X, w, b), y).mean())
