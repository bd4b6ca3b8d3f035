"""A net's lane is what the net itself fits at that rate."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

skorch: Any = pytest.importorskip("skorch")
pytestmark = pytest.mark.extra

from skorch import callbacks  # noqa: E402

import learnrate  # noqa: E402
from learnrate.errors import OptionError  # noqa: E402
from learnrate.torch.randomness import forked_random_states  # noqa: E402
from tests.torch.models import CPU, mlp, regression  # noqa: E402

X, Y = (part.float().numpy() for part in regression())
KINDS = np.arange(70) % 3


class Net(nn.Module):
    def __init__(self, out: int = 1, shares: bool = False) -> None:
        super().__init__()
        self.first, self.last, self.shares = nn.Linear(5, 8), nn.Linear(8, out), shares

    def forward(self, X: Tensor) -> Tensor:
        out = self.last(torch.tanh(self.first(X)))
        return out.softmax(-1) if self.shares else out  # type: ignore[no-any-return]


class Scaled(nn.Module):
    """A criterion with a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.5))

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return nn.functional.mse_loss(self.scale * output, target)


class Penalised(skorch.NeuralNetRegressor):  # type: ignore[misc]
    """As skorch's documentation does it: by the net's own module."""

    def get_loss(self, y_pred: Any, y_true: Any, X: Any = None, training: bool = False) -> Any:
        loss = super().get_loss(y_pred, y_true, X=X, training=training)
        return loss + 0.01 * sum(p.abs().sum() for p in self.module_.parameters())


def regressor(kind: Any = skorch.NeuralNetRegressor, **options: Any) -> Any:
    kept = {"lr": 0.1, "max_epochs": 3, "batch_size": 16, "verbose": 0}
    return kind(Net, **{**kept, **options})


def classifier(**options: Any) -> Any:
    return regressor(skorch.NeuralNetClassifier, module__out=3, **options)


NETS: dict[str, Any] = {
    "plain": (regressor, Y),
    "without a split": (lambda **o: regressor(train_split=None, **o), Y),
    "shares": (lambda **o: classifier(module__shares=True, **o), KINDS),
    "logits": (lambda **o: classifier(criterion=nn.CrossEntropyLoss, **o), KINDS),
    "groups": (
        lambda **o: regressor(optimizer__param_groups=[("first*", {"momentum": 0.9})], **o),
        Y,
    ),
    "options": (
        lambda **o: regressor(optimizer=torch.optim.AdamW, optimizer__weight_decay=0.1, **o),
        Y,
    ),
    "criterion": (lambda **o: regressor(criterion=Scaled, **o), Y),
    "penalty": (lambda **o: regressor(Penalised, **o), Y),
    "cut": (lambda **o: regressor(callbacks=[callbacks.GradientNormClipping(0.01)], **o), Y),
    "closure": (lambda **o: regressor(optimizer=torch.optim.LBFGS, **o), Y),
}


def seeded(build: Any) -> Any:
    """A net with the parameters of a seed."""
    with forked_random_states(CPU):
        torch.manual_seed(0)
        return build().initialize()


@pytest.mark.parametrize("name", NETS)
def test_each_lane_is_what_the_net_fits(name: str) -> None:
    build, y = NETS[name]
    net, own = seeded(build), seeded(lambda: build(lr=0.03))
    own.set_params(warm_start=True).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = learnrate.skorch.sweep(net, X, y, lrs=[0.003, 0.03])
    expected = own.module_.state_dict()
    found = result.state_dict(0.03)
    if name == "criterion":
        torch.testing.assert_close(found["criterion.scale"], own.criterion_.scale.detach())
        found = {k.removeprefix("module."): v for k, v in found.items() if k[0] == "m"}
    assert set(found) == set(expected)
    for key, value in found.items():
        torch.testing.assert_close(value, expected[key], rtol=1e-4, atol=1e-6)
    assert result.held_out == (0 if name == "without a split" else 14)
    assert not torch.equal(own.module_.last.weight, net.module_.last.weight)


def test_a_net_without_parameters_gets_some_for_each_seed_and_stays_as_it_is() -> None:
    net, state = regressor(), torch.get_rng_state()
    result = learnrate.skorch.sweep(net, X, Y, lrs=[0.003, 0.03], seeds=2, steps=4)
    assert not hasattr(net, "module_")
    assert torch.equal(state, torch.get_rng_state())
    assert result.losses[0, 0, 0] != result.losses[1, 0, 0]
    assert result.positions.tolist() == [0, 1, 2, 4]


class OwnStep(skorch.NeuralNetRegressor):  # type: ignore[misc]
    def train_step_single(self, batch: Any, **more: Any) -> Any:
        return super().train_step_single(batch, **more)


class Mine(callbacks.Callback):  # type: ignore[misc]
    def on_batch_end(self, *_: Any, **__: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("net", "options", "words"),
    [
        (regressor(OwnStep), {}, "Got OwnStep.train_step_single"),
        (regressor(callbacks=[Mine()]), {}, "Got Mine instead"),
        (regressor(callbacks=[callbacks.LRScheduler("StepLR", step_size=1)]), {}, "as schedule="),
        (regressor(callbacks=[callbacks.GradientNormClipping(1.0, "inf")]), {}, "by the norm 2"),
        (regressor(iterator_train=lambda data, **_: [data]), {}, "Got list for data"),
        (regressor(), {"optimizer": "adam"}, "optimizer must be left out"),
        (mlp(), {}, "Got Sequential instead"),
    ],
    ids=["step", "callback", "scheduler", "norm", "iterator", "option", "module"],
)
def test_what_is_not_followed_is_named(net: Any, options: Any, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        learnrate.skorch.sweep(net, X, Y, lrs=[0.1], **options)
    assert words in str(caught.value)


def test_a_net_is_pointed_here() -> None:
    with pytest.raises(OptionError, match=r"use learnrate\.skorch\.sweep\(net, X, y\)"):
        learnrate.torch.sweep(regressor(), (X, Y), loss="mse", lrs=[0.1])
