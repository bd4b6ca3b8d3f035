"""What Ray costs a sweep of a PyTorch model, and what it would take on more GPUs than there are here.

Measured: the same sweeps without a cluster, and on one and two workers of a local one, each for few and for many epochs. The slope
is what a step of a lane takes, and the rest is paid once. A worker sends the states of its lanes after each measurement; what that
costs by the byte follows from a model with a million parameters. The predictions for GPUs use these pieces and say what they
assume::

    python -m benchmarks.torch_cluster             # the tables
    python -m benchmarks.torch_cluster --update    # and put them into docs/scale-cluster*.md
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import nn

import learnrate.torch
from benchmarks.cluster import NETWORK, duration, pieces_of_ray
from benchmarks.pages import print_table, where_and_when
from learnrate.cluster.connection import connected
from learnrate.cluster.ray import RayCluster

B = 32
ROUNDS = 3
PARAMETERS = 3
"""Numbers held for each parameter by Adam: itself and two moments."""


class Work(NamedTuple):
    """A sweep: numbers of epochs, whose difference is measured."""

    name: str
    model: nn.Module
    width: int
    n: int
    lanes: int
    epochs: tuple[int, int]

    @property
    def nbytes(self) -> int:
        """Of a lane's state."""
        return PARAMETERS * 4 * sum(p.numel() for p in self.model.parameters())

    @property
    def steps(self) -> int:
        """Of a lane, in an epoch."""
        return -(-self.n // B)

    def seconds(self, epochs: int, cluster: Any) -> float:
        """A sweep from the call to the result, without the time until Ray has started."""
        torch.manual_seed(0)
        X, y = torch.randn(self.n, self.width), torch.randn(self.n, 1)
        began = time.perf_counter()
        learnrate.torch.sweep(
            self.model,
            (X, y),
            lrs=learnrate.logspace(1e-5, 1e-3, self.lanes),
            loss="mse",
            optimizer="adam",
            epochs=epochs,
            batch_size=B,
            cluster=cluster,
        )
        return time.perf_counter() - began

    def pieces(self, workers: int) -> tuple[float, float]:
        """Seconds of an epoch of all lanes, and of what is paid once; ``workers`` 0 is no cluster."""
        slopes, once = [], []
        for _ in range(ROUNDS):
            cluster = RayCluster("local", workers=workers) if workers else None
            few, many = (self.seconds(epochs, cluster) for epochs in self.epochs)
            slopes.append((many - few) / (self.epochs[1] - self.epochs[0]))
            once.append(few - self.epochs[0] * slopes[-1])
        return statistics.median(slopes), statistics.median(once)


def mlp(width: int, hidden: int) -> nn.Module:
    """Two hidden layers."""
    return nn.Sequential(
        *[nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()],
        nn.Linear(hidden, 1),
    )


WORKS = [
    Work("MLP 20-32-32-1", mlp(20, 32), 20, 6400, 16, (10, 60)),
    Work("MLP 512-1024-1024-1, measured often", mlp(512, 1024), 512, 128, 4, (2, 22)),
]


class Pieces(NamedTuple):
    """Seconds: until workers are ready, and of a state that is sent and received, by the byte."""

    start: float
    byte: float


def measured(found: list[Pieces]) -> Iterator[str]:
    """Each sweep without a cluster and with one."""
    yield "| work | lanes | state of a lane | plain, a lane's step | 1 worker | Ray's overhead | 2 workers | paid once |"
    yield "|" + " --- |" * 8
    began = time.perf_counter()
    with connected("local", cpus=2, store=500_000_000) as connection:
        starting = time.perf_counter() - began
        ray = pieces_of_ray(connection.ray)
        for work in WORKS:
            work.seconds(1, None)  # warm
            (plain, _), (one, once), (two, _) = (work.pieces(workers) for workers in (0, 1, 2))
            a, b, c = (1e6 * slope / (work.lanes * work.steps) for slope in (plain, one, two))
            yield (
                f"| {work.name} | {work.lanes} | {work.nbytes / 1e6:.2g} MB | {a:.1f} µs | {b:.1f} µs | "
                f"{b - a:.1f} µs ({b / a - 1:.0%}) | {c:.1f} µs | {once:.1f} s |"
            )
        sent = work.lanes * work.nbytes  # in an epoch of the last one
        byte = max(ray["put"], (one - plain) / sent)
        found.append(Pieces(starting + once, byte))
    yield ""
    yield f"Ray itself starts in {starting:.1f} s. {where_and_when()}, two cores, medians of {ROUNDS} rounds: `python -m benchmarks.torch_cluster --update`"


def predicted(pieces: Pieces) -> Iterator[str]:
    """Sweeps on more GPUs than there are here. What a byte costs is counted on both sides, which is more than it is."""
    lanes, measurements = 512, 20
    yield "| parameters | one training | GPUs | the sweep | of the GPUs' time used | what limits |"
    yield "|" + " --- |" * 6
    for parameters, one in ((1e5, 60.0), (1e7, 600.0), (1e8, 3600.0), (1e9, 36000.0)):
        for gpus in (8, 64, 512):
            nbytes = PARAMETERS * 4 * parameters
            alone = one + measurements * nbytes * pieces.byte
            parts = {
                "the lanes": -(-lanes // gpus) * alone,
                "receiving states": lanes * measurements * nbytes * pieces.byte,
                "the network": lanes * measurements * nbytes / NETWORK,
            }
            limit = max(parts, key=parts.__getitem__)
            total = pieces.start + parts[limit]
            used = lanes * one / gpus / total
            size = f"{parameters / 1e6:,g} million"
            yield f"| {size} | {duration(one)} | {gpus} | {duration(total)} | {used:.0%} | {limit} |"
    yield ""
    yield (
        f"a state sent and received {1e9 * pieces.byte:.2f} ns/byte, start {pieces.start:.0f} s, "
        f"network {NETWORK * 8 / 1e9:g} Gbit/s, Adam in float32"
    )


def main() -> None:
    """Print the tables, and put them into the pages if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--update", action="store_true", help="put them into docs/scale-cluster*.md"
    )
    parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    found: list[Pieces] = []
    print_table("cluster-torch", measured(found), "scale-cluster")
    print_table("cluster-gpus", predicted(found[0]), "scale-cluster")


if __name__ == "__main__":
    main()
