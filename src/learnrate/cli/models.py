"""``learnrate sweep --model``: the user's own PyTorch model, trained on a table."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnrate.errors import LearnrateError, OptionError, did_you_mean

if TYPE_CHECKING:
    from learnrate.sweeps.options import Optimizer
    from learnrate.torch.result import TorchSweepResult

__all__ = ["load_callable", "sweep_model"]


def sweep_model(
    model: str,
    data: Any,
    *,
    optimizer: Optimizer,
    loss: str | None,
    step: str | None,
    clip: float | None,
    device: str | None,
    engine: str,
    **options: Any,
) -> TorchSweepResult:
    """Train the model with this name on a table; options are those of ``learnrate sweep``.

    Raises
    ------
    LearnrateError
        If the model cannot be loaded or trained, or the table or an option is not valid.
    """
    from learnrate.torch import sweep_table
    from learnrate.torch.run import OneAtATimeWarning

    if engine not in ("auto", "torch"):
        raise OptionError(
            f"--engine must be auto or torch for a PyTorch model. Got {engine!r} instead."
        )
    if options["precision"] is not None and options["dtype"] != "float32":
        raise OptionError(
            f"--precision goes with --dtype float32. Got {options['precision']!r} with {options['dtype']}; add --dtype "
            "float32, or leave it out."
        )
    if clip is not None and not clip > 0:
        raise OptionError(f"--clip must be a number above 0. Got {clip:g} instead.")
    # Output of the user's code goes to standard error, so that it does not mix with --json.
    with (
        _working_directory_on_path(),
        redirect_stdout(sys.stderr),
        warnings.catch_warnings(),  # the result's remarks say the same
    ):
        warnings.simplefilter("ignore", OneAtATimeWarning)
        return sweep_table(
            load_callable(model, "--model", "a callable that returns an nn.Module"),
            data,
            name=model,
            loss="mse" if loss is None and step is None else loss,
            step=None
            if step is None
            else load_callable(step, "--step", "a function of the model and a minibatch"),
            clip_grad_norm=clip,
            optimizer=optimizer,
            device="cpu" if device is None else device,
            **options,
        )


@contextmanager
def _working_directory_on_path() -> Iterator[None]:
    """A context in which modules in the working directory can be imported."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)


def load_callable(text: str, name_of: str, what: str) -> Callable[..., Any]:
    """Import the callable ``package.module:function``.

    Parameters
    ----------
    text : str
        The value of the option.
    name_of : str
        The name of the option, for messages.
    what : str
        A phrase that says what the callable must be.

    Raises
    ------
    OptionError
        If there is no such callable; the message says which part is wrong.
    """
    form = f"{name_of} must be package.module:function, {what}."
    module_name, colon, name = text.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module_name.split("."), name)):
        raise OptionError(f"{form} Got {text!r} instead.")
    try:
        module = importlib.import_module(module_name)
    except LearnrateError:
        raise
    except (Exception, SystemExit) as error:  # a module of the user's own can raise anything
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        itself = missing is not None and f"{module_name}.".startswith(f"{missing}.")
        where = "" if itself else f" while {module_name} was run"
        raise OptionError(
            f"{form} Got {text!r} instead ({type(error).__name__}: {error}{where}); "
            "it is looked for in the working directory and among installed packages."
        ) from error
    found = getattr(module, name, None)
    if not isinstance(found, type) and hasattr(found, "named_parameters"):
        raise OptionError(
            f"{form} Got {text!r} instead, which is itself a module; name a function that returns a new one."
        )
    if not callable(found):
        names = [n for n, value in vars(module).items() if callable(value) and n[0] != "_"]
        raise OptionError(
            f"{form} Got {text!r} instead, and {module_name} has no callable {name!r}."
            + did_you_mean(name, names)
        )
    return found
