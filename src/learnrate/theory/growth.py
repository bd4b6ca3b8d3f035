"""How fast one run grows or shrinks: the top Lyapunov exponent of SGD, for many rates at once.

With all labels zero a step multiplies the error by a random matrix, ``δ_{t+1} = (I − ηH_t) δ_t`` with
``H_t = (1/|B|) Σ_{i∈J_t} z_i z_iᵀ + αQᵀPQ``. The top Lyapunov exponent is the mean log growth per step::

    Λ(η) = lim (1/T) log ‖δ_T‖ / ‖δ_0‖

It is the same for almost every run. It has no closed form; here it is measured on random minibatches that
all rates share (common random numbers), so that Λ is smooth in η. With heavy-ball momentum the error has
the company of its velocity: ``v ← μv + H_t δ``, ``δ ← δ − ηv``.

Source: Furstenberg and Kesten, *Products of random matrices* (1960); Benettin et al. (1980) for the
renormalisation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.theory.examples import Examples
from learnrate.theory.modes import Modes

__all__ = [
    "Growth",
    "independent_orders",
    "measure_growth",
    "run_length",
    "shuffled_orders",
    "step_cost",
]

_SHORT = 32  # steps: long enough for directions to mix
_FEWEST_STEPS = 256
_WORN = 4  # epochs until a run has forgotten its start, if that is no more than half of its length
_VISITS = 8  # of every example in one run, so that rare ones are met, …
_WORK = 4e7  # … where that takes no more than about so many nanoseconds, …
_STEP, _ENTRY = 2.5e4, 0.7  # … of which a step takes so many, and each multiplication
_STRETCHED = 5e8  # rows · r² up to which the loss is taken for length
# Below this growth between renormalisations nothing can overflow.
_SAFE_GROWTH = 1e100
# Minibatches are drawn again for a twin where at most one in twice this number has any …
_RARE = 25
# … and for so many steps at once.
_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class Growth:
    """Log growth per step of the noise-free recursion, for each rate.

    Attributes
    ----------
    lrs : array, shape (K,)
        Learning rates.
    mean : array, shape (K,)
        ``Λ(η)``, per step.
    standard_error : array, shape (K,)
        Of the mean.
    variance : array, shape (K,)
        ``σ²``: the variance of the log growth over T steps, many of them, is about ``σ²T``.
    runs : array, shape (runs, K)
        The mean of each simulated run.
    late : array, shape (K,)
        The mean over the later half of all runs: what they still remember of their start has come before.
    """

    lrs: Float[Array, " K"]
    mean: Float[Array, " K"]
    standard_error: Float[Array, " K"]
    variance: Float[Array, " K"]
    runs: Float[Array, "runs K"]
    late: Float[Array, " K"]


def measure_growth(
    modes: Modes,
    batch_size: int,
    lrs: Float[Array, " K"],
    *,
    shuffle: bool = False,
    momentum: float = 0.0,
    steps: int | None = None,
    runs: int | None = None,
    seed: int = 0,
) -> Growth:
    """Measure ``Λ(η)`` for all rates in one pass.

    Parameters
    ----------
    modes : Modes
        The examples, with weight decay if there is any.
    batch_size : int
        Nominal B: a short last minibatch is divided by it as well.
    lrs : array, shape (K,)
        Learning rates, positive.
    shuffle : bool
        Cut permutations into minibatches, rather than draw each afresh (both without replacement inside
        the batch). Permutations need whole epochs; where one has more than ``steps`` minibatches they are
        drawn afresh after all, which then makes no difference that could be seen: what is left out of
        one minibatch is spread over all the others.
    momentum : float
        μ.
    steps, runs : int
        Length and number of the simulated runs (whole epochs with ``shuffle``). The standard error
        falls as ``1/√(steps · runs)``. By default a run is long enough to visit every example eight times, where
        that takes no more than some hundredths of a second, and there are 8 to 32 of them.
    seed : int
        Of the minibatches.
    """
    examples, decay, pull, turned = _stretched(modes)
    n, r = examples.shape
    if runs is None:
        runs = max(8, min(32, 320 // batch_size, 4000 // (batch_size * r)))
    per_epoch = -(-n // batch_size)
    if steps is None:
        steps = run_length(modes, batch_size, lrs.size, runs)
    shuffle = shuffle and per_epoch <= steps
    if shuffle:
        block = per_epoch
        burn_in, blocks = 2 * per_epoch, max(1, round(steps / per_epoch))
        orders = shuffled_orders(n, batch_size, runs, seed)
    else:
        block = min(_SHORT, steps)
        blocks = max(1, steps // block)
        burn_in = block * max(1, min(round(_WORN * per_epoch / block), blocks // 2))
        orders = independent_orders(n, batch_size, runs, seed)
    # Along the parameters, then turned: an eigenvector may as well have the other sign.
    start = np.random.default_rng((seed, 1)).standard_normal((runs, modes.examples.shape[1]))
    if turned is not None:
        start = start @ turned
    every = _renormalise_every(examples, decay, lrs * pull.max())
    products = _Products(lrs[:, None] * pull, momentum, start, every)
    growth = np.zeros((blocks, runs, lrs.size))
    minibatches = examples.minibatches(orders)
    with np.errstate(all="ignore"):
        for t in range(burn_in + blocks * block):
            if t == burn_in:
                products.take_log_growth()
            products.step(next(minibatches), decay)
            if t < burn_in:
                continue
            at, within = divmod(t - burn_in, block)
            if within == block - 1:
                growth[at] = products.take_log_growth()
    of_runs = growth.mean(axis=0) / block
    variance = growth.var(axis=(0, 1)) / block
    error = np.sqrt(variance / (blocks * block * runs))
    if runs > 1:  # what is correlated along a run shows between runs
        error = np.maximum(error, of_runs.std(axis=0, ddof=1) / np.sqrt(runs))
    late = growth[blocks // 2 :].mean(axis=(0, 1)) / block
    return Growth(lrs, of_runs.mean(axis=0), error, variance, of_runs, late)


class _Products:
    """Vectors under products of random matrices, one per run and rate, kept at length about 1."""

    def __init__(
        self,
        lrs: Float[Array, "K r"],
        momentum: float,
        start: Float[Array, "runs r"],
        every: int,
    ) -> None:
        self._lrs, self._momentum, self._every = lrs, momentum, every
        self._delta = np.repeat(start[:, None], len(lrs), axis=1)
        self._move = np.zeros_like(self._delta)  # η v
        self._log = np.zeros((len(start), len(lrs)))
        self._steps = 0

    def step(self, rows: Float[Array, "runs B r"], decay: Float[Array, "r r"] | None) -> None:
        """``δ ← (I − ηH) δ`` with ``H = rowsᵀ rows + decay``, or its form with momentum."""
        delta = self._delta
        B, r = rows.shape[1:]
        across = rows.swapaxes(1, 2)
        if r * (B + delta.shape[1]) < 2 * B * delta.shape[1]:  # the cheaper order of multiplication
            slope = delta @ (across @ rows)
        else:
            slope = (delta @ across) @ rows
        if decay is not None:
            slope += delta @ decay
        slope *= self._lrs
        if self._momentum:
            self._move *= self._momentum
            slope += self._move
            self._move = slope
        delta -= slope
        self._steps += 1
        if self._steps % self._every == 0:
            self._renormalise()

    def take_log_growth(self) -> Float[Array, "runs K"]:
        """Log growth since the last call."""
        self._renormalise()
        taken = self._log
        self._log = np.zeros_like(taken)
        return taken

    def _renormalise(self) -> None:
        square = np.einsum("ijk,ijk->ij", self._delta, self._delta)
        if self._momentum:
            square += np.einsum("ijk,ijk->ij", self._move, self._move)
        length = np.sqrt(np.maximum(square, np.finfo(np.float64).tiny))
        self._delta /= length[:, :, None]
        if self._momentum:
            self._move /= length[:, :, None]
        self._log += np.log(length)


def run_length(modes: Modes, batch_size: int, rates: int, runs: int) -> int:
    """Steps of a run that visits every example several times, or that some time allows."""
    wanted = _VISITS * -(-modes.n // batch_size)
    return int(max(_FEWEST_STEPS, min(wanted, _WORK / step_cost(modes, batch_size, rates, runs))))


def step_cost(modes: Modes, batch_size: int, rates: int, runs: int) -> float:
    """About how many nanoseconds a step of all runs and rates takes."""
    return _STEP + _ENTRY * runs * modes.rank * (2 * batch_size * rates + rates + batch_size)


def _stretched(
    modes: Modes,
) -> tuple[Examples, Float[Array, "r r"] | None, Float[Array, " r"], Float[Array, "D r"] | None]:
    """Examples, decay and the factors of a step, in coordinates in which length is the square root of the loss.

    And the eigenvectors that they go along; None where they are those of the parameters.

    An exponent does not depend on the coordinates, but how soon it shows does: along slow directions an error
    hardly shrinks, and as long as its length outweighs the rest it hides what grows elsewhere. In the loss it
    counts for little. With ``δ = Λ^{−½}δ'`` and ``z = Λ^{½}z'`` a step is ``δ' ← δ' − ηΛ mean z' z'ᵀδ'``.

    Where that would take too long the examples serve as they are.
    """
    Q, lam, alpha = modes.spectrum.vectors, modes.eigenvalues, modes.weight_decay
    if modes.n * modes.rank**2 > _STRETCHED and modes.rank == len(Q):
        decay = np.diag([alpha] * (len(Q) - 1) + [0.0]) if alpha else None
        return modes.examples, decay, np.ones(len(Q)), None
    root = np.sqrt(lam)
    decay = (
        modes.decay / np.outer(root, root) if alpha else None
    )  # δ' ← δ' − ηΛ(…), acting from the right
    return Examples(modes.examples @ (Q / root), one=None), decay, lam, Q


def _renormalise_every(
    examples: Examples, decay: Float[Array, "r r"] | None, lrs: Float[Array, " K"]
) -> int:
    """Steps that cannot grow a vector by more than `_SAFE_GROWTH`: a step at most by 1 + η max‖z‖² + ηα."""
    most = examples.shape[1] * examples.largest**2 + (0.0 if decay is None else np.trace(decay))
    return max(1, min(8, int(np.log(_SAFE_GROWTH) / np.log(2 + lrs.max() * most))))


def independent_orders(n: int, B: int, runs: int, seed: int) -> Iterator[Int[Array, "runs B"]]:
    """One minibatch per run and step, each without replacement.

    Where an example is rarely drawn twice, minibatches in which one was are drawn again, many steps at once.
    Otherwise permutations are cut, which the runs of one step share.
    """
    rng = np.random.default_rng(seed)
    while n >= _RARE * B**2:
        drawn = rng.integers(n, size=(_AT_ONCE * runs, B))
        again = _with_twins(drawn)
        while again.size:
            drawn[again] = rng.integers(n, size=(again.size, B))
            again = again[_with_twins(drawn[again])]
        yield from drawn.reshape(_AT_ONCE, runs, B)
    together = n // B  # as many as one permutation holds
    if runs <= together:
        while True:
            yield rng.choice(n, runs * B, replace=False).reshape(runs, B)
    rows = np.tile(np.arange(n), (-(-runs // together), 1))
    while True:
        drawn = rng.permuted(rows, axis=1)[:, : together * B].reshape(-1, B)
        yield drawn[:runs]


def _with_twins(drawn: Int[Array, "many B"]) -> Int[Array, " some"]:
    """Which rows hold a number twice."""
    in_order = np.sort(drawn, axis=1)
    return np.flatnonzero((in_order[:, 1:] == in_order[:, :-1]).any(axis=1))


def shuffled_orders(n: int, B: int, runs: int, seed: int) -> Iterator[Int[Array, "runs B"]]:
    """Every run walks through permutations of its own; index n fills up a short last minibatch."""
    rng = np.random.default_rng(seed)
    steps = -(-n // B)
    order = np.full((runs, steps * B), n)
    while True:
        order[:, :n] = rng.permuted(np.broadcast_to(np.arange(n), (runs, n)), axis=1)
        for t in range(steps):
            yield order[:, t * B : (t + 1) * B]
