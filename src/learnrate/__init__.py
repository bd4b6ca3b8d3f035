"""learnrate shows what the learning rate does.

Give it examples and it trains one model under many learning rates side by side, draws every loss curve,
says which rates diverge and why, and recommends one:

>>> import learnrate
>>> X, y = learnrate.note_data()
>>> result = learnrate.sweep(X, y, lrs=[0.01, 0.02, 0.03, 0.04], batch_size=10, epochs=3)
>>> result.to_frame().columns
['lr', 'seed', 'epoch', 'loss', 'outcome']

Names are loaded when they are first used, so that ``import learnrate`` is fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from learnrate.version import __version__ as __version__

if TYPE_CHECKING:
    import learnrate.autograd as autograd
    import learnrate.data as data
    import learnrate.errors as errors
    import learnrate.nd as nd
    import learnrate.scratch as scratch
    import learnrate.theory as theory
    from learnrate.book.steps.explanation import Explanation
    from learnrate.book.steps.front import explain
    from learnrate.data.options import Table
    from learnrate.data.synthetic import note_data, synthetic_data
    from learnrate.sweeps.linear import LinearSweepResult
    from learnrate.sweeps.live import TensorBoard
    from learnrate.sweeps.model import LinearModel
    from learnrate.sweeps.options import SGD, Optimizer, OutOfCore
    from learnrate.sweeps.outcomes import Outcome
    from learnrate.sweeps.rates import arange, logspace
    from learnrate.sweeps.result import SweepResult
    from learnrate.sweeps.run import sweep
    from learnrate.sweeps.suggestion import Suggestion
    from learnrate.training.checkpoint import Checkpoint
    from learnrate.training.monitor import Monitor, SoFar, SweepInterrupted
    from learnrate.training.schedules import Schedule

__all__ = [
    "SGD",
    "Checkpoint",
    "Explanation",
    "LinearModel",
    "LinearSweepResult",
    "Monitor",
    "Optimizer",
    "OutOfCore",
    "Outcome",
    "Schedule",
    "SoFar",
    "Suggestion",
    "SweepInterrupted",
    "SweepResult",
    "Table",
    "TensorBoard",
    "arange",
    "autograd",
    "data",
    "errors",
    "explain",
    "logspace",
    "nd",
    "note_data",
    "scratch",
    "sweep",
    "synthetic_data",
    "theory",
]

_HOMES = {
    "Checkpoint": "learnrate.training.checkpoint",
    "Monitor": "learnrate.training.monitor",
    "Optimizer": "learnrate.sweeps.options",
    "OutOfCore": "learnrate.sweeps.options",
    "SGD": "learnrate.sweeps.options",
    "Schedule": "learnrate.training.schedules",
    "SoFar": "learnrate.training.monitor",
    "SweepInterrupted": "learnrate.training.monitor",
    "TensorBoard": "learnrate.sweeps.live",
    "Explanation": "learnrate.book.steps.explanation",
    "LinearModel": "learnrate.sweeps.model",
    "LinearSweepResult": "learnrate.sweeps.linear",
    "Outcome": "learnrate.sweeps.outcomes",
    "Suggestion": "learnrate.sweeps.suggestion",
    "SweepResult": "learnrate.sweeps.result",
    "Table": "learnrate.data.options",
    "arange": "learnrate.sweeps.rates",
    "explain": "learnrate.book.steps.front",
    "logspace": "learnrate.sweeps.rates",
    "note_data": "learnrate.data.synthetic",
    "sweep": "learnrate.sweeps.run",
    "synthetic_data": "learnrate.data.synthetic",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in __all__ or name in (
        "lightning",
        "sklearn",
        "skorch",
        "torch",
        "transformers",
    ):  # not in __all__, since they need optional packages
        value = importlib.import_module(f"learnrate.{name}")
    else:
        raise AttributeError(f"module 'learnrate' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
