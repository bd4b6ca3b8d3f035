"""Record what MXNet 1.9.1 answers to `mxnet_cases`.

Run it from the repository in an environment of its own (Python 3.11)::

    python -m pip install "numpy==1.23.5" mxnet==1.9.1
    python tests/compat/record_mxnet.py

and commit the files that it writes: ``tests/compat/data/mxnet-1.9.1.json``, which the tests read, and
``src/learnrate/mxnet_names.txt``, the names that MXNet has, by which learnrate tells them from typing errors.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import sys
from pathlib import Path
from typing import Any

ANSWERS = Path(__file__).parent / "data" / "mxnet-1.9.1.json"
NAMES = Path(__file__).parents[2] / "src" / "learnrate" / "mxnet_names.txt"
MODULES = [
    "",
    "nd",
    "random",
    "autograd",
    "init",
    "optimizer",
    "gluon",
    "gluon.nn",
    "gluon.loss",
    "gluon.data",
    "gluon.data.vision",
    "gluon.data.vision.transforms",
    "gluon.utils",
    "gluon.block",
    "gluon.parameter",
    "gluon.trainer",
    "base",
    "context",
    "nd.NDArray",
]
HELPERS = [
    "Benchmark",
    "RNNModel",
    "Residual",
    "VOCSegDataset",
    "bbox_to_rect",
    "corr2d",
    "count_tokens",
    "data_iter",
    "data_iter_consecutive",
    "data_iter_random",
    "download_imdb",
    "download_voc_pascal",
    "evaluate_accuracy",
    "evaluate_loss",
    "get_batch",
    "get_data_ch7",
    "get_fashion_mnist_labels",
    "get_tokenized_imdb",
    "get_vocab_imdb",
    "grad_clipping",
    "linreg",
    "load_data_fashion_mnist",
    "load_data_jay_lyrics",
    "load_data_pikachu",
    "load_data_time_machine",
    "mkdir_if_not_exist",
    "plt",
    "predict_rnn",
    "predict_rnn_gluon",
    "predict_sentiment",
    "preprocess_imdb",
    "read_imdb",
    "read_voc_images",
    "resnet18",
    "semilogy",
    "set_figsize",
    "sgd",
    "show_bboxes",
    "show_fashion_mnist",
    "show_images",
    "show_trace_2d",
    "squared_loss",
    "to_onehot",
    "train",
    "train_2d",
    "train_and_predict_rnn",
    "train_and_predict_rnn_gluon",
    "train_ch3",
    "train_ch5",
    "train_ch7",
    "train_gluon_ch7",
    "try_all_gpus",
    "try_gpu",
    "use_svg_display",
    "voc_label_indices",
    "voc_rand_crop",
]
"""Names of the book's own helpers."""


def names(mx: Any) -> list[str]:
    """Every public name of the modules that learnrate stands for."""
    found = set(HELPERS)
    for module in MODULES:
        place = functools.reduce(getattr, filter(None, module.split(".")), mx)
        for name in dir(place):
            value = getattr(place, name, None)
            foreign = inspect.ismodule(value) and not value.__name__.startswith("mxnet")
            if not name.startswith("_") and not foreign:
                found.add(name)
    return sorted(found)


def main() -> None:
    """Ask MXNet, and write its answers down."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    mx = importlib.import_module("mxnet")
    plain = importlib.import_module("tests.nd.mxnet_cases").plain
    cases = importlib.import_module("tests.compat.mxnet_cases")
    mx.random.seed(0)
    answers = {
        "trajectories": [cases.trajectory(mx, *case) for case in cases.OPTIMISERS],
        "snippets": {s: cases.answer(mx, s, plain) for s in cases.SNIPPETS},
        "initialisers": [cases.statistics(mx, *case) for case in cases.INITIALISERS],
        "files": {kind: cases.file(mx, kind) for kind in cases.FILES},
    }
    parts = (
        f"{json.dumps(part)}: " + json.dumps(found).replace("]], [[", "]],\n[[")
        for part, found in answers.items()
    )
    NAMES.write_text("\n".join(names(mx)) + "\n", encoding="utf-8")
    ANSWERS.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
