"""``learnrate sweep --model``: a PyTorch model of the user's own on a table."""

from __future__ import annotations

import importlib
import inspect
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.prepared import Prepared
from learnrate.errors import DataError, LearnrateError, OptionError, did_you_mean
from learnrate.sweeps.examples import examples

if TYPE_CHECKING:
    from learnrate.torch.result import TorchSweepResult

__all__ = ["load_callable", "refuse_with_model", "refuse_without_model", "sweep_model"]

_FORM = "--model must be package.module:function, a callable that returns an nn.Module."


def refuse_with_model(options: dict[str, Any]) -> None:
    """Raise for an option that only sweeps of linear models have."""
    for name, value in options.items():
        if value is not None:
            raise OptionError(
                f"--{name.replace('_', '-')} must come without --model: it is for linear models. "
                f"Got {str(value)!r} with --model; leave one of them out."
            )


def refuse_without_model(options: Mapping[str, Any]) -> None:
    """Raise OptionError for an option that only a PyTorch model has."""
    for name, value in options.items():
        if value is not None:
            raise OptionError(
                f"--{name} goes with --model. Got {value!r} without one; name a model, or leave it out."
            )


def sweep_model(
    model: str,
    table: Any,
    *,
    lrs: str,
    optimizer: str | None,
    loss: str | None,
    device: str | None,
    momentum: float,
    weight_decay: float,
    engine: str,
    dtype: str,
    on_epoch: Callable[[int, int], object],
    target: str | None,
    features: list[str] | None,
    missing: str,
    standardize: bool | None,
    val: float,
    seed: int,
    **options: Any,
) -> TorchSweepResult:
    """Prepare the table and train the named model on it; options are those of ``learnrate sweep``.

    Raises
    ------
    LearnrateError
        If the model cannot be loaded or trained, or the table or an option not be used.
    """
    import learnrate.torch

    if engine not in ("auto", "torch"):
        raise OptionError(
            f"engine must be auto or torch for a PyTorch model. Got {engine!r} instead."
        )
    given = {"momentum": momentum, "weight_decay": weight_decay}
    # What the user's code prints stays apart from what is asked for, such as --json.
    with _working_directory_on_path(), redirect_stdout(sys.stderr):
        build = load_callable(model)
        data = examples(
            table,
            target=target,
            features=features,
            missing=missing,
            standardize=standardize,
            val=val,
            seed=seed,
            dtype=dtype,
        )
        scaled = loss in (None, "mse") and data.scaling is not None
        mean, scale = _mean_and_scale(data.y_train) if scaled else (0.0, 1.0)

        def targets(y: Float[Array, " n"]) -> Array:
            return (y - mean) / scale if scaled else _targets(y, loss, data)

        held_out = None
        if data.X_val is not None and data.y_val is not None:
            held_out = (data.X_val, targets(data.y_val))
        with warnings.catch_warnings():  # what they say is printed among the result's remarks
            warnings.filterwarnings("ignore", message="Lanes were trained one at a time")
            result = learnrate.torch.sweep(
                _factory(model, build, data.X_train.shape[1], dtype),
                (data.X_train, targets(data.y_train)),
                val_data=held_out,
                loss="mse" if loss is None else loss,
                lrs=lrs,
                optimizer="sgd" if optimizer is None else optimizer,
                optimizer_options={name: value for name, value in given.items() if value},
                seed=seed,
                device="cpu" if device is None else device,
                on_epoch=on_epoch,
                **options,
            )
    if not scaled:
        return result
    note = (
        f"Features and {data.target_name} were brought to mean 0 and standard deviation 1 for training, so a "
        f"loss of 1 is that of always answering the mean. Train with (y - {mean:.6g}) / {scale:.6g} to use "
        "the rate, or give --no-standardize."
    )
    return replace(result, notes=(note, *result.notes))


@contextmanager
def _working_directory_on_path() -> Iterator[None]:
    """Let modules beside the user's table be imported."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)


def load_callable(text: str) -> Callable[..., Any]:
    """The callable that ``package.module:function`` names.

    Raises
    ------
    OptionError
        If there is none; the message says which part is wrong.
    """
    module_name, colon, name = text.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module_name.split("."), name)):
        raise OptionError(f"{_FORM} Got {text!r} instead.")
    try:
        module = importlib.import_module(module_name)
    except LearnrateError:
        raise
    except (Exception, SystemExit) as error:  # a module of the user's own can raise anything
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        itself = missing is not None and f"{module_name}.".startswith(f"{missing}.")
        where = "" if itself else f" while {module_name} was run"
        raise OptionError(
            f"{_FORM} Got {text!r} instead ({type(error).__name__}: {error}{where}); "
            "it is looked for in the working directory and among installed packages."
        ) from error
    found = getattr(module, name, None)
    if not isinstance(found, type) and hasattr(found, "named_parameters"):
        raise OptionError(
            f"{_FORM} Got {text!r} instead, which is itself a module; name a function that returns a new one."
        )
    if not callable(found):
        names = [n for n, value in vars(module).items() if callable(value) and n[0] != "_"]
        raise OptionError(
            f"{_FORM} Got {text!r} instead, and {module_name} has no callable {name!r}."
            + did_you_mean(name, names)
        )
    return found


def _factory(text: str, build: Callable[..., Any], d: int, dtype: str) -> Callable[[], Any]:
    """Call the user's callable, with the number of features if it asks for something."""
    import torch

    try:
        parameters = inspect.signature(build).parameters.values()
    except (TypeError, ValueError):  # something compiled
        parameters = {}.values()
    asks = any(
        p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        for p in parameters
    )

    def make() -> Any:
        try:
            made = build(d) if asks else build()
        except LearnrateError:
            raise
        except (Exception, SystemExit) as error:
            raise OptionError(
                f"{_FORM} Got {type(error).__name__} when {text} was called: {error}"
            ) from error
        return made.to(getattr(torch, dtype, None)) if isinstance(made, torch.nn.Module) else made

    return make


def _mean_and_scale(y: Float[Array, " n"]) -> tuple[float, float]:
    """Mean and standard deviation of the labels; 1 in place of a deviation of 0."""
    return float(y.mean()), float(y.std()) or 1.0


def _targets(y: Float[Array, " n"], loss: str | None, data: Prepared) -> Array:
    """The labels; as whole numbers where they are classes."""
    if loss != "cross-entropy":
        return y
    classes = y.astype(np.int64)
    if (classes != y).any() or classes.min() < 0:
        raise DataError(
            f"For --loss cross-entropy the target {data.target_name!r} must hold class numbers 0, 1, 2, …. "
            f"Got {y[(classes != y) | (classes < 0)][0]:g} instead; renumber it, or use mse."
        )
    return classes
