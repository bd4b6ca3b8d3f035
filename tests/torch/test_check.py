"""The check against the real training: it catches what the rest would have seen, with that taken out."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

import learnrate.torch
from learnrate.errors import LearnrateError, OptionError
from learnrate.torch import preparing, probe, separate, start
from learnrate.torch.batches import selected
from learnrate.torch.copying import copy_of
from learnrate.torch.examples import HeldItems
from learnrate.torch.stacked import StackedSteps
from learnrate.torch.updates import Updates
from tests.torch.models import mlp, regression, seeded
from tests.torch.test_own_training import (
    DOMAINS,
    KEPT,
    MSE,
    Annealed,
    Clipped,
    Dropped,
    Heads,
    Momentum,
    alone,
    counting,
    hooked,
    swept,
)


def without_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first passes see nothing."""

    def blind(*arguments: Any) -> probe.Probe:
        found = probe.probe(*arguments)
        warmed = found.warmed or copy_of(arguments[0])
        return replace(found, kept=(), rewritten=None, hooked=None, warmed=warmed)

    monkeypatch.setattr(preparing, "probe", blind)


def without_skipping(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parameter without a gradient takes a step with zeros."""
    step = Updates.step

    def with_zeros(self: Updates, theta: Tensor, gradients: Any, multiplier: float) -> None:
        sizes = self._sizes
        filled = [
            g if g.numel() else theta.new_zeros(len(theta), n)
            for g, n in zip(gradients, sizes, strict=True)
        ]
        step(self, theta, filled, multiplier)

    monkeypatch.setattr(Updates, "step", with_zeros)


def without_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks what a loss reaches."""
    monkeypatch.setattr(start, "check_functions", lambda *_: None)
    monkeypatch.setattr(probe, "check_graph", lambda *_: None)


def first_batch_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters that the first minibatch gives no gradient are left out for ever."""
    gradients = StackedSteps.gradients
    seen: list[list[bool]] = []

    def lazy(self: StackedSteps, theta: Tensor, buffers: Any, batch: Any) -> Any:
        losses, found, after = gradients(self, theta, buffers, batch)
        seen.append([bool(g.numel()) for g in found])
        kept = [g if used else g[:, :0] for g, used in zip(found, seen[0], strict=True)]
        return losses, kept, after

    monkeypatch.setattr(StackedSteps, "gradients", lazy)


FAULTS: dict[str, tuple[Any, Callable[[], Any], Any, str, Any]] = {
    "unused at first": (first_batch_only, lambda: seeded(Heads), "domains", "sgd", MSE),
    "unused in some steps": (without_skipping, lambda: seeded(Dropped), "plain", "adam", MSE),
    "momentum in forward": (without_probe, lambda: seeded(Momentum), "plain", "sgd", MSE),
    "clipped in forward": (without_probe, lambda: seeded(Clipped), "plain", "sgd", MSE),
    "hooks": (without_probe, lambda: hooked(mlp()), "plain", "sgd", MSE),
}


@pytest.mark.parametrize("name", FAULTS)
def test_stacked_lanes_that_are_not_the_real_training_are_seen(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove, build, kind, optimizer, loss = FAULTS[name]
    X, y = regression()
    data: Any = (X, y)
    if kind == "domains":  # one after the other
        data = DataLoader(TensorDataset(X, DOMAINS, y), batch_size=16)
    remove(monkeypatch)
    kept = {**KEPT, "batch_size": None} if kind == "domains" else KEPT
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = learnrate.torch.sweep(build(), data, loss=loss, optimizer=optimizer, **kept)
    assert "one lane at a time" in result.engine_reason
    assert any("one at a time" in str(w.message) for w in caught)
    if kind == "domains":
        return
    own = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer]
    _, trained = alone(build(), data, loss, 0.05, own)
    trained.eval()(X)  # blind, an evaluation is not kept apart from the training
    for key, value in result.state_dict(0.05).items():
        torch.testing.assert_close(value, trained.state_dict()[key], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault[2] == "plain"])
def test_faults_are_seen_under_autocast_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    remove, build, _, optimizer, loss = FAULTS[name]
    X, y = (t.float() for t in regression())
    remove(monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = learnrate.torch.sweep(
            build().float(), (X, y), loss=loss, optimizer=optimizer, precision="bf16", **KEPT
        )
    assert "one lane at a time" in result.engine_reason


@pytest.mark.parametrize("steps", [40, 400])
def test_rounding_under_autocast_is_no_fault(steps: int) -> None:
    """In bfloat16 gradients differ by several percent, and where the loss is small by more."""
    X, y = torch.randn(96, 10, generator=torch.Generator().manual_seed(0)), torch.arange(96) % 4
    model = seeded(
        lambda: nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 4))
    ).float()
    result = learnrate.torch.sweep(
        model,
        (X, y),
        loss="cross-entropy",
        lrs=[1e-4, 1e-3, 1e-2, 1e-1],
        optimizer="adamw",
        precision="bf16",
        batch_size=16,
        steps=steps,
    )
    assert "stacked" in result.engine_reason


def padded_to_the_longest_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Items are collated once, all together."""

    def rows(self: HeldItems, indices: Tensor) -> Any:
        return selected(self.form(self.collate(self.items)), indices)

    monkeypatch.setattr(HeldItems, "batch", rows)


def drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen layers, too, are drawn anew."""

    def careless(module: nn.Module) -> None:
        for part in module.modules():
            if isinstance(part, nn.Linear):
                part.reset_parameters()

    monkeypatch.setattr(start, "reset", careless)


class Sequences(Dataset[Any]):
    """Of lengths from 2 to 7, and a long one; a mean over time sees the padding."""

    def __len__(self) -> int:
        return 30

    def __getitem__(self, i: int) -> Any:
        rng = torch.Generator().manual_seed(i)
        x = torch.randn(20 if i == 29 else 2 + i % 6, 5, generator=rng, dtype=torch.float64)
        return x, x.sum()[None]


def padded(items: Any) -> Any:
    xs, ys = zip(*items, strict=True)
    return nn.utils.rnn.pad_sequence(list(xs), batch_first=True), torch.stack(ys)


class OverTime(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x).mean(1)  # type: ignore[no-any-return]


class WithPenalty(nn.Module):
    """Leaves a part of its loss in an attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 1)
        self.penalty: Any = 0.0

    def forward(self, x: Tensor) -> Tensor:
        self.penalty = self.layer.weight.square().sum()
        return self.layer(x)  # type: ignore[no-any-return]


def outside(kind: str) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Model, data, loss and options of a sweep whose fault lies outside of the stacked steps."""
    X, y = regression()
    model: nn.Module = seeded(WithPenalty) if kind == "attribute" else mlp()
    if kind == "frozen":
        model[0].requires_grad_(False)  # type: ignore[index]
        return model, (X, y), MSE, {"start": "reset"}
    if kind == "padding":
        loader = DataLoader(Sequences(), batch_size=8, collate_fn=padded)
        return seeded(OverTime), loader, MSE, {"batch_size": None}
    if kind == "attribute":
        return model, (X, y), lambda o, t: MSE(o, t) + model.penalty, {}  # type: ignore[operator]
    penalized = lambda o, t: MSE(o, t) + 0.05 * sum(p.abs().sum() for p in model.parameters())  # noqa: E731
    return model, (X, y), penalized, {}


OUTSIDE: dict[str, tuple[Any, str]] = {
    "penalty": (without_looking, "depend on the model by what it is given"),
    "attribute": (without_looking, "depend on the model by what it is given"),
    "padding": (padded_to_the_longest_of_all, "same minibatch when its items are read again"),
    "frozen": (drawn_anew, "leave frozen parameters as they are"),
}


@pytest.mark.parametrize("kind", OUTSIDE)
def test_what_lies_outside_of_the_steps_is_seen_with_its_mending_taken_out(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove, said = OUTSIDE[kind]
    model, data, loss, options = outside(kind)
    if kind in ("padding", "frozen"):  # as mended it is followed
        swept(model, data, loss, **options)
    else:
        with pytest.raises(OptionError):
            swept(model, data, loss, **options)
    remove(monkeypatch)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(LearnrateError, match=said):
        swept(model, data, loss, **options)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_the_model_that_was_given_is_as_it_was_after_its_own_pass() -> None:
    """Buffers, caches, modes and gradients of the user's own model."""

    class Caching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.layer = nn.BatchNorm1d(5), nn.Linear(5, 1)
            self.cache: Any = None

        def forward(self, x: Tensor) -> Tensor:
            if self.cache is None:
                self.cache = torch.ones(5).double()
            return self.layer(self.norm(x) * self.cache)  # type: ignore[no-any-return]

    model: Any = seeded(Caching).eval()
    model.layer.train()
    places = [t.data_ptr() for t in [*model.parameters(), *model.buffers()]]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    result = swept(model, regression(), MSE)
    assert "stacked" in result.engine_reason
    assert [t.data_ptr() for t in [*model.parameters(), *model.buffers()]] == places
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.cache is None
    assert [part.training for part in model.modules()] == [False, False, True]
    assert all(p.grad is None for p in model.parameters())


def test_what_is_seen_by_no_look_is_seen_by_making_the_steps_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_probe(monkeypatch)
    for at_once in ("auto", 1):
        with pytest.raises(OptionError, match="must come out the same"):
            swept(mlp(), regression(), counting(), lanes_at_once=at_once)
    with pytest.raises(OptionError, match="must come out the same"):
        swept(mlp(), regression(), Annealed())  # whose evaluations count


def test_a_loss_that_lanes_share_is_seen_one_lane_at_a_time_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Copies that share the loss: the first lane's steps are its own, the second's are not."""

    def sharing(module: Any, shared: Any = ()) -> Any:
        copied = copy_of(module)
        copied.loss = module.loss
        return copied

    monkeypatch.setattr(separate, "copy_of", sharing)
    with pytest.raises(OptionError, match="must come out the same"):
        swept(mlp(), regression(), Annealed(), lanes_at_once=1)


class Contrast(nn.Module):
    """Two views of each example."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 4)

    def forward(self, x: Tensor) -> Tensor:
        views = [nn.functional.normalize(self.layer(v), dim=-1) for v in (x, x.flip(1))]
        return torch.stack(views, 1)


def info_nce(output: Tensor, target: Tensor) -> Tensor:
    scores = output[:, 0] @ output[:, 1].T / 0.2
    return nn.functional.cross_entropy(scores, torch.arange(len(scores)))


def in_minibatches(model: nn.Module, X: Tensor, y: Tensor, B: int) -> float:
    with torch.no_grad():
        parts = zip(torch.split(X, B), torch.split(y, B), strict=True)
        return sum(len(b) * float(info_nce(model(a), b)) for a, b in parts) / len(X)


@pytest.mark.parametrize("removed", [False, True])
@pytest.mark.parametrize("at_once", ["auto", 1])
def test_a_loss_of_whole_minibatches_is_measured_on_such(
    removed: bool, at_once: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if removed:
        monkeypatch.setattr(preparing, "means_over_examples", lambda *_: True)
    X, y = regression()
    result = swept(seeded(Contrast), (X, y), info_nce, lanes_at_once=at_once)
    expected = in_minibatches(result.model(0.05), X, y, 16)
    assert result.losses[0, 1, -1] == pytest.approx(expected, rel=1e-9)
    assert ("stacked" in result.engine_reason) == (at_once == "auto")


class Autoencoder(nn.Module):
    """Returns a tuple, and draws."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.outside = nn.Linear(5, 2), nn.Linear(2, 5)

    def forward(self, x: Tensor) -> Any:
        z = self.inside(x)
        return self.outside(z + 0.1 * torch.randn_like(z)), z


def test_a_sum_is_told_from_a_mean_for_tuples_and_with_draws_too() -> None:
    X, _ = regression()
    with pytest.raises(OptionError, match="adds up over examples"):
        swept(seeded(Autoencoder), (X, X), lambda o, x: (o[0] - x).square().sum() + o[1].sum() ** 0)
    result = swept(seeded(Autoencoder), (X, X), lambda o, x: (o[0] - x).square().mean())
    assert "stacked" in result.engine_reason
