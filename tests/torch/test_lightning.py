"""A LightningModule's lane is what its own optimizer and step give, and what is not followed is named."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

lightning: Any = pytest.importorskip("lightning.pytorch")
pytestmark = pytest.mark.extra

import learnrate  # noqa: E402
from learnrate.errors import OptionError  # noqa: E402
from tests.torch.models import mlp, regression  # noqa: E402

X, Y = regression()
LOADER = DataLoader(TensorDataset(X, Y), batch_size=16)


class Regression(lightning.LightningModule):  # type: ignore[misc]
    """As people write it."""

    def __init__(self, lr: float = 0.1) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = mlp()

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        x, y = batch
        loss = nn.functional.mse_loss(self.net(x), y)
        self.log("train_loss", loss, on_step=True)
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        x, y = batch
        self.log("mean_error", (self.net(x) - y).abs().mean())

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr, weight_decay=0.1)
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        return {"optimizer": optimizer, "lr_scheduler": scheduler}  # stepped after each epoch


class Manual(Regression):
    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False


class Hooked(Regression):
    def on_after_backward(self) -> None:
        pass


class Stopping(Regression):
    def configure_callbacks(self) -> Any:
        return [lightning.callbacks.EarlyStopping("mean_error")]


class Two(Regression):
    def configure_optimizers(self) -> Any:
        return [torch.optim.SGD(self.parameters(), lr=self.hparams.lr) for _ in range(2)]


class Rateless(Regression):
    def __init__(self) -> None:
        super().__init__()
        del self.hparams["lr"]


def fitted(lr: float) -> Any:
    """Lightning's own training."""
    module = Regression(lr)
    trainer = lightning.Trainer(
        max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(module, LOADER)
    return module


def test_each_lane_is_what_lightning_trains() -> None:
    module = Regression()
    before = copy.deepcopy(dict(module.hparams))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = learnrate.lightning.sweep(module, LOADER, lrs=[0.01, 0.05], val_data=LOADER)
        own = fitted(0.05)
    assert "stacked" in result.engine_reason
    assert dict(module.hparams) == before
    for name, value in result.state_dict(0.05).items():
        torch.testing.assert_close(value, own.state_dict()[name], rtol=1e-9, atol=1e-12)
    error = (result.model(0.05).net(X) - Y).abs().mean().detach()
    assert result.metrics["mean_error"][0, 1, -1] == pytest.approx(float(error))


class Data(lightning.LightningDataModule):  # type: ignore[misc]
    def train_dataloader(self) -> Any:
        return LOADER

    def val_dataloader(self) -> Any:
        return LOADER


def test_a_data_module_gives_its_loaders() -> None:
    result = learnrate.lightning.sweep(Regression(), Data(), lrs=[0.01, 0.05], epochs=1)
    assert result.val_losses is not None
    assert result.held_out == 70


def test_steps_inside_an_epoch() -> None:
    result = learnrate.lightning.sweep(Regression(), LOADER, lrs=[0.01, 0.05], steps=7)
    whole = learnrate.lightning.sweep(
        Regression(), LOADER, lrs=[0.01, 0.05], epochs=2, eval_every=7
    )
    assert result.positions.tolist() == [0, 1, 2, 4, 7]
    assert (result.losses[:, :, -1] == whole.losses[:, :, 1]).all()


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (Manual, "automatic_optimization=False"),
        (Hooked, "Got on_after_backward"),
        (Stopping, "Got configure_callbacks"),
        (Two, "Got list and 0 schedulers"),
        (Rateless, "lr or learning_rate"),
        (mlp, "use learnrate.torch.sweep"),
    ],
)
def test_what_is_not_followed_is_named(build: Any, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        learnrate.lightning.sweep(build(), LOADER, lrs=[0.1])
    assert words in str(caught.value)


def test_a_lightning_module_is_pointed_here() -> None:
    with pytest.raises(OptionError, match=r"use learnrate\.lightning\.sweep"):
        learnrate.torch.sweep(Regression(), LOADER, loss="mse", lrs=[0.1])
