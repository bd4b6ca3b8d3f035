"""What Ctrl-C leaves of a sweep."""

from __future__ import annotations

from typing import Any

__all__ = ["SweepInterrupted"]


class SweepInterrupted(KeyboardInterrupt):
    """Ctrl-C during a sweep that had finished at least one epoch: ``result``, a `SweepResult`, holds what was done."""

    def __init__(self, result: Any) -> None:
        super().__init__("interrupted")
        self.result = result
