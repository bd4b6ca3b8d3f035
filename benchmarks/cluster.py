"""A sweep on a local Ray cluster against the plain one, and a cost model that is held against both.

    python -m benchmarks.cluster [--update]      # about three minutes; --update writes docs/scale-cluster*.md

Measured: the plain run on one thread, then the lanes split and the data split over 1 and 2 workers, in turn, the
median of the rounds. Then the pieces of the model (see `benchmarks.cluster_model`), each on its own, and what they
predict for those runs. With the pieces follows a table of what cannot be run here.
"""

from __future__ import annotations

import argparse
import copy
import os
import re
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.cluster_model import (
    Pieces,
    Work,
    data_parts,
    data_seconds,
    lanes_seconds,
    matrix_bytes,
    move,
)
from learnrate.cluster.connection import connected
from learnrate.cluster.passes import steps_of_a_unit
from learnrate.cluster.ray import RayCluster
from learnrate.linear.fused import FusedEngine
from learnrate.linear.problem import LinearProblem
from learnrate.linear.units import units
from learnrate.linear.workers import Workers

DOCS = Path(__file__).parent.parent / "docs"
WORK = Work(n=400_000, d=20, batch_size=64, lanes=32, epochs=60)
NETWORK = 1.25e9  # bytes a second: 10 Gbit/s
RUNS = [("lanes", 1), ("lanes", 2), ("data", 1), ("data", 2)]


def make_problem(work: Work) -> LinearProblem:
    """Gaussian features, a linear target with noise, rates that converge."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((work.n, work.d))
    y = X @ rng.standard_normal(work.d) + 0.1 * rng.standard_normal(work.n)
    lrs = np.geomspace(1e-3, 0.3, work.lanes)
    return LinearProblem(X, y, lrs, work.batch_size, epochs=work.epochs)


def best(run: Callable[[], object], rounds: int = 5) -> float:
    """Seconds of the median round."""
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def pieces_here(work: Work) -> dict[str, float]:
    """All but what Ray does, in this process."""
    from learnrate.linear.kernels.permutation import permutation
    from learnrate.linear.kernels.shared import GramMaker, MovingPath

    problem = make_problem(work)
    plain = FusedEngine()
    list(plain.states(replace(problem, epochs=1)))  # kernels are loaded
    began = time.perf_counter()
    maker = GramMaker(problem)
    setup = time.perf_counter() - began
    orders = problem.orders(permute=permutation)
    order = best(lambda: orders.inside(1, 0)) / work.n
    most = steps_of_a_unit(problem)
    few = [unit._replace(adds_up=False) for unit in list(units(problem, None, most))[1:5]]
    steps = sum(unit.stop - unit.first for unit in few)
    rows = steps * work.batch_size
    maker.make(few[0])
    far = best(lambda: [maker.make(unit) for unit in few]) / rows
    near = best(lambda: [maker.make(unit._replace(moves=False)) for unit in few]) / rows

    # Moving: as many steps by matrices in the near cache, and by ones that come from memory.
    def steps_of(lanes: int, far: bool) -> float:
        lrs = np.geomspace(1e-3, 0.1, lanes)
        path = MovingPath(replace(problem, lrs=lrs), None, Workers(1, None), iter(()))
        unit = few[0]
        G = maker.make(unit).G
        scales = path._scales(0, slice(None))
        size, at_once = path.width**2, path.at_once
        count = (unit.stop - unit.first) // at_once * at_once
        path.G[:] = G[: path.G.size]

        def near_only() -> None:
            for first in range(0, count, at_once):
                everyone = 0, path.layout.blocks
                steps = first, first + at_once, at_once, at_once
                path.call(
                    *path.no_examples,
                    scales[None],
                    work.batch_size,
                    0,
                    path.G,
                    everyone,
                    steps,
                    False,
                )

        def from_far() -> None:
            path._move(unit._replace(stop=unit.first + count), G[: count * size], scales)

        return best(from_far if far else near_only, 15) / count

    one, many = steps_of(16, False), steps_of(256, False)
    lane = (many - one) / 240
    get = max(0.0, steps_of(16, True) - one) / matrix_bytes(work.d)
    return {
        "setup": 2 * setup,
        "order": order,
        "make": near,
        "make_far": far,
        "step": one - 16 * lane,
        "lane": lane,
        "get": get,
    }


def pieces_of_ray(ray: Any) -> dict[str, float]:
    """Sending a unit's matrices, and the calls for it."""

    class Sender:
        def send(self, count: int) -> tuple[float, Any]:
            return 0.0, (np.zeros(count), np.zeros(0))

    sender = ray.remote(num_cpus=1)(Sender).remote()
    call = sender.send.options(num_returns=2)

    def send(count: int) -> Callable[[], None]:
        def run() -> None:
            effort, result = call.remote(count)
            ray.wait([effort], timeout=10)
            ray.get(effort)
            copy.deepcopy(ray.get(result))

        return run

    send(1)()
    small, large = best(send(1), 50), best(send(1 << 20), 20)
    zeros = best(lambda: np.zeros(1 << 20).fill(0), 20)
    ray.kill(sender)
    return {"call": small, "put": max(0.0, large - small - zeros) / (8 << 20)}


def calibrate(ray: Any, work: Work, processes: int) -> Pieces:
    """The pieces, with so many processes at work at the same time, as there are in what is predicted."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        measured = list(pool.map(pieces_here, [work] * processes))
    mean = {name: statistics.mean(one[name] for one in measured) for name in measured[0]}
    return Pieces(**mean, **pieces_of_ray(ray))


def run_plain(problem: LinearProblem) -> float:
    """Seconds of training in this process."""
    began = time.perf_counter()
    for _ in FusedEngine().states(problem):
        pass
    return time.perf_counter() - began


def run_ray(problem: LinearProblem, split: str, workers: int) -> tuple[float, float]:
    """Seconds of training, and until the workers were ready."""
    executor = RayCluster(split=split, workers=workers).executor(FusedEngine())
    for _ in executor.run([problem], [None]):
        pass
    executor.close()
    return executor.training, executor.starting


def measured_table(work: Work, rounds: int) -> Iterator[str]:
    """Measured and predicted seconds, and the pieces."""
    problem = make_problem(work)
    run_plain(replace(problem, epochs=1))
    store = 2 * (problem.X.nbytes + problem.y.nbytes) + (1 << 28)
    began = time.perf_counter()
    with connected("local", cpus=2, store=store) as connection:
        starting = time.perf_counter() - began
        plain: list[float] = []
        spread: dict[tuple[str, int], list[tuple[float, float]]] = {run: [] for run in RUNS}
        single, double = [], []
        for _ in range(rounds):
            single.append(calibrate(connection.ray, work, 1))
            plain.append(run_plain(problem))
            for run in RUNS:
                spread[run].append(run_ray(problem, *run))
            double.append(calibrate(connection.ray, work, 2))
    one, two = (median_of(pieces) for pieces in (single, double))
    base = statistics.median(plain)
    yield f"{work.n:,} examples, {work.d} features, batch size {work.batch_size}, {work.lanes} rates, "
    yield f"{work.epochs} epochs, float64; medians of {rounds} rounds on {os.cpu_count()} cores"
    yield ""
    yield "run                measured   of plain   predicted   predicted/measured"
    predicted = lanes_seconds(work, one, 1)
    yield _line("plain, 1 thread", base, base, predicted)
    for split, workers in RUNS:
        seconds = statistics.median(training for training, _ in spread[split, workers])
        if split == "lanes":
            predicted = lanes_seconds(work, one if workers == 1 else two, workers)
        else:
            predicted = data_seconds(work, two, workers, cores=2)
        name = f"{split}, {workers} worker{'s' * (workers > 1)}"
        yield _line(name, seconds, base, predicted)
    ready = statistics.median(ready for runs in spread.values() for _, ready in runs)
    yield ""
    yield f"Besides, once for a sweep: {starting:.1f} s to start Ray, {ready:.1f} s until workers are ready."
    yield ""
    yield "piece                                        alone    two at a time"
    for name, scale, unit, text in _PIECES:
        a, b = (getattr(pieces, name) * scale for pieces in (one, two))
        yield f"{text:40} {a:>9.3g} {b:>9.3g} {unit}"
    pieces_for_tables.append(one)


pieces_for_tables: list[Pieces] = []

_PIECES = [
    ("order", 1e9, "ns", "place in the order, per row"),
    ("make", 1e9, "ns", "Gram matrix in the near cache, per row"),
    ("make_far", 1e9, "ns", "Gram matrix into memory, per row"),
    ("step", 1e9, "ns", "recurrence, per step"),
    ("lane", 1e9, "ns", "recurrence, per step and lane"),
    ("put", 1e9, "ns", "serialisation, per byte"),
    ("get", 1e9, "ns", "reading what was sent, per byte"),
    ("call", 1e6, "µs", "call of a worker"),
    ("setup", 1e3, "ms", "before the first step"),
]


def _line(name: str, seconds: float, base: float, predicted: float) -> str:
    return (
        f"{name:18} {seconds:>7.2f} s {seconds / base:>9.2f} {predicted:>9.2f} s "
        f"{predicted / seconds:>12.2f}"
    )


def median_of(pieces: list[Pieces]) -> Pieces:
    """Each piece's median."""
    names = Pieces.__dataclass_fields__
    return Pieces(**{n: statistics.median(getattr(one, n) for one in pieces) for n in names})


def large_table(pieces: Pieces) -> Iterator[str]:
    """One epoch of larger sweeps than can be run here, by the model."""
    yield f"d = 20, float64, examples shuffled in blocks, network {NETWORK * 8 / 1e9:g} Gbit/s; one epoch"
    yield ""
    yield "examples workers     B     K   plain   lanes split   data split   its limit"
    for n, workers, B, K in [
        (10**8, 10, 64, 32),
        (10**8, 10, 64, 256),
        (10**10, 100, 64, 32),
        (10**10, 100, 1024, 32),
        (10**10, 100, 1024, 1024),
        (10**12, 1000, 64, 32),
        (10**12, 1000, 1024, 32),
        (10**12, 1000, 16384, 32),
        (10**12, 1000, 16384, 1024),
        (10**12, 1000, 65536, 32),
    ]:
        work = Work(n, 20, B, K)
        parts = data_parts(work, pieces, workers, network=NETWORK, blocks=True, unit_bytes=1 << 26)
        limit = max(parts, key=parts.__getitem__)
        times = lanes_seconds(work, pieces, 1), lanes_seconds(work, pieces, workers), parts[limit]
        plain, lanes, data = map(duration, times)
        exponent = f"10^{len(str(n)) - 1}"
        yield f"{exponent:>8} {workers:>7} {B:>5} {K:>5} {plain:>7} {lanes:>13} {data:>12}   {limit}"


def limits_table(pieces: Pieces) -> Iterator[str]:
    """With how many workers the one process that moves the lanes, or its network, has all it can do."""
    yield "d = 20, float64: workers that are still of use with the data split, and examples a second then"
    yield ""
    yield "    B     K    by recurrence       by network   examples a second"
    g = matrix_bytes(20)
    for B in (32, 64, 256, 1024, 4096, 16384):
        for K in (16, 64, 256, 1024):
            step = move(pieces, K) + g * pieces.get
            row = pieces.order + pieces.make_far + g * pieces.put / B
            recurrence, network = row * B / step, row * B * NETWORK / g
            rate = B / max(step, g / NETWORK)
            yield f"{B:>5} {K:>5} {recurrence:>16.1f} {network:>16.1f} {rate:>19.2g}"


def duration(seconds: float) -> str:
    """In the unit that reads best."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.2g} s"


def put(name: str, text: str) -> None:
    """Replace what stands between a table's markers in each page."""
    for page in DOCS.glob("scale*.md"):
        between = rf"(<!-- table: {name} -->\n).*?(<!-- end -->)"
        block = f"```text\n{text}\n```\n"
        old = page.read_text(encoding="utf-8")
        new = re.sub(between, lambda m, b=block: m[1] + b + m[2], old, flags=re.S)  # type: ignore[misc]
        page.write_text(new, encoding="utf-8")


def main() -> None:
    """Print the tables, and put them into the pages if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--update", action="store_true", help="put them into docs/scale*.md")
    given = parser.parse_args()
    tables: dict[str, Callable[[], Iterator[str]]] = {
        "cluster": lambda: measured_table(WORK, given.rounds),
        "cluster-large": lambda: large_table(pieces_for_tables[0]),
        "cluster-limits": lambda: limits_table(pieces_for_tables[0]),
    }
    for name, table in tables.items():
        lines = [line.rstrip() for line in table()]
        print("\n".join(lines), end="\n\n", flush=True)
        if given.update:
            put(name, "\n".join(lines))


if __name__ == "__main__":
    main()
