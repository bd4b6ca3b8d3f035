"""How far a sweep is, example by example."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["Progress"]


class Progress:
    """Counts the examples that all seeds have visited, over all epochs.

    Parameters
    ----------
    done : sequence of int
        Epochs that each seed has finished already.
    n, epochs : int
        Examples of an epoch, and epochs of a seed.
    tell : callable, optional
        Called with the visits so far and those in all.
    """

    def __init__(
        self, done: Sequence[int], n: int, epochs: int, tell: Callable[[int, int], object] | None
    ) -> None:
        self._n, self._total, self._tell = n, len(done) * n * epochs, tell
        self._epochs, self._rows = list(done), [0] * len(done)

    def of(self, s: int) -> Callable[[int], object] | None:
        """What seed ``s`` calls with the examples that it has visited in its epoch."""
        if self._tell is None:
            return None

        def report(rows: int) -> None:
            self._rows[s] = rows
            self._say()

        return report

    def finish(self, s: int, epochs: int) -> None:
        """Seed ``s`` has finished so many epochs."""
        self._epochs[s], self._rows[s] = epochs, 0
        self._say()

    def _say(self) -> None:
        if self._tell is not None:
            done = sum(self._epochs) * self._n + sum(self._rows)
            self._tell(min(done, self._total), self._total)
