"""An opened ``backward()`` of a script as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.book.steps.opened import Opened

__all__ = ["DifferenceCheck", "ParameterStep", "ScriptExplanation", "ScriptUpdate"]


@dataclass(frozen=True, eq=False)
class ParameterStep:
    """What became of one parameter between a ``backward()`` and the next.

    Attributes
    ----------
    name : str
    old, gradient, new : array
        Its values before, the gradient that ``backward()`` left in ``.grad``, its values after.
    kept : dict of str to (array, array)
        What an optimizer keeps for it (``v``, or ``m`` and ``v``), before and after.
    """

    name: str
    old: Array
    gradient: Array
    new: Array
    kept: dict[str, tuple[Array, Array]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ScriptUpdate:
    """The parameters that one rule changed.

    Attributes
    ----------
    formulas : tuple of str
        The optimizer's recurrence, line by line (see `learnrate.book.steps.formula`); empty where the script computed itself.
    constants : dict of str to float
        The values of its letters.
    rate : float or None
        Without formulas: k, where every element changed by −k times its gradient.
    parameters : tuple of ParameterStep
    """

    formulas: tuple[str, ...]
    constants: dict[str, float]
    rate: float | None
    parameters: tuple[ParameterStep, ...]


@dataclass(frozen=True, eq=False)
class DifferenceCheck:
    """Elements of the gradient beside central finite differences of the whole graph, in float64.

    Attributes
    ----------
    elements : tuple of (str, int)
        Name of the parameter and place of the element, counted through.
    backward, finite_difference : float64 array, shape (len(elements),)
        The gradient that ``backward()`` computed, and ``(L(θ + h) − L(θ − h)) / 2h``.
    h : float
        Times ``max(1, |θ|)``: half the distance that an element was moved.
    parameters : int
        Elements of all parameters.
    """

    elements: tuple[tuple[str, int], ...]
    backward: Float[Array, " k"]
    finite_difference: Float[Array, " k"]
    h: float
    parameters: int

    @property
    def disagreement(self) -> float:
        """The largest difference between the two; may be not finite."""
        with np.errstate(all="ignore"):
            return float(np.abs(self.backward - self.finite_difference).max(initial=0.0))


@dataclass(frozen=True, eq=False, kw_only=True)
class ScriptExplanation(Opened):
    """One ``backward()`` of a script, with what was recorded before it and what changed after it.

    Attributes
    ----------
    script : str
        The script.
    number : int
        Which ``backward()`` of its run this is, from 1.
    file, line : str, int
        Where it was called; the script, or a module that it uses.
    forward_code, backward_code, update_code : str
        The lines there; empty where they are not known.
    loss : float
        What is differentiated: the sum of the results on which ``backward()`` was called, each times its first gradient.
    updates : tuple of ScriptUpdate
        What changed the parameters until the next ``backward()``; empty if nothing did.
    check : DifferenceCheck
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
        """Place and size in a line."""
        return f"<ScriptExplanation: backward() {self.number} of {self.script}, {len(self.nodes)} nodes>"
