"""What the lanes of a PyTorch sweep really take of the memory, beside what ``lanes_at_once="auto"`` reckons with.

Each row trains few lanes and then many, each time in a process of its own, and takes the difference of the two peaks of
the resident set (Linux) by the number of lanes between them: what a lane takes. The allocator gives freed blocks back at once
(``MALLOC_MMAP_THRESHOLD_``); left to itself, glibc keeps some, and a process is larger, by another amount each time. Needs transformers and peft for the rows
of these names::

    python -m benchmarks.torch_memory                # the table
    python -m benchmarks.torch_memory --only LoRA    # one row
    python -m benchmarks.torch_memory --update       # and put it into docs/pytorch*.md
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pages import print_table, where_and_when

MB = 1e6
LANES = 8, 16
WORKERS = 3
STACKED, ALONE = "stacked", "one at a time"
ADAPTERS = "LoRA on GPT-2 (peft)"
ONLY = {  # the rest is measured both ways
    STACKED: ("SGD", "minibatches", "CNN", "AdamW"),
    ALONE: ("checkpointed", "LSTM"),
}


def setups() -> dict[str, Callable[[], dict[str, Any]]]:
    """What is trained, by name: model, data and options of the sweep."""
    import torch
    from torch import nn
    from torch.utils.checkpoint import checkpoint

    torch.manual_seed(0)

    def numbers(n: int, d: int) -> tuple[torch.Tensor, torch.Tensor]:
        X = torch.randn(n, d)
        return X, X[:, :1].clone()

    def wide(**options: Any) -> dict[str, Any]:
        model = nn.Sequential(nn.Linear(1024, 4096), nn.ReLU(), nn.Linear(4096, 1))
        return {"model": model, "data": numbers(64, 1024), "loss": "mse", **options}

    def deep() -> dict[str, Any]:
        layers = [m for _ in range(8) for m in (nn.Linear(128, 128), nn.Tanh())]
        model = nn.Sequential(*layers, nn.Linear(128, 1))
        return {"model": model, "data": numbers(4096, 128), "loss": "mse", "batch_size": 2048}

    def images() -> dict[str, Any]:
        parts = [nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)]
        parts += [nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU()]
        model = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
        data = torch.randn(64, 3, 32, 32), torch.randint(10, (64,))
        return {"model": model, "data": data, "loss": "cross-entropy", "optimizer": "momentum"}

    class Encoder(nn.Module):
        def __init__(self, checkpointed: bool = False) -> None:
            super().__init__()
            layer = nn.TransformerEncoderLayer(256, 4, 1024, 0.0, batch_first=True)
            self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).layers
            self.head, self.checkpointed = nn.Linear(256, 1), checkpointed

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for layer in self.layers:
                x = checkpoint(layer, x, use_reentrant=False) if self.checkpointed else layer(x)
            out: torch.Tensor = self.head(x.mean(1))
            return out

    def encoder(checkpointed: bool = False, **options: Any) -> dict[str, Any]:
        X = torch.randn(64, 32, 256)
        kept = {"model": Encoder(checkpointed), "data": (X, X[:, 0, :1].clone()), "loss": "mse"}
        return {**kept, "optimizer": "adamw", **options}

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cells, self.head = (
                nn.LSTM(512, 512, num_layers=2, batch_first=True),
                nn.Linear(512, 1),
            )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.head(self.cells(x)[0][:, -1])
            return out

    def recurrent() -> dict[str, Any]:
        X = torch.randn(64, 8, 512)
        data = X, X[:, 0, :1].clone()
        return {"model": Recurrent(), "data": data, "loss": "mse", "optimizer": "adam"}

    def head() -> dict[str, Any]:
        backbone = nn.Sequential(nn.Linear(1024, 4096), nn.ReLU(), nn.Linear(4096, 2048), nn.ReLU())
        model = nn.Sequential(backbone.requires_grad_(False), nn.Linear(2048, 1024), nn.ReLU())
        model.append(nn.Linear(1024, 1))
        return {"model": model, "data": numbers(64, 1024), "loss": "mse", "optimizer": "adam"}

    def lora() -> dict[str, Any]:
        import peft
        import transformers

        config = transformers.GPT2Config(
            n_layer=4, n_head=8, n_embd=512, vocab_size=500, n_positions=64
        )
        model = transformers.GPT2LMHeadModel(config)
        adapters = peft.LoraConfig(r=8, target_modules=["c_attn"], fan_in_fan_out=True)
        tokens = torch.randint(500, (4, 16))

        def step(model: nn.Module, batch: Any) -> Any:
            return model(input_ids=batch[0], labels=batch[0]).loss

        kept = {"model": peft.get_peft_model(model, adapters), "data": (tokens, tokens)}
        return {**kept, "step": step, "optimizer": "adamw", "batch_size": 1, "epochs": 1}

    return {
        "MLP 1024-4096-1, SGD": wide,
        "MLP 1024-4096-1, Adam": lambda: wide(optimizer="adam"),
        "MLP 8 × 128, minibatches of 2,048": deep,
        "CNN with BatchNorm": images,
        "transformer encoder, AdamW": encoder,
        "transformer encoder, 4 minibatches to a step": lambda: encoder(accumulate=4),
        "transformer encoder, activations checkpointed": lambda: encoder(True),
        "LSTM, Adam": recurrent,
        "new head on a frozen backbone": head,
        ADAPTERS: lora,
    }


def child(name: str, lanes: int, way: str) -> None:
    """Train in this process, and print what was used, and what was reckoned with."""
    import torch

    import learnrate.torch
    from learnrate.torch.prepared import bytes_of_lanes
    from learnrate.torch.randomness import sweep_world

    torch.set_num_threads(1)
    engine: Any = importlib.import_module("learnrate.torch.engine")
    given = setups()[name]()
    known: list[Any] = []
    own: Callable[..., int] = engine.lanes_at_once

    def noting(prepared: Any, training: Any, lanes: int) -> int:
        known[:] = prepared, training
        return own(prepared, training, lanes)

    engine.lanes_at_once = noting
    engine.stacked_is_slower = engine.is_too_short = lambda *_: way == ALONE
    warnings.simplefilter("ignore")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before = _of_status("VmRSS")
    options = {"epochs": 3, "batch_size": 32, "lanes_at_once": lanes, **given}
    model, data = options.pop("model"), options.pop("data")
    result = learnrate.torch.sweep(model, data, lrs=np.geomspace(1e-4, 1e-3, lanes), **options)
    used = _of_status("VmHWM") - before
    prepared, training = known
    with sweep_world(training.device):
        need = bytes_of_lanes(prepared, training)
    taken = ALONE if prepared.steps is None else STACKED
    del result
    frozen = sum(p.nbytes for p in model.parameters() if not p.requires_grad)
    trained = sum(p.nbytes for p in model.parameters() if p.requires_grad)
    found = {"used": used, "way": taken, "need": need.each, "frozen": frozen, "trained": trained}
    print(json.dumps(found))


def _of_status(name: str) -> int:
    """A number of bytes in ``/proc/self/status``."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


def measured(name: str, lanes: int, way: str, rounds: int) -> dict[str, Any]:
    """What a process of its own used: the median of some."""
    command = [sys.executable, "-m", "benchmarks.torch_memory", "--child", name, str(lanes), way]
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "131072"}
    runs: list[dict[str, Any]] = []
    for _ in range(rounds):
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        runs.append(json.loads(done.stdout))
    runs.sort(key=lambda run: run["used"])
    return runs[len(runs) // 2]


def rows(only: str, rounds: int) -> Iterator[str]:
    """The table of set-ups, line by line."""
    yield "| set-up | lanes | parameters of a lane | a lane takes | reckoned with | share |"
    yield "|" + " --- |" * 6
    works = [
        (name, way)
        for name in setups()
        if only in name and name != ADAPTERS
        for way, other in ((STACKED, ALONE), (ALONE, STACKED))
        if not any(part in name for part in ONLY[other])
    ]
    with ThreadPoolExecutor(WORKERS) as pool:
        found = pool.map(lambda w: [measured(w[0], K, w[1], rounds) for K in LANES], works)
        for (name, way), (few, many) in zip(works, found, strict=True):
            assert few["way"] == many["way"] == way
            each = (many["used"] - few["used"]) / (LANES[1] - LANES[0])
            yield (
                f"| {name} | {way} | {few['trained'] / MB:.1f} MB | {each / MB:.1f} MB | "
                f"{few['need'] / MB:.1f} MB | {few['need'] / each:.2f} |"
            )
    yield ""
    yield f"{where_and_when()}: `python -m benchmarks.torch_memory --update`"


def adapters(rounds: int) -> Iterator[str]:
    """The table of adapters on one frozen backbone, line by line."""
    yield "| LoRA on GPT-2 | adapters of a lane | frozen backbone | the sweep takes | of one lane |"
    yield "|" + " --- |" * 5
    one = 0.0
    for lanes, way in ((1, ALONE), (16, ALONE), (16, STACKED)):
        found = measured(ADAPTERS, lanes, way, rounds)
        one = one or found["used"]
        of = f"{lanes} lane" if lanes == 1 else f"{lanes} lanes, {found['way']}"
        yield (
            f"| {of} | {found['trained'] / MB:.1f} MB | {found['frozen'] / MB:.0f} MB | "
            f"{found['used'] / MB:.0f} MB | {found['used'] / one:.2f}× |"
        )
    yield ""
    yield f"{where_and_when()}: `python -m benchmarks.torch_memory --update`"


def main() -> None:
    """Print the table, and put it into the pages if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", default="", help="rows whose name holds this")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--update", action="store_true", help="put it into docs/pytorch*.md")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child[0], int(given.child[1]), given.child[2])
    else:
        print_table("memory of lanes", rows(given.only, given.rounds), "pytorch")
        if given.only in ADAPTERS:
            print_table("memory of adapters", adapters(given.rounds), "pytorch")


if __name__ == "__main__":
    main()
