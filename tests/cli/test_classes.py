"""Classes, losses and optimizers on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def tables(tmp_path: Path) -> None:
    rows = [f"{i % 7},{i * i % 11},{'yes' if i % 7 > i * i % 5 else 'no'}" for i in range(60)]
    (tmp_path / "sold.csv").write_text("\n".join(["a,b,sold", *rows]))
    rows = [f"{i % 7},{i * i % 11},{['low', 'mid', 'high'][i % 3]}" for i in range(60)]
    (tmp_path / "kinds.csv").write_text("\n".join(["a,b,kind", *rows]))


def test_a_target_of_words_works_without_any_option(learnrate: Run, tmp_path: Path) -> None:
    done = learnrate("sweep", "sold.csv", "-t", "sold", "--val", 0.2, "--save", "a.png")
    assert done.code == 0, done.err
    assert "logistic regression, log loss, 2 classes: no (" in done.out
    assert "; yes is 1" in done.out
    assert "held-out accuracy" in done.out
    assert "Suggested learning rate" in done.out
    assert "in the units of the data, for sold = yes: a = " in done.out
    assert (tmp_path / "a.png").exists()


def test_a_column_of_weights_for_each_class(learnrate: Run) -> None:
    done = learnrate("sweep", "kinds.csv", "-t", "kind", "--lrs", "0.1")
    assert done.code == 0, done.err
    assert "softmax regression, log loss, 3 classes: high (20), low (20), mid (20)" in done.out
    for name in ("high", "low", "mid"):
        assert f"  {name}: a = " in done.out


def test_an_optimizer_with_its_options(learnrate: Run) -> None:
    done = learnrate(
        *["sweep", "kinds.csv", "-t", "kind", "--optimizer", "adam", "--json"],
        *["--optimizer-option", "betas=0.8,0.99", "--optimizer-option", "amsgrad=true"],
    )
    assert done.code == 0, done.err
    config = json.loads(done.out)["config"]
    assert config["optimizer"] == "adam"
    assert config["optimizer_options"] == {"betas": [0.8, 0.99], "amsgrad": True}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--loss", "logistic"], "must hold 2 classes. Got 3 instead; use softmax."),
        (["--loss", "hing"], "--loss must be one of squared, huber"),
        (["--loss", "squared"], "learn them as classes with --loss softmax"),
        (["--engine", "gram"], "--engine must be auto or one that can train this"),
        (["--optimizer-option", "eps"], "--optimizer-option must be NAME=VALUE"),
        (["--optimizer-option", "momentum=much"], "must be a number, numbers with commas"),
        (["--optimizer-option", "eps=1"], "optimizer sgd must be one that it has. Got 'eps'"),
        (["--optimizer", "lion", "--momentum", "0.9"], "--momentum must go with an optimizer"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(learnrate: Run, options: list[str], words: str) -> None:
    done = learnrate("sweep", "kinds.csv", "-t", "kind", *options)
    assert done.code == 2
    assert words in done.err
    assert done.err.count("\n") == 1


def test_a_rate_is_not_judged_where_there_is_no_theory(learnrate: Run) -> None:
    done = learnrate("sweep", "kinds.csv", "-t", "kind", "--optimizer", "adam", "--why", 0.1)
    assert done.code == 0
    assert "0.1 is not judged: " in done.out


MODELS = """
from torch import nn

def three(d):
    return nn.Linear(d, 3)

def one(d):
    return nn.Sequential(nn.Linear(d, 1), nn.Flatten(0))
"""


@pytest.mark.parametrize(
    ("table", "target", "model", "loss", "said"),
    [
        (
            "kinds.csv",
            "kind",
            "three",
            "cross-entropy",
            "3 classes: high (20), low (20), mid (20).",
        ),
        ("sold.csv", "sold", "one", "bce", "yes is 1."),
    ],
)
def test_a_pytorch_model_learns_classes_too(
    learnrate: Run, tmp_path: Path, table: str, target: str, model: str, loss: str, said: str
) -> None:
    (tmp_path / f"zoo_{model}.py").write_text(MODELS)
    done = learnrate(
        *["sweep", table, "-t", target, "--model", f"zoo_{model}:{model}", "--loss", loss],
        *["--lrs", "0.1", "--json"],
    )
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert any(said in note for note in document["notes"])
    losses = document["lanes"][0]["losses"]
    assert losses[-1] < losses[0]
