from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import learnrate.torch
from learnrate.errors import OptionError
from learnrate.torch.optimizers import default_lr, equal_class
from learnrate.training.optimizers import OPTIMIZERS, check_options
from learnrate.training.schedules import schedule_multipliers
from tests.torch.models import mlp, plain_loop, regression

OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *[(name, {}) for name, row in OPTIMIZERS.items() if row.equals],
    ("sgd", {"weight_decay": 0.1}),
    ("momentum", {"dampening": 0.3, "weight_decay": 0.01}),
    ("nesterov", {"momentum": 0.5, "weight_decay": 0.01}),
    ("adam", {"weight_decay": 0.1, "betas": (0.5, 0.9), "eps": 1e-4}),
    ("adamw", {"weight_decay": 0.5}),
    ("rmsprop", {"momentum": 0.9, "weight_decay": 0.01}),
    ("rmsprop", {"centered": True, "alpha": 0.9}),
    ("rmsprop", {"centered": True, "momentum": 0.5}),
    ("adam", {"amsgrad": True}),
    ("adamw", {"amsgrad": True, "betas": (0.5, 0.5)}),
    ("nadam", {"weight_decay": 0.1}),
    ("nadam", {"weight_decay": 0.1, "decoupled_weight_decay": True, "momentum_decay": 0.1}),
    ("radam", {"weight_decay": 0.1}),
    ("radam", {"betas": (0.5, 0.9), "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("adamax", {"weight_decay": 0.1, "betas": (0.5, 0.9)}),
    ("adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.2, "weight_decay": 0.01}),
]


@pytest.fixture
def exact_scalars() -> Iterator[None]:
    """`torch.optim.NAdam` keeps a product of its momenta in the default type, whatever the parameters are."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("exact_scalars")
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_each_lane_is_what_torch_optim_gives_alone(
    name: str, options: dict[str, Any], schedule: str
) -> None:
    data, model = regression(), mlp()
    lrs = [1e-3, 1e-2, 0.1]
    kept = {"batch_size": 16, "epochs": 4}  # the last minibatch of an epoch is short
    result = learnrate.torch.sweep(
        model,
        data,
        loss="mse",
        lrs=lrs,
        optimizer=name,
        optimizer_options=options,
        schedule=schedule,
        **kept,  # type: ignore[arg-type]
    )
    assert "stacked" in result.engine_reason
    row = OPTIMIZERS[name]
    for k, lr in enumerate(lrs):
        losses, trained = plain_loop(
            model,
            data,
            nn.functional.mse_loss,
            lr,
            optimizer=equal_class(row),
            options={**row.defaults, **options},
            multipliers=schedule_multipliers(schedule, 20),
            **kept,
        )
        np.testing.assert_allclose(result.losses[0, k], losses, rtol=1e-9)
        expected = trained.state_dict()
        for key, value in result.state_dict(lr).items():
            torch.testing.assert_close(value, expected[key], rtol=1e-9, atol=1e-12)


def test_a_name_with_options_is_the_same_in_an_object() -> None:
    kept: dict[str, Any] = {"loss": "mse", "lrs": [1e-3, 1e-2], "epochs": 2}
    by_object = learnrate.torch.sweep(
        mlp(),
        regression(),
        optimizer=learnrate.Optimizer("adamw", {"eps": 1e-4}, weight_decay=0.1),
        **kept,
    )
    by_name = learnrate.torch.sweep(
        mlp(),
        regression(),
        optimizer="adamw",
        optimizer_options={"eps": 1e-4, "weight_decay": 0.1},
        **kept,
    )
    np.testing.assert_array_equal(by_object.losses, by_name.losses)
    assert by_object.config == by_name.config


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"optimizer": learnrate.Optimizer("sgd", 5)}, "must be a mapping"),  # type: ignore[arg-type]
        (
            {"optimizer": learnrate.Optimizer("sgd", {"momentum": 0.9}, 0.5)},
            "momentum must be given once",
        ),
        (
            {"optimizer": learnrate.Optimizer("adam", momentum=0.5)},
            "momentum must go with an optimizer",
        ),
        (
            {"optimizer": learnrate.Optimizer("sgd", {"lr": 0.5})},
            "must be one that it has. Got 'lr'",
        ),
        ({"optimizer": learnrate.SGD("a")}, "momentum"),  # type: ignore[arg-type]
        (
            {"optimizer": learnrate.SGD(0.9), "optimizer_options": {"momentum": 0.1}},
            "has them itself",
        ),
    ],
)
def test_options_of_an_object_are_refused_as_for_linear_sweeps(given: Any, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        learnrate.torch.sweep(mlp(), regression(), loss="mse", lrs=[0.1], **given)


def test_nesterov_momentum_may_be_given_apart() -> None:
    rule = learnrate.Optimizer("sgd", {"nesterov": True}, momentum=0.9)
    kept: dict[str, Any] = {"lrs": [0.01], "epochs": 1}
    learnrate.torch.sweep(mlp(), regression(), loss="mse", optimizer=rule, **kept)
    learnrate.sweep(*learnrate.note_data(20), optimizer=rule, **kept)


def test_an_option_that_is_none_is_refused() -> None:
    with pytest.raises(OptionError, match="Did you mean 'momentum'"):
        check_options("sgd", {"momentun": 0.9})
    with pytest.raises(OptionError, match="betas"):
        check_options("adam", {"betas": (2.0, 0.9)})
    with pytest.raises(OptionError, match="Did you mean 'adamw'"):
        check_options("adamww", {})


def test_the_default_rate_is_torch_optims() -> None:
    assert default_lr(OPTIMIZERS["adam"]) == 1e-3
    assert default_lr(OPTIMIZERS["adagrad"]) == 1e-2
