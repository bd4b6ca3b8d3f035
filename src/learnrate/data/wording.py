"""Values and lists, shortened for one-line messages."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["abridged", "shortened"]


def shortened(value: object, width: int = 30) -> str:
    """``value`` as in code (a text in quotes), shortened to ``width`` characters."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def abridged(items: Sequence[str], most: int = 5) -> str:
    """``"a, b, c"`` on one line; of more than ``most`` items the first ones and the number of all."""
    listed = ", ".join(" ".join(item.split()) for item in items[:most])
    return listed if len(items) <= most else f"{listed}, … ({len(items):,} in all)"
