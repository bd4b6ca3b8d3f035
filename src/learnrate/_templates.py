"""HTML and SVG templates. Every value that is put into them is escaped."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["environment"]


@cache
def environment(room: str) -> Environment:
    """A Jinja environment for the templates in ``learnrate/<room>/templates``.

    Values are escaped, and an undefined name is an error. The filter ``number`` writes a coordinate with at most one
    decimal.

    Parameters
    ----------
    room : str
        The package with the folder ``templates``, such as ``"report"``.
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
