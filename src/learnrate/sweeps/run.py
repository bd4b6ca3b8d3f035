"""``learnrate.sweep``: the sweep of a linear model."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from learnrate.data.options import Table
from learnrate.data.prepared import Prepared
from learnrate.data.streaming.budget import block_rows, bytes_of
from learnrate.errors import OptionError, option
from learnrate.sweeps.config import SweepConfig
from learnrate.sweeps.examples import examples
from learnrate.sweeps.front import Cluster, as_cluster, run_sweep
from learnrate.sweeps.grid import auto_grid
from learnrate.sweeps.linear import LinearSweepResult
from learnrate.sweeps.linear_task import LinearTask
from learnrate.sweeps.losses import chosen_loss, target_kind
from learnrate.sweeps.options import Optimizer, OutOfCore, as_optimizer, as_out_of_core
from learnrate.sweeps.rates import check_rates, parse_rates
from learnrate.training.checkpoint import Checkpoint, as_checkpoints
from learnrate.training.monitor import Monitor
from learnrate.training.schedules import ScheduleLike

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
    loss: str | None = None,
    optimizer: str | Optimizer = "sgd",
    schedule: ScheduleLike = "constant",
    missing: str = "error",
    table: Table | None = None,
    standardize: bool | None = None,
    dtype: str = "float64",
    engine: str = "auto",
    threads: int = 1,
    prune: bool = False,
    cluster: str | Cluster | None = None,
    memory: str | float | OutOfCore | None = None,
    checkpoint: str | Path | Checkpoint | None = None,
    monitor: Monitor | None = None,
) -> LinearSweepResult:
    """Train a linear model by minibatch SGD under many learning rates side by side.

    With squared loss the model is ``ŷ = X·w + b``. A step of a lane with rate η on minibatch J is
    ``w ← w − η/|B| · Σ_{i∈J} x_i (x_i·w + b − y_i)``, and likewise for b; ``|B|`` is the nominal batch size, so a short
    last minibatch has less weight. A target with two classes is learned by logistic regression, one with more classes by
    softmax regression: then ``x_i·w + b − y_i`` is replaced by the derivative of the log loss at ``z = x_i·W + b``. All
    rates start from the same ``w ~ N(0, 0.01²)``, ``b = 0`` and visit the examples in the same order, so
    their curves differ only by the rate. A rate that diverges is a result, not an error.

    Parameters
    ----------
    data : array of shape (n, d), Polars or pandas frame, or str
        Features; or a table that holds the target too; or a table's file name, ``"diabetes"``, ``"houses"`` or
        ``"note"`` (the note's 1,000 examples).
    y : array of shape (n,), optional
        Labels, with an array of features: numbers, or strings or bools, which are classes.
    target, features : str and list of str, optional
        Columns of a table to predict, and to predict from.
    lrs : numbers or str
        Learning rates; ``"auto"``; or a string as for ``--lrs``, such as ``"log:1e-4:1:25"``.
    batch_size : int, optional
        Nominal ``|B|``; by default 10, or n if there are fewer examples.
    epochs : int
        Number of passes over the examples.
    seed, seeds : int
        Every rate is trained with the seeds ``seed, …, seed + seeds − 1``.
    val : float
        Fraction of the examples, for classes of each class, that is held out for ``val_loss`` and R² or accuracy.
    sampling : {"shuffle", "independent"}
        A new permutation in every epoch, or independently drawn minibatches.
    loss : str, optional
        ``"squared"``, ``"huber"`` (δ is 1.345 times the labels' spread), ``"logistic"`` (two classes), ``"softmax"`` (two or
        more), ``"poisson"`` (counts; ``e^z`` is their mean). By default ``"squared"`` for numbers, and ``"logistic"`` or
        ``"softmax"`` for a target of strings or bools, which are classes.
    optimizer : str, Optimizer or SGD
        ``"sgd"``, ``"momentum"``, ``"nesterov"``, ``"adam"``, ``"adamw"``, ``"nadam"``, ``"radam"``, ``"adamax"``,
        ``"rmsprop"``, ``"adagrad"`` or ``"lion"``. With options of its own: ``learnrate.SGD(momentum=0.9)`` or
        ``learnrate.Optimizer("adam", {"betas": (0.9, 0.99)})``.
    schedule : str, Schedule or callable
        ``s_t``, the multiplier of every rate at step t: ``"constant"``, ``"step"`` (a tenth after each third of the
        run), ``"cosine"``, ``"inverse-time"`` (ending at a tenth), ``"linear"``, ``"wsd"``, ``"1-sqrt"``, ``"one-cycle"``; one of
        these with a warm-up, such as ``learnrate.Schedule("cosine", warmup=0.05)``; or a function of the step.
    missing : {"error", "drop", "mean"}
        How missing values in a table are treated.
    table : Table, optional
        How a table is read and which columns are used, where learnrate should not detect it: decimal mark, header,
        encoding, dates, columns to drop, ….
    standardize : bool, optional
        Whether to scale features to mean 0 and standard deviation 1 for training. By default tables are scaled and
        arrays are not; learned weights are always in the user's units.
    dtype : {"float64", "float32"}
        Type of the numbers in training.
    engine : str
        ``"auto"``, ``"gram"``, ``"fused"``, ``"rows"``, ``"torch"`` or ``"reference"``; all give the same curves. ``gram``
        and ``fused`` know squared loss by SGD, with or without momentum.
    threads : int
        Number of threads. They train several seeds at a time; if there are more, each engine uses several.
    prune : bool
        Whether to end rates early that can no longer be the best; see `learnrate.training.pruning.Halving`.
    cluster : str or Cluster, optional
        Train on a Ray cluster, with the same numbers: ``"local"`` (workers on this machine's CPUs), ``"auto"``
        (the cluster that runs here), its head's ``"host:port"``, or a `learnrate.cluster.ray.RayCluster`.
    memory : str, number or OutOfCore, optional
        A budget such as ``"2GB"``, for a table in files that is larger than memory: it is prepared once, stored in a
        cache on disk, and trained on in blocks; see docs/scale.md. `learnrate.OutOfCore` also sets the size of blocks
        and the folder for caches.
    checkpoint : str, Path or Checkpoint, optional
        A folder. The sweep is saved there after an epoch, at most every 30 seconds. Called again, the same sweep
        continues from there and gives the same bits. `learnrate.Checkpoint` sets another interval.
    monitor : Monitor, optional
        Callbacks for progress and messages: `learnrate.Monitor`.

    Returns
    -------
    LinearSweepResult
        A `SweepResult` with ``plot()``, ``suggestion()``, ``to_frame()``, ``save()`` and all numbers.

    Raises
    ------
    DataError, OptionError, OutputError
        If the examples or an option are not valid, or a checkpoint cannot be written; the message says what to do.
    ClusterError, MissingExtraError
        If a cluster cannot be reached or is lost, or if Ray is not installed.

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
    # Options are checked before any data is read.
    rates = parse_rates(lrs) if isinstance(lrs, str) else check_rates(lrs)
    blocks, monitor = as_out_of_core(memory), monitor or Monitor()
    rule = as_optimizer(optimizer)
    config = SweepConfig(
        batch_size=_DEFAULT_BATCH_SIZE if batch_size is None else batch_size,
        epochs=epochs,
        seed=seed,
        seeds=seeds,
        loss="squared" if loss is None else loss,
        optimizer=rule.name,
        optimizer_options=rule.options,
        sampling=sampling,  # type: ignore[arg-type]  # checked and converted there
        dtype=dtype,
        engine=engine,
        momentum=rule.momentum,
        weight_decay=rule.weight_decay,
        schedule=schedule,
        threads=threads,
        block_size=blocks.block_size,
        target=target,
        features=tuple(features) if isinstance(features, list | tuple) else features,  # type: ignore[arg-type]  # checked with the table
        val=val,
        missing=missing,
        standardize=standardize,
        table=table,
        prune=prune,
    )
    machines = as_cluster(cluster)
    if machines is not None:
        machines.engine(config.engine)
    checkpoints = as_checkpoints(checkpoint)
    prepared = examples(
        data,
        y,
        target=target,
        features=features,
        missing=missing,
        table=table,
        target_kind=target_kind(loss),
        standardize=standardize,
        val=val,
        seed=config.seed,
        dtype=config.dtype,
        memory=blocks.bytes,
        cache=blocks.cache,
        on_message=monitor.on_message,
    )
    n = prepared.n
    if batch_size is None and n < config.batch_size:
        config = replace(config, batch_size=n)
    config.check_against(n)
    if blocks.bytes is not None:
        config = replace(config, block_size=_rows_in(blocks.bytes, prepared, config))
    phi = chosen_loss(loss, prepared)
    if phi.name != config.loss:
        config = replace(config, loss=phi.name)
    analysed = None
    if rates is None:
        rates, analysed = auto_grid(prepared, config, phi)
    task = LinearTask(config, rates, prepared, phi, _in_code(data, y), analysed)
    return run_sweep(task, machines, checkpoints, monitor)


def _in_code(data: Any, y: Any) -> str:
    """The examples as they are written in a Python call."""
    if isinstance(data, str | os.PathLike):
        return repr(os.fspath(data))
    if isinstance(data, list | tuple) and all(isinstance(d, str | os.PathLike) for d in data):
        return repr([os.fspath(part) for part in data])
    return "frame" if y is None else "X, y"


def _rows_in(budget: int, prepared: Prepared, config: SweepConfig) -> int:
    """Rows per block: the requested block size, or as many as fit; two blocks must fit the budget."""
    d, itemsize = prepared.X_train.shape[1], prepared.X_train.dtype.itemsize
    fits = block_rows(budget, d, itemsize)
    rows = min(prepared.n, max(config.block_size or fits, config.batch_size))
    if bytes_of(rows, d, itemsize) > budget:
        raise OptionError(
            f"{option('memory')} must hold two blocks of {rows:,} rows, the larger of block_size and batch_size. "
            f"Got {budget:,} bytes, for {bytes_of(rows, d, itemsize):,}; take fewer rows, or more memory."
        )
    return rows
