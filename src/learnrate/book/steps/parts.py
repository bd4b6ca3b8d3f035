"""The parts of an explanation: sections of paragraphs, formulas and tables."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from learnrate.book.steps.messages import Prose
from learnrate.book.steps.tables import Table

__all__ = ["Formula", "Part", "Section"]


@dataclass(frozen=True)
class Formula:
    """A formula on its own line, as text: see `learnrate.book.steps.formula`."""

    text: str


Part = Prose | Formula | Table


@dataclass(frozen=True)
class Section:
    """One section of an explanation.

    Attributes
    ----------
    key : str
        ``attach_grad``, ``minibatch``, ``forward``, ``backward``, ``update`` or ``check``.
    title : str
        The heading.
    program : str
        The lines of code, with their indentation in the program; empty for the check.
    parts : tuple of (Prose, Formula or Table)
        Paragraphs, formulas and tables in order.
    """

    key: str
    title: str
    program: str
    parts: tuple[Part, ...]

    @property
    def code(self) -> str:
        """The lines of code without indentation."""
        return textwrap.dedent(self.program)
