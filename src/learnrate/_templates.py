"""HTML and SVG templates. Every value that is put into them is escaped."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["environment"]


@cache
def environment(room: str) -> Environment:
    """A Jinja environment for the templates in ``learnrate/<room>/templates``.

    Values are escaped, and an undefined name is an error. The filter ``number`` writes a coordinate with at most one
    decimal; the filter ``say`` translates by the function ``say`` of what is rendered.

    Parameters
    ----------
    room : str
        The package with the folder ``templates``, such as ``"report"``.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
    from jinja2.runtime import Context

    @pass_context  # without it constants would be translated once, when the template is compiled
    def say(context: Context, text: str) -> Any:
        return context["say"](text)

    templates = Environment(
        loader=PackageLoader(f"learnrate.{room}"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["say"] = say
    templates.filters["number"] = lambda value: f"{value:.1f}".removesuffix(".0")
    return templates
