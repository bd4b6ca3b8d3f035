"""The cells of a lesson."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Cell", "filled"]


@dataclass
class Cell:
    """A cell: text in Markdown, or code with what it printed and the PNG pictures that it drew."""

    kind: str
    source: str
    printed: str = ""
    pictures: list[bytes] = field(default_factory=list)


def filled(text: str, words: dict[str, str]) -> str:
    """A text with words in place of ``[[key]]``."""
    for key, said in words.items():
        text = text.replace(f"[[{key}]]", said)
    return text
