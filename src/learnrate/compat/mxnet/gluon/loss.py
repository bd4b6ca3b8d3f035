"""Losses: one number for each example of a batch, shape (n,)."""

from __future__ import annotations

from typing import Any

from learnrate import nd
from learnrate._missing import missing
from learnrate.compat.mxnet.gluon.block import Block
from learnrate.nd import NDArray

__all__ = ["L2Loss", "Loss", "SoftmaxCELoss", "SoftmaxCrossEntropyLoss"]


class Loss(Block):
    """What losses share: a weight, one for each example, and the mean over all axes but the batch's.

    Parameters
    ----------
    weight : float, optional
        The loss is multiplied by it.
    batch_axis : int
        The axis that counts examples.
    """

    def __init__(self, weight: float | None, batch_axis: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._weight, self._batch_axis = weight, batch_axis

    def __repr__(self) -> str:
        return f"{type(self).__name__}(batch_axis={self._batch_axis}, w={self._weight})"

    def _averaged(self, loss: NDArray, factor: float | None, sample_weight: Any) -> NDArray:
        if sample_weight is not None:
            loss = loss * sample_weight
        if factor is not None:
            loss = loss * factor
        return nd.mean(loss, axis=self._batch_axis, exclude=True)


class L2Loss(Loss):
    """``weight·½(label − pred)²``, averaged over each example's elements. Mind the ½."""

    def __init__(self, weight: float | None = 1.0, batch_axis: int = 0, **kwargs: Any) -> None:
        super().__init__(weight, batch_axis, **kwargs)

    def forward(self, *inputs: Any) -> NDArray:
        """Loss of ``(pred, label)`` or ``(pred, label, sample_weight)``; the label takes pred's shape."""
        pred, label, *more = inputs
        square = nd.square(nd.reshape_like(label, pred) - pred)
        factor = 0.5 if self._weight is None else self._weight / 2
        return self._averaged(square, factor, *(more or [None]))


class SoftmaxCrossEntropyLoss(Loss):
    """``−log softmax(pred)[label]``, computed without overflow.

    Parameters
    ----------
    axis : int
        The axis of the classes.
    sparse_label : bool
        Whether a label is the number of its class; else it holds a probability for each class.
    from_logits : bool
        Whether ``pred`` holds logarithms of probabilities already.
    weight, batch_axis
        As in `Loss`.
    """

    def __init__(
        self,
        axis: int = -1,
        sparse_label: bool = True,
        from_logits: bool = False,
        weight: float | None = None,
        batch_axis: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self._axis, self._sparse_label, self._from_logits = axis, sparse_label, from_logits

    def forward(self, *inputs: Any) -> NDArray:
        """Loss of ``(pred, label)`` or ``(pred, label, sample_weight)``."""
        pred, label, *more = inputs
        if not self._from_logits:
            pred = nd.log_softmax(pred, axis=self._axis)
        if self._sparse_label:
            chosen = nd.pick(pred, label, axis=self._axis, keepdims=True)
        else:
            chosen = (pred * nd.reshape_like(label, pred)).sum(axis=self._axis, keepdims=True)
        return self._averaged(-chosen, self._weight, *(more or [None]))


SoftmaxCELoss = SoftmaxCrossEntropyLoss

__getattr__ = missing("gluon.loss", __all__)
