"""What has been seen of a sweep's lanes so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.prepared import Prepared
from learnrate.engines.problem import EpochState
from learnrate.sweeps.config import SweepConfig
from learnrate.sweeps.linear import LinearSweepResult
from learnrate.sweeps.validation import held_out_loss, stored_loss

__all__ = ["Record"]


@dataclass(frozen=True, eq=False)
class Record:
    """Every curve as far as it goes, and where each seed is.

    Attributes
    ----------
    losses, val_losses : float64 arrays, shape (S, K, E + 1)
        NaN where training has not been yet; ``val_losses`` only with held-out examples.
    states : list of EpochState or None, one for each seed
        The last state of each; None before its first.
    """

    data: Prepared
    lrs: Float[Array, " K"]
    config: SweepConfig
    losses: Float[Array, "S K epochs"]
    val_losses: Float[Array, "S K epochs"] | None
    states: list[EpochState | None]

    @classmethod
    def of(cls, data: Prepared, lrs: Float[Array, " K"], config: SweepConfig) -> Record:
        """Nothing seen yet."""
        curves = (config.seeds, len(lrs), config.epochs + 1)
        return cls(
            data=data,
            lrs=lrs,
            config=config,
            losses=np.full(curves, np.nan),
            val_losses=np.full(curves, np.nan) if data.held_out else None,
            states=[None] * config.seeds,
        )

    def add(self, s: int, state: EpochState) -> None:
        """Write down where seed ``s`` is."""
        self.losses[s, :, state.epoch] = state.loss
        if self.val_losses is not None:
            self.val_losses[s, :, state.epoch] = self._held_out_loss(state)
        self.states[s] = state

    def _held_out_loss(self, state: EpochState) -> Float[Array, " K"]:
        data = self.data
        if data.stored is not None and data.stored.val is not None:
            # Small blocks, for which there is room beside those that are trained on.
            per_block = max(1, (self.config.block_size or data.n) // 8)
            return stored_loss(data.stored.val, per_block, state.W, state.b)
        assert data.X_val is not None
        assert data.y_val is not None
        return held_out_loss(data.X_val, data.y_val, state.W, state.b)

    def epochs(self) -> list[int]:
        """Epochs that each seed has finished."""
        return [0 if state is None else state.epoch for state in self.states]

    def epochs_done(self) -> int:
        """Epochs that all seeds together have finished."""
        return sum(self.epochs())

    def finished(self) -> tuple[slice, int]:
        """Seeds side by side that have finished equally many epochs, and how many those are.

        From the first that has finished any: with threads that need not be seed 0.
        """
        epochs = self.epochs()
        first = next((s for s, done in enumerate(epochs) if done), 0)
        behind = [s for s in range(first, len(epochs)) if epochs[s] != epochs[first]]
        return slice(first, min(behind, default=len(epochs))), epochs[first]

    def result(
        self, engine: str, reason: str, seconds: float, *, seeds: slice, epochs: int
    ) -> LinearSweepResult:
        """Some seeds up to the epoch where they are."""
        states = [state for state in self.states[seeds] if state is not None]
        W, b = self.data.to_user_units(
            np.array([state.W for state in states]), np.array([state.b for state in states])
        )

        def done(curves: Float[Array, "S K epochs"]) -> Float[Array, "S K epochs"]:
            return curves[seeds, :, : epochs + 1]

        return LinearSweepResult(
            config=self.config.starting_at(self.config.seed + seeds.start),
            lrs=self.lrs,
            losses=done(self.losses),
            val_losses=None if self.val_losses is None else done(self.val_losses),
            W=W,
            b=b,
            data=self.data,
            engine=engine,
            engine_reason=reason,
            seconds=seconds,
        )
