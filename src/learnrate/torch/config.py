"""What a sweep of a PyTorch model was asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from learnrate.errors import OptionError, did_you_mean
from learnrate.sweeps.config import SweepConfig
from learnrate.torch.optimizers import check_options
from learnrate.torch.start import STARTS

__all__ = ["TorchConfig"]


@dataclass(frozen=True)
class TorchConfig(SweepConfig):
    """The settings of a sweep of a PyTorch model; those of every sweep are in `SweepConfig`.

    Attributes
    ----------
    loss : str
        Name of the loss.
    optimizer : str
        A name in `learnrate.torch.OPTIMIZERS`.
    optimizer_options : mapping
        Its options, all of them after the checks.
    start : str
        ``given`` or ``reset``.
    device : str
        Where lanes are trained.
    lanes_at_once : int or "auto"
        Lanes trained together.
    """

    loss: str = "mse"
    optimizer: str = "sgd"
    optimizer_options: Mapping[str, Any] = field(default_factory=dict)
    start: str = "given"
    device: str = "cpu"
    lanes_at_once: int | str = "auto"

    def __post_init__(self) -> None:
        """Refuse what no data could make right."""
        options = check_options(self.optimizer, self.optimizer_options)
        object.__setattr__(self, "optimizer_options", options)
        object.__setattr__(self, "momentum", options.get("momentum", 0.0))
        object.__setattr__(self, "weight_decay", options["weight_decay"])
        super().__post_init__()
        if self.start not in STARTS:
            raise OptionError(
                f"start must be one of {', '.join(STARTS)}. Got {self.start!r} instead."
                + did_you_mean(str(self.start), STARTS)
            )
        if isinstance(self.lanes_at_once, str) and self.lanes_at_once != "auto":
            raise OptionError(
                f"lanes_at_once must be 'auto' or a whole number. Got {self.lanes_at_once!r} instead."
            )
        if self.lanes_at_once != "auto":
            self._check_whole("lanes_at_once", at_least=1)

    def with_(self, **changes: Any) -> TorchConfig:
        """The same settings with some changed."""
        return replace(self, **changes)
