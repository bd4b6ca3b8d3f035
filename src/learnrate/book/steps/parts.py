"""What an explanation is made of: sections of paragraphs, formulas and tables."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from learnrate.book.steps.messages import Prose
from learnrate.book.steps.tables import Table

__all__ = ["Formula", "Part", "Section"]


@dataclass(frozen=True)
class Formula:
    """A formula on a line of its own, as text: see `learnrate.book.steps.formula`."""

    text: str


Part = Prose | Formula | Table


@dataclass(frozen=True)
class Section:
    """One part of the step.

    Attributes
    ----------
    key : str
        ``attach_grad``, ``minibatch``, ``forward``, ``backward``, ``update`` or ``check``.
    title : str
    program : str
        The lines of code that do it, indented as they stand there; empty for the check.
    parts : tuple of (Prose, Formula or Table)
        Paragraphs, formulas and tables in order.
    """

    key: str
    title: str
    program: str
    parts: tuple[Part, ...]

    @property
    def code(self) -> str:
        """The same lines on their own."""
        return textwrap.dedent(self.program)
