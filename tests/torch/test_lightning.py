"""A LightningModule's lane is what its own optimizer and step give, and what is not followed is named."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
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
        self.net: Any = mlp()

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


class Started(Regression):
    def on_fit_start(self) -> None:
        nn.init.zeros_(next(self.parameters()))


class LeftOut(Regression):
    def training_step(self, batch: Any, batch_idx: int) -> Any:
        return None if batch_idx == 2 else loss_of(self, batch)


class Asking(Regression):
    def training_step(self, batch: Any, batch_idx: int) -> Any:
        return loss_of(self, batch) * self.trainer.strategy.root_device.index


class Optimizing(Regression):
    def training_step(self, batch: Any, batch_idx: int) -> Any:
        return loss_of(self, batch) * self.optimizers().param_groups[0]["lr"]


class Fixed(Regression):
    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Plateau(Regression):
    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=self.hparams.lr)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "monitor": "a"}}


class Counting(Regression):
    def training_step(self, batch: Any, batch_idx: int) -> Any:
        return loss_of(self, batch) * (1 + batch_idx)

    def configure_optimizers(self) -> Any:
        return torch.optim.LBFGS(self.parameters(), lr=self.hparams.lr)


class Third(torch.optim.Optimizer):
    """Shrinks the parameters, also where gradients are 0."""

    def __init__(self, params: Any, lr: float) -> None:
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        if closure is not None:  # as Lightning has it
            with torch.enable_grad():
                closure()
        for p in self.param_groups[0]["params"]:
            p -= self.param_groups[0]["lr"] * (p.grad + p)


class Sharp(Third):
    """Computes the loss again."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        assert closure is not None
        closure()
        super().step()


class Shrinking(Regression):
    kind: Any = Third

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return (1 + batch_idx % 2) * loss_of(self, batch)

    def configure_optimizers(self) -> Any:
        return self.kind(self.parameters(), lr=self.hparams.lr)


class Twice(Shrinking):
    kind = Sharp


class Rateless(Regression):
    def __init__(self) -> None:
        super().__init__()
        del self.hparams["lr"]


def fitted(lr: float, build: Any = Regression, **options: Any) -> Any:
    """Lightning's own training."""
    module = build(lr)
    trainer = lightning.Trainer(
        max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0, **options,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(module, LOADER)
    return module


def loss_of(module: Any, batch: Any) -> Tensor:
    return nn.functional.mse_loss(module.net(batch[0]), batch[1])


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


def test_finding_out_how_a_module_is_trained_leaves_it_as_it_is() -> None:
    module = Shrinking()
    before = copy.deepcopy(module.state_dict())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = learnrate.lightning.sweep(module, LOADER, lrs=[0.01, 0.05])
    own = fitted(0.05, Shrinking)
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])
        torch.testing.assert_close(result.state_dict(0.05)[name], own.state_dict()[name])


class ByEpoch(Regression):
    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return (1 + self.current_epoch) * loss_of(self, batch)  # type: ignore[no-any-return]


class ByStep(Regression):
    def weight(self) -> float:
        return 1 + min(1.0, self.global_step / 10)  # type: ignore[no-any-return]

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return self.weight() * loss_of(self, batch)


class ByNumber(Regression):
    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        if batch_idx % 2:
            return 2 * loss_of(self, batch)
        return loss_of(self, batch)


class ByTrainer(Regression):
    """Asks how long the training is, and logs to wherever."""

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        self.logger.experiment.add_scalar("a", 1)
        return loss_of(self, batch)

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=self.hparams.lr)
        steps = self.trainer.estimated_stepping_batches
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self.hparams.lr, total_steps=steps
        )
        return [optimizer], [{"scheduler": scheduler, "interval": "step"}]


class Built(Regression):
    """Builds itself where a fit begins."""

    def __init__(self, lr: float = 0.1) -> None:
        super().__init__(lr)
        self.net: Any = None

    def setup(self, stage: str) -> None:
        self.scale = 2.0

    def configure_model(self) -> None:
        if self.net is None:
            self.net = mlp()

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return self.scale * loss_of(self, batch)


class EveryThird(Regression):
    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=self.hparams.lr)
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        paced = {"scheduler": scheduler, "interval": "step", "frequency": 3}
        return {"optimizer": optimizer, "lr_scheduler": paced}


class TwoNames(Regression):
    """The optimizer goes by the other name."""

    def __init__(self, lr: float = 0.1) -> None:
        super().__init__(lr)
        self.lr, self.learning_rate = 0.7, lr

    def configure_optimizers(self) -> Any:
        return [{"optimizer": torch.optim.SGD(self.parameters(), lr=self.learning_rate)}]


@pytest.mark.parametrize("accumulate", [1, 2, 4])
@pytest.mark.parametrize(
    "build", [Regression, ByEpoch, ByStep, ByNumber, ByTrainer, Built, EveryThird, TwoNames]
)
def test_what_a_module_knows_of_its_trainer(build: Any, accumulate: int) -> None:
    own = fitted(0.05, lambda lr: logging(build)(lr), accumulate_grad_batches=accumulate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = learnrate.lightning.sweep(build(), LOADER, lrs=[0.01, 0.05], accumulate=accumulate)
    for name, value in result.state_dict(0.05).items():
        torch.testing.assert_close(value, own.state_dict()[name], rtol=1e-9, atol=1e-12)


def logging(build: Any) -> Any:
    """The class with a logger that a Trainer without one does not give."""
    silent = type("Silent", (), {"experiment": type("Nothing", (), {"add_scalar": print})()})

    class Logging(build):  # type: ignore[misc]
        logger = silent()

    return Logging


class Measured(Regression):
    """Logs an object of torchmetrics, and something at the end of an epoch."""

    def __init__(self, lr: float = 0.1) -> None:
        super().__init__(lr)
        self.error = pytest.importorskip("torchmetrics").MeanSquaredError()

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self.error.update(self.net(batch[0]), batch[1])
        self.log("error", self.error)

    def on_validation_epoch_end(self) -> None:
        self.log("other", 1.0)


def test_objects_of_torchmetrics_and_hooks_of_validation_are_named() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = learnrate.lightning.sweep(Measured(), LOADER, lrs=[0.01, 0.05], val_data=LOADER)
    assert result.val_losses is not None
    # each minibatch weighs as its examples do: for a mean that is the mean over all
    np.testing.assert_allclose(result.metrics["error"], result.val_losses, rtol=1e-6)
    assert result.notes[-2].endswith("what torchmetrics computes: error.")
    assert result.notes[-1].endswith("not called: on_validation_epoch_end.")


def test_a_module_of_the_older_package_and_its_own_loader() -> None:
    older: Any = pytest.importorskip("pytorch_lightning")

    class Older(older.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            older.LightningModule.__init__(self)
            self.lr, self.net = 0.1, mlp()

        def training_step(self, batch: Any, batch_idx: int) -> Tensor:
            return loss_of(self, batch)

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=self.lr)

        def train_dataloader(self) -> Any:
            return LOADER

    result = learnrate.lightning.sweep(Older(), lrs=[0.01, 0.05], epochs=1)
    again = learnrate.lightning.sweep(Older(), LOADER, lrs=[0.01, 0.05], epochs=1)
    np.testing.assert_array_equal(result.losses, again.losses)


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
        (Started, "Got on_fit_start"),
        (LeftOut, "minibatches that are left out"),
        (Asking, "do without strategy of its Trainer"),
        (Optimizing, "do without optimizers of its Trainer"),
        (Fixed, "Got the same rates for any value of lr"),
        (Plateau, "Got ReduceLROnPlateau"),
        (Counting, "Got LBFGS"),
        (Twice, "Got Sharp"),
        (mlp, "use learnrate.torch.sweep"),
    ],
)
def test_what_is_not_followed_is_named(build: Any, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        learnrate.lightning.sweep(build(), LOADER, lrs=[0.1])
    assert words in str(caught.value)


class Changing(Data):
    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        return batch


class Several(Data):
    def val_dataloader(self) -> Any:
        return [LOADER, LOADER]


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (Changing(), {}, "Got on_after_batch_transfer"),
        (Several(), {}, "val_dataloader must give one DataLoader. Got list"),
        (lightning.Trainer(logger=False, accelerator="cpu"), {}, "Got a Trainer"),
        (LOADER, {"optimizer": "adam"}, "optimizer must be left out"),
        (None, {}, "Got other data"),
    ],
    ids=["hook", "several", "trainer", "option", "none"],
)
def test_data_and_options_that_do_not_fit(data: Any, options: Any, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        learnrate.lightning.sweep(Regression(), data, lrs=[0.1], **options)
    assert words in str(caught.value)


def test_a_lightning_module_is_pointed_here() -> None:
    with pytest.raises(OptionError, match=r"use learnrate\.lightning\.sweep"):
        learnrate.torch.sweep(Regression(), LOADER, loss="mse", lrs=[0.1])
