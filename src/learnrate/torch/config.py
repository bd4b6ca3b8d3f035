"""What a sweep of a PyTorch model was asked to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from learnrate.errors import OptionError, not_one_of
from learnrate.sweeps.config import SweepConfig
from learnrate.torch.start import STARTS
from learnrate.training.problem import Horizon

__all__ = ["TorchConfig"]

KEPT = ("last", "best", "none")


@dataclass(frozen=True)
class TorchConfig(SweepConfig):
    """The settings of a sweep of a PyTorch model; those of every sweep are in `SweepConfig`.

    Attributes
    ----------
    loss : str
        Name of the loss.
    optimizer : str
        A name in `learnrate.torch.OPTIMIZERS`, or that of a class or function of the user's own.
    optimizer_options : mapping
        Options of the optimizer, all of them after the checks.
    start : str
        ``given`` or ``reset``.
    device : str
        Where lanes are trained.
    lanes_at_once : int or "auto"
        Lanes trained together.
    steps : int, optional
        Steps of the optimizer, where these are counted in place of epochs.
    eval_every : int, optional
        Steps from one measurement to the next.
    eval_train : bool
        Whether the training loss is measured over all examples.
    keep : str
        Which parameters of each lane are kept: ``last``, ``best`` or ``none``.
    """

    loss: str = "mse"
    start: str = "given"
    device: str = "cpu"
    lanes_at_once: int | str = "auto"
    steps: int | None = None
    eval_every: int | None = None
    eval_train: bool = True
    keep: str = "last"

    def __post_init__(self) -> None:
        """Refuse what no data could make right."""
        super().__post_init__()
        if self.start not in STARTS:
            raise not_one_of("start", self.start, STARTS)
        if self.keep not in KEPT:
            raise not_one_of("keep", self.keep, KEPT)
        if isinstance(self.lanes_at_once, str) and self.lanes_at_once != "auto":
            raise OptionError(
                f"lanes_at_once must be 'auto' or a whole number. Got {self.lanes_at_once!r} instead."
            )
        if self.lanes_at_once != "auto":
            self._check_whole("lanes_at_once", at_least=1)
        for name in ("steps", "eval_every"):
            if getattr(self, name) is not None:
                self._check_whole(name, at_least=1)

    def _settle_loss_and_optimizer(self) -> None:
        options = self.optimizer_options
        object.__setattr__(self, "momentum", options.get("momentum", 0.0))
        object.__setattr__(self, "weight_decay", options.get("weight_decay", 0.0))

    def horizon(self, per_epoch: int) -> Horizon:
        """How long lanes are trained and where they are measured, with so many steps in an epoch."""
        epochs = None if self.steps is not None else self.epochs
        return Horizon(epochs, self.steps, self.eval_every, per_epoch)

    def with_(self, **changes: Any) -> TorchConfig:
        """A copy of the settings with some changed."""
        return replace(self, **changes)
