"""One ``backward()`` of a script, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.book.steps.opened import Opened

__all__ = ["DifferenceCheck", "OpenedScript", "ParameterStep", "ScriptUpdate"]


@dataclass(frozen=True, eq=False)
class ParameterStep:
    """The change of one parameter between a ``backward()`` and the next.

    Attributes
    ----------
    name : str
        The name of the parameter.
    old, gradient, new : array
        The values before, ``.grad`` after ``backward()``, and the values after the update.
    kept : dict of str to (array, array)
        The state that the optimizer keeps for it (``v``, or ``m`` and ``v``), before and after.
    """

    name: str
    old: Array
    gradient: Array
    new: Array
    kept: dict[str, tuple[Array, Array]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ScriptUpdate:
    """The parameters that were updated by one rule.

    Attributes
    ----------
    formulas : tuple of str
        The optimizer's recurrence, line by line (see `learnrate.book.steps.formula`); empty if the script has its own rule.
    constants : dict of str to float
        The values of the letters in the formulas.
    rate : float or None
        Without formulas: k, if every element changed by −k times its gradient.
    parameters : tuple of ParameterStep
        The changes of the parameters.
    """

    formulas: tuple[str, ...]
    constants: dict[str, float]
    rate: float | None
    parameters: tuple[ParameterStep, ...]


@dataclass(frozen=True, eq=False)
class DifferenceCheck:
    """Elements of the gradient, and central finite differences of the whole graph in float64.

    Attributes
    ----------
    elements : tuple of (str, int)
        Name of the parameter and flat index of the element.
    backward, finite_difference : float64 array, shape (len(elements),)
        The gradient that ``backward()`` computed, and ``(L(θ + h) − L(θ − h)) / 2h``.
    h : float
        The h of the finite differences, which was multiplied by ``max(1, |θ|)``.
    parameters : int
        Number of elements of all parameters.
    """

    elements: tuple[tuple[str, int], ...]
    backward: Float[Array, " k"]
    finite_difference: Float[Array, " k"]
    h: float
    parameters: int

    @property
    def disagreement(self) -> float:
        """The largest difference between the two; not finite if training diverged."""
        with np.errstate(all="ignore"):
            return float(np.abs(self.backward - self.finite_difference).max(initial=0.0))


@dataclass(frozen=True, eq=False, kw_only=True)
class OpenedScript(Opened):
    """One ``backward()`` of a script, with the graph recorded before it and the updates after it.

    Attributes
    ----------
    script : str
        The script.
    number : int
        The number of the ``backward()`` in the run of the script, from 1.
    file, line : str, int
        Where it was called, in the script or in a module that it uses.
    forward_code, backward_code, update_code : str
        The lines of code; empty if they are not known.
    loss : float
        The value that is differentiated: the sum of the results on which ``backward()`` was called, each times its initial gradient.
    updates : tuple of ScriptUpdate
        The updates of parameters until the next ``backward()``.
    check : DifferenceCheck
        The comparison with finite differences.
    """

    script: str
    number: int
    file: str
    line: int
    forward_code: str
    backward_code: str
    update_code: str
    loss: float
    updates: tuple[ScriptUpdate, ...]
    check: DifferenceCheck

    def __repr__(self) -> str:
        """The script, the ``backward()`` and the size in one line."""
        return f"<{type(self).__name__}: backward() {self.number} of {self.script}, {len(self.nodes)} nodes>"
