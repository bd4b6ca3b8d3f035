"""The growth per step of a single run: the top Lyapunov exponent of SGD, for many rates at once.

With all labels zero a step multiplies the error by a random matrix, ``δ_{t+1} = (I − ηH_t) δ_t`` with
``H_t = (1/|B|) Σ_{i∈J_t} z_i z_iᵀ + αQᵀPQ``. The top Lyapunov exponent is the mean log growth per step::

    Λ(η) = lim (1/T) log ‖δ_T‖ / ‖δ_0‖

It is the same for almost every run. It has no closed form; here it is measured on random minibatches that
all rates share (common random numbers), so that Λ is smooth in η. With heavy-ball momentum the state also
contains the velocity: ``v ← μv + H_t δ``, ``δ ← δ − ηv``.

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

_BLOCK_STEPS = 32  # steps whose growth is averaged: long enough for directions to mix
_MIN_STEPS = 256
_BURN_IN_EPOCHS = 4  # until a run no longer depends on its start, at most half of its length
_VISITS = 8  # of each example in one run, so that rare ones are seen, unless the simulation …
_WORK = 4e7  # … would take longer than about this many nanoseconds, with …
_STEP, _ENTRY = 2.5e4, 0.7  # … so many for each step, and for each multiplication
_RESCALED = 5e8  # n · r² up to which the examples are transformed; see _rescaled
_SAFE_GROWTH = 1e100  # between renormalisations, so that nothing overflows
_RARE = 25  # with n at least this many times B², at most one minibatch in 50 holds an example twice
_AT_ONCE = 32  # steps for which minibatches are drawn together


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
        The standard error of the mean.
    variance : array, shape (K,)
        ``σ²``: for large T the variance of the log growth over T steps is about ``σ²T``.
    runs : array, shape (runs, K)
        The mean of each simulated run.
    late : array, shape (K,)
        The mean over the second half of all runs, which depends less on their start.
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
        the batch). A permutation needs a whole epoch; if an epoch has more than ``steps`` minibatches they are
        drawn independently, which then makes no visible difference.
    momentum : float
        μ.
    steps, runs : int
        Length and number of the simulated runs (whole epochs with ``shuffle``). The standard error
        falls as ``1/√(steps · runs)``. By default a run visits every example eight times, unless that takes
        more than some hundredths of a second, and there are 8 to 32 runs.
    seed : int
        The seed of the minibatches.
    """
    examples, decay, scale, vectors = _rescaled(modes)
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
        block = min(_BLOCK_STEPS, steps)
        blocks = max(1, steps // block)
        burn_in = block * max(1, min(round(_BURN_IN_EPOCHS * per_epoch / block), blocks // 2))
        orders = independent_orders(n, batch_size, runs, seed)
    # Drawn in the coordinates of the parameters: the signs of eigenvectors are arbitrary.
    start = np.random.default_rng((seed, 1)).standard_normal((runs, modes.examples.shape[1]))
    if vectors is not None:
        start = start @ vectors
    every = _renormalise_every(examples, decay, lrs * scale.max())
    products = _Products(lrs[:, None] * scale, momentum, start, every)
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
    if runs > 1:  # steps of one run are correlated, runs are not
        error = np.maximum(error, of_runs.std(axis=0, ddof=1) / np.sqrt(runs))
    late = growth[blocks // 2 :].mean(axis=(0, 1)) / block
    return Growth(lrs, of_runs.mean(axis=0), error, variance, of_runs, late)


class _Products:
    """Vectors multiplied by random matrices, one vector per run and rate, renormalised to length 1."""

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
            gradient = delta @ (across @ rows)
        else:
            gradient = (delta @ across) @ rows
        if decay is not None:
            gradient += delta @ decay
        gradient *= self._lrs
        if self._momentum:
            self._move *= self._momentum
            gradient += self._move
            self._move = gradient
        delta -= gradient
        self._steps += 1
        if self._steps % self._every == 0:
            self._renormalise()

    def take_log_growth(self) -> Float[Array, "runs K"]:
        """Log growth since the last call, shape (runs, K)."""
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
    """Number of steps of a simulated run: enough to visit every example eight times, or fewer to limit the time."""
    wanted = _VISITS * -(-modes.n // batch_size)
    return int(max(_MIN_STEPS, min(wanted, _WORK / step_cost(modes, batch_size, rates, runs))))


def step_cost(modes: Modes, batch_size: int, rates: int, runs: int) -> float:
    """Nanoseconds that a step of all runs and rates takes, estimated."""
    return _STEP + _ENTRY * runs * modes.rank * (2 * batch_size * rates + rates + batch_size)


def _rescaled(
    modes: Modes,
) -> tuple[Examples, Float[Array, "r r"] | None, Float[Array, " r"], Float[Array, "D r"] | None]:
    """Examples, weight decay and factors of the rate in coordinates in which length is the square root of the loss.

    The last result is the matrix of eigenvectors, or None where the coordinates are those of the parameters, which
    is so where the transformation would take too long.

    A Lyapunov exponent does not depend on the coordinates, but the number of steps after which it is visible does.
    Along directions with a small eigenvalue an error hardly shrinks, and while it is most of the length, growth in
    other directions is hidden. In the loss such errors have little weight. With ``δ = Λ^{−½}δ'`` and ``z = Λ^{½}z'`` a
    step is ``δ' ← δ' − ηΛ mean z' z'ᵀδ'``.
    """
    Q, lam, alpha = modes.spectrum.vectors, modes.eigenvalues, modes.weight_decay
    if modes.n * modes.rank**2 > _RESCALED and modes.rank == len(Q):
        decay = np.diag([alpha] * (len(Q) - 1) + [0.0]) if alpha else None
        return modes.examples, decay, np.ones(len(Q)), None
    root = np.sqrt(lam)
    # _Products.step multiplies from the right: δ' ← δ' − ηΛ(…).
    decay = modes.decay / np.outer(root, root) if alpha else None
    return Examples(modes.examples @ (Q / root), one=None), decay, lam, Q


def _renormalise_every(
    examples: Examples, decay: Float[Array, "r r"] | None, lrs: Float[Array, " K"]
) -> int:
    """Steps in which no vector grows by more than `_SAFE_GROWTH`; one step multiplies by at most 1 + η max‖z‖² + ηα."""
    most = examples.shape[1] * examples.largest**2 + (0.0 if decay is None else np.trace(decay))
    return max(1, min(8, int(np.log(_SAFE_GROWTH) / np.log(2 + lrs.max() * most))))


def independent_orders(n: int, B: int, runs: int, seed: int) -> Iterator[Int[Array, "runs B"]]:
    """Yield one minibatch per run, step after step, each without replacement.

    For large n minibatches are drawn with replacement, many at once, and those that hold an example twice are drawn
    again. Otherwise permutations are cut into minibatches for several runs of the same step.
    """
    rng = np.random.default_rng(seed)
    while n >= _RARE * B**2:
        drawn = rng.integers(n, size=(_AT_ONCE * runs, B))
        again = _with_repeats(drawn)
        while again.size:
            drawn[again] = rng.integers(n, size=(again.size, B))
            again = again[_with_repeats(drawn[again])]
        yield from drawn.reshape(_AT_ONCE, runs, B)
    together = n // B  # minibatches in one permutation
    if runs <= together:
        while True:
            yield rng.choice(n, runs * B, replace=False).reshape(runs, B)
    rows = np.tile(np.arange(n), (-(-runs // together), 1))
    while True:
        drawn = rng.permuted(rows, axis=1)[:, : together * B].reshape(-1, B)
        yield drawn[:runs]


def _with_repeats(drawn: Int[Array, "many B"]) -> Int[Array, " some"]:
    """The rows that hold a number more than once."""
    in_order = np.sort(drawn, axis=1)
    return np.flatnonzero((in_order[:, 1:] == in_order[:, :-1]).any(axis=1))


def shuffled_orders(n: int, B: int, runs: int, seed: int) -> Iterator[Int[Array, "runs B"]]:
    """Yield the minibatches of each run's own permutations; a short last one is filled up with the index n."""
    rng = np.random.default_rng(seed)
    steps = -(-n // B)
    order = np.full((runs, steps * B), n)
    while True:
        order[:, :n] = rng.permuted(np.broadcast_to(np.arange(n), (runs, n)), axis=1)
        for t in range(steps):
            yield order[:, t * B : (t + 1) * B]
