"""The front door: what it takes, what it gives back, what it refuses and what it leaves alone."""

from __future__ import annotations

import copy
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import (
    DataLoader,
    TensorDataset,
)

import learnrate
import learnrate.torch
from learnrate.errors import OptionError
from learnrate.training.monitor import SweepInterrupted
from tests.torch.models import Pairs, cnn, images, mlp, regression, seeded

KEPT: dict[str, Any] = {"loss": "mse", "lrs": [0.01, 0.1], "batch_size": 16, "epochs": 2}


def random_states() -> list[Any]:
    numpy = np.random.get_state()  # noqa: NPY002
    return [torch.get_rng_state().tolist(), random.getstate(), list(map(str, numpy))]


@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("start", ["given", "reset"])
def test_nothing_of_the_callers_is_touched(mode: bool, start: str) -> None:
    model = nn.Sequential(cnn(), nn.Dropout(0.5)).train(mode)
    X, y = images()
    nn.functional.cross_entropy(model(X), y).backward()  # type: ignore[no-untyped-call]
    state = copy.deepcopy(model.state_dict())
    gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    identities = [id(p) for p in model.parameters()]
    before, grad_mode = random_states(), torch.is_grad_enabled()

    def draw(done: int, total: int) -> None:
        torch.rand(1), random.random(), np.random.rand()  # noqa: NPY002

    kept = {**KEPT, "loss": "cross-entropy", "lrs": [0.1, 1e8]}
    learnrate.torch.sweep(model, (X, y), seeds=2, start=start, on_epoch=draw, **kept)
    assert random_states() == before
    assert torch.is_grad_enabled() == grad_mode
    assert [id(p) for p in model.parameters()] == identities
    assert all(part.training == mode for part in model.modules())
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, state[key], rtol=0, atol=0)
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        assert parameter.requires_grad
        torch.testing.assert_close(parameter.grad, gradient, rtol=0, atol=0)


def test_random_states_come_back_after_an_error() -> None:
    class Failing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(5, 1)

        def forward(self, x: Tensor) -> Tensor:
            raise ValueError("not today")

    model, data = Failing().double(), regression()
    before = random_states()
    with pytest.raises(OptionError, match="not today"):
        learnrate.torch.sweep(model, data, **KEPT)
    assert random_states() == before


def test_the_result_does_not_depend_on_global_random_states() -> None:
    model = nn.Sequential(mlp(), nn.Dropout(0.2))
    torch.manual_seed(1)
    first = learnrate.torch.sweep(model, regression(), **KEPT)
    torch.manual_seed(2)
    second = learnrate.torch.sweep(model, regression(), **KEPT)
    np.testing.assert_array_equal(first.losses, second.losses)
    assert first.suggestion() == second.suggestion()


class Augmented(Pairs):
    """Adds noise whenever an item is read."""

    def __getitem__(self, i: int) -> Any:
        return self.X[i] + 0.1 * torch.randn(5).numpy(), self.y[i]


def test_examples_come_in_many_forms() -> None:
    X, y = regression()
    forms = [
        (X, y),
        [X.numpy(), y.numpy()],
        TensorDataset(X, y),
        Pairs(),
        DataLoader(Pairs(), batch_size=16, shuffle=True),
        (X.float().double() * 0 + X, y.squeeze(1)),  # (B, 1) and (B,) are the same to a named loss
    ]
    results = [learnrate.torch.sweep(mlp(), form, **KEPT).losses for form in forms]
    for losses in results[1:]:
        np.testing.assert_allclose(losses, results[0], rtol=1e-12)


class Halved(TensorDataset):
    """More than tensors: it changes what it hands out."""

    def __getitem__(self, i: int) -> Any:
        return self.tensors[0][i] / 2, self.tensors[1][i]


def halve(items: Any) -> Any:
    return torch.stack([x / 2 for x, _ in items]), torch.stack([y for _, y in items])


def test_what_a_dataset_or_its_loader_makes_of_tensors_is_followed() -> None:
    X, y = regression()
    expected = learnrate.torch.sweep(mlp(), (X / 2, y), **KEPT).losses
    kept: dict[str, Any] = {"batch_size": 16, "shuffle": True}
    loader = DataLoader(TensorDataset(X, y), collate_fn=halve, **kept)
    for form in (Halved(X, y), DataLoader(Halved(X, y), **kept), loader):
        losses = learnrate.torch.sweep(mlp(), form, **KEPT).losses
        np.testing.assert_allclose(losses, expected, rtol=1e-12)


def test_batch_size_is_the_loaders_unless_given() -> None:
    kept = {**KEPT, "batch_size": None}
    loader = DataLoader(Pairs(), batch_size=7)
    assert learnrate.torch.sweep(mlp(), loader, **kept).config.batch_size == 7
    assert learnrate.torch.sweep(mlp(), regression(20), **kept).config.batch_size == 20
    assert learnrate.torch.sweep(mlp(), regression(), **kept).config.batch_size == 32


@pytest.mark.parametrize("size", [1.0, 50.0, 1e5, 1e-4])
def test_a_target_far_from_a_models_first_answers_is_remarked_on(size: float) -> None:
    X, y = regression(40)
    notes = learnrate.torch.sweep(mlp(), (X, size * y / y.square().mean().sqrt()), **KEPT).notes
    assert len(notes) == (size in (1e5, 1e-4))
    assert all("train on (y - mean) / scale" in note for note in notes)


def test_random_augmentation_is_drawn_anew_and_is_the_same_for_all_lanes() -> None:
    kept = {**KEPT, "epochs": 3}
    with_noise = learnrate.torch.sweep(mlp(), Augmented(), **kept)
    again = learnrate.torch.sweep(mlp(), Augmented(), lanes_at_once=1, **kept)
    np.testing.assert_allclose(again.losses, with_noise.losses, rtol=1e-9)
    without = learnrate.torch.sweep(mlp(), Pairs(), **kept)
    assert not np.allclose(without.losses, with_noise.losses, rtol=1e-3)


def test_several_inputs() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(5, 1)

        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            return self.layer(a) + b  # type: ignore[no-any-return]

    X, y = regression()
    result = learnrate.torch.sweep(seeded(Two), (X, X[:, :1], y), **KEPT)
    assert "stacked" in result.engine_reason
    assert np.isfinite(result.losses).all()


def test_held_out_examples_and_metrics() -> None:
    data, other = images(), images(30, seed=1)
    result = learnrate.torch.sweep(
        cnn(),
        data,
        val_data=other,
        loss="cross-entropy",
        metrics=["accuracy"],
        lrs=[0.01, 0.2],
        batch_size=10,
        epochs=3,
    )
    assert result.val_losses is not None
    for k, lr in enumerate(result.lrs):
        model = result.model(float(lr))
        with torch.no_grad():
            output = model(other[0])
        loss = float(nn.functional.cross_entropy(output, other[1]))
        right = float((output.argmax(1) == other[1]).double().mean())
        assert result.val_losses[0, k, -1] == pytest.approx(loss, rel=1e-9)
        assert result.metrics["accuracy"][0, k, -1] == pytest.approx(right)
    assert result.suggestion().criterion == "held-out loss"
    frame = result.to_frame()
    assert frame.columns == ["lr", "seed", "epoch", "loss", "val_loss", "outcome", "accuracy"]


def test_output_of_every_kind(tmp_path: Path) -> None:
    result = learnrate.torch.sweep(
        mlp(), regression(), seeds=2, metrics="mse", sharpness=True, **KEPT
    )
    for name in ("a.png", "rates.svg", "a.pdf", "a.html", "a.csv", "a.parquet", "a.json"):
        assert result.save(tmp_path / name).stat().st_size > 100
    result.save(tmp_path / "rates.svg", picture="rates")
    assert "2/sharpness" in (tmp_path / "rates.svg").read_text()
    document = json.loads((tmp_path / "a.json").read_text())
    assert document["config"]["optimizer"] == "sgd"
    assert len(document["lanes"][0]["sharpness"]) == 2
    assert "start='reset'" in document["notes"][0]
    assert repr(result).startswith("<TorchSweepResult: 2 learning rates × 2 seeds, 2 epochs")
    assert result.plot().get_ylabel() == "loss (mse)"
    assert isinstance(result, learnrate.SweepResult)
    with pytest.raises(OptionError, match=r"a number\. Got '0.1' instead"):
        result.model("0.1")  # type: ignore[arg-type]


def test_seeds_and_where_they_start() -> None:
    kept = {**KEPT, "seeds": 2}
    model = mlp()
    given = learnrate.torch.sweep(model, regression(), **kept)
    assert given.losses[0, 0, 0] == given.losses[1, 0, 0]
    assert given.losses[0, 0, 1] != given.losses[1, 0, 1]
    for source, options in ((model, {"start": "reset"}), (lambda: nn.Linear(5, 1).double(), {})):
        fresh = learnrate.torch.sweep(source, regression(), **options, **kept)  # type: ignore[arg-type]
        assert fresh.losses[0, 0, 0] != fresh.losses[1, 0, 0]
        assert (fresh.losses[:, 0, 0] == fresh.losses[:, 1, 0]).all()
        assert not fresh.notes
        second = learnrate.torch.sweep(source, regression(), seed=1, **options, **KEPT)  # type: ignore[arg-type]
        np.testing.assert_array_equal(second.losses[0], fresh.losses[1])


def test_a_state_dict_can_be_loaded_and_is_the_lanes() -> None:
    model = cnn()
    result = learnrate.torch.sweep(
        model, images(), loss="cross-entropy", lrs=[0.01, 0.1], batch_size=10, epochs=2
    )
    model.load_state_dict(result.state_dict(0.1))
    model.eval()
    X, y = images()
    with torch.no_grad():
        assert float(nn.functional.cross_entropy(model(X), y)) == pytest.approx(
            result.losses[0, 1, -1], rel=1e-9
        )
    forgetful = learnrate.torch.sweep(mlp(), regression(), keep="none", **KEPT)
    with pytest.raises(OptionError, match="keep='none'"):
        forgetful.state_dict(0.1)


def test_auto_rates_and_words() -> None:
    kept = {**KEPT, "lrs": "auto"}
    assert len(learnrate.torch.sweep(mlp(), regression(), **kept).lrs) == 13
    kept["lrs"] = "log:1e-3:1e-1:3"
    result = learnrate.torch.sweep(mlp(), regression(), optimizer="adam", **kept)
    np.testing.assert_allclose(result.lrs, [1e-3, 1e-2, 1e-1])


def test_an_interrupt_leaves_what_was_done() -> None:
    def stop(done: int, total: int) -> None:
        assert total == 4
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(SweepInterrupted) as caught:
        learnrate.torch.sweep(mlp(), regression(), on_epoch=stop, **{**KEPT, "epochs": 4})
    assert caught.value.result.epochs == 2
    assert np.isfinite(caught.value.result.losses).all()
    assert caught.value.result.state_dict(0.1)

    def stop_later(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(SweepInterrupted) as caught:
        learnrate.torch.sweep(mlp(), regression(), seeds=2, on_epoch=stop_later, **KEPT)
    assert caught.value.result.losses.shape == (1, 2, 3)
    assert caught.value.result.state_dict(0.1)


def test_torch_is_there_without_being_imported_by_name() -> None:
    code = "import learnrate, sys; assert 'torch' not in sys.modules; learnrate.torch.sweep"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_without_torch_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import learnrate\n"
        "for use in (lambda: learnrate.torch, lambda: learnrate.sweep('note', engine='torch')):\n"
        "    try: use()\n"
        "    except learnrate.errors.MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.count("pip install 'learnrate[torch]'") == 2
