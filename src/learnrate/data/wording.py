"""Values and lists, cut to what fits in a one-line message."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["abridged", "short"]


def short(value: object, width: int = 30) -> str:
    """``value`` as it would be written in code, cut if long."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def abridged(items: Sequence[str], most: int = 5) -> str:
    """``"a, b, c"``; of a long list the first few and the count."""
    if len(items) <= most:
        return ", ".join(items)
    return f"{', '.join(items[:most])}, … ({len(items):,} in all)"
