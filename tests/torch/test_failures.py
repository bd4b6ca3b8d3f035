"""Lanes whose numbers make a model or a loss raise an error: they end, and the others go on."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import learnrate.torch
from learnrate.errors import OptionError
from tests.torch.models import mlp, regression, seeded

KEPT: dict[str, Any] = {"batch_size": 12, "epochs": 4}
GOOD, BAD = [0.003, 0.05], [1e150, 1e200]


def likelihood(output: Tensor, target: Tensor) -> Tensor:
    """It refuses nan: for all stacked lanes at once. `torch.compile` turns that off for the rest of the process."""
    spread = nn.functional.softplus(output[:, 1:]) + 1e-3
    normal = torch.distributions.Normal(output[:, :1], spread, validate_args=True)
    loss: Tensor = -normal.log_prob(target).mean()  # type: ignore[no-untyped-call]
    return loss


class Wary(nn.Module):
    """Looks whether its numbers are sound, and in evaluation mode is stricter."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.strict = nn.Linear(5, 1), False

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x)
        if not y.abs().max() < (1e6 if self.strict and not self.training else 1e300):
            raise ValueError("no\nsound numbers")
        return y


def strict() -> nn.Module:
    model = Wary()
    model.strict = True
    return model


@pytest.mark.parametrize("lanes_at_once", ["auto", 2, 1])
def test_a_loss_that_refuses_a_diverged_lane_ends_that_lane_only(lanes_at_once: Any) -> None:
    model, data = mlp(out=2), regression()
    kept: dict[str, Any] = {"loss": likelihood, **KEPT}
    alone = learnrate.torch.sweep(model, data, lrs=GOOD, **kept)
    assert not alone.notes
    kept["lanes_at_once"] = lanes_at_once
    if lanes_at_once == 1:
        beside = learnrate.torch.sweep(model, data, lrs=[*GOOD, *BAD], **kept)
    else:
        with pytest.warns(
            UserWarning, match="one at a time: stacked, a step raised ValueError"
        ) as caught:
            beside = learnrate.torch.sweep(model, data, lrs=[*GOOD, *BAD], **kept)
        assert caught[0].filename == __file__
    np.testing.assert_allclose(beside.losses[:, :2], alone.losses, rtol=1e-9)
    assert np.isnan(beside.losses[0, 2:, -1]).all()
    assert all(outcome.diverges for outcome in beside.outcomes[0][2:])
    assert "raised ValueError" in beside.notes[-1]
    assert beside.notes[-1].endswith(": 1e+150, 1e+200.")
    assert "\n" not in beside.notes[-1]
    assert beside.suggestion().lr in GOOD


@pytest.mark.parametrize("build", [Wary, strict])
def test_a_model_that_refuses_a_diverged_lane_ends_that_lane_only(build: Any) -> None:
    model, data = seeded(build), regression()
    kept: dict[str, Any] = {"loss": "mse", **KEPT}
    alone = learnrate.torch.sweep(model, data, lrs=GOOD, **kept)
    assert not alone.notes
    with pytest.warns(UserWarning, match="a value decides"):
        beside = learnrate.torch.sweep(model, data, lrs=[*BAD, *GOOD], **kept)
    np.testing.assert_allclose(beside.losses[:, 2:], alone.losses, rtol=1e-9)
    assert np.isnan(beside.losses[0, :2, -1]).all()
    assert "ValueError (no sound numbers): 1e+150, 1e+200" in beside.notes[-1]


def test_what_fails_at_the_start_too_is_the_datas_fault() -> None:
    X, y = regression()
    X[-1] = 1e301
    with pytest.raises(OptionError, match=r"every minibatch of the data\. Got ValueError"):
        learnrate.torch.sweep(seeded(Wary), (X, y), loss="mse", lrs=[0.1], **KEPT)


@pytest.mark.parametrize("lanes_at_once", ["auto", 1])
def test_what_fails_at_the_start_is_told_in_the_words_of_a_single_lane(lanes_at_once: Any) -> None:
    class Looked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rows = nn.Embedding(3, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.rows(x)  # type: ignore[no-any-return]

    X = torch.zeros(40, dtype=torch.int64)
    X[-1] = 7
    kept: dict[str, Any] = {"loss": "mse", "lrs": [0.1, 0.2], "batch_size": 8}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(OptionError, match="IndexError instead: index out of range in self"):
            learnrate.torch.sweep(
                Looked(), (X, torch.ones(40, 1)), lanes_at_once=lanes_at_once, **kept
            )
