"""Options of an optimizer as the command line writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from learnrate.errors import OptionError

__all__ = ["parse_options"]

_WORDS = {"true": True, "false": False}


def parse_options(given: Sequence[str]) -> dict[str, Any]:
    """``["eps=1e-6", "betas=0.9,0.99"]`` as ``{"eps": 1e-6, "betas": (0.9, 0.99)}``.

    Raises
    ------
    OptionError
        For a text that is no NAME=VALUE, a value that is no number, list of numbers, true or false, or a name that comes twice.
    """
    options: dict[str, Any] = {}
    for text in given:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name.isidentifier() or not value:
            raise OptionError(
                f"--optimizer-option must be NAME=VALUE, such as eps=1e-6. Got {text!r} instead."
            )
        if name in options:
            raise OptionError(f"--optimizer-option must name {name!r} once. Got it twice.")
        options[name] = _value(name, value)
    return options


def _value(name: str, text: str) -> Any:
    if text.casefold() in _WORDS:
        return _WORDS[text.casefold()]
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise OptionError(
            f"The value of {name!r} in --optimizer-option must be a number, numbers with commas, true or false. "
            f"Got {text!r} instead."
        ) from None
    return numbers[0] if len(numbers) == 1 else numbers
