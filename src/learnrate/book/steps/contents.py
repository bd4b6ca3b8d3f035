"""The contents of an explanation, which pages and terminals draw."""

from __future__ import annotations

from dataclasses import dataclass

from learnrate.book.steps.messages import Messages
from learnrate.book.steps.opened import Opened
from learnrate.book.steps.opened_script import OpenedScript
from learnrate.book.steps.opened_step import OpenedStep
from learnrate.book.steps.parts import Section
from learnrate.book.steps.script_sections import script_facts, script_remarks, script_sections
from learnrate.book.steps.sections import facts, remarks, sections
from learnrate.book.steps.tables import Limits

__all__ = ["Contents", "contents"]


@dataclass(frozen=True)
class Contents:
    """Title, facts about what is explained, remarks, and sections."""

    title: str
    subtitle: str
    facts: list[tuple[str, str]]
    remarks: list[str]
    sections: tuple[Section, ...]


def contents(e: Opened, m: Messages, limits: Limits) -> Contents:
    """The contents in the language of ``m``, with tables shortened to ``limits``."""
    if isinstance(e, OpenedScript):
        return Contents(
            m.script_title,
            m.script_subtitle,
            script_facts(e, m),
            script_remarks(e, m),
            script_sections(e, m, limits),
        )
    assert isinstance(e, OpenedStep)
    return Contents(
        m.title, m.of("subtitle", e.loss), facts(e, m), remarks(e, m), sections(e, m, limits)
    )
