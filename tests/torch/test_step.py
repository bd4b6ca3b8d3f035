"""The call as people write it: their own step, optimizer, scheduler, clipping; each lane against their own loop."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import learnrate.torch
from learnrate.data.order import epoch_order
from learnrate.errors import OptionError
from learnrate.torch.randomness import Stream, forked_random_states, reseed
from tests.torch.models import CPU, mlp, regression, seeded

MSE = nn.functional.mse_loss
LRS = [0.003, 0.02]
B, EPOCHS = 16, 3
X, Y = regression()
Step = Callable[[nn.Module, Any], Any]


def step(model: nn.Module, batch: Any) -> Tensor:
    x, y = batch
    return MSE(model(x), y)


def own_loop(
    model: nn.Module,
    make: Callable[[nn.Module, float], Any],
    *,
    step: Step = step,
    schedule: Any = None,
    norm: float | None = None,
    value: float | None = None,
    accumulate: int = 1,
) -> nn.Module:
    """The loop of a user, at the larger rate."""
    model = copy.deepcopy(model)
    optimizer = make(model, LRS[1])
    scheduler = None if schedule is None else schedule(optimizer)
    with forked_random_states(CPU):
        for epoch in range(EPOCHS):
            model.train()
            if hasattr(optimizer, "train"):
                optimizer.train()
            reseed(CPU, 0, Stream.TRAINING, epoch)
            batches = torch.split(torch.from_numpy(epoch_order(70, B, seed=0, epoch=epoch)), B)
            for first in range(0, len(batches), accumulate):
                group = batches[first : first + accumulate]
                optimizer.zero_grad()
                for J in group:
                    (step(model, (X[J], Y[J])) / len(group)).backward()
                if norm is not None:
                    nn.utils.clip_grad_norm_(model.parameters(), norm)
                if value is not None:
                    nn.utils.clip_grad_value_(model.parameters(), value)
                optimizer.step()
                if scheduler is not None:
                    scheduler.step()
    if hasattr(optimizer, "eval"):
        optimizer.eval()
    return model


def swept(model: Any, data: Any = (X, Y), **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept = {"lrs": LRS, "batch_size": B, "epochs": EPOCHS, "step": step, **options}
        return learnrate.torch.sweep(model, data, **kept)


def assert_same(result: Any, trained: nn.Module) -> None:
    for name, value in result.state_dict(LRS[1]).items():
        torch.testing.assert_close(value, trained.state_dict()[name], rtol=1e-9, atol=1e-12)


def groups(model: nn.Module, lr: float) -> Any:
    """Rates and decay of their own for the last layer."""
    first, last = model[0].parameters(), model[2].parameters()  # type: ignore[index]
    return torch.optim.AdamW(
        [{"params": first}, {"params": last, "lr": 5 * lr, "weight_decay": 0.0}], lr=lr
    )


def partial(model: nn.Module, lr: float) -> Any:
    return torch.optim.SGD(model[2].parameters(), lr=lr, momentum=0.9)  # type: ignore[index]


def unproportional(model: nn.Module, lr: float) -> Any:
    return torch.optim.SGD(
        [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.01}],  # type: ignore[index]
        lr=lr,
    )


class Own(torch.optim.Optimizer):
    """Of a third party: steps of a fixed size, and a count in its state."""

    def __init__(self, params: Any, lr: float = 1e-3, power: float = 1.0) -> None:
        super().__init__(params, {"lr": lr, "power": power})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                state["count"] = state.get("count", 0) + 1
                p -= group["lr"] * p.grad.sign() / state["count"] ** group["power"]


class Replacing(Own):
    """Puts new tensors in the place of the old ones."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                p.data = p.data - group["lr"] * p.grad


class Keeping(Own):
    """Keeps state of many kinds, under names that mean something elsewhere."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state.update({name: torch.zeros_like(p) for name in ("m", "buffer", "average")})
                    state.update(last=[torch.zeros_like(p)] * 2, scale=None, none=[])
                state["last"] = [p.grad.clone(), state["last"][0]]
                state["scale"] = state["scale"] or {"of": (1 + p.grad.norm(), 0.5)}
                state["m"].lerp_(state["last"][1], state["scale"]["of"][1])
                state["buffer"] += state["m"] / state["scale"]["of"][0]
                state["average"].lerp_(p, 0.5)
                p -= group["lr"] * (p.grad + 0.1 * state["buffer"] + 0.1 * state["average"])


def matrices(model: nn.Module, lr: float) -> Any:
    """Orthogonal steps, in bfloat16."""
    return torch.optim.Muon([p for p in model.parameters() if p.ndim == 2], lr=lr)


class Modal(Own):
    """Has a mode, like Schedule-Free: parameters are moved when it changes."""

    training = False

    def move(self, by: float) -> None:
        if self.training == (by > 0):
            return
        self.training = by > 0
        for group in self.param_groups:
            for p in group["params"]:
                p.data.add_(by * group["lr"])

    def train(self) -> None:
        self.move(1.0)

    def eval(self) -> None:
        self.move(-1.0)


OPTIMIZERS: dict[str, tuple[Any, Any, bool]] = {
    "class": (torch.optim.RAdam, lambda m, lr: torch.optim.RAdam(m.parameters(), lr=lr), True),
    "without a rule": (
        torch.optim.Rprop,
        lambda m, lr: torch.optim.Rprop(m.parameters(), lr=lr),
        True,
    ),
    "factored": (
        torch.optim.Adafactor,
        lambda m, lr: torch.optim.Adafactor(m.parameters(), lr=lr),
        True,
    ),
    "of matrices": (matrices, matrices, True),
    "groups": (groups, groups, True),
    "a part": (partial, partial, True),
    "rates of their own": (unproportional, unproportional, True),
    "a third party's": (Own, lambda m, lr: Own(m.parameters(), lr=lr), True),
    "keeps lists": (Keeping, lambda m, lr: Keeping(m.parameters(), lr=lr), True),
    "replaces its parameters": (Replacing, lambda m, lr: Replacing(m.parameters(), lr=lr), True),
    "with a mode": (Modal, lambda m, lr: Modal(m.parameters(), lr=lr), False),
    "maximize": (
        lambda m, lr: torch.optim.SGD(m.parameters(), lr=lr, maximize=True),
        lambda m, lr: torch.optim.SGD(m.parameters(), lr=lr, maximize=True),
        True,
    ),
    "adam": (torch.optim.Adam, lambda m, lr: torch.optim.Adam(m.parameters(), lr=lr), True),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_any_optimizer_is_trained_with(name: str) -> None:
    given, own, stacked = OPTIMIZERS[name]
    result = swept(mlp(), optimizer=given)
    assert_same(result, own_loop(mlp(), own))
    assert ("stacked" in result.engine_reason) == stacked


def test_an_optimizer_that_asks_for_the_loss_again_gets_it() -> None:
    def own(model: nn.Module, lr: float) -> Any:
        return torch.optim.LBFGS(model.parameters(), lr=lr, max_iter=2)

    result = swept(mlp(), optimizer=own)
    assert result.losses[0, 1, -1] < result.losses[0, 1, 0]
    assert "one lane at a time" in result.engine_reason
    assert "computes the loss again" in result.notes[0]


def warmed(optimizer: Any) -> Any:
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: min(1.0, (t + 1) / 6))


def one_cycle(optimizer: Any) -> Any:
    largest = 2 * optimizer.param_groups[0]["lr"]
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, largest, total_steps=16)


@pytest.mark.parametrize("drops", [False, True])
@pytest.mark.parametrize("schedule", [warmed, one_cycle])
def test_a_scheduler_is_used_as_it_is(schedule: Any, drops: bool) -> None:
    """Dropout is checked over more steps than are held, and a scheduler cannot begin anew."""

    def make(m: nn.Module, lr: float) -> Any:
        return torch.optim.SGD(m.parameters(), lr=lr, momentum=0.9)

    model = nn.Sequential(nn.Dropout(0.2), mlp()) if drops else mlp()
    result = swept(model, optimizer=make, schedule=schedule)
    assert_same(result, own_loop(model, make, schedule=schedule))
    assert "stacked" in result.engine_reason
    with pytest.raises(OptionError, match=r"without arguments\. Got ReduceLROnPlateau"):
        swept(mlp(), schedule=torch.optim.lr_scheduler.ReduceLROnPlateau)


def test_a_scheduler_for_fewer_steps_than_dropout_is_checked_with() -> None:
    def short(optimizer: Any) -> Any:
        largest = optimizer.param_groups[0]["lr"]
        return torch.optim.lr_scheduler.OneCycleLR(optimizer, largest, total_steps=3)

    model = nn.Sequential(nn.Dropout(0.2), mlp())
    result = swept(model, optimizer="adam", schedule=short, epochs=None, steps=3)
    assert "stacked" in result.engine_reason


STEPS: list[dict[str, Any]] = [{"norm": 0.1}, {"value": 0.01}, {"accumulate": 3}]


@pytest.mark.parametrize("at_once", ["auto", 1])
@pytest.mark.parametrize("options", STEPS, ids=str)
def test_clipping_and_accumulation(options: dict[str, Any], at_once: Any) -> None:
    names = {"norm": "clip_grad_norm", "value": "clip_grad_value", "accumulate": "accumulate"}
    given = {names[key]: value for key, value in options.items()}
    result = swept(mlp(), optimizer="momentum", lanes_at_once=at_once, **given)
    assert ("stacked" in result.engine_reason) == (at_once == "auto")

    def make(m: nn.Module, lr: float) -> Any:
        return torch.optim.SGD(m.parameters(), lr=lr, momentum=0.9)

    assert_same(result, own_loop(mlp(), make, **options))


class TwoBiases(nn.Module):
    """Two parameters that autograd gives one tensor as their gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = mlp()
        self.a, self.b = (nn.Parameter(torch.zeros(1, dtype=torch.float64)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return self.inside(x) + self.a + self.b  # type: ignore[no-any-return]


def test_accumulation_where_parameters_share_a_gradient() -> None:
    def make(m: nn.Module, lr: float) -> Any:
        return torch.optim.SGD(m.parameters(), lr=lr)

    result = swept(TwoBiases(), optimizer="sgd", accumulate=3)
    assert "stacked" in result.engine_reason
    assert_same(result, own_loop(TwoBiases(), make, accumulate=3))


class Nested(torch.utils.data.Dataset[Any]):
    def __len__(self) -> int:
        return 70

    def __getitem__(self, i: int) -> Any:
        return {"inputs": {"x": X[i], "name": "row"}, "labels": [Y[i], Y[i] > 0]}


def two_losses(model: Any, batch: Any) -> Any:
    output = model(batch["inputs"]["x"])
    y, positive = batch["labels"]
    loss = MSE(output, y)
    return loss, {"right": ((output > 0) == positive).double().mean(), "twice": 2 * loss}


def test_batches_of_any_structure_and_metrics_of_the_steps_own() -> None:
    result = swept(mlp(), Nested(), step=two_losses, val_data=Nested())
    assert "stacked" in result.engine_reason
    assert set(result.metrics) == {"right", "twice"}
    np.testing.assert_allclose(result.metrics["twice"], 2 * result.val_losses)
    model = result.model(LRS[1])
    expected = ((model(X) > 0) == (Y > 0)).double().mean()
    assert result.metrics["right"][0, 1, -1] == pytest.approx(float(expected))
    tensors = {"inputs": X, "labels": Y}
    flat = swept(mlp(), tensors, step=lambda m, b: MSE(m(b["inputs"]), b["labels"]))
    np.testing.assert_allclose(flat.losses, result.losses, rtol=1e-9)


class Graphs:
    """A batch that is no structure of tensors."""

    def __init__(self, items: Any) -> None:
        self.x = torch.stack([x for x, _ in items])
        self.y = torch.stack([y for _, y in items])

    def to(self, device: Any) -> Graphs:
        return self


@dataclass(frozen=True)
class Pair:
    """An example, and a batch."""

    x: Tensor
    y: Tensor


class Pairs(torch.utils.data.Dataset[Any]):
    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, i: int) -> Pair:
        return Pair(X[i], Y[i])


def together(items: list[Pair]) -> Pair:
    return Pair(torch.stack([item.x for item in items]), torch.stack([item.y for item in items]))


def test_batches_that_are_dataclasses() -> None:
    loader = torch.utils.data.DataLoader(Pairs(), B, shuffle=True, collate_fn=together)
    result = swept(mlp().float(), loader, step=lambda m, b: MSE(m(b.x), b.y), batch_size=None)
    assert "stacked" in result.engine_reason
    np.testing.assert_allclose(result.losses, swept(mlp().float()).losses, rtol=1e-5)


def test_batches_that_are_objects() -> None:
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(X, Y), batch_size=B, shuffle=True, collate_fn=Graphs
    )
    result = swept(mlp(), loader, step=lambda m, b: MSE(m(b.x), b.y), batch_size=None)
    assert "stacked" in result.engine_reason
    np.testing.assert_allclose(result.losses, swept(mlp()).losses, rtol=1e-9)


def test_a_penalty_is_written_with_the_steps_own_model() -> None:
    def penalised(model: nn.Module, batch: Any) -> Any:
        return step(model, batch) + 0.05 * sum(p.abs().sum() for p in model.parameters())

    result = swept(mlp(), step=penalised)
    assert "stacked" in result.engine_reason
    own = own_loop(mlp(), lambda m, lr: torch.optim.SGD(m.parameters(), lr=lr), step=penalised)
    assert_same(result, own)


def test_half_precision() -> None:
    model = mlp().float()
    data = (X.float(), Y.float())
    whole = swept(model, data)
    for precision in ("bf16", "fp16"):
        half = swept(model, data, precision=precision)
        assert not np.array_equal(half.losses, whole.losses)
        np.testing.assert_allclose(half.losses, whole.losses, rtol=0.02)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"step": None}, "Got neither"),
    ({"loss": "mse"}, "Got both"),
    ({"step": 3}, "a function of the model and a minibatch. Got 3"),
    ({"metrics": "accuracy"}, "return (loss, {'name': value})"),
    ({"step": lambda m, b: 3.0}, "Got float"),
    ({"step": lambda m, b: (step(m, b), {"loss": 1.0})}, "Got 'loss'"),
    ({"optimizer": 3}, "Got int"),
    ({"optimizer": lambda m, lr: 3}, "must return a torch.optim.Optimizer"),
    ({"optimizer": lambda m, lr: torch.optim.SGD(mlp().parameters(), lr=lr)}, "Got none of them"),
    ({"optimizer": partial, "optimizer_options": {"momentum": 0.1}}, "sets them itself"),
    ({"optimizer": Own, "optimizer_options": {"pow": 0.1}}, "unexpected keyword argument 'pow'"),
    ({"clip_grad_norm": 0}, "above 0"),
    ({"accumulate": 0}, "at least 1"),
    ({"precision": "bf61"}, "Did you mean 'bf16'"),
    ({"precision": "bf16"}, "float64, which autocast does not change"),
    ({"schedule": lambda o: "cosine"}, "without arguments. Got str"),
]


@pytest.mark.parametrize(("change", "words"), BAD, ids=lambda v: str(v)[:30])
def test_bad_calls_get_one_line(change: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError) as caught:
        swept(mlp(), **change)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


class Speaker(nn.Module):
    """Logits (B, T, V)."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.out = nn.Embedding(7, 4), nn.Linear(4, 7)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.out(self.embed(tokens))  # type: ignore[no-any-return]


def test_a_language_models_logits_are_understood() -> None:
    tokens = torch.randint(7, (40, 5), generator=torch.Generator().manual_seed(0))
    named = swept(seeded(Speaker), (tokens, tokens.roll(1, 1)), step=None, loss="cross-entropy")
    own = swept(
        seeded(Speaker),
        (tokens, tokens.roll(1, 1)),
        step=lambda m, b: nn.functional.cross_entropy(m(b[0]).flatten(0, 1), b[1].flatten()),
    )
    np.testing.assert_allclose(named.losses, own.losses, rtol=1e-9)


def test_a_weight_is_no_target() -> None:
    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(5, 1)

        def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
            return self.layer(x if mask is None else x * mask)  # type: ignore[no-any-return]

    with pytest.raises(OptionError, match=r"can do without 'mask' instead; if an item holds"):
        swept(seeded(Masked), (X, Y, torch.ones(70, 1)), step=None, loss="mse")


def test_a_compiled_model_loads_a_lane() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model: Any = torch.compile(mlp())
    result = swept(model)
    model.load_state_dict(result.state_dict(LRS[1]))
    torch.testing.assert_close(model._orig_mod(X), result.model(LRS[1])(X))
