"""``learnrate sweep --model``: whole commands, bad input too."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Done

Run = Callable[..., Done]

TABLE = "a,b,c,price\n" + "".join(
    f"{i % 7},{i * i % 11},{'xyz'[i % 3]},{i % 5}\n" for i in range(60)
)
MODELS = """
import torch
from torch import nn

def make_model(features):
    return nn.Sequential(nn.Linear(features, 8), nn.ReLU(), nn.Linear(8, 1))

def classifier(features):
    print("a model is built")
    return nn.Sequential(nn.Linear(features, 8), nn.Dropout(0.1), nn.Linear(8, 5))

def fixed():
    return nn.Linear(2, 1)

class Branching(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.layer = nn.Linear(features, 1)

    def forward(self, x):
        y = self.layer(x)
        return y if y.sum().item() > 0 else 2 * y

def step(model, batch):
    x, y = batch
    error = (model(x)[:, 0] - y) ** 2
    return error.mean(), {"largest": error.max()}

def broken():
    raise ValueError("no such layer")

def number():
    return 3

def leaves():
    raise SystemExit(3)

constant = 3
ready = nn.Linear(2, 1)
"""


@pytest.fixture(autouse=True)
def files(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    # Each test has a module of its own name: Python imports a name once.
    name = f"models_{abs(hash(request.node.name))}"
    (tmp_path / "zoo").mkdir()
    (tmp_path / "zoo" / f"{name}.py").write_text(MODELS)
    (tmp_path / "raises.py").write_text("raise RuntimeError('not\\nnow')\n")
    (tmp_path / "lacks.py").write_text("import no_such_package\n")
    (tmp_path / "exits.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "good.csv").write_text(TABLE)
    request.node.zoo = f"zoo.{name}"


@pytest.fixture
def zoo(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    import sys

    monkeypatch.delitem(sys.modules, "zoo", raising=False)
    return str(request.node.zoo)


def test_a_model_is_trained_on_a_table(learnrate: Run, zoo: str, tmp_path: Path) -> None:
    done = learnrate(
        *[
            "sweep",
            "good.csv",
            "-t",
            "price",
            "--model",
            f"{zoo}:make_model",
            "--optimizer",
            "adam",
        ],
        *["--device", "cpu", "--lrs", "0.001,0.01", "-e", "4", "--val", "0.2", "--seeds", "2"],
        *["--save", "a.png", "--save", "a.html"],
    )
    assert done.code == 0, done.err
    assert "model: Sequential, 49 parameters" in done.out
    assert "optimizer: adam" in done.out
    assert "Suggested learning rate" in done.out
    assert (tmp_path / "a.png").exists()
    assert "Sequential under many learning rates" in (tmp_path / "a.html").read_text()


def test_the_same_as_in_python_and_as_json(learnrate: Run, zoo: str) -> None:
    common = ["sweep", "good.csv", "-t", "price", "--lrs", "0.1", "-e", "2", "--json"]
    done = learnrate(*common, "--model", f"{zoo}:classifier", "--loss", "cross-entropy")
    assert done.err == "a model is built\n"  # what the user's code prints is no part of the answer
    document = json.loads(done.out)
    assert document["config"]["loss"] == "cross-entropy"
    assert document["config"]["dtype"] == "float64"
    assert document["lanes"][0]["losses"][-1] < document["lanes"][0]["losses"][0]


def test_a_training_by_steps_with_a_step_of_its_own(learnrate: Run, zoo: str) -> None:
    common = ["sweep", "good.csv", "-t", "price", "--model", f"{zoo}:make_model", "--lrs", "0.1"]
    more = ["--step", f"{zoo}:step", "--clip", "0.5", "--schedule", "cosine", "--warmup", "0.2"]
    whole = ["--optimizer", "adam", "--optimizer-option", "eps=1e-6", "--steps", "9", "--json"]
    document = json.loads(learnrate(*common, *more, *whole).out)
    assert document["steps"] == [0, 1, 2, 4, 9]
    assert document["config"]["loss"] == "step"
    assert document["config"]["schedule"] == "cosine, warmup=0.2"
    [lane] = document["lanes"]
    assert lane["metrics"]["largest"][0] > lane["losses"][0] > 1  # the table's own prices
    regular = ["--steps", "9", "--eval-every", "4", "--dtype", "float32", "--precision", "bf16"]
    done = learnrate(*common, *regular)
    assert "9 steps" in done.out
    assert "after 9 steps" in done.out
    rough = json.loads(learnrate(*common, *regular, "--json").out)["lanes"][0]["losses"]
    fine = json.loads(learnrate(*common, *regular[:6], "--json").out)["lanes"][0]["losses"]
    assert rough != fine
    assert rough == pytest.approx(fine, rel=0.1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--steps", "5", "-e", "2"], "--epochs must be left out"),
        (["--step", "ZOO:step", "--loss", "mse"], "loss or step must be given"),
        (["--step", "ZOO:nothing"], "--step must be package.module:function"),
        (["--precision", "bf16"], "--precision goes with --dtype float32"),
        (["--clip", "0"], "--clip must be a number above 0"),
        (["--schedule", "one-cycle", "--warmup", "0.1"], "--warmup must be left out"),
    ],
)
def test_what_does_not_go_together(options: list[str], said: str, learnrate: Run, zoo: str) -> None:
    common = ["sweep", "good.csv", "-t", "price", "--model", f"{zoo}:make_model", "--lrs", "0.1"]
    done = learnrate(*common, *(text.replace("ZOO", zoo) for text in options))
    assert done.code == 2
    assert said in done.err


def test_a_target_of_any_size_can_be_learned(learnrate: Run, zoo: str, tmp_path: Path) -> None:
    """A model's answers start near 1; house prices do not."""
    rows = "".join(f"{i % 7},{i % 11},{3e5 + 4e4 * (i % 7) + 1e4 * (i % 11)}\n" for i in range(80))
    (tmp_path / "homes.csv").write_text("a,b,price\n" + rows)
    common = ["sweep", "homes.csv", "-t", "price", "--model", f"{zoo}:make_model", "--lrs", "0.05"]
    document = json.loads(learnrate(*common, "-e", "20", "--val", "0.25", "--json").out)
    [lane] = document["lanes"]
    assert 0.2 < lane["losses"][0] < 10
    assert lane["val_losses"][-1] < 0.2
    [remark] = document["notes"]
    assert "price were brought to mean 0" in remark
    assert "(y - " in remark
    raw = json.loads(learnrate(*common, "-e", "1", "--no-standardize", "--json").out)
    assert raw["lanes"][0]["losses"][0] > 1e10
    assert "The target is about" in raw["notes"][0]


def test_options_of_the_linear_model_reach_the_optimiser(learnrate: Run, zoo: str) -> None:
    common = ["sweep", "--model", f"{zoo}:fixed", "--lrs", "0.1", "-e", "2", "--json"]
    document = json.loads(learnrate(*common, "--momentum", "0.5", "--weight-decay", "0.1").out)
    assert document["config"]["optimizer_options"]["momentum"] == 0.5
    assert document["config"]["optimizer_options"]["weight_decay"] == 0.1


def test_one_line_says_that_lanes_were_trained_one_at_a_time(learnrate: Run, zoo: str) -> None:
    done = learnrate("sweep", "good.csv", "-t", "price", "--model", f"{zoo}:Branching", "-e", "2")
    assert done.code == 0, done.err
    assert done.err == ""
    assert done.out.count("one at a time") == 1


def test_the_scaling_of_a_negative_target_is_said(learnrate: Run, zoo: str) -> None:
    Path("down.csv").write_text("a,y\n" + "".join(f"{i},{-9 - i % 3}\n" for i in range(60)))
    done = learnrate("sweep", "down.csv", "--model", f"{zoo}:make_model", "-e", "1", "--lrs", "0.1")
    assert "Train with (y + 10) / " in " ".join(done.out.split())


def test_remarks_are_chinese_to_the_end(learnrate: Run, zoo: str) -> None:
    done = learnrate(
        *("sweep", "good.csv", "-t", "price", "--model", f"{zoo}:Branching", "-e", "2"),
        *("--seeds", "2", "--lang", "zh", "-o", "a.html"),
    )
    assert done.code == 0, done.err
    assert not re.search(">(model|device|optimizer|loss)<", Path("a.html").read_text("utf-8"))
    said = done.out.replace("\n", "")
    assert "各次训练是逐一进行的：vmap 无法把它叠在一起：由一个值决定做什么" in said
    assert "1 次训练的中位数" in done.out or "2 次训练的中位数" in done.out
    assert " 个参数" in done.out
    assert not re.search(r"[a-z]{2,} [a-z]{2,}", done.out)


BAD = [
    (["--model", "make_model"], ["package.module:function", "'make_model'"]),
    (["--model", "nowhere.models:make"], ["nowhere"]),
    (["--model", "raises:make"], ["RuntimeError", "not now"]),
    (["--model", "lacks:make"], ["No module named 'no_such_package' while lacks was run"]),
    (["--model", "exits:make"], ["SystemExit: 3 while exits was run"]),
    (["--model", "ZOO:leaves"], ["Got SystemExit when", "leaves was called: 3"]),
    (["--model", "ZOO:ready"], ["is itself a module"]),
    (["--model", "ZOO:mak_model"], ["Did you mean 'make_model'"]),
    (["--model", "ZOO:constant"], ["no callable 'constant'"]),
    (["--model", "ZOO:broken"], ["ValueError", "no such layer"]),
    (["--model", "ZOO:number"], ["int"]),
    (["--model", "ZOO:fixed"], ["shapes"]),
    (["--model", "ZOO:make_model", "--optimizer", "adma"], ["Did you mean 'adam'"]),
    (["--model", "ZOO:make_model", "--optimizer", "adam", "--momentum", "0.9"], ["momentum"]),
    (["--model", "ZOO:make_model", "--device", "gpu"], ["--device must be", "gpu", "cpu"]),
    (["--model", "ZOO:make_model", "--engine", "gram"], ["'gram'"]),
    (["--model", "ZOO:make_model", "--loss", "mce"], ["Did you mean 'mse'"]),
    (["--model", "ZOO:make_model", "-b", "61"], ["60"]),
    (["--device", "cpu"], ["--device goes with --model"]),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=lambda v: " ".join(v)[:40])
def test_bad_input(learnrate: Run, zoo: str, arguments: list[str], words: list[str]) -> None:
    arguments = [argument.replace("ZOO", zoo) for argument in arguments]
    done = learnrate("sweep", "good.csv", "-t", "price", *arguments)
    assert done.code == 2, done.out
    assert done.out == ""
    assert done.err.count("\n") == 1
    for word in words:
        assert word in done.err
