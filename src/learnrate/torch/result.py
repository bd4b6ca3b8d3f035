"""The result of a sweep of a PyTorch model: curves, metrics, and the trained lanes themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from learnrate._shapes import Array, Float, Int
from learnrate.errors import OptionError
from learnrate.report.curves import Curves, format_rate
from learnrate.sweeps.findings import finite_list
from learnrate.sweeps.result import SweepResult
from learnrate.torch.config import TorchConfig
from learnrate.torch.copying import copy_of
from learnrate.training.pruning import lowest_of_each

if TYPE_CHECKING:
    import polars as pl

__all__ = ["TorchSweepResult"]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class TorchSweepResult(SweepResult):
    """Curves, metrics, parameters and outcomes of all lanes of a sweep of a PyTorch model.

    Attributes
    ----------
    config : TorchConfig
        What was asked for.
    metrics : mapping from str to float64 arrays, shape (S, K, E + 1)
        On the held-out examples where there are any, else on the training examples.
    sharpness : float64 array, shape (S, K, 2), or None
        Largest eigenvalue of the training loss's Hessian at start and end, where asked for.
    starts : sequence of nn.Module
        Where each seed's lanes started from, on the CPU.
    lane_states : sequence of sequences of mappings, or None
        Trained parameters and buffers: ``lane_states[s][k]``; see `state_dict`. None for a lane that was pruned. With
        ``keep="best"`` they are those of its lowest held-out loss; see `best_at`.
    examples, held_out : int
        How many were trained on and held out.
    notes : tuple of str
        What a user should know about how it was trained: sentences.
    prefix : str
        What the names in the given model's ``state_dict`` begin with: `torch.compile` puts something there.
    """

    config: TorchConfig
    metrics: Mapping[str, Float[Array, "S K epochs"]]
    sharpness: Float[Array, "S K 2"] | None
    starts: Sequence[nn.Module]
    lane_states: Sequence[Sequence[Mapping[str, Tensor] | None]] | None
    examples: int
    held_out: int
    notes: tuple[str, ...] = ()
    prefix: str = ""

    def model(self, lr: float | None = None, seed: int | None = None) -> nn.Module:
        """A new module with the parameters and buffers of a trained lane, in evaluation mode, on the CPU.

        Parameters and errors are those of `lane`; it also raises OptionError if the sweep was told not to
        keep the lanes' parameters.
        """
        s, k = self.lane(lr, seed)
        if self.lane_states is None:
            raise OptionError(
                "Parameters must have been kept. Got a sweep with keep='none' instead."
            )
        learned = self.lane_states[s][k]
        if learned is None:
            raise OptionError(
                f"Parameters are kept of rates that were trained to the end. Got {format_rate(float(self.lrs[k]))}, which "
                "was pruned."
            )
        module = copy_of(self.starts[s])
        tensors: dict[str, Tensor] = {
            **dict(module.named_parameters()),
            **dict(module.named_buffers()),
        }
        for name, trained in learned.items():
            tensors[name].data = trained.clone()
        return module.eval()

    @property
    def best_at(self) -> Int[Array, "S K"]:
        """After how many epochs or steps each lane's held-out loss was lowest; its training loss where none were held out."""
        curves = self.losses if self.val_losses is None else self.val_losses
        found: Array = self.positions[np.where(np.isfinite(curves), curves, np.inf).argmin(axis=2)]
        return found

    def _ends(self, point: int) -> tuple[str, Float[Array, "S K"]]:
        """The criterion and its values by which rates are compared at a point; with ``keep="best"`` the lowest so far."""
        name, losses = self._criterion
        if self.config.keep != "best":
            return super()._ends(point)
        return f"{name} of the best checkpoint", lowest_of_each(losses[:, :, : point + 1])

    def state_dict(self, lr: float | None = None, seed: int | None = None) -> dict[str, Tensor]:
        """What ``model.load_state_dict`` takes, of one trained lane. See `model`."""
        state: dict[str, Tensor] = self.model(lr, seed).state_dict()
        return {f"{self.prefix}{name}": value for name, value in state.items()}

    @property
    def edge(self) -> float | None:
        """Largest stable rate of plain gradient descent at the start, ``2 (1 + μ) / sharpness``.

        The mean sharpness over seeds is taken, with the weight decay added; None for other optimisers, or
        where no sharpness was asked for. With minibatches the true limit lies lower.

        Source: Cohen et al., "Gradient Descent on Neural Networks Typically Occurs at the Edge of
        Stability" (arXiv 2103.00065).
        """
        options = self.config.optimizer_options
        if self.sharpness is None or "nesterov" not in options or options["nesterov"]:
            return None
        sharpness = float(self.sharpness[:, 0, 0].mean()) + options["weight_decay"]
        return 2 * (1 + options["momentum"]) / sharpness if sharpness > 0 else None

    def curves(self) -> Curves:
        """The loss curves as the drawings take them."""
        edge = self.edge
        lines = () if edge is None else ((edge, f"2/sharpness at the start: {format_rate(edge)}"),)
        curves = super().curves()
        lines = (*lines, *curves.lines)
        return replace(curves, quantity=f"loss ({self.config.loss})", lines=lines)

    @property
    def title(self) -> str:
        """Heading of a report."""
        return f"{type(self.starts[0]).__name__} under many learning rates"

    def data_facts(self) -> tuple[tuple[str, str], ...]:
        """What is known about the examples and the model: name and value."""
        config = self.config
        facts = [("examples", f"{self.examples:,}")]
        if self.held_out:
            facts.append(("held out", f"{self.held_out:,}"))
        trained = sum(p.numel() for p in self.starts[0].parameters() if p.requires_grad)
        facts += [("model", f"{type(self.starts[0]).__name__}, {trained:,} parameters")]
        return (
            *facts,
            ("loss", config.loss),
            ("optimizer", config.optimizer),
            ("device", config.device),
        )

    def remarks(self) -> tuple[str, ...]:
        """How it was trained, where that needs saying: sentences."""
        return self.notes

    @property
    def call(self) -> str:
        """The call in Python that these settings come from."""
        config = self.config
        rates = f"{len(self.lrs)} rates from {self.lrs.min():.6g} to {self.lrs.max():.6g}"
        length = f"epochs={config.epochs}" if config.steps is None else f"steps={config.steps}"
        if config.eval_every is not None:
            length += f", eval_every={config.eval_every}"
        return (
            f"learnrate.torch.sweep(model, data, loss={config.loss!r}, optimizer={config.optimizer!r}, "
            f"lrs=…, batch_size={config.batch_size}, {length}, seed={config.seed}, "
            f"seeds={config.seeds})  # {rates}"
        )

    def to_frame(self) -> pl.DataFrame:
        """Tidy Polars frame, one row per lane and epoch: as for every sweep, and one column per metric."""
        import polars as pl

        columns = [pl.Series(name, values.ravel()) for name, values in self.metrics.items()]
        return super().to_frame().with_columns(columns)

    def _measured_last(self) -> dict[str, Float[Array, "S K"]]:
        of_metrics = {name: values[:, :, -1] for name, values in self.metrics.items()}
        return {**super()._measured_last(), **of_metrics}

    def as_dict(self) -> dict[str, Any]:
        """Everything but parameters as JSON can hold it; a number that is not finite is null."""
        return {**super().as_dict(), "notes": list(self.notes)}

    def _lane_as_dict(self, s: int, k: int) -> dict[str, Any]:
        lane = super()._lane_as_dict(s, k)
        if self.metrics:
            lane["metrics"] = {n: finite_list(values[s, k]) for n, values in self.metrics.items()}
        if self.config.keep == "best":
            lane[f"best_{self.unit}"] = int(self.best_at[s, k])
        if self.sharpness is not None:
            lane["sharpness"] = finite_list(np.asarray(self.sharpness[s, k]))
        return lane
