"""The problem that an engine trains, and the states that it yields.

One step on minibatch J, with multiplier ``s_t`` of a schedule, momentum ``μ`` and weight decay ``α``::

    g_w = (1/|B|) Σ_{i∈J} x_i (x_i·w + b − y_i) + α w        v_w ← μ v_w + g_w        w ← w − η s_t v_w
    g_b = (1/|B|) Σ_{i∈J}     (x_i·w + b − y_i)              v_b ← μ v_b + g_b        b ← b − η s_t v_b

With ``μ = 0``, ``α = 0`` and ``s_t = 1`` this is the note's step. ``|B|`` is the nominal batch size, so a
short last minibatch has less weight. The bias is not decayed.

For another loss ``φ`` the residual is replaced by ``∂φ/∂z`` at ``z_i = x_i·W + b``, which has C outputs. For another
optimizer the second and third columns are replaced by its rule, in which the bias is not decayed either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, overload

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.data.order import MinibatchOrders, Permute, Sampling, steps_per_epoch
from learnrate.data.rows import ArrayRows, Block, Rows
from learnrate.training.losses import Loss, Squared
from learnrate.training.optimizers import check_options, choose_optimizer
from learnrate.training.problem import Horizon
from learnrate.training.states import LaneStates

__all__ = ["EpochState", "LinearProblem", "beyond_grams", "beyond_kernels"]


_COMPILED = ("logistic", "softmax", "huber", "poisson")
"""Losses other than the squared one that have kernels; see `learnrate.linear.kernels.elementary`."""


class Visit(NamedTuple):
    """A block of examples in an epoch: its rows, the order in which they are visited, and the steps of the epoch.

    ``X`` and ``y`` are valid only until the next block is read.
    """

    X: Float[Array, "rows d"]
    y: Float[Array, " rows"] | Int[Array, " rows"]
    order: Int[Array, " visits"]
    steps: slice


@dataclass(frozen=True, eq=False)
class LinearProblem:
    """All lanes of one seed: K learning rates on the same examples, start and minibatch order.

    Attributes
    ----------
    X : array, shape (n, d)
        Features, float64 or float32; the engine computes in this type.
    y : array, shape (n,)
        Labels of the same type, or int64 codes 0, 1, … of classes.
    lrs : float64 array, shape (K,)
        One learning rate η per lane.
    batch_size : int
        Nominal minibatch size ``|B|``, ``1 ≤ |B| ≤ n``.
    epochs : int
        Number of passes over the examples.
    seed : int
        Decides the start (`learnrate.data.initial_weights`) and the order (`learnrate.data.epoch_order`).
    sampling : Sampling
        How minibatches are drawn.
    momentum, weight_decay : float
        μ and α above. They are also options of some other optimizers.
    optimizer : str
        A name in `learnrate.training.optimizers.OPTIMIZERS`. One whose only options are μ and α becomes ``"sgd"``.
    optimizer_options : mapping
        Options of an optimizer other than μ and α.
    loss : Loss
        φ, the loss of one example.
    multipliers : float64 array, shape (epochs · steps per epoch,), optional
        ``s_t`` for every step of the run; None means 1.
    block_size : int, optional
        Rows per block of the block shuffle; see `learnrate.data.order`.
    source : Rows, optional
        The examples, if they are larger than memory. X and y then have no rows, and ``block_size`` is given. Not every
        engine supports this.
    on_rows : callable, optional
        Called during an epoch with the number of examples that it has visited.
    whole : int, optional
        The number of lanes of the whole problem, if these are a part of them. Engines choose between methods by this
        number, so that a lane has the same bits in a part as in the whole.
    """

    X: Float[Array, "n d"]
    y: Float[Array, " n"] | Int[Array, " n"]
    lrs: Float[Array, " K"]
    batch_size: int
    epochs: int
    seed: int = 0
    sampling: Sampling = Sampling.SHUFFLE
    momentum: float = 0.0
    weight_decay: float = 0.0
    optimizer: str = "sgd"
    optimizer_options: Mapping[str, Any] = field(default_factory=dict)
    loss: Loss = field(default_factory=Squared)
    multipliers: Float[Array, " steps"] | None = None
    block_size: int | None = None
    source: Rows | None = None
    on_rows: Callable[[int], object] | None = None
    whole: int | None = None

    def __post_init__(self) -> None:
        """Use ``"sgd"`` for all optimizers whose only options are μ and α."""
        if self.plain:
            return
        chosen = choose_optimizer(
            self.optimizer, self.optimizer_options, self.momentum, self.weight_decay
        )
        names = ("optimizer", "optimizer_options", "momentum", "weight_decay")
        for name, value in zip(names, chosen, strict=True):
            object.__setattr__(self, name, value)

    @property
    def rule_options(self) -> dict[str, Any]:
        """All options of the optimizer."""
        short = {"momentum": self.momentum, "weight_decay": self.weight_decay}
        given = {name: value for name, value in short.items() if value}
        return check_options(self.optimizer, {**given, **self.optimizer_options})

    @property
    def plain(self) -> bool:
        """Whether the optimizer is SGD whose only options are μ and α."""
        return self.optimizer == "sgd" and not self.optimizer_options

    @property
    def lanes(self) -> int:
        """Number of lanes of the whole problem, by which an engine chooses between methods."""
        return int(self.lrs.size) if self.whole is None else self.whole

    @property
    def horizon(self) -> Horizon:
        """How long lanes are trained."""
        return Horizon(self.epochs)

    @property
    def processor(self) -> str:
        """What it is trained on: a CPU."""
        return "CPU"

    def take(self, which: slice | Array) -> LinearProblem:
        """A problem with some of the lanes, whose curves are the same as when all lanes are trained."""
        return replace(self, lrs=self.lrs[which], whole=self.lanes)

    def tell(self, visited: int) -> None:
        """Report how many examples the epoch has visited."""
        if self.on_rows is not None:
            self.on_rows(visited)

    def until(self, point: int) -> LinearProblem:
        """A problem with all lanes that ends after ``point`` epochs."""
        return replace(self, epochs=point)

    def __getstate__(self) -> dict[str, Any]:
        """All attributes except the callback, which cannot be pickled."""
        return {**vars(self), "on_rows": None}

    @property
    def rows(self) -> Rows:
        """The examples, which can be read in blocks."""
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
        """The floating-point type of the training."""
        return self.X.dtype

    @property
    def steps(self) -> int:
        """Number of minibatches in an epoch."""
        return steps_per_epoch(self.n, self.batch_size)

    def orders(self, permute: Permute = np.random.Generator.permutation) -> MinibatchOrders:
        """The order of the examples in every epoch."""
        return MinibatchOrders(
            self.n,
            self.batch_size,
            seed=self.seed,
            sampling=self.sampling,
            block_size=self.block_size,
            permute=permute,
        )

    def visits(self, orders: MinibatchOrders, epoch: int, *, tell: bool = True) -> Iterator[Visit]:
        """Yield the blocks of one epoch in their order: all examples at once, unless there is a block size."""
        sequence, done, step = orders.sequence(epoch), 0, 0
        for number, block in zip(
            sequence.tolist(), self.rows.blocks(orders.rows, sequence.tolist()), strict=True
        ):
            order = orders.inside(epoch, number)
            steps = slice(step, step + steps_per_epoch(len(order), self.batch_size))
            yield Visit(block.X, block.y, order, steps)
            step, done = steps.stop, done + len(block.y)
            if tell:
                self.tell(done)

    def in_turn(self, orders: MinibatchOrders) -> Iterator[Block]:
        """The blocks from the first to the last."""
        return self.rows.blocks(orders.rows, range(orders.count))

    def epoch_multipliers(self, epoch: int, steps: slice = slice(None)) -> Float[Array, " steps"]:
        """``s_t`` for the steps of one epoch, counted from 0, or for some of them."""
        if self.multipliers is None:
            return np.ones(len(range(self.steps)[steps]))
        return self.multipliers[epoch * self.steps : (epoch + 1) * self.steps][steps]


def beyond_grams(problem: LinearProblem) -> str | None:
    """A phrase that says why a problem cannot be trained with Gram matrices; None if it can."""
    if not problem.loss.quadratic:
        return f"it works by Gram matrices, which know the squared loss alone, and this one is {problem.loss.name}"
    if not problem.plain:
        return (
            "it works by Gram matrices, for SGD with or without momentum, and the optimizer here is "
            f"{problem.optimizer}"
        )
    return None


def beyond_kernels(problem: LinearProblem) -> str | None:
    """A phrase that says why a problem cannot be trained by compiled kernels; None if it can."""
    if not problem.plain:
        return (
            f"it knows SGD, with or without momentum, and the optimizer here is {problem.optimizer}"
        )
    if not problem.loss.quadratic and problem.loss.name not in _COMPILED:
        return f"it knows the losses squared, {', '.join(_COMPILED)}, and this one is {problem.loss.name}"
    return None


class EpochState(LaneStates):
    """All lanes of a linear problem after ``epoch`` epochs: `LaneStates` whose arrays have names.

    Parameters
    ----------
    epoch : int
        Number of epochs trained so far; 0 is the start.
    W : float64 array, shape (K, d), or (K, d, C) with an output for each of C classes
    b : float64 array, shape (K,), or (K, C)
        Parameters of every lane.
    loss : float64 array, shape (K,)
        Mean loss over all n examples.
    V, vb : float64 arrays, shaped as W and b, optional
        Velocities, if there is momentum.
    measured : mapping from str to float64 array, shape (K,), optional
        Other measurements.
    **state : float64 arrays, shaped as W and b
        Other arrays of the optimizer state: ``m_W`` and ``m_b`` for the slot ``m``.
    """

    def __init__(
        self,
        epoch: int,
        W: Float[Array, "K ..."],
        b: Float[Array, "K ..."],
        loss: Float[Array, " K"],
        V: Float[Array, "K ..."] | None = None,
        vb: Float[Array, "K ..."] | None = None,
        *,
        measured: Mapping[str, Float[Array, " K"]] | None = None,
        **state: Array,
    ) -> None:
        arrays = {"W": W, "b": b, "V": V, "vb": vb, **state}
        known = {name: array for name, array in arrays.items() if array is not None}
        super().__init__(epoch, known, {"loss": loss, **(measured or {})})

    @overload
    @classmethod
    def of(cls, states: LaneStates) -> EpochState: ...

    @overload
    @classmethod
    def of(cls, states: None) -> None: ...

    @classmethod
    def of(cls, states: LaneStates | None) -> EpochState | None:
        """Convert states of a linear problem to this class."""
        if states is None or isinstance(states, cls):
            return states
        measured = dict(states.measured)
        loss = measured.pop("loss")
        return cls(states.epoch, loss=loss, measured=measured, **states.arrays)

    @property
    def W(self) -> Float[Array, "K ..."]:
        """Weights of every lane."""
        return self.arrays["W"]

    @property
    def b(self) -> Float[Array, "K ..."]:
        """Bias of every lane."""
        return self.arrays["b"]

    @property
    def loss(self) -> Float[Array, " K"]:
        """Loss of every lane."""
        return self.measured["loss"]

    @property
    def V(self) -> Float[Array, "K ..."] | None:
        """Velocities of the weights; None without momentum."""
        return self.arrays.get("V")

    @property
    def vb(self) -> Float[Array, "K ..."] | None:
        """Velocities of the biases; None without momentum."""
        return self.arrays.get("vb")
