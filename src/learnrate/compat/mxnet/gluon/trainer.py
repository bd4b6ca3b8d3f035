"""The trainer, which updates every parameter with an optimiser after a backward pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from learnrate._missing import missing
from learnrate.compat.mxnet.gluon.parameter import Parameter
from learnrate.compat.mxnet.optimizer import Optimizer, create
from learnrate.errors import AutogradError, InputError, OptionError

__all__ = ["StaleGradientError", "Trainer"]


class StaleGradientError(AutogradError, UserWarning):
    """A step without a new gradient since the last step. MXNet raises a UserWarning."""


class Trainer:
    """Applies an optimiser to the parameters of a network.

    Parameters
    ----------
    params : ParameterDict or list of Parameter
        What `Block.collect_params` returns.
    optimizer : str or Optimizer
        sgd, nag, adagrad, rmsprop, adadelta or adam.
    optimizer_params : dict, optional
        Its arguments, such as ``{"learning_rate": 0.03, "wd": 0.001}``.
    kvstore, compression_params, update_on_kvstore
        Ignored: there is one process and one device.
    """

    def __init__(
        self,
        params: Any,
        optimizer: str | Optimizer,
        optimizer_params: dict[str, Any] | None = None,
        kvstore: Any = "device",
        compression_params: Any = None,
        update_on_kvstore: Any = None,
    ) -> None:
        del kvstore, compression_params, update_on_kvstore
        chosen = params.values() if isinstance(params, Mapping) else params
        for param in chosen if isinstance(chosen, Iterable) else [chosen]:
            if not isinstance(param, Parameter):
                raise InputError(
                    "A Trainer must be given Parameters, as net.collect_params() returns them. "
                    f"Got {type(param).__name__} instead."
                )
        self._params: list[Parameter] = list(chosen)
        if isinstance(optimizer, Optimizer):
            self._optimizer = optimizer
        else:
            self._optimizer = create(optimizer, **(optimizer_params or {}))
        self._scale = self._optimizer.rescale_grad

    @property
    def optimizer(self) -> Optimizer:
        """The optimiser, with its state."""
        return self._optimizer

    @property
    def learning_rate(self) -> float:
        """The learning rate η."""
        return self._optimizer.learning_rate

    def set_learning_rate(self, lr: float) -> None:
        """Change η from the next step on."""
        self._optimizer.set_learning_rate(lr)

    def step(self, batch_size: float, ignore_stale_grad: bool = False) -> None:
        """Update every parameter, with the gradients, which are sums, divided by ``batch_size``.

        Parameters
        ----------
        batch_size : int
            Batch size |B|; 1 if the differentiated loss is a mean.
        ignore_stale_grad : bool
            Whether to skip parameters without a new gradient since the last step, instead of raising an error.

        Raises
        ------
        StaleGradientError
            If a parameter has no new gradient; then no parameter is changed.
        """
        if not batch_size > 0:
            raise OptionError(f"batch_size must be greater than 0. Got {batch_size!r} instead.")
        optimizer = self._optimizer
        optimizer.rescale_grad = self._scale / batch_size
        learned = [(i, param) for i, param in enumerate(self._params) if param.grad_req != "null"]
        stale = [param for _, param in learned if not param.is_fresh]
        if stale and not ignore_stale_grad:
            raise StaleGradientError(
                "step() must follow a new backward() that reaches every parameter. "
                f"Got none since the last step for {stale[0].name} instead; if that is meant, "
                "step(…, ignore_stale_grad=True) leaves such parameters alone."
            )
        for index, param in learned:
            if param.is_fresh:
                optimizer.lr_mult[index], optimizer.wd_mult[index] = param.lr_mult, param.wd_mult
                optimizer.update(index, param.data(), param.grad())
                param.use_up()


__getattr__ = missing("gluon.trainer", __all__)
