"""``learnrate.torch.sweep()``: a PyTorch model and examples in, trained lanes out."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from learnrate._shapes import Array, Float
from learnrate.engines.schedules import Schedule, schedule_multipliers
from learnrate.errors import LearnrateError, OptionError
from learnrate.sweeps.interruption import SweepInterrupted
from learnrate.sweeps.rates import check_rates, logspace, parse_rates
from learnrate.torch.config import TorchConfig
from learnrate.torch.examples import Examples, TensorExamples, as_examples
from learnrate.torch.failures import short
from learnrate.torch.losses import LossFunction, as_loss, as_metrics
from learnrate.torch.memory import is_out_of_memory
from learnrate.torch.optimizers import get_optimizer
from learnrate.torch.randomness import forked_random_states
from learnrate.torch.result import TorchSweepResult
from learnrate.torch.start import Source, as_device, model_dtype, start_module
from learnrate.torch.training import Run, empty_record

__all__ = ["sweep"]

_DEFAULT_BATCH_SIZE = 32
_GRID = 13
_FAR_FROM_1 = 100.0  # of a target's size


def sweep(
    model: Source,
    data: Any,
    *,
    loss: str | LossFunction,
    lrs: str | float | Iterable[float] = "auto",
    optimizer: str = "sgd",
    optimizer_options: Mapping[str, Any] | None = None,
    batch_size: int | None = None,
    epochs: int = 3,
    val_data: Any = None,
    metrics: str | Iterable[str] | Mapping[str, LossFunction] = (),
    seed: int = 0,
    seeds: int = 1,
    start: str = "given",
    sampling: str = "shuffle",
    schedule: Schedule = "constant",
    device: str | torch.device | None = None,
    lanes_at_once: int | str = "auto",
    sharpness: bool = False,
    keep_parameters: bool = True,
    on_epoch: Callable[[int, int], object] | None = None,
) -> TorchSweepResult:
    """Train a PyTorch model under many learning rates in one vectorised run.

    Each lane is what the plain loop gives: for every minibatch J, the gradient of ``loss(model(x_J), y_J)``
    and one step of the optimiser. All rates of a seed share start, minibatch order and random draws
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
    data : pair of tensors or arrays, map-style Dataset, or DataLoader
        Training examples. Items are ``(x, y)`` or ``(x1, x2, …, y)``. Of a DataLoader the Dataset,
        ``collate_fn`` and batch size are taken; a sampler that leaves out or weighs examples is refused.
    loss : {"mse", "cross-entropy", "bce"} or callable
        Mean over a minibatch of what is minimised, given output and target. For ``cross-entropy`` and
        ``bce`` the output holds logits.
    lrs : numbers or str
        Learning rates, or what ``--lrs`` takes, such as ``"log:1e-4:1:25"``; ``"auto"`` is a log grid of 13
        rates that is usual for the optimiser.
    optimizer : str
        ``sgd``, ``momentum``, ``nesterov``, ``adam``, ``adamw``, ``rmsprop`` or ``adagrad``.
    optimizer_options : mapping, optional
        Options by the names of the `torch.optim` class, such as ``{"weight_decay": 1e-2}``.
    batch_size : int, optional
        The DataLoader's, or 32, or n where there are fewer examples, unless given.
    epochs : int
        Passes over the examples: the horizon of the suggestion.
    val_data : as data, optional
        Held-out examples; the suggestion then goes by their loss.
    metrics : names, or mapping from names to callables
        What else to measure after each epoch; ``"accuracy"``.
    seed, seeds : int
        Every rate is trained with the seeds ``seed, …, seed + seeds − 1``.
    start : {"given", "reset"}
        Where the seeds start from if ``model`` is a module: all from the parameters as they are, so that
        they differ by order and draws alone; or each from new ones, drawn by ``reset_parameters``.
    sampling, schedule
        See `learnrate.sweep`.
    device : str or torch.device, optional
        Where to train; where the model is unless given. ``"auto"`` is a GPU if there is one.
    lanes_at_once : int or "auto"
        Lanes trained together; as many as fit into half of the free memory. It does not change the curves.
    sharpness : bool
        Measure the largest Hessian eigenvalue at start and end of each lane.
    keep_parameters : bool
        Keep every lane's parameters, for `TorchSweepResult.state_dict`.
    on_epoch : callable, optional
        Called with (epochs done, epochs in all), each lane's counted.

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
    row = get_optimizer(optimizer)
    rates = parse_rates(lrs) if isinstance(lrs, str) else check_rates(lrs)
    if rates is None:
        rates = logspace(*row.grid, _GRID)
    loss_name, loss_function = as_loss(loss)
    metric_functions = as_metrics(metrics, loss_name)
    where = as_device(device)
    if on_epoch is not None and not callable(on_epoch):
        raise OptionError(f"on_epoch must be a callable of two numbers. Got {on_epoch!r} instead.")
    if batch_size is None and isinstance(data, DataLoader):
        batch_size = data.batch_size
    config = TorchConfig(
        batch_size=_DEFAULT_BATCH_SIZE if batch_size is None else batch_size,
        epochs=epochs,
        seed=seed,
        seeds=seeds,
        sampling=sampling,  # type: ignore[arg-type]  # checked and converted there
        engine="torch",
        schedule=schedule,
        loss=loss_name,
        optimizer=optimizer,
        optimizer_options=optimizer_options or {},
        start=start,
        lanes_at_once=lanes_at_once,
    )
    began = time.perf_counter()
    with forked_random_states(where or torch.device("cpu")), torch.inference_mode(False):
        module = start_module(model, start, config.seed, where)
        dtype = model_dtype(module)
        where = next(module.parameters()).device
    if torch.is_autocast_enabled(where.type):
        raise OptionError(
            "A sweep must run outside of torch.autocast, whose copies of the weights do not follow the "
            "training. Got one inside instead; put autocast into the model's forward."
        )
    with (
        forked_random_states(where),
        torch.inference_mode(False),  # and gradients are on, whatever they are outside
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message=".*performance drop.*", category=UserWarning)
        examples = as_examples(data, name="data", device=where, dtype=dtype)
        held_out = None
        if val_data is not None:
            held_out = as_examples(val_data, name="val_data", device=where, dtype=dtype)
        n = len(examples)
        changes: dict[str, Any] = {"dtype": str(dtype).removeprefix("torch."), "device": str(where)}
        if batch_size is None:
            changes["batch_size"] = min(config.batch_size, n)
        config = config.with_(**changes)
        config.check_against(n)
        record = empty_record(
            config,
            len(rates),
            1 + len(metric_functions),
            held_out=held_out is not None,
            sharpness=sharpness,
            keep=keep_parameters,
        )
        run = Run(
            config=config,
            lrs=rates,
            examples=examples,
            held_out=held_out,
            loss=loss_function,
            metrics=metric_functions,
            multipliers=schedule_multipliers(config.schedule, config.total_steps(n)),
            record=record,
            notes=_notes(config, model, data, examples),
            on_epoch=on_epoch,
            warn=_warn,
        )
        try:
            for s in range(config.seeds):
                if s:
                    module = start_module(model, start, config.seed + s, where)
                run.train_seed(s, module)
        except KeyboardInterrupt:
            interrupted = _interrupted(run, module, began)
            if interrupted is None:
                raise
            raise SweepInterrupted(interrupted) from None
        except (RuntimeError, MemoryError) as error:
            if isinstance(error, LearnrateError) or not is_out_of_memory(error):
                raise
            raise OptionError(
                "One lane and one minibatch must fit into memory. Got "
                f"{str(error)[:200] or 'a MemoryError'} instead; use a smaller batch_size or model."
            ) from error
    return _result(run, config.seeds, config.epochs, began)


def _warn(note: str) -> None:
    """Warn where `sweep` was called, however deep in this package it shows."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals["__name__"].startswith(__package__):
        level, frame = level + 1, frame.f_back
    warnings.warn(note, UserWarning, stacklevel=level)


def _notes(config: TorchConfig, model: Source, data: Any, examples: Examples) -> list[str]:
    notes, n = [], len(examples)
    if config.seeds > 1 and config.start == "given" and isinstance(model, torch.nn.Module):
        note = "All seeds start from the model's parameters as given and differ by order and draws alone; "
        notes.append(note + "start='reset' or a callable gives each a start of its own.")
    if isinstance(data, DataLoader) and data.drop_last and n % config.batch_size:
        notes.append(
            "The short last minibatch was trained on too: drop_last of a DataLoader is not followed."
        )
    if config.loss == "mse" and isinstance(examples, TensorExamples):
        notes += _on_scale(examples.target)
    return notes


def _on_scale(target: torch.Tensor) -> list[str]:
    """What to do about a target whose size is far from that of a model's first answers, about 1."""
    size = float(target.double().square().mean().sqrt())
    if size == 0 or 1 / _FAR_FROM_1 <= size <= _FAR_FROM_1:
        return []
    note = f"The target is about {size:.1g} in size, while a model's answers start near 1 and the gradients of "
    return [
        f"{note}mse grow with it: train on (y - mean) / scale, or most rates are too large or too small."
    ]


def _interrupted(run: Run, module: torch.nn.Module, began: float) -> TorchSweepResult | None:
    """What was finished: whole seeds, or else the epochs of the first; None if there is nothing."""
    record = run.record
    if record.finished:
        return _result(run, record.finished, run.config.epochs, began)
    if record.epochs:
        record.starts.append(module.cpu())
        record.states = None
        return _result(run, 1, record.epochs, began)
    return None


def _result(run: Run, seeds: int, epochs: int, began: float) -> TorchSweepResult:
    record = run.record

    def done(values: Float[Array, "S K epochs"]) -> Float[Array, "S K epochs"]:
        return values[:seeds, :, : epochs + 1]

    measured = record.training if record.held_out is None else record.held_out
    separate = any(note.startswith("Lanes were trained one at a time") for note in run.notes)
    together = "one lane at a time" if separate or len(run.lrs) == 1 else "lanes stacked by vmap"
    return TorchSweepResult(
        config=run.config,
        lrs=run.lrs,
        losses=done(record.training[0]),
        val_losses=None if record.held_out is None else done(record.held_out[0]),
        metrics={
            name: done(np.asarray(values))
            for name, values in zip(run.metrics, measured[1:], strict=True)
        },
        sharpness=None if record.sharpness is None else record.sharpness[:seeds],
        starts=record.starts[:seeds],
        lane_states=None if record.states is None else record.states[:seeds],
        engine="torch",
        engine_reason=f"{together}, on {run.config.device}",
        seconds=time.perf_counter() - began,
        examples=len(run.examples),
        held_out=0 if run.held_out is None else len(run.held_out),
        notes=(*run.notes, *_ended(record.ended)),
    )


def _ended(lanes: Mapping[float, Exception]) -> list[str]:
    """A sentence on lanes that ended in an error."""
    if not lanes:
        return []
    error = lanes[min(lanes)]
    rates = ", ".join(f"{lr:g}" for lr in sorted(lanes))
    came = f"{type(error).__name__} ({short(error, 150).rstrip('.')})"
    return [f"Where these learning rates led, model or loss raised {came}: {rates}."]
