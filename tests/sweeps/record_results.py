"""Results of sweeps as JSON, to compare one version of learnrate with another.

``data/84327dd.json`` holds those of commit 84327dd, from before lanes, losses and executors became independent of the
model. To make such a file of another commit, check it out into a folder and run::

    PYTHONPATH=FOLDER/src python tests/sweeps/record_results.py tests/sweeps/data/COMMIT.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import learnrate

ENGINES = ("reference", "gram", "fused", "torch")


def examples(n: int, d: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(n, d)) * 10.0 ** -np.arange(d) + 3 * np.arange(d)
    return X, X @ np.arange(1.0, d + 1) + rng.normal(size=n) + 100


LINEAR: dict[str, dict[str, Any]] = {
    "plain": {"lrs": [0.01, 0.1]},
    "a short last batch, seeds": {"lrs": [0.01, 0.1], "batch_size": 7, "seeds": 3},
    "momentum": {"lrs": [0.001, 0.01], "momentum": 0.9},
    "decay and schedule": {"lrs": [0.01, 0.1], "weight_decay": 0.1, "schedule": "cosine"},
    "independent": {"lrs": [0.01, 0.1], "sampling": "independent"},
    "held out": {"lrs": [0.01, 0.1], "val": 0.2},
    "diverges": {"lrs": [0.01, 1e6], "epochs": 60},
    "float32": {"lrs": [0.01, 0.1], "dtype": "float32"},
}
TORCH: dict[str, dict[str, Any]] = {
    "sgd": {"lrs": [0.01, 0.1], "momentum": 0.9},
    "adam": {"lrs": [0.001, 0.01], "optimizer": "adam"},
    "one lane at a time": {"lrs": [0.01, 0.1], "lanes_at_once": 1},
    "held out, seeds": {"lrs": [0.01, 0.1], "seeds": 2, "val": True},
}


def linear(engine: str, options: dict[str, Any]) -> dict[str, Any]:
    X, y = examples(97, 4)
    kept = {"batch_size": 10, "epochs": 3, "standardize": True, **options}
    rule: dict[str, Any] = {n: kept.pop(n) for n in ("momentum", "weight_decay") if n in kept}
    if rule:  # options of their own at that commit
        kept.update({"optimizer": learnrate.SGD(**rule)} if hasattr(learnrate, "SGD") else rule)
    result = learnrate.sweep(X, y, engine=engine, **kept)
    found = {"losses": result.losses, "W": result.W, "b": result.b}
    if result.val_losses is not None:
        found["val_losses"] = result.val_losses
    return {name: np.asarray(array).tolist() for name, array in found.items()}


def of_torch(options: dict[str, Any]) -> dict[str, Any]:
    import torch

    import learnrate.torch

    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Dropout(0.1), torch.nn.Linear(8, 1)
    ).double()
    X, y = (torch.tensor(array) for array in examples(96, 4))
    y = ((y - y.mean()) / y.std())[:, None]
    options = dict(options)
    if options.pop("val", False):
        options["val_data"] = (X[80:], y[80:])
    if "momentum" in options:
        options["optimizer_options"] = {"momentum": options.pop("momentum")}
    result = learnrate.torch.sweep(
        model, (X[:80], y[:80]), loss="mse", batch_size=16, epochs=4, **options
    )
    found = {"losses": result.losses}
    if result.val_losses is not None:
        found["val_losses"] = result.val_losses
    return {name: np.asarray(array).tolist() for name, array in found.items()}


def main(path: Path) -> None:
    found = {
        f"{engine}: {name}": linear(engine, options)
        for engine in ENGINES
        for name, options in LINEAR.items()
    }
    found |= {f"model: {name}": of_torch(options) for name, options in TORCH.items()}
    lines = (f"{json.dumps(case)}: {json.dumps(result)}" for case, result in found.items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
