"""The trainer: after each backward sweep, one step of an optimiser for every parameter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from learnrate._missing import missing
from learnrate.compat.mxnet.gluon.parameter import Parameter
from learnrate.compat.mxnet.optimizer import Optimizer, create
from learnrate.errors import InputError, OptionError

__all__ = ["Trainer"]


class Trainer:
    """Applies an optimiser to the parameters of a network.

    Parameters
    ----------
    params : ParameterDict or list of Parameter
        What `Block.collect_params` returns.
    optimizer : str or Optimizer
        sgd, adagrad, rmsprop, adadelta or adam.
    optimizer_params : dict, optional
        Its arguments, such as ``{"learning_rate": 0.03, "wd": 0.001}``.
    kvstore, compression_params, update_on_kvstore
        Taken for MXNet's sake: there is one process and one device.
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
        """The optimiser, with what it keeps from step to step."""
        return self._optimizer

    @property
    def learning_rate(self) -> float:
        """η."""
        return self._optimizer.learning_rate

    def set_learning_rate(self, lr: float) -> None:
        """Change η from the next step on."""
        self._optimizer.set_learning_rate(lr)

    def step(self, batch_size: float, ignore_stale_grad: bool = False) -> None:
        """One step with the gradients divided by ``batch_size``, as `backward` leaves sums.

        Parameters
        ----------
        batch_size : int
            |B|; 1 where the loss that was differentiated is a mean already.
        ignore_stale_grad : bool
            Taken for MXNet's sake. A gradient that no new `backward` wrote is used again.
        """
        del ignore_stale_grad
        if not batch_size > 0:
            raise OptionError(f"batch_size must be greater than 0. Got {batch_size!r} instead.")
        optimizer = self._optimizer
        optimizer.rescale_grad = self._scale / batch_size
        for index, param in enumerate(self._params):
            if param.grad_req != "null":
                optimizer.lr_mult[index], optimizer.wd_mult[index] = param.lr_mult, param.wd_mult
                optimizer.update(index, param.data(), param.grad())


__getattr__ = missing("gluon.trainer", __all__)
