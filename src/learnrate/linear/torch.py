"""The engine for GPUs: the direct form of the step, on PyTorch tensors.

In the coordinates of `learnrate.linear.anchor`, for all lanes ``δ_1 … δ_K`` at once::

    δ ← δ − (η s_t / |B|) M Z̃_Jᵀ (Z̃_J δ − r_J)

`learnrate.linear.torch_rows` trains other losses and optimizers. The engine runs on the first GPU if there is one, and on the
CPU otherwise, where `gram` and `rows` are faster.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from learnrate._extras import require
from learnrate._shapes import Array, Float
from learnrate.data.order import initial_weights
from learnrate.linear.anchor import find_anchor
from learnrate.linear.losses import residuals, row_blocks
from learnrate.linear.problem import EpochState, LinearProblem, beyond_grams
from learnrate.linear.torch_rows import TensorRun
from learnrate.training.problem import Engine
from learnrate.training.states import LaneStates

__all__ = ["TorchEngine"]

torch: Any = require("torch", extra="torch", purpose="the engine 'torch'")


class TorchEngine(Engine):
    """Train with PyTorch; see this module.

    Parameters
    ----------
    device : str, optional
        The PyTorch device; by default the first GPU, or the CPU if there is none.
    """

    name = "torch"

    def __init__(self, device: str | None = None) -> None:
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")

    def states(
        self, problem: LinearProblem, start: LaneStates | None = None
    ) -> Iterator[EpochState]:
        """Train, yielding the state before training and then after each epoch."""
        run: _Run | TensorRun
        if beyond_grams(problem) is None:
            run = _Run(problem, EpochState.of(start), self.device)
        else:
            run = TensorRun(problem, EpochState.of(start), self.device)
        if start is None:
            yield run.state(0)
        for epoch in range(0 if start is None else start.epoch, problem.epochs):
            run.train(epoch)
            yield run.state(epoch + 1)


class _Run:
    """The training of one problem. ``delta`` and ``velocity`` are (d + 1, K), with the bias in the last row."""

    def __init__(self, problem: LinearProblem, start: EpochState | None, device: str) -> None:
        d, lanes, dtype = problem.d, problem.lrs.size, problem.dtype
        self.problem, self.device = problem, device
        self.type = torch.float64 if dtype == np.float64 else torch.float32
        self.anchor = find_anchor(problem)
        self.shift = self._tensor(self.anchor.shift)
        self.w_ref = self._tensor(self.anchor.w)
        self.shifted = bool(self.anchor.shift.any())
        self.Z = self._tensor(problem.X)
        if self.shifted:
            self.Z -= self.shift
        self.r = self._tensor(residuals(problem.X, problem.y, self.anchor))
        self.lrs = torch.tensor(problem.lrs, device=device)
        velocity = np.zeros((d + 1, lanes))
        if start is None:
            w = initial_weights(d, problem.seed).astype(dtype)
            W, b = np.broadcast_to(w, (lanes, d)), np.zeros(lanes)
        else:
            W, b = start.W, start.b
            if start.V is not None and start.vb is not None:
                velocity[:-1], velocity[-1] = start.V.T, start.vb + start.V @ self.anchor.shift
        with np.errstate(all="ignore"):
            self.delta = self._tensor(self.anchor.enter(W, b))
        self.velocity = self._tensor(velocity)

    def _tensor(self, values: Float[Array, "..."]) -> Any:
        return torch.tensor(values, dtype=self.type, device=self.device)

    def train(self, epoch: int) -> None:
        """One pass over the minibatches."""
        problem, B = self.problem, self.problem.batch_size
        order = problem.orders().epoch(epoch)
        batches = torch.split(torch.from_numpy(order).to(self.device), B)
        for J, scale in zip(batches, problem.epoch_multipliers(epoch), strict=True):
            gradient = self._gradient(J)
            if problem.momentum:
                self.velocity.mul_(problem.momentum).add_(gradient)
                gradient = self.velocity
            self.delta.addcmul_(gradient, (self.lrs * float(scale)).to(self.type), value=-1)

    def _gradient(self, J: Any) -> Any:
        """``M (Z̃_Jᵀ (Z̃_J δ − r_J) / |B| + α w)`` of all lanes, (d + 1, K)."""
        delta, gradient = self.delta, torch.zeros_like(self.delta)
        for rows in row_blocks(len(J), self.problem.d + delta.shape[1]):
            Z_J = self.Z[J[rows]]
            error = Z_J @ delta[:-1] + delta[-1] - self.r[J[rows], None]
            gradient[:-1] += Z_J.T @ error
            gradient[-1] += error.sum(dim=0)
        gradient /= self.problem.batch_size
        if self.shifted:
            gradient[:-1] += self.shift[:, None] * gradient[-1]
        if self.problem.weight_decay:
            gradient[:-1] += self.problem.weight_decay * (delta[:-1] + self.w_ref[:, None])
        if self.shifted:
            gradient[-1] += self.shift @ gradient[:-1]
        return gradient

    def state(self, epoch: int) -> EpochState:
        """The state of all lanes. Training that continues from it gives the same bits as without the interruption."""
        with np.errstate(all="ignore"):
            W, b = self.anchor.leave(self.delta.double().cpu().numpy())
            self.delta = self._tensor(self.anchor.enter(W, b))
            V = vb = None
            if self.problem.momentum:
                velocity = self.velocity.double().cpu().numpy()
                V, shift = velocity[:-1].T.copy(), self.anchor.shift
                vb = velocity[-1] - V @ shift
                self.velocity[-1] = self._tensor(vb + V @ shift)
        return EpochState(epoch=epoch, W=W, b=b, loss=self._losses(), V=V, vb=vb)

    def _losses(self) -> Float[Array, " K"]:
        """Mean of ``½(z·δ_w + δ_β − r)²`` of every lane, squared and summed in float64."""
        total = torch.zeros(self.delta.shape[1], dtype=torch.float64, device=self.device)
        for rows in row_blocks(self.problem.n, sum(self.delta.shape)):
            error = self.Z[rows] @ self.delta[:-1] + self.delta[-1] - self.r[rows, None]
            total += error.double().square().sum(dim=0)
        losses: Float[Array, " K"] = (total / (2 * self.problem.n)).cpu().numpy()
        return losses
