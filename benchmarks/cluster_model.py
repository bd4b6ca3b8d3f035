"""What a sweep on a cluster takes, from what its pieces take.

Of one seed with K lanes on n examples of d features, D = d + 1, minibatches of B: an epoch has ``n/B`` steps,
and a Gram matrix ``g = 8 ⌈(d + 2)/8⌉₈²`` bytes. With P workers, each on a core of its own::

    lanes split   n (order + make) + (n/B) move(K/P)             on every worker, at the same time
    data split    the longest of  n (order/blocks + make/P) + (n/B) (g put)/P + calls    on every worker
                                  (n/B) (move(K) + g get) + calls                    in the one process that moves
                                  (n/B) g / network                                   into that process

``blocks`` is P where examples are shuffled in blocks, whose orders are made apart, and else 1. On a machine with
fewer cores than processes the work of all of them also has to fit the cores.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Pieces", "Work", "data_parts", "data_seconds", "lanes_seconds", "matrix_bytes"]


@dataclass(frozen=True)
class Pieces:
    """Measured, in seconds.

    Attributes
    ----------
    order, make : float
        Per row: its place in the order, and its share of a matrix made in the near cache.
    make_far : float
        The same into memory, for sending.
    step, lane : float
        Moving the lanes by a matrix that is there: per step, and per step and lane.
    put, get : float
        Per byte into the object store, and out of it and through the near cache.
    call : float
        Per call of a worker, on the caller's side.
    setup : float
        Before the first step: the anchor, and looking at the data once.
    """

    order: float
    make: float
    make_far: float
    step: float
    lane: float
    put: float
    get: float
    call: float
    setup: float


@dataclass(frozen=True)
class Work:
    """One seed."""

    n: int
    d: int
    batch_size: int
    lanes: int
    epochs: int = 1

    @property
    def steps(self) -> float:
        """In one epoch."""
        return self.n / self.batch_size


def matrix_bytes(d: int, itemsize: int = 8) -> int:
    """As the fused engine lays a matrix out."""
    return int((-(-(d + 2) // 8) * 8) ** 2 * itemsize)


def move(pieces: Pieces, lanes: float) -> float:
    """One step of so many lanes, in whole vectors of 16."""
    return pieces.step + pieces.lane * 16 * -(-lanes // 16)


def lanes_seconds(work: Work, pieces: Pieces, workers: int) -> float:
    """With the lanes split; one worker, or none, is the plain run."""
    blocks = -(-work.lanes // 16)
    widest = 16 * -(-blocks // workers)
    row = pieces.order + pieces.make
    epoch = work.n * row + work.steps * move(pieces, min(widest, work.lanes))
    return pieces.setup + work.epochs * epoch


def data_parts(
    work: Work,
    pieces: Pieces,
    workers: int,
    *,
    network: float | None = None,
    blocks: bool = False,
    unit_bytes: int = 1 << 22,
) -> dict[str, float]:
    """Seconds of an epoch with the data split, by what may be the longest."""
    g = matrix_bytes(work.d)
    units = max(1.0, work.steps * g / unit_bytes)
    row = pieces.order / (workers if blocks else 1) + pieces.make_far / workers
    making = work.n * row + (work.steps * g * pieces.put + units * pieces.call) / workers
    moving = work.steps * (move(pieces, work.lanes) + g * pieces.get) + units * pieces.call
    return {
        "matrices": making,
        "recurrence": moving,
        "network": 0.0 if network is None else work.steps * g / network,
    }


def data_seconds(work: Work, pieces: Pieces, workers: int, cores: int) -> float:
    """With the data split, on one machine with so many cores."""
    parts = data_parts(work, pieces, workers)
    fits = (workers * parts["matrices"] + parts["recurrence"]) / cores
    return pieces.setup + work.epochs * max(*parts.values(), fits)
