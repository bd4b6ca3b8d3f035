"""learnrate shows what the learning rate does.

Give it examples and it trains one model under many learning rates side by side, draws every loss curve,
says which rates diverge and why, and recommends one:

>>> import learnrate
>>> X, y = learnrate.note_data()
>>> result = learnrate.sweep(X, y, lrs=[0.01, 0.02, 0.03, 0.04], batch_size=10, epochs=3)
>>> result.to_frame().columns
['lr', 'seed', 'epoch', 'loss', 'outcome']

Names are loaded when they are first used, so that importing learnrate costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import learnrate.autograd as autograd
    import learnrate.data as data
    import learnrate.errors as errors
    import learnrate.nd as nd
    import learnrate.scratch as scratch
    import learnrate.theory as theory
    from learnrate.data.synthetic import note_data, synthetic_data
    from learnrate.steps.explanation import Explanation
    from learnrate.steps.front import explain
    from learnrate.sweeps.linear import LinearSweepResult
    from learnrate.sweeps.model import LinearModel
    from learnrate.sweeps.outcomes import Outcome
    from learnrate.sweeps.rates import arange, logspace
    from learnrate.sweeps.result import SweepResult
    from learnrate.sweeps.run import sweep
    from learnrate.sweeps.suggestion import Suggestion

__version__ = "0.1.0.dev0"

__all__ = [
    "Explanation",
    "LinearModel",
    "LinearSweepResult",
    "Outcome",
    "Suggestion",
    "SweepResult",
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
    "Explanation": "learnrate.steps.explanation",
    "LinearModel": "learnrate.sweeps.model",
    "LinearSweepResult": "learnrate.sweeps.linear",
    "Outcome": "learnrate.sweeps.outcomes",
    "Suggestion": "learnrate.sweeps.suggestion",
    "SweepResult": "learnrate.sweeps.result",
    "arange": "learnrate.sweeps.rates",
    "explain": "learnrate.steps.front",
    "logspace": "learnrate.sweeps.rates",
    "note_data": "learnrate.data.synthetic",
    "sweep": "learnrate.sweeps.run",
    "synthetic_data": "learnrate.data.synthetic",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its home the first time it is used."""
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in __all__ or name in ("sklearn", "torch"):  # not listed: they need extras
        value = importlib.import_module(f"learnrate.{name}")
    else:
        raise AttributeError(f"module 'learnrate' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
