"""``sweep()``, the front door: examples in, trained lanes out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from learnrate.data.prepared import Prepared
from learnrate.data.streaming.budget import block_rows, bytes_of, parse_memory
from learnrate.engines.schedules import Schedule
from learnrate.errors import OptionError
from learnrate.sweeps.checkpoint import Checkpoints
from learnrate.sweeps.config import SweepConfig
from learnrate.sweeps.examples import examples
from learnrate.sweeps.executors import Cluster, as_cluster
from learnrate.sweeps.linear import LinearSweepResult, theory_of
from learnrate.sweeps.rates import auto_rates, check_rates, parse_rates
from learnrate.sweeps.training import train

__all__ = ["sweep"]

_DEFAULT_BATCH_SIZE = 10


def sweep(
    data: Any,
    y: Any = None,
    *,
    target: str | None = None,
    features: Sequence[str] | None = None,
    lrs: str | float | Iterable[float] = "auto",
    batch_size: int | None = None,
    epochs: int = 3,
    seed: int = 0,
    seeds: int = 1,
    val: float = 0.0,
    sampling: str = "shuffle",
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    schedule: Schedule = "constant",
    missing: str = "error",
    standardize: bool | None = None,
    dtype: str = "float64",
    engine: str = "auto",
    threads: int = 1,
    cluster: str | Cluster | None = None,
    memory: str | float | int | None = None,
    block_size: int | None = None,
    cache: str | os.PathLike[str] | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: float = 30.0,
    on_epoch: Callable[[int, int], object] | None = None,
    on_message: Callable[[str], object] | None = None,
    on_progress: Callable[[int, int], object] | None = None,
) -> LinearSweepResult:
    """Train ``ŷ = X·w + b`` by minibatch SGD under many learning rates side by side.

    Every step of a lane with rate η on minibatch J is ``w ← w − η/|B| · Σ_{i∈J} x_i (x_i·w + b − y_i)``,
    and the same for b; ``|B|`` is the nominal batch size, so a short last minibatch weighs less. All
    rates start from the same ``w ~ N(0, 0.01²)``, ``b = 0`` and visit the examples in the same order, so
    their curves differ only by the rate. A rate that diverges is a result, not an error.

    Parameters
    ----------
    data : array of shape (n, d), Polars or pandas frame, or str
        Features; or a table that holds the target too; or a table's file name, ``"diabetes"`` or
        ``"note"`` (the note's 1,000 examples).
    y : array of shape (n,), optional
        Labels, with an array of features.
    target, features : str and list of str, optional
        Columns of a table to predict, and to predict from.
    lrs : numbers or str
        Learning rates; ``"auto"``; or what ``--lrs`` takes, such as ``"log:1e-4:1:25"``.
    batch_size : int, optional
        Nominal ``|B|``; 10 unless given, or n where there are fewer examples.
    epochs : int
        Passes over the examples.
    seed, seeds : int
        Every rate is trained with the seeds ``seed, …, seed + seeds − 1``.
    val : float
        Fraction of examples held out, for ``val_loss`` and R².
    sampling : {"shuffle", "independent"}
        A fresh permutation every epoch, or every minibatch drawn afresh.
    momentum, weight_decay : float
        μ and α in ``v ← μ v + g``, ``θ ← θ − η s_t v``, where ``g`` is the minibatch gradient plus ``α w``; the
        bias is not decayed.
    schedule : str or callable
        ``s_t``, the multiplier of every rate at step t: ``"constant"``, ``"step"`` (a tenth after each third of the
        run), ``"cosine"``, ``"inverse-time"`` (ending at a tenth), or a function of the step.
    missing : {"error", "drop", "mean"}
        What to do about missing values in a table.
    standardize : bool, optional
        Train on features with mean 0 and standard deviation 1. Tables are standardised unless told
        otherwise, arrays are taken as they are; learned weights are in the user's units either way.
    dtype : {"float64", "float32"}
        Type of the training arithmetic.
    engine : str
        ``"auto"``, ``"gram"``, ``"fused"``, ``"torch"`` or ``"reference"``; all give the same curves.
    threads : int
        Threads to use: for several seeds at a time, and what is left of them inside each.
    cluster : str or Cluster, optional
        Train on a Ray cluster, with the same numbers: ``"local"`` (workers on this machine's CPUs), ``"auto"``
        (the cluster that runs here), its head's ``"host:port"``, or a `learnrate.cluster.ray.RayCluster`.
    memory : str or number, optional
        A budget such as ``"2GB"``, for a table in files that is larger than memory: it is prepared once,
        into a cache on disk, and trained on in blocks; see docs/scale.md.
    block_size : int, optional
        Rows of a block: whole blocks are visited in a fresh order, and rows shuffled inside them
        (`learnrate.data.order`). With ``memory`` what fits it, unless given.
    cache : path, optional
        The folder for caches; with ``memory`` only. The user's own folder for caches unless given.
    checkpoint : str or Path, optional
        A folder. Finished epochs are saved there, ``checkpoint_every`` seconds apart at least, and the same
        sweep called again goes on from there, to the same bits. Another sweep is refused.
    on_epoch : callable, optional
        Called with (epochs done, epochs in all), over all seeds.
    on_message : callable, optional
        Called with a sentence when something takes its time, such as compiling kernels.
    on_progress : callable, optional
        Called with (examples visited, visits in all) over all seeds and epochs, after each block; on a
        thread of its own perhaps.

    Returns
    -------
    LinearSweepResult
        A `SweepResult` with ``plot()``, ``suggestion()``, ``to_frame()``, ``save()`` and the numbers themselves.

    Raises
    ------
    DataError, OptionError, OutputError
        If the examples or an option cannot be used, or the checkpoint not be written; the message says what to do.
    ClusterError, MissingExtraError
        If a cluster cannot be reached or is lost; if Ray is not installed.

    Source: *Dive into Deep Learning* (《动手学深度学习》), section 3.2.

    Examples
    --------
    >>> import learnrate
    >>> X, y = learnrate.note_data()
    >>> result = learnrate.sweep(X, y, lrs=[0.01, 0.02, 0.03, 0.04], batch_size=10, epochs=3)
    >>> result.losses.shape  # seeds, rates, epochs with the start
    (1, 4, 4)
    >>> bool(result.losses[0, 3, -1] < 6e-5)
    True
    """
    # An option that no data could make right is refused before any data is read.
    rates = parse_rates(lrs) if isinstance(lrs, str) else check_rates(lrs)
    config = SweepConfig(
        batch_size=_DEFAULT_BATCH_SIZE if batch_size is None else batch_size,
        epochs=epochs,
        seed=seed,
        seeds=seeds,
        sampling=sampling,  # type: ignore[arg-type]  # checked and converted there
        dtype=dtype,
        engine=engine,
        momentum=momentum,
        weight_decay=weight_decay,
        schedule=schedule,
        threads=threads,
        block_size=block_size,
    )
    machines = None if cluster is None else as_cluster(cluster)
    if machines is not None:
        machines.engine(config.engine)
    budget = None if memory is None else parse_memory(memory)
    checkpoints = None if checkpoint is None else Checkpoints(checkpoint, checkpoint_every)
    prepared = examples(
        data,
        y,
        target=target,
        features=features,
        missing=missing,
        standardize=standardize,
        val=val,
        seed=config.seed,
        dtype=config.dtype,
        memory=budget,
        cache=cache,
        on_message=on_message,
    )
    n = prepared.n
    if batch_size is None and n < config.batch_size:
        config = config.with_batch_size(n)
    config.check_against(n)
    if budget is not None:
        config = config.with_block_size(_rows_in(budget, prepared, config))
    if rates is None:
        # A schedule only ever lowers the rate, so the grid for a constant one serves it too.
        rates = auto_rates(theory_of(prepared, config), config.epochs)
    return train(
        prepared,
        rates,
        config,
        cluster=machines,
        checkpoints=checkpoints,
        on_epoch=on_epoch,
        on_message=on_message,
        on_progress=on_progress,
    )


def _rows_in(budget: int, prepared: Prepared, config: SweepConfig) -> int:
    """The block size that was asked for, if two blocks fit the budget, or what does."""
    d, itemsize = prepared.X_train.shape[1], prepared.X_train.dtype.itemsize
    fits = block_rows(budget, d, itemsize)
    rows = min(prepared.n, max(config.block_size or fits, config.batch_size))
    if bytes_of(rows, d, itemsize) > budget:
        raise OptionError(
            f"memory must hold two blocks of {rows:,} rows, the larger of block_size and batch_size. "
            f"Got {budget:,} bytes, for {bytes_of(rows, d, itemsize):,}; take fewer rows, or more memory."
        )
    return rows
