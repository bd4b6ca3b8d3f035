"""The threads of the fused engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ["Workers"]


class Workers:
    """Runs a job on each of several threads, or on this one alone."""

    def __init__(self, threads: int, executor: Executor | None) -> None:
        self.threads, self._executor = threads, executor

    def run(self, job: Callable[[int], None]) -> None:
        """Call ``job(0), …, job(threads − 1)`` and wait for them."""
        if self._executor is None:
            job(0)
            return
        others = [self._executor.submit(job, worker) for worker in range(1, self.threads)]
        try:
            job(0)
        finally:
            # Wait also after Ctrl-C, so that no thread continues to write to the arrays.
            for other in others:
                other.exception()
        for other in others:
            other.result()
