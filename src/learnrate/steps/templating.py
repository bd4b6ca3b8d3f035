"""The templates of the page and the drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from learnrate import _templates

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["environment"]


def environment() -> Environment:
    """Templates of this room, with a filter that writes coordinates."""
    templates = _templates.environment("steps")
    templates.filters["number"] = lambda value: f"{value:.1f}".removesuffix(".0")
    return templates
