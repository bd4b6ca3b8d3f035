"""The note's training loop on learnrate.nd, MXNet and PyTorch: one run, one thread, the same data.

1,000 examples with 2 features, batch size 10, one learning rate, 3 epochs: 300 steps of `record`, `backward`
and `param[:] = param - lr * param.grad / batch_size`, and the loss over all examples after each epoch.
Each round starts every library afresh, lets it run once to warm up, and times the second run; medians of
the rounds are compared. Libraries that are not installed are named and left out::

    python benchmarks/note_loop.py
    python benchmarks/note_loop.py --mxnet /path/to/mxnet/bin/python --torch /path/to/torch/bin/python

MXNet 1.9.1 needs an interpreter of its own: Python 3.11 with ``numpy==1.23.5`` and ``mxnet==1.9.1``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

EXAMPLES, BATCH_SIZE, EPOCHS, LR = 1000, 10, 3, 0.03
Losses = list[list[float]]
ONE_THREAD = dict.fromkeys(
    ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MXNET_CPU_WORKER_NTHREADS"], "1"
)


@dataclass(frozen=True)
class Work:
    """What the loop trains: examples, one run for each rate, and where they are given, orders and weights.

    Without ``orders`` (a list of indices for each epoch) every epoch is shuffled as the note does it;
    without ``start`` the weights are drawn.
    """

    X: list[list[float]]
    y: list[float]
    lrs: list[float]
    batch_size: int
    epochs: int
    orders: list[list[int]] | None = None
    start: list[float] | None = None

    def order(self, epoch: int) -> list[int]:
        """The order in which an epoch visits the examples."""
        if self.orders is not None:
            return self.orders[epoch]
        indices = list(range(len(self.y)))
        random.shuffle(indices)
        return indices


def the_note() -> Work:
    """The note's data, the same for all, and one rate."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(EXAMPLES, 2))
    y = X @ np.array([2, -3.4]) + 4.2 + rng.normal(scale=0.01, size=EXAMPLES)
    return Work(X.tolist(), y.tolist(), [LR], BATCH_SIZE, EPOCHS)


def note(nd: Any, autograd: Any, work: Work) -> Callable[[], Losses]:
    """The loop on arrays like MXNet's, as the note has it; returns each rate's loss after each epoch."""
    features, labels = (nd.array(np.array(a, dtype="float32")) for a in (work.X, work.y))
    batch_size = work.batch_size

    def data_iter(epoch: int) -> Any:
        indices = work.order(epoch)
        for i in range(0, len(features), batch_size):
            j = nd.array(indices[i : min(i + batch_size, len(features))])
            yield features.take(j), labels.take(j)

    def linreg(X: Any, w: Any, b: Any) -> Any:
        return nd.dot(X, w) + b

    def squared_loss(y_hat: Any, y: Any) -> Any:
        return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2

    def sgd(params: Any, lr: float, batch_size: int) -> None:
        for param in params:
            param[:] = param - lr * param.grad / batch_size

    def train(lr: float) -> list[float]:
        shape = features.shape[1], 1
        w, b = nd.random.normal(scale=0.01, shape=shape), nd.zeros(shape=(1,))
        if work.start is not None:
            w = nd.array(np.array(work.start, dtype="float32")).reshape(shape)
        w.attach_grad()
        b.attach_grad()
        losses = []
        for epoch in range(work.epochs):
            for X, y in data_iter(epoch):
                with autograd.record():
                    minibatch_loss = squared_loss(linreg(X, w, b), y)
                minibatch_loss.backward()
                sgd([w, b], lr, batch_size)
            losses.append(float(squared_loss(linreg(features, w, b), labels).mean().asscalar()))
        return losses

    return lambda: [train(lr) for lr in work.lrs]


def note_in_torch(torch: Any, work: Work) -> Callable[[], Losses]:
    """The same loop on PyTorch, as the book's PyTorch edition has it."""
    torch.set_num_threads(1)
    features, labels = torch.tensor(work.X), torch.tensor(work.y)
    batch_size = work.batch_size

    def data_iter(epoch: int) -> Any:
        indices = work.order(epoch)
        for i in range(0, len(features), batch_size):
            j = torch.tensor(indices[i : min(i + batch_size, len(features))])
            yield features[j], labels[j]

    def linreg(X: Any, w: Any, b: Any) -> Any:
        return torch.matmul(X, w) + b

    def squared_loss(y_hat: Any, y: Any) -> Any:
        return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2

    def sgd(params: Any, lr: float, batch_size: int) -> None:
        with torch.no_grad():
            for param in params:
                param -= lr * param.grad / batch_size
                param.grad.zero_()

    def train(lr: float) -> list[float]:
        w = torch.normal(0, 0.01, size=(features.shape[1], 1))
        if work.start is not None:
            w = torch.tensor(work.start)[:, None]
        w.requires_grad_()
        b = torch.zeros(1, requires_grad=True)
        losses = []
        for epoch in range(work.epochs):
            for X, y in data_iter(epoch):
                squared_loss(linreg(X, w, b), y).sum().backward()
                sgd([w, b], lr, batch_size)
            with torch.no_grad():
                losses.append(float(squared_loss(linreg(features, w, b), labels).mean()))
        return losses

    return lambda: [train(lr) for lr in work.lrs]


def prepare(library: str, work: Work) -> tuple[Callable[[], Losses], str]:
    """The loop on a library, and the library's version."""
    module = importlib.import_module(library)
    if library == "torch":
        return note_in_torch(module, work), module.__version__
    arrays = importlib.import_module(
        {"learnrate": "learnrate.nd", "mxnet": "mxnet.ndarray"}[library]
    )
    autograd = importlib.import_module(f"{library}.autograd")
    return note(arrays, autograd, work), module.__version__


def time_once(library: str, work: Work) -> dict[str, Any]:
    """Warm up, run, and say how long it took."""
    try:
        run, version = prepare(library, work)
    except ImportError as error:
        return {"absent": str(error)}
    run()
    start = time.perf_counter()
    losses = run()
    return {"seconds": time.perf_counter() - start, "losses": losses, "version": version}


def in_its_own_process(library: str, python: str, work: Work) -> dict[str, Any]:
    """`time_once` in another interpreter, on one thread."""
    command = [python, "-W", "ignore", str(Path(__file__).resolve()), "--once", library]
    source = str(Path(__file__).resolve().parents[1] / "src")
    environment = {**os.environ, **ONE_THREAD}
    if library == "learnrate":
        environment["PYTHONPATH"] = source
    try:
        done = subprocess.run(
            command,
            env=environment,
            input=json.dumps(asdict(work)),
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        return {"absent": str(error)}
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def main() -> None:
    """Time all libraries, round by round, and print medians and ratios."""
    parser = argparse.ArgumentParser(description="The note's loop on learnrate and its peers.")
    parser.add_argument("--rounds", type=int, default=7, help="timed runs of each (7)")
    parser.add_argument("--mxnet", default=sys.executable, help="the interpreter that has MXNet")
    parser.add_argument("--torch", default=sys.executable, help="the interpreter that has PyTorch")
    parser.add_argument("--once", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        print(json.dumps(time_once(options.once, Work(**json.load(sys.stdin)))))
        return
    pythons = {"learnrate": sys.executable, "mxnet": options.mxnet, "torch": options.torch}
    answers: dict[str, list[dict[str, Any]]] = {library: [] for library in pythons}
    for _ in range(options.rounds):
        for library, python in pythons.items():
            answers[library].append(in_its_own_process(library, python, the_note()))
    steps = EPOCHS * EXAMPLES // BATCH_SIZE
    ours = statistics.median(answer["seconds"] for answer in answers["learnrate"])
    print(f"{steps} steps, median of {options.rounds} runs (fastest to slowest), one thread")
    for library, runs in answers.items():
        if "absent" in runs[0]:
            print(f"{library:10} absent: {runs[0]['absent']}")
            continue
        times = sorted(answer["seconds"] for answer in runs)
        median = statistics.median(times)
        print(
            f"{library:10} {runs[0]['version']:14} {1e3 * median:8.1f} ms "
            f"({1e3 * times[0]:.1f} to {1e3 * times[-1]:.1f})  {1e6 * median / steps:7.1f} µs/step  "
            f"{median / ours:6.1f} ×  loss {runs[0]['losses'][0][-1]:.6f}"
        )


if __name__ == "__main__":
    main()
