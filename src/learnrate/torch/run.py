"""``learnrate.torch.sweep()``: a PyTorch model and examples in, trained lanes out."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from learnrate.errors import LearnrateError, LearnrateWarning, OptionError, option
from learnrate.sweeps.front import Cluster, as_cluster, run_sweep
from learnrate.sweeps.options import Optimizer
from learnrate.sweeps.rates import check_rates, logspace, parse_rates
from learnrate.torch.choices import notes_on, recipe_of, step_options
from learnrate.torch.config import TorchConfig
from learnrate.torch.examples import Examples
from learnrate.torch.losses import LossFunction
from learnrate.torch.memory import is_out_of_memory
from learnrate.torch.orders import Order, SamplerOrder, order_of
from learnrate.torch.pacing import SchedulerFactory
from learnrate.torch.problem import Training
from learnrate.torch.randomness import forked_random_states, sweep_world
from learnrate.torch.result import TorchSweepResult
from learnrate.torch.rules import as_optimizer
from learnrate.torch.sources import as_examples, form_of, is_stream, workers_of
from learnrate.torch.start import Source, as_device, model_dtype, start_whole
from learnrate.torch.streams import StreamedExamples, StreamOrder, stream_of
from learnrate.torch.task import TorchTask
from learnrate.torch.whole import StepFunction
from learnrate.training.checkpoint import Checkpoint, as_checkpoints
from learnrate.training.monitor import Monitor, SoFar
from learnrate.training.schedules import ScheduleLike, schedule_multipliers

__all__ = ["OneAtATimeWarning", "sweep"]

DEFAULT_BATCH_SIZE = 32
_GRID = 13


def sweep(
    model: Source,
    data: Any,
    *,
    loss: str | LossFunction | None = None,
    step: StepFunction | None = None,
    lrs: str | float | Iterable[float] = "auto",
    optimizer: str
    | Optimizer
    | type[torch.optim.Optimizer]
    | Callable[..., torch.optim.Optimizer] = "sgd",
    optimizer_options: Mapping[str, Any] | None = None,
    batch_size: int | None = None,
    epochs: int | None = None,
    steps: int | None = None,
    eval_every: int | None = None,
    eval_train: bool | None = None,
    val_data: Any = None,
    metrics: str | Iterable[str] | Mapping[str, LossFunction] = (),
    seed: int = 0,
    seeds: int = 1,
    start: str = "given",
    sampling: str | None = None,
    schedule: ScheduleLike | SchedulerFactory = "constant",
    clip_grad_norm: float | None = None,
    clip_grad_value: float | None = None,
    accumulate: int = 1,
    ema: float | None = None,
    precision: str | None = None,
    device: str | torch.device | None = None,
    lanes_at_once: int | str = "auto",
    sharpness: bool = False,
    keep: str = "last",
    hold: bool | None = None,
    prune: bool = False,
    checkpoint: str | Path | Checkpoint | None = None,
    cluster: str | Cluster | None = None,
    on_epoch: Callable[[int, int], object] | None = None,
    on_eval: Callable[[TorchSweepResult], object] | None = None,
    on_progress: Callable[[SoFar], object] | None = None,
) -> TorchSweepResult:
    """Train a PyTorch model under many learning rates in one vectorised run.

    Each lane is what the plain loop gives: for every minibatch J, the gradient of ``loss(model(x_J), y_J)``, or of
    ``step(model, batch)``, and one step of the optimiser. All rates of a seed share start, minibatch order and random draws
    (dropout masks too), so their curves differ only by the rate. A rate that diverges is a result, not an
    error. As in PyTorch's own loops, and unlike `learnrate.sweep`, a short last minibatch is averaged over
    its own examples.

    The model, its mode, its parameters, and the random states of torch, NumPy and Python are afterwards as
    they were before.

    Parameters
    ----------
    model : nn.Module, or a callable that returns one
        What is trained, in training mode. A callable is called for every seed, so that each has a start of
        its own.
    data : pair of tensors or arrays, Dataset, or DataLoader
        Training examples. Items are ``(x, y)`` or ``(x1, x2, …, y)``. Of a DataLoader all is followed: Dataset,
        ``collate_fn``, batch size, ``shuffle``, ``drop_last``, workers, and a sampler that can be seeded. An IterableDataset
        is read once for all lanes that fit together, and needs ``steps``; it begins anew when it ends.
    loss : {"mse", "cross-entropy", "bce"} or callable
        Mean over a minibatch of what is minimised, given output and target. For ``cross-entropy`` and
        ``bce`` the output holds logits.
    step : callable, in place of ``loss``
        ``step(model, batch)`` returns the loss of a minibatch, or the loss and metrics by name. The model is the
        lane's own, and the batch is whatever the data collate to: a mapping, a nested tuple, a batch of graphs. A step
        ``(model, batch, state)`` is given a dict too, which is empty at the start and belongs to the lane.
    lrs : numbers or str
        Learning rates, or what ``--lrs`` takes, such as ``"log:1e-4:1:25"``; ``"auto"`` is a log grid of 13
        rates that is usual for the optimiser.
    optimizer : str, Optimizer, class or callable
        A name in `OPTIMIZERS`, such as ``adamw``; a `learnrate.Optimizer`, which is a name with options; a class of `torch.optim`, or like one; or a function
        ``(model, lr)`` that returns an optimizer, with groups of parameters that have rates and decay of their own.
    optimizer_options : mapping, optional
        Options of the class, such as ``{"weight_decay": 1e-2}``.
    batch_size : int, optional
        The DataLoader's, or 32, or n where there are fewer examples, unless given.
    epochs : int
        Passes over the examples: the horizon of the suggestion; 3 unless ``steps`` are given.
    steps : int, in place of ``epochs``
        Steps of the optimizer: the horizon of the suggestion. Lanes are measured after the steps 1, 2, 4, … (each about
        twice the one before, so that the last one is the end) unless ``eval_every`` is given.
    eval_every : int, optional
        Steps from one measurement to the next, in place of whole epochs.
    eval_train : bool, optional
        Whether the training loss is measured over all training examples, as it is unless given. With ``False`` it is
        the mean over the minibatches trained on since the last measurement (at the start, the loss of the first one).
    val_data : as data, optional
        Held-out examples; the suggestion then goes by their loss.
    metrics : names, or mapping from names to callables
        What else to measure after each epoch; ``"accuracy"``.
    seed, seeds : int
        Every rate is trained with the seeds ``seed, …, seed + seeds − 1``.
    start : {"given", "reset"}
        Where the seeds start from if ``model`` is a module: all from the parameters as they are, so that
        they differ by order and draws alone; or each from new ones, drawn by ``reset_parameters``.
    sampling : str, optional
        See `learnrate.sweep`; ``"shuffle"``, or a DataLoader's order, unless given.
    schedule : str, Schedule or callable
        See `learnrate.sweep`; or a function of the optimizer that returns a scheduler of `torch.optim.lr_scheduler`,
        which is stepped after every step of the optimizer.
    clip_grad_norm, clip_grad_value : float, optional
        Cut the norm of a lane's gradient, or each of its numbers, as `torch.nn.utils` does.
    accumulate : int
        Minibatches whose mean gradient makes one step.
    ema : float, optional
        Decay of an exponential moving average of the parameters, such as 0.999, as in ``torch.optim.swa_utils``: the
        average is what is measured, and what the result holds.
    precision : {"bf16", "fp16"}, optional
        Compute in it by autocast; with ``fp16`` losses are scaled.
    device : str or torch.device, optional
        Where to train; where the model is unless given. ``"auto"`` is a GPU if there is one.
    lanes_at_once : int or "auto"
        Lanes trained together; as many as fit into half of the free memory. It does not change the curves.
    sharpness : bool
        Measure the largest Hessian eigenvalue at start and end of each lane.
    keep : {"last", "best", "none"}
        Which parameters of every lane `TorchSweepResult.state_dict` gives: those after the last step; those of the
        measurement with its lowest held-out loss, by which the suggestion then goes; or none.
    hold : bool, optional
        Whether the items of a Dataset are read once and held; unless given, they are where they prove to be the same
        when read again, and fit into memory. ``False`` is for augmentation that has a state of its own.
    prune : bool
        End rates early that can no longer be the best, and train the winner to the end; see
        `learnrate.training.pruning.Halving`. Rates that go on come out as they would without it.
    checkpoint : str, Path or Checkpoint, optional
        A folder. Finished epochs are saved there, 30 seconds apart at least, and the same sweep called again
        continues from there, to the same bits. `learnrate.Checkpoint` sets another time.
    cluster : str or Cluster, optional
        Train on a Ray cluster: ``"local"`` (workers on this machine's CPUs), ``"auto"`` (the cluster that runs here),
        its head's ``"host:port"``, or a `learnrate.cluster.ray.RayCluster`. Rates and seeds are split over the workers;
        model, data and loss are sent to them.
    on_epoch : callable, optional
        Called with (epochs done, epochs in all); an epoch is done when all lanes of a seed have done it. With ``steps``
        or ``eval_every`` measurements are counted in place of epochs.
    on_eval : callable, optional
        Called with the result so far whenever all lanes of a seed have been measured; see `SweepResult.latest`.
    on_progress : callable, optional
        Called with a `learnrate.SoFar`, between measurements too: how far the sweep is, and its curves so far.

    Returns
    -------
    TorchSweepResult
        A `SweepResult` with ``plot()``, ``suggestion()``, ``to_frame()``, ``save()``, and with ``model()``
        and ``state_dict()`` of any lane.

    Raises
    ------
    DataError, OptionError
        If model, examples or an option cannot be used; the message says what to do.

    Examples
    --------
    >>> import torch, learnrate.torch
    >>> _ = torch.manual_seed(0)
    >>> X = torch.linspace(-1, 1, 64)[:, None]
    >>> model = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    >>> result = learnrate.torch.sweep(model, (X, X**2), loss="mse", lrs=[0.01, 0.1, 1e4], epochs=4)
    >>> result.outcomes[0][-1].name
    'DIVERGED'
    """
    # An option that no data could make right is refused before anything is read or built.
    chosen = as_optimizer(optimizer, optimizer_options)
    rates = parse_rates(lrs) if isinstance(lrs, str) else check_rates(lrs)
    if rates is None:
        rates = logspace(*chosen.grid, _GRID)
    chosen = replace(chosen, tried=(float(max(rates)) / 2, float(max(rates))))
    loss_name, recipe = recipe_of(loss, step, metrics, precision)
    options = step_options(clip_grad_norm, clip_grad_value, accumulate, schedule, precision, ema)
    where = as_device(device)
    monitor = Monitor(on_epoch=on_epoch, on_eval=on_eval, on_progress=on_progress)
    if epochs is not None and steps is not None:
        raise OptionError(
            f"{option('epochs')} must be left out where {option('steps')} are given. Got both."
        )
    if keep == "best" and val_data is None:
        raise OptionError(
            "val_data must be given with keep='best', which goes by their loss. Got none."
        )
    for name, choice in (("eval_train", eval_train), ("hold", hold)):
        if choice not in (None, True, False):
            raise OptionError(f"{name} must be True or False. Got {choice!r} instead.")
    streamed = is_stream(data)
    if metrics and val_data is None and (eval_train is False or streamed):
        raise OptionError(
            "metrics must be measured on val_data where eval_train is False, or data are an IterableDataset. Got no "
            "val_data; give some, or leave metrics out."
        )
    asked = [name for name, given in (("batch_size", batch_size), ("sampling", sampling)) if given]
    if batch_size is None and isinstance(data, DataLoader):
        batch_size = data.batch_size
    config = TorchConfig(
        batch_size=DEFAULT_BATCH_SIZE if batch_size is None else batch_size,
        epochs=3 if epochs is None else epochs,
        steps=steps,
        eval_every=eval_every,
        eval_train=eval_train is not False,
        seed=seed,
        seeds=seeds,
        sampling=sampling or "shuffle",  # type: ignore[arg-type]  # checked and converted there
        engine="torch",
        schedule=schedule,  # type: ignore[arg-type]  # or a function of the optimizer
        loss=loss_name,
        optimizer=chosen.name,
        optimizer_options=chosen.options,
        start=start,
        lanes_at_once=lanes_at_once,
        prune=prune,
        keep=keep,
    )
    with sweep_world(where or torch.device("cpu")):
        whole = start_whole(model, recipe, start, config.seed, where)
        dtype = model_dtype(whole)
        where = next(whole.parameters()).device
    if torch.is_autocast_enabled(where.type):
        raise OptionError(
            "A sweep must run outside of torch.autocast, whose copies of the weights do not follow the "
            "training. Got one inside instead; put autocast into the model's forward."
        )
    if precision is not None and dtype != torch.float32:
        raise OptionError(
            f"precision must be left out for a model in {str(dtype).removeprefix('torch.')}, which autocast does not "
            "change. Got both; convert the model with .float()."
        )
    kept: dict[str, Any] = {"device": where, "dtype": dtype, "pairs": step is None}
    with sweep_world(where):
        examples: Examples
        if streamed:
            given = {
                "batch_size": isinstance(data, DataLoader) and "batch_size" in asked,
                "eval_train": eval_train,
                "sampling": sampling,
                "hold": hold,
                "sharpness": sharpness,
            }
            again = {"seeds": seeds > 1, "cluster": cluster, "checkpoint": checkpoint}
            examples = _stream(data, config, accumulate, given, again, kept)
        else:
            examples = as_examples(data, name="data", hold=hold, **kept)
        held_out = None
        if val_data is not None:
            held_out = as_examples(val_data, name="val_data", hold=hold, **kept)
    changes: dict[str, Any] = {"dtype": str(dtype).removeprefix("torch."), "device": str(where)}
    order: Order
    if isinstance(examples, StreamedExamples):
        order = StreamOrder(examples.minibatches)
        config = config.with_(batch_size=examples.batch_size, eval_train=False, **changes)
    else:
        n = len(examples)
        if "batch_size" not in asked:
            changes["batch_size"] = min(config.batch_size, n)
        config = config.with_(**changes)
        config.check_against(n)
        order = order_of(data, n, config.batch_size, config.sampling, given=asked)
    if isinstance(order, SamplerOrder):
        largest = max(len(J) for J in order.epoch(config.seed, 0))
        config = config.with_(batch_size=largest)
    per_epoch = -(-order.steps // accumulate)
    if config.steps is not None:
        config = config.with_(epochs=-(-config.steps // per_epoch))
    horizon = config.horizon(per_epoch)
    total = int(horizon.positions[-1]) * (1 if horizon.unit == "step" else per_epoch)
    training = Training(
        config=config,
        model=model,
        examples=examples,
        held_out=held_out,
        order=order,
        starts={config.seed: whole},
        recipe=recipe,
        chosen=chosen,
        options=options,
        multipliers=None
        if options.scheduler is not None
        else schedule_multipliers(config.schedule, total),
        sharpness=sharpness,
        keep=keep != "none",
        horizon=horizon,
        eval_train=config.eval_train,
    )
    checkpoints, machines = as_checkpoints(checkpoint), as_cluster(cluster)
    every = None if checkpoints is None else checkpoints.every
    notes = tuple(notes_on(config, model, data, examples))
    task = TorchTask(training, rates, notes, _warn, every)
    try:
        with forked_random_states(where):  # also where a callback draws
            return run_sweep(task, machines, checkpoints, monitor)
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, LearnrateError) or not is_out_of_memory(error):
            raise
        raise OptionError(
            "One lane and one minibatch must fit into memory. Got "
            f"{str(error)[:200] or 'a MemoryError'} instead; use a smaller batch_size or model."
        ) from error


def _stream(
    data: Any,
    config: TorchConfig,
    accumulate: int,
    given: Mapping[str, Any],
    again: Mapping[str, Any],
    kept: dict[str, Any],
) -> StreamedExamples:
    """Examples that come one after another.

    Of the options ``given`` have no meaning for them, and ``again`` have them read again.
    """
    for name, value in given.items():
        if value:
            raise OptionError(
                f"{name} must be left out with an IterableDataset, which is read once and in its own order. Got both."
            )
    if config.steps is None:
        raise OptionError(
            "steps must be given with an IterableDataset, whose epochs have no known length. Got none; such as steps=1000."
        )
    form = form_of(**kept)
    examples = stream_of(
        data,
        form,
        workers_of(data),
        batch_size=config.batch_size,
        seed=config.seed,
        minibatches=config.steps * accumulate,
        head=3 * accumulate,
    )
    more = [name for name, asked in again.items() if asked]
    if more and not examples.repeats:
        raise OptionError(
            f"{more[0]} must be left out for a stream that gives other minibatches when it is read again from its seed. "
            "Got both; draw its random numbers from torch's, NumPy's or Python's global generator."
        )
    return examples


class OneAtATimeWarning(LearnrateWarning):
    """The lanes of a PyTorch model are trained one at a time; the message says why."""


def _warn(note: str) -> None:
    """Warn where `sweep` was called, however deep in learnrate it shows."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals["__name__"].startswith("learnrate."):
        level, frame = level + 1, frame.f_back
    warnings.warn(OneAtATimeWarning(note), stacklevel=level)
