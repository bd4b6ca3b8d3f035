"""Examples that come one after another: one pass for all lanes, and the plain loop over the same loader."""

from __future__ import annotations

import copy
import itertools
import random
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

import learnrate.torch
from learnrate.errors import DataError, LearnrateError, OptionError
from learnrate.torch.engine import TorchEngine
from tests.torch.models import mlp, regression, seeded
from tests.torch.test_engine import problem_of
from tests.torch.test_lanes import Branching

MSE = nn.functional.mse_loss
X, Y = regression()
LRS = [0.01, 0.05]
Stream = IterableDataset[Any]


class Rows(Stream):
    """Some rows in order; how many times it was begun, and how many rows it gave."""

    def __init__(self, rows: int = 40) -> None:
        self.rows = rows
        self.begun = self.given = 0

    def __iter__(self) -> Iterator[Any]:
        self.begun += 1
        for i in range(self.rows):
            self.given += 1
            yield X[i % 70], Y[i % 70]


class Drawn(Stream):
    """Rows without end, drawn from the global generators, or from one of its own."""

    def __init__(self, own: Any = None) -> None:
        self.rng = own

    def __iter__(self) -> Iterator[Any]:
        while True:
            i = random.randrange(70) if self.rng is None else int(self.rng.integers(70))
            yield X[i] + 0.1 * torch.randn(5).double(), Y[i]


class Once(Stream):
    """Goes on where it was left."""

    def __init__(self) -> None:
        self.count = itertools.count()

    def __iter__(self) -> Iterator[Any]:
        for i in self.count:
            yield X[i % 70], Y[i % 70]


def swept(data: Any, model: Any = None, **options: Any) -> Any:
    kept: dict[str, Any] = {"loss": "mse", "lrs": LRS, "steps": 12, "optimizer": "momentum"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return learnrate.torch.sweep(mlp() if model is None else model, data, **kept | options)


@pytest.mark.parametrize("build", [mlp, lambda: seeded(Branching)], ids=["stacked", "separate"])
def test_lanes_are_the_plain_loop_over_the_loader(build: Any) -> None:
    model, loader = build(), DataLoader(Rows(), batch_size=16)
    own = copy.deepcopy(model)
    optimizer = torch.optim.SGD(own.parameters(), lr=LRS[1], momentum=0.9)
    losses: list[float] = []
    while len(losses) < 12:
        for x, y in loader:  # 16, 16 and 8 rows
            optimizer.zero_grad()
            loss = MSE(own(x), y)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(loss.item())
    result = swept(DataLoader(Rows(), batch_size=16), model, val_data=(X, Y))
    np.testing.assert_allclose(result.losses[0, 1, -1], np.mean(losses[6:]), rtol=1e-9)
    parts = zip(torch.split(X, 16), torch.split(Y, 16), strict=True)
    held_out = sum(len(x) * MSE(own(x), y).item() for x, y in parts) / 70
    assert result.val_losses[0, 1, -1] == pytest.approx(held_out, rel=1e-9)
    for name, value in result.state_dict(LRS[1]).items():
        torch.testing.assert_close(value, own.state_dict()[name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("build", [mlp, lambda: seeded(Branching)], ids=["stacked", "separate"])
def test_one_pass_serves_all_lanes(build: Any) -> None:
    rows = Rows(10_000)
    swept(rows, build(), batch_size=16, eval_every=3, lrs=[0.001, 0.01, 0.02, 0.03])
    assert rows.begun <= 4  # twice to see that it repeats, and for the training
    assert rows.given <= (12 + 3 * 3) * 16


def test_lanes_that_do_not_fit_see_the_same_minibatches() -> None:
    draw = seeded(lambda: nn.Sequential(nn.Linear(5, 8), nn.Dropout(0.3), nn.Linear(8, 1)))
    makes: list[Callable[[], Drawn]] = [Drawn, lambda: Drawn(np.random.default_rng(3))]
    for make in makes:
        together = swept(make(), draw, batch_size=8)
        apart = swept(make(), draw, batch_size=8, lanes_at_once=1)
        np.testing.assert_allclose(apart.losses, together.losses, rtol=1e-9)
        other = swept(make(), draw, batch_size=8, seed=1)
        assert (other.losses != together.losses).all()
        both = swept(make(), draw, batch_size=8, seeds=2)
        np.testing.assert_allclose(both.losses[1], other.losses[0], rtol=1e-9)


def test_separate_lanes_have_draws_of_their_own() -> None:
    """Lanes that take turns on each minibatch draw the masks that each would draw alone."""

    class Masked(Branching):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(nn.functional.dropout(x, 0.4, self.training))

    together = swept(Drawn(), seeded(Masked), batch_size=8)
    assert "one lane at a time" in together.engine_reason
    alone = swept(Drawn(), seeded(Masked), batch_size=8, lrs=LRS[1])
    np.testing.assert_allclose(alone.losses[0, 0], together.losses[0, 1], rtol=1e-9)


def test_a_stream_that_gives_something_else_again_serves_lanes_that_fit_together() -> None:
    result = swept(Once(), batch_size=8)
    assert "stacked" in result.engine_reason
    for options in ({"lanes_at_once": 1}, {"seeds": 2}):
        with pytest.raises(OptionError, match="read again from its seed"):
            swept(Once(), batch_size=8, **options)


def test_accumulated_minibatches_of_a_stream() -> None:
    result = swept(DataLoader(Rows(), batch_size=8), accumulate=2, val_data=(X, Y))
    whole = swept(DataLoader(Rows(), batch_size=16), val_data=(X, Y), steps=2)
    np.testing.assert_allclose(result.val_losses[..., :3], whole.val_losses[..., :3], rtol=1e-9)


def test_training_on_a_stream_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(
        monkeypatch, mlp, data=Drawn(), epochs=None, steps=12, lrs=LRS, batch_size=8
    )
    states = list(TorchEngine().states(problem))
    for start in states[1:-1]:
        *_, last = TorchEngine().states(problem, start)
        for name, array in states[-1].arrays.items():
            np.testing.assert_array_equal(last.arrays[name], array)


def test_workers_read_a_stream() -> None:
    loader = DataLoader(Drawn(), batch_size=8, num_workers=2)
    first, second = (swept(loader, steps=4, eval_every=2) for _ in range(2))
    np.testing.assert_array_equal(first.losses, second.losses)


def test_held_out_examples_may_be_a_stream_that_ends() -> None:
    result = swept((X, Y), val_data=Rows(20), batch_size=16)
    plain = swept((X, Y), val_data=(X[:20], Y[:20]), batch_size=16)
    np.testing.assert_array_equal(result.val_losses, plain.val_losses)
    monkey = swept(Rows(), val_data=DataLoader(Rows(20), batch_size=4), metrics="mse")
    assert monkey.metrics["mse"].shape == (1, 2, 6)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"steps": None, "epochs": 2}, OptionError, "steps must be given with an IterableDataset"),
        ({"eval_train": True}, OptionError, "eval_train must be left out"),
        ({"sharpness": True}, OptionError, "sharpness must be left out"),
        ({"hold": True}, OptionError, "hold must be left out"),
        ({"metrics": "mse"}, OptionError, "metrics must be measured on val_data"),
        ({"data": Rows(0)}, DataError, "at least one minibatch in every pass"),
        (
            {"data": DataLoader(Rows(), batch_size=4), "batch_size": 8},
            OptionError,
            "batch_size must be left out",
        ),
    ],
)
def test_what_has_no_meaning_is_refused(
    options: dict[str, Any], error: type[LearnrateError], said: str
) -> None:
    with pytest.raises(error, match=said):
        swept(**{"data": Rows(), **options})
