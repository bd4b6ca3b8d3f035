"""Values and lists, cut to what fits in a one-line message."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["abridged", "short"]


def short(value: object, width: int = 30) -> str:
    """``value`` as it would be written in code, cut if long."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def abridged(items: Sequence[str], most: int = 5) -> str:
    """``"a, b, c"`` on one line, whatever the items hold; of a long list the first few and the count."""
    listed = ", ".join(" ".join(item.split()) for item in items[:most])
    return listed if len(items) <= most else f"{listed}, … ({len(items):,} in all)"
