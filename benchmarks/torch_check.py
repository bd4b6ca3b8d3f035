"""What it costs to compare stacked lanes with the user's own training, as a share of a sweep's processor time.

Sweeps of 13 lanes of a small MLP, with the comparison and with it taken out, in turns on one thread; the median over
rounds. Since `precision="bf16"` is compared in full precision first, it has a row of its own::

    python -m benchmarks.torch_check
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import nn

import learnrate.torch
from learnrate.torch.batches import copied
from learnrate.torch.check import Check
from learnrate.torch.pair import Pair

ROWS = [(188, None), (400, None), (940, None), (400, "bf16")]


@contextmanager
def unchecked() -> Iterator[None]:
    """Sweeps whose lanes are stacked and never compared. Their first step is made ahead, since it is recorded there."""

    def stacked_step(pair: Any, group: Any, multiplier: float) -> tuple[float, None]:
        lanes = pair._stacked
        lanes.theta.copy_(pair._row())
        with torch.no_grad():
            lanes.gradients(copied(group[0]))
        return 0.0, None

    with (
        mock.patch.object(Pair, "step", stacked_step),
        mock.patch.object(Pair, "evaluation", return_value=None),
        mock.patch.object(Check, "_compared", return_value=1),
        mock.patch.object(Check, "at_the_end", return_value=lambda batches: None),
    ):
        yield


def seconds(steps: int, precision: Any) -> float:
    """Processor time of a sweep."""
    torch.manual_seed(0)
    X = torch.randn(2000, 20)
    model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 1))
    began = time.process_time()
    result = learnrate.torch.sweep(
        model,
        (X, X.sin().sum(1, keepdim=True)),
        loss="mse",
        lrs=np.geomspace(1e-3, 1e-1, 13),
        steps=steps,
        batch_size=32,
        precision=precision,
    )
    spent = time.process_time() - began
    assert "stacked" in result.engine_reason
    return spent


def lines(rounds: int) -> Iterator[str]:
    """The table."""
    yield "| steps | precision | a sweep | without comparing | share |"
    yield "| ---: | --- | ---: | ---: | ---: |"
    for steps, precision in ROWS:
        seconds(steps, precision)  # what is compiled or loaded once
        pairs = []
        for _ in range(rounds):
            whole = seconds(steps, precision)
            with unchecked():
                pairs.append((whole, seconds(steps, precision)))
        share = statistics.median(1 - bare / whole for whole, bare in pairs)
        whole, bare = (1000 * statistics.median(part) for part in zip(*pairs, strict=True))
        yield f"| {steps} | {precision or 'float32'} | {whole:.0f} ms | {bare:.0f} ms | {share:.1%} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for line in lines(given.rounds):
        print(line, flush=True)


if __name__ == "__main__":
    main()
