"""The threads of an engine."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, wait

__all__ = ["Workers"]


class Workers:
    """Runs jobs at the same time where there are threads, else one after another."""

    def __init__(self, threads: int, executor: Executor | None) -> None:
        self.threads, self._executor = threads, executor

    def run(self, job: Callable[[int], None]) -> None:
        """Call ``job(0), …, job(threads − 1)`` and wait for them."""
        others = []
        if self._executor is not None:
            others = [self._executor.submit(job, worker) for worker in range(1, self.threads)]
        job(0)
        wait(others)
        for other in others:
            other.result()
