"""Losses, with one value for each example of a minibatch, shape (n,)."""

from __future__ import annotations

from typing import Any

from learnrate import nd
from learnrate._missing import missing
from learnrate.compat.mxnet.gluon.block import Block
from learnrate.errors import InputError, OptionError
from learnrate.nd import NDArray

__all__ = [
    "HuberLoss",
    "L1Loss",
    "L2Loss",
    "Loss",
    "SigmoidBCELoss",
    "SigmoidBinaryCrossEntropyLoss",
    "SoftmaxCELoss",
    "SoftmaxCrossEntropyLoss",
]


class Loss(Block):
    """Base class of losses: weights, and the mean over all axes except that of the examples.

    Parameters
    ----------
    weight : float, optional
        A factor for the loss.
    batch_axis : int
        The axis of the examples.
    """

    def __init__(self, weight: float | None = None, batch_axis: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._weight, self._batch_axis = weight, batch_axis

    def __repr__(self) -> str:
        return f"{type(self).__name__}(batch_axis={self._batch_axis}, w={self._weight})"

    def _operands(self, inputs: tuple[Any, ...], more: int = 1) -> tuple[Any, ...]:
        """Predictions, labels and at most ``more`` weights.

        Raises
        ------
        InputError
            If the number of arguments is wrong.
        """
        if not 2 <= len(inputs) <= 2 + more:
            raise InputError(
                f"{type(self).__name__} must be given predictions, labels and, if wanted, weights. "
                f"Got {len(inputs)} arguments instead."
            )
        return inputs

    def _averaged(self, loss: NDArray, factor: float | None, sample_weight: Any) -> NDArray:
        if sample_weight is not None:
            loss = loss * sample_weight
        if factor is not None:
            loss = loss * factor
        return nd.mean(loss, axis=self._batch_axis, exclude=True)


class L2Loss(Loss):
    """``weight·½(label − pred)²``, with the factor ½, averaged over the elements of each example."""

    def __init__(self, weight: float | None = 1.0, batch_axis: int = 0, **kwargs: Any) -> None:
        super().__init__(weight, batch_axis, **kwargs)

    def forward(self, *inputs: Any) -> NDArray:
        """The loss of ``(pred, label)`` or ``(pred, label, sample_weight)``; the label is reshaped like pred."""
        pred, label, *more = self._operands(inputs)
        square = nd.square(nd.reshape_like(label, pred) - pred)
        factor = 0.5 if self._weight is None else self._weight / 2
        return self._averaged(square, factor, *(more or [None]))


class L1Loss(Loss):
    """``weight·|label − pred|``, averaged over the elements of each example."""

    def forward(self, *inputs: Any) -> NDArray:
        """The loss of ``(pred, label)`` or ``(pred, label, sample_weight)``; the label is reshaped like pred."""
        pred, label, *more = self._operands(inputs)
        error = nd.abs(nd.reshape_like(label, pred) - pred)
        return self._averaged(error, self._weight, *(more or [None]))


class HuberLoss(Loss):
    """``e²/(2ρ)`` where ``e = |label − pred|`` is at most ρ, else ``e − ρ/2``; averaged over the elements of each example.

    Source: Huber, Annals of Mathematical Statistics 35 (1964).
    """

    def __init__(
        self,
        rho: float = 1.0,
        weight: float | None = None,
        batch_axis: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        if not rho > 0:
            raise OptionError(f"rho must be greater than 0. Got {rho!r} instead.")
        self._rho = rho

    def forward(self, *inputs: Any) -> NDArray:
        """The loss of ``(pred, label)`` or ``(pred, label, sample_weight)``; the label is reshaped like pred."""
        pred, label, *more = self._operands(inputs)
        error = nd.abs(nd.reshape_like(label, pred) - pred)
        bent = nd.where(
            error > self._rho, error - 0.5 * self._rho, (0.5 / self._rho) * nd.square(error)
        )
        return self._averaged(bent, self._weight, *(more or [None]))


class SigmoidBinaryCrossEntropyLoss(Loss):
    """``−label·log p − (1 − label)·log(1 − p)`` with ``p = sigmoid(pred)``, computed without overflow.

    Parameters
    ----------
    from_sigmoid : bool
        Whether ``pred`` holds the probabilities p.
    weight : float, optional
        A factor for the loss.
    batch_axis : int
        The axis of the examples.
    """

    def __init__(
        self,
        from_sigmoid: bool = False,
        weight: float | None = None,
        batch_axis: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(weight, batch_axis, **kwargs)
        self._from_sigmoid = from_sigmoid

    def forward(self, *inputs: Any) -> NDArray:
        """The loss of ``(pred, label)``, ``(pred, label, sample_weight)`` or ``(pred, label, sample_weight, pos_weight)``.

        ``pos_weight`` is a weight of the positive class.
        """
        pred, label, *more = self._operands(inputs, more=2)
        sample_weight, pos_weight = (*more, None, None)[:2]
        label = nd.reshape_like(label, pred)
        if self._from_sigmoid:  # 1e-12 keeps the logarithm finite, as in MXNet
            yes, no = -nd.log(pred + 1e-12), -nd.log(1 - pred + 1e-12)
        else:  # log(1 + e^−x) and log(1 + e^x)
            no = nd.relu(pred) + nd.Activation(-nd.abs(pred), "softrelu")
            yes = no - pred
        if pos_weight is not None:
            yes = nd.broadcast_mul(yes, pos_weight)
        return self._averaged(label * yes + (1 - label) * no, self._weight, sample_weight)


SigmoidBCELoss = SigmoidBinaryCrossEntropyLoss


class SoftmaxCrossEntropyLoss(Loss):
    """``−log softmax(pred)[label]``, computed without overflow.

    Parameters
    ----------
    axis : int
        The axis of the classes.
    sparse_label : bool
        Whether labels are class numbers; otherwise they hold a probability for each class.
    from_logits : bool
        Whether ``pred`` holds logarithms of probabilities.
    weight : float, optional
        A factor for the loss.
    batch_axis : int
        The axis of the examples.
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
        """The loss of ``(pred, label)`` or ``(pred, label, sample_weight)``."""
        pred, label, *more = self._operands(inputs)
        if not self._from_logits:
            pred = nd.log_softmax(pred, axis=self._axis)
        if self._sparse_label:
            chosen = nd.pick(pred, label, axis=self._axis, keepdims=True)
        else:
            chosen = (pred * nd.reshape_like(label, pred)).sum(axis=self._axis, keepdims=True)
        return self._averaged(-chosen, self._weight, *(more or [None]))


SoftmaxCELoss = SoftmaxCrossEntropyLoss

__getattr__ = missing("gluon.loss", __all__)
