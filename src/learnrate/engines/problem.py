"""What an engine is given, and what it gives back: the same for every engine.

One step on minibatch J, with multiplier ``s_t`` of a schedule, momentum ``μ`` and weight decay ``α``::

    g_w = (1/|B|) Σ_{i∈J} x_i (x_i·w + b − y_i) + α w        v_w ← μ v_w + g_w        w ← w − η s_t v_w
    g_b = (1/|B|) Σ_{i∈J}     (x_i·w + b − y_i)              v_b ← μ v_b + g_b        b ← b − η s_t v_b

With ``μ = 0``, ``α = 0`` and ``s_t = 1`` that is the note's step. ``|B|`` is the nominal batch size, so a
short last minibatch weighs less. The bias is not decayed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.data.order import MinibatchOrders, Permute, Sampling, steps_per_epoch
from learnrate.data.rows import ArrayRows, Block, Rows

__all__ = ["Engine", "EpochState", "LinearProblem"]


class Visit(NamedTuple):
    """A block in an epoch: its rows, the order in which they are visited, and the steps that are taken.

    ``X`` and ``y`` may be read only until the next block is asked for.
    """

    X: Float[Array, "rows d"]
    y: Float[Array, " rows"]
    order: Int[Array, " visits"]
    steps: slice


@dataclass(frozen=True, eq=False)
class LinearProblem:
    """All lanes of one seed: K learning rates on the same examples, start and minibatch order.

    Attributes
    ----------
    X : array, shape (n, d)
        Features, float64 or float32: the engine computes in this type.
    y : array, shape (n,)
        Labels, of the same type.
    lrs : float64 array, shape (K,)
        One learning rate η per lane.
    batch_size : int
        Nominal minibatch size ``|B|``, ``1 ≤ |B| ≤ n``.
    epochs : int
        Passes over the examples.
    seed : int
        Decides the start (`learnrate.data.initial_weights`) and the order (`learnrate.data.epoch_order`).
    sampling : Sampling
        How minibatches are drawn.
    momentum, weight_decay : float
        μ and α above.
    multipliers : float64 array, shape (epochs · steps per epoch,), optional
        ``s_t`` for every step of the run; None is 1 throughout.
    block_size : int, optional
        Rows of a block of the block shuffle; see `learnrate.data.order`.
    source : Rows, optional
        Where examples are read from that are too many for memory. X and y then have no rows, and there
        is a ``block_size``. Only the engines ``gram`` and ``fused`` can do that.
    on_rows : callable, optional
        Called, while an epoch runs, with the number of examples that it has visited.
    whole : int, optional
        How many lanes the problem has of which these are a part. An engine chooses its way by this
        number, so that a lane comes out the same in a part as in the whole.
    """

    X: Float[Array, "n d"]
    y: Float[Array, " n"]
    lrs: Float[Array, " K"]
    batch_size: int
    epochs: int
    seed: int = 0
    sampling: Sampling = Sampling.SHUFFLE
    momentum: float = 0.0
    weight_decay: float = 0.0
    multipliers: Float[Array, " steps"] | None = None
    block_size: int | None = None
    source: Rows | None = None
    on_rows: Callable[[int], object] | None = None
    whole: int | None = None

    @property
    def lanes(self) -> int:
        """Number of lanes by which an engine chooses its way: those of the whole."""
        return int(self.lrs.size) if self.whole is None else self.whole

    @property
    def rows(self) -> Rows:
        """The examples, to be read in blocks."""
        return ArrayRows(self.X, self.y) if self.source is None else self.source

    @property
    def n(self) -> int:
        """Number of examples."""
        return int(self.X.shape[0]) if self.source is None else self.source.n

    @property
    def d(self) -> int:
        """Number of features, without the bias."""
        return int(self.X.shape[1])

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """The floating-point type that lanes are trained in."""
        return self.X.dtype

    @property
    def steps(self) -> int:
        """Minibatches in one epoch."""
        return steps_per_epoch(self.n, self.batch_size)

    def orders(self, permute: Permute = np.random.Generator.permutation) -> MinibatchOrders:
        """The order of every epoch."""
        return MinibatchOrders(
            self.n,
            self.batch_size,
            seed=self.seed,
            sampling=self.sampling,
            block_size=self.block_size,
            permute=permute,
        )

    def visits(self, orders: MinibatchOrders, epoch: int, *, tell: bool = True) -> Iterator[Visit]:
        """The blocks of one epoch in order: all examples at once, unless there is a block size."""
        sequence, done, step = orders.sequence(epoch), 0, 0
        for number, block in zip(
            sequence.tolist(), self.rows.blocks(orders.rows, sequence.tolist()), strict=True
        ):
            order = orders.inside(epoch, number)
            steps = slice(step, step + steps_per_epoch(len(order), self.batch_size))
            yield Visit(block.X, block.y, order, steps)
            step, done = steps.stop, done + len(block.y)
            if tell and self.on_rows is not None:
                self.on_rows(done)

    def in_turn(self, orders: MinibatchOrders) -> Iterator[Block]:
        """The blocks from the first to the last."""
        return self.rows.blocks(orders.rows, range(orders.count))

    def epoch_multipliers(self, epoch: int, steps: slice = slice(None)) -> Float[Array, " steps"]:
        """``s_t`` for the steps of one epoch, counted from 0, or for some of them."""
        if self.multipliers is None:
            return np.ones(len(range(self.steps)[steps]))
        return self.multipliers[epoch * self.steps : (epoch + 1) * self.steps][steps]


@dataclass(frozen=True, eq=False)
class EpochState:
    """Where all lanes of a seed are after ``epoch`` epochs: enough to report, and to go on from.

    A lane that has diverged holds whatever non-finite numbers it ran into; it never disturbs another.

    Attributes
    ----------
    epoch : int
        Epochs trained so far; 0 is the start.
    W : float64 array, shape (K, d)
    b : float64 array, shape (K,)
        Parameters of every lane.
    loss : float64 array, shape (K,)
        Mean of ``½(ŷ − y)²`` over all n examples.
    V, vb : float64 arrays, shapes (K, d) and (K,), optional
        Momentum buffers, where there is momentum.
    """

    epoch: int
    W: Float[Array, "K d"]
    b: Float[Array, " K"]
    loss: Float[Array, " K"]
    V: Float[Array, "K d"] | None = None
    vb: Float[Array, " K"] | None = None


class Engine(Protocol):
    """Executes the lanes of a `LinearProblem`."""

    name: str

    def epochs(
        self, problem: LinearProblem, start: EpochState | None = None
    ) -> Iterator[EpochState]:
        """Train, yielding the state before training and then after each epoch.

        With ``start`` (a state that this engine yielded earlier) training goes on from there: the
        states after ``start.epoch`` are yielded, the same as an unbroken run's.
        """
        ...
