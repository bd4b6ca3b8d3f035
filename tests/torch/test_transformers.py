"""A Trainer's lane is what the Trainer itself trains at that rate."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import SequentialSampler

transformers: Any = pytest.importorskip("transformers")
pytestmark = pytest.mark.extra

import learnrate  # noqa: E402
from learnrate.errors import OptionError  # noqa: E402


class InOrder(transformers.Trainer):  # type: ignore[misc]
    """Visits its examples in order, so that both visit them alike."""

    def _get_train_sampler(self, *_: Any) -> Any:
        return SequentialSampler(self.train_dataset)


def sentences(n: int = 24) -> list[dict[str, Any]]:
    rng = torch.Generator().manual_seed(0)
    tokens = torch.randint(30, (n, 7), generator=rng)
    return [{"input_ids": row, "labels": row.clone()} for row in tokens]


def speaker() -> Any:
    config = transformers.GPT2Config(
        n_layer=1, n_head=2, n_embd=8, vocab_size=30, n_positions=8, bos_token_id=0, eos_token_id=0,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    )  # fmt: skip
    torch.manual_seed(0)
    return transformers.GPT2LMHeadModel(config)


def trainer(
    folder: Path, lr: float = 1e-3, model: Any = None, kind: Any = InOrder, **options: Any
) -> Any:
    kept: dict[str, Any] = {
        "per_device_train_batch_size": 8, "num_train_epochs": 2, "warmup_steps": 2, "weight_decay": 0.1,
        "lr_scheduler_type": "cosine", "max_grad_norm": 0.5, "report_to": [], "use_cpu": True,
        "disable_tqdm": True, "save_strategy": "no",
    }  # fmt: skip
    args = transformers.TrainingArguments(str(folder), learning_rate=lr, **{**kept, **options})
    data = sentences()
    model = speaker() if model is None else model
    return kind(model=model, args=args, train_dataset=data, eval_dataset=data[:8])


def test_each_lane_is_what_the_trainer_trains(tmp_path: Path) -> None:
    lrs = [1e-3, 1e-2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = learnrate.transformers.sweep(trainer(tmp_path), lrs=lrs)
        own = trainer(tmp_path, 1e-2)
        own.train()
    expected = own.model.state_dict()
    for name, value in result.state_dict(1e-2).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-6)
    assert result.val_losses is not None
    assert np.isfinite(result.val_losses).all()
    assert result.epochs == 2


class OwnLoss(InOrder):
    """As in the package's documentation: without the number of tokens."""

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
        outputs = model(**inputs)
        logits, labels = outputs.logits[:, :-1], inputs["labels"][:, 1:]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return (loss, outputs) if return_outputs else loss


class Said(OwnLoss):
    """Says that its loss is a mean over a minibatch."""

    loss_is_scaled_for_ga = False


class OwnSchedule(InOrder):
    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        optimizer = self.optimizer if optimizer is None else optimizer
        self.lr_scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        return self.lr_scheduler


@pytest.mark.parametrize("accumulated", [1, 2])
@pytest.mark.parametrize("kind", [OwnLoss, Said, OwnSchedule])
def test_methods_of_a_subclass_that_are_used(tmp_path: Path, kind: Any, accumulated: int) -> None:
    options: dict[str, Any] = {"optim": "sgd", "max_grad_norm": 0.0, "kind": kind}
    options |= {"gradient_accumulation_steps": accumulated, "lr_scheduler_type": "constant"}

    def made(lr: float) -> Any:
        return trainer(tmp_path, lr, **options)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = learnrate.transformers.sweep(made(0.1), lrs=[0.1, 0.5])
        own = made(0.5)
        if "loss_is_scaled_for_ga" in vars(own):  # the package sets it beside the class's
            own.loss_is_scaled_for_ga = kind.loss_is_scaled_for_ga
        own.train()
    expected = own.model.state_dict()
    for name, value in result.state_dict(0.5).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-5)


def test_columns_that_the_model_does_not_know_are_left_out(tmp_path: Path) -> None:
    own = trainer(tmp_path)
    own.train_dataset = [{**row, "length": 7} for row in sentences()]
    plain = learnrate.transformers.sweep(trainer(tmp_path), lrs=[1e-3, 1e-2])
    result = learnrate.transformers.sweep(own, lrs=[1e-3, 1e-2])
    np.testing.assert_array_equal(result.losses, plain.losses)


def test_a_schedule_with_a_rate_of_its_own_goes_by_the_sweeps_rates(tmp_path: Path) -> None:
    """PyTorch refuses this one for rates below 1e-2."""

    def made(lr: float) -> Any:
        kept: dict[str, Any] = {"lr_scheduler_kwargs": {"lr_end": 1e-2}}
        return trainer(tmp_path, lr, lr_scheduler_type="polynomial", optim="sgd", **kept)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = learnrate.transformers.sweep(made(0.1), lrs=[0.1, 0.5])
        own = made(0.5)
        own.train()
    expected = own.model.state_dict()
    for name, value in result.state_dict(0.5).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-5)


class OwnEvaluation(InOrder):
    def evaluate(self, *_: Any, **__: Any) -> Any:
        return {"eval_loss": 1.0}


def test_what_is_left_out_of_an_evaluation_is_named(tmp_path: Path) -> None:
    own = trainer(tmp_path, kind=OwnEvaluation)
    own.compute_metrics = lambda _: {"accuracy": 1.0}
    result = learnrate.transformers.sweep(own, lrs=[1e-3, 1e-2])
    assert "compute_metrics of the Trainer was not called" in result.notes[-2]
    assert result.notes[-1].endswith("not called: evaluate.")


class OwnStep(InOrder):
    def training_step(self, *given: Any, **more: Any) -> Any:
        return super().training_step(*given, **more)


class OwnLoader(InOrder):
    def get_train_dataloader(self) -> Any:
        return torch.utils.data.DataLoader(self.train_dataset, batch_size=3)


class ByState(InOrder):
    def compute_loss(self, model: Any, inputs: Any, *_: Any, **__: Any) -> Any:
        return model(**inputs).loss * (1 + self.state.global_step)


class Without(InOrder):
    def __init__(self, **given: Any) -> None:
        super().__init__(**{**given, "train_dataset": None})


class Parts(InOrder):
    def __init__(self, **given: Any) -> None:
        super().__init__(**{**given, "eval_dataset": {"a": sentences(4), "b": sentences(4)}})


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        (OwnStep, {}, "Got OwnStep.training_step"),
        (OwnLoader, {}, "Got OwnLoader.get_train_dataloader"),
        (ByState, {}, "asks for state.global_step"),
        (Without, {}, "must have a train_dataset"),
        (Parts, {}, "Got dict instead; give one of them as val_data"),
        (InOrder, {"optimizer": "adam"}, "optimizer must be left out"),
        (InOrder, {"batch_size": 4}, "batch_size must be left out"),
    ],
)
def test_what_a_subclass_or_a_call_changes_is_named(
    tmp_path: Path, kind: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError) as caught:
        learnrate.transformers.sweep(trainer(tmp_path, kind=kind), lrs=[1e-3], **options)
    assert words in str(caught.value)


def test_a_model_in_place_of_a_trainer() -> None:
    with pytest.raises(OptionError, match="Got GPT2LMHeadModel instead"):
        learnrate.transformers.sweep(speaker(), lrs=[1e-3])


def test_options_of_the_call_go_before_the_trainers(tmp_path: Path) -> None:
    cut, usual = (
        learnrate.transformers.sweep(trainer(tmp_path), lrs=[1e-3, 1e-2], **more)
        for more in ({"clip_grad_norm": 1e-6}, {})
    )
    assert not np.array_equal(cut.losses, usual.losses)


class Freezes(transformers.TrainerCallback):  # type: ignore[misc]
    """Changes weights."""

    def on_step_end(self, *_: Any, model: Any = None, **__: Any) -> None:
        with torch.no_grad():
            model.transformer.wte.weight.zero_()


@pytest.mark.parametrize(
    "options",
    [
        {"max_grad_norm": 0.0},
        {"max_grad_norm": 0.0, "gradient_accumulation_steps": 2},
        {"gradient_accumulation_steps": 2, "per_device_train_batch_size": 5},
    ],
    ids=["alone", "accumulated", "with a rest"],
)
def test_gradients_are_as_large_as_the_trainers(tmp_path: Path, options: dict[str, Any]) -> None:
    """SGD does not forgive a loss that is divided by another number of tokens."""
    lrs, options = [0.1, 0.5], {"optim": "sgd", **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = learnrate.transformers.sweep(trainer(tmp_path, **options), lrs=lrs)
        own = trainer(tmp_path, 0.5, **options)
        own.train()
    expected, start = own.model.state_dict(), speaker().state_dict()
    moved = max(float((expected[name] - start[name]).abs().max()) for name in expected)
    for name, value in result.state_dict(0.5).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-4 * moved)


@pytest.mark.parametrize("options", [{"max_steps": 4}, {"num_train_epochs": 1.3}])
def test_steps_inside_an_epoch(tmp_path: Path, options: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = learnrate.transformers.sweep(trainer(tmp_path, **options), lrs=[1e-3, 1e-2])
        own = trainer(tmp_path, 1e-2, **options)
        own.train()
    assert result.positions.tolist() == [0, 1, 2, 4]
    expected = own.model.state_dict()
    for name, value in result.state_dict(1e-2).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-6)


class Sentences(torch.utils.data.IterableDataset[Any]):
    """Without numbers, and without end."""

    def __iter__(self) -> Any:
        while True:
            yield from sentences()


def test_a_stream_of_examples(tmp_path: Path) -> None:
    def streamed(lr: float) -> Any:
        made = trainer(tmp_path, lr, max_steps=5)
        made.train_dataset = Sentences()
        return made

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = learnrate.transformers.sweep(streamed(1e-3), lrs=[1e-3, 1e-2])
        own = streamed(1e-2)
        own.train()
    expected = own.model.state_dict()
    for name, value in result.state_dict(1e-2).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-6)


def test_adapters_are_trained_and_the_rest_is_left(tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")

    def adapted() -> Any:
        torch.manual_seed(1)
        wanted = peft.LoraConfig(r=2, target_modules=["c_attn"], fan_in_fan_out=True)
        return peft.get_peft_model(speaker(), wanted)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = learnrate.transformers.sweep(trainer(tmp_path, model=adapted()), lrs=[1e-3, 1e-2])
        own = trainer(tmp_path, 1e-2, model=adapted())
        own.train()
    expected = own.model.state_dict()
    for name, value in result.state_dict(1e-2).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-6)


def test_the_best_model_is_kept(tmp_path: Path) -> None:
    """At a rate that is far too large the first evaluation is the best."""

    def held_out(lr: float) -> Any:
        kept: dict[str, Any] = {"eval_strategy": "steps", "save_strategy": "steps"}
        kept |= {"eval_steps": 1, "save_steps": 1, "load_best_model_at_end": True, "max_steps": 4}
        own = trainer(tmp_path, lr, **kept)
        own.eval_dataset = own.train_dataset
        return own

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = learnrate.transformers.sweep(held_out(1.0), lrs=[1e-3, 1.0])
        own = held_out(1.0)
        own.train()
    measured = [entry["eval_loss"] for entry in own.state.log_history if "eval_loss" in entry]
    assert result.val_losses is not None
    np.testing.assert_allclose(result.val_losses[0, 1, 1:], measured, rtol=1e-3)


def test_what_is_not_followed_is_named(tmp_path: Path) -> None:
    for options, words in (
        ({"neftune_noise_alpha": 5.0}, "neftune_noise_alpha"),
        ({"gradient_accumulation_steps": 2, "dataloader_drop_last": True}, "dataloader_drop_last"),
        (
            {
                "load_best_model_at_end": True,
                "eval_strategy": "epoch",
                "save_strategy": "epoch",
                "metric_for_best_model": "f1",
            },
            "metric_for_best_model",
        ),
    ):
        with pytest.raises(OptionError) as caught:
            learnrate.transformers.sweep(trainer(tmp_path, **options), lrs=[1e-3])
        assert words in str(caught.value)
    for callback in (Freezes(), transformers.EarlyStoppingCallback(3)):
        own = trainer(tmp_path)
        own.add_callback(callback)
        with pytest.raises(OptionError, match=type(callback).__name__):
            learnrate.transformers.sweep(own, lrs=[1e-3])
    own = trainer(tmp_path)
    own.create_optimizer()
    with pytest.raises(OptionError, match="make its own optimizer"):
        learnrate.transformers.sweep(own, lrs=[1e-3])
