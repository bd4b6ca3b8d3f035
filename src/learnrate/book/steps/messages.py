"""The texts of an explanation in each language, from ``texts.toml``, and their paragraphs in pieces."""

from __future__ import annotations

import re
from typing import Literal

from learnrate._translation import as_language
from learnrate.book.note.catalogue import catalogue

__all__ = ["Messages", "Prose", "messages_in", "prose"]

Kind = Literal["text", "code", "math"]

Prose = tuple[tuple[str, Kind], ...]
"""A paragraph in pieces: the text of each, and its kind."""


class Messages:
    """All texts of an explanation in one language, as attributes with the names in ``texts.toml``."""

    def __init__(self, lang: str) -> None:
        self._texts = {name: text[lang] for name, text in catalogue("steps").items()}

    def __getattr__(self, name: str) -> str:
        if name.startswith("_") or name not in self._texts:
            raise AttributeError(f"{name!r} must be the name of a text in texts.toml.")
        return self._texts[name]

    def of(self, name: str, loss: str) -> str:
        """The text about one loss: ``subtitle``, ``model`` or ``by_hand``."""
        return self._texts[f"{name}_{loss}"]


def messages_in(lang: str) -> Messages:
    """The texts in a language.

    Raises
    ------
    OptionError
        If the language is not ``en`` or ``zh``.
    """
    return Messages(as_language(lang))


def prose(message: str, **values: object) -> Prose:
    """Fill in a text, and cut it into pieces. Backquotes and dollars in the values have no meaning."""
    kinds: dict[str, Kind] = {"`": "code", "$": "math"}
    pieces = re.findall(r"`[^`]*`|\$[^$]*\$|[^`$]+", message)
    return tuple(
        (piece.strip("`$").format(**values), kinds.get(piece[0], "text")) for piece in pieces
    )
