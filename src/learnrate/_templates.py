"""The one door to HTML and SVG templates: all that goes into them is escaped, user text too."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["environment"]


def environment(room: str) -> Environment:
    """Jinja over ``learnrate/<room>/templates``, with escaping always on and undefined names refused.

    The filter ``number`` writes a coordinate with one decimal.

    Parameters
    ----------
    room : str
        Name of the package that holds the folder ``templates``: ``"report"``.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader(f"learnrate.{room}"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["number"] = lambda value: f"{value:.1f}".removesuffix(".0")
    return templates
