"""A lane is the user's own training and no other: what else belongs to it is followed, or refused by name."""

from __future__ import annotations

import copy
import types
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

import learnrate.torch
from learnrate.data.order import epoch_order
from learnrate.errors import OptionError
from learnrate.torch.copying import copy_of
from learnrate.torch.randomness import Stream, forked_random_states, reseed
from tests.torch.models import CPU, mlp, regression, seeded

MSE = nn.functional.mse_loss
KEPT: dict[str, Any] = {"lrs": [0.01, 0.05], "batch_size": 16, "epochs": 4}


def alone(
    model: nn.Module,
    data: Any,
    loss: Callable[..., Tensor],
    lr: float,
    optimizer: Any = torch.optim.SGD,
    more: tuple[Any, ...] = (),
) -> tuple[float, nn.Module]:
    """PyTorch's own loop in the sweep's order and with its draws, in place: the final loss, and the model."""
    steps = optimizer([*model.parameters(), *more], lr=lr)
    *inputs, y = data
    with forked_random_states(CPU):
        for epoch in range(KEPT["epochs"]):
            model.train()
            reseed(CPU, 0, Stream.TRAINING, epoch)
            order = torch.from_numpy(epoch_order(len(y), KEPT["batch_size"], seed=0, epoch=epoch))
            for J in torch.split(order, KEPT["batch_size"]):
                steps.zero_grad()
                loss(model(*[x[J] for x in inputs]), y[J]).backward()  # type: ignore[no-untyped-call]
                steps.step()
    trained = copy_of(model)  # which an evaluation may change
    model.eval()
    return float(loss(model(*inputs), y).detach()), trained


def swept(model: Any, data: Any, loss: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return learnrate.torch.sweep(model, data, loss=loss, **{**KEPT, **options})


def assert_own(model: nn.Module, data: Any, loss: Any, **options: Any) -> Any:
    """The sweep's lane is the plain loop's, in its loss and in every tensor of the model."""
    result = swept(model, data, loss, **options)
    own = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}.get(
        options.get("optimizer", ""), torch.optim.SGD
    )
    expected, trained = alone(copy.deepcopy(model), data, loss, KEPT["lrs"][1], own)
    assert result.losses[0, 1, -1] == pytest.approx(expected, rel=1e-9)
    state = trained.state_dict()
    for name, value in result.state_dict(KEPT["lrs"][1]).items():
        torch.testing.assert_close(value, state[name], rtol=1e-8, atol=1e-10)
    return result


class Heads(nn.Module):
    """One head for each domain; a minibatch trains those of its examples."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(5, 6)
        self.heads = nn.ModuleList(nn.Linear(6, 1) for _ in range(3))

    def forward(self, x: Tensor, domain: Tensor) -> Tensor:
        h = torch.tanh(self.body(x))
        out = torch.zeros(len(x), 1, dtype=x.dtype)
        for k, head in enumerate(self.heads):
            if (domain == k).any():
                out = torch.where((domain == k)[:, None], head(h), out)
        return out


class Experts(nn.Module):
    """Each example goes to the expert that a gate chooses: lanes differ in it."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(5, 4)
        self.experts = nn.ModuleList(nn.Linear(5, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        shares = self.gate(x).softmax(-1)
        best = shares.argmax(-1)
        out = torch.zeros(len(x), 1, dtype=x.dtype)
        for k, expert in enumerate(self.experts):
            rows = torch.where(best == k)[0]
            if len(rows):
                out = out.index_add(0, rows, expert(x[rows]) * shares[rows, k : k + 1])
        return out


class Dropped(nn.Module):
    """Leaves out layers at random."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(5, 6), nn.Linear(6, 1)
        self.layers = nn.ModuleList(nn.Linear(6, 6) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)
        for layer in self.layers:
            if not self.training or torch.rand([]) < 0.5:
                h = h + torch.tanh(layer(h))
        return self.last(h)  # type: ignore[no-any-return]


DOMAINS = torch.arange(70) // 30


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize(
    ("build", "inputs", "way"),
    [(Heads, (DOMAINS,), "stacked"), (Dropped, (), "stacked"), (Experts, (), "one lane at a time")],
)
def test_a_parameter_is_trained_in_the_steps_that_give_it_a_gradient_and_in_no_other(
    build: Any, inputs: Any, way: str, optimizer: str
) -> None:
    X, y = regression()
    result = assert_own(seeded(build), (X, *inputs, y), MSE, optimizer=optimizer)
    assert way in result.engine_reason
    assert not [note for note in result.notes if "not trained" in note]


def test_parameters_without_any_gradient_are_named() -> None:
    model = seeded(Heads)
    X, y = regression()
    for at_once in ("auto", 1):
        result = swept(model, (X, DOMAINS * 0, y), MSE, lanes_at_once=at_once)
        assert "heads.1.weight, heads.1.bias, heads.2.weight and 1 more" in result.notes[-1]
        assert torch.equal(result.model(0.05).heads[1].weight, model.heads[1].weight)  # type: ignore[index, union-attr]


class Momentum(nn.Module):
    """A frozen part that follows a trained one, by ``.data =`` in forward."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(5, 3)
        self.key = copy.deepcopy(self.query).requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            for a, b in zip(self.query.parameters(), self.key.parameters(), strict=True):
                b.data = b.data * 0.9 + a.data * 0.1
        return (self.query(x) - self.key(x + 0.1)).sum(1, keepdim=True)  # type: ignore[no-any-return]


class Clipped(nn.Module):
    """Keeps its weights small, in forward."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        self.layer.weight.data.clamp_(-0.2, 0.2)
        return self.layer(x)  # type: ignore[no-any-return]


class Late(Momentum):
    """Follows for the first time in the fourth step: nobody can see that at the start."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: Tensor
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.steps = self.steps + 1
        follow = torch.where(self.steps > 3, 0.1, 0.0) * self.training
        for a, b in zip(self.query.parameters(), self.key.parameters(), strict=True):
            b.data.add_(follow * (a.data - b.data))
        return (self.query(x) - self.key(x + 0.1)).sum(1, keepdim=True)  # type: ignore[no-any-return]


@pytest.mark.parametrize("build", [Momentum, Clipped, Late])
def test_parameters_that_forward_changes(build: Any) -> None:
    result = assert_own(seeded(build), regression(), MSE)
    assert "one lane at a time" in result.engine_reason


def hooked(model: nn.Module) -> nn.Module:
    for parameter in model.parameters():
        parameter.register_hook(lambda g: g.clamp(-0.01, 0.01))  # type: ignore[no-untyped-call]
    return model


@pytest.mark.parametrize("at_once", ["auto", 1])
@pytest.mark.parametrize("source", [lambda: hooked(mlp()), lambda: lambda: hooked(mlp())])
def test_gradient_hooks_are_followed(source: Any, at_once: Any) -> None:
    result = swept(source(), regression(), MSE, lanes_at_once=at_once)
    expected, _ = alone(hooked(mlp()), regression(), MSE, 0.05)
    assert result.losses[0, 1, -1] == pytest.approx(expected, rel=1e-9)


def test_steps_inside_of_the_backward_pass_are_refused() -> None:
    model = mlp()
    model[0].weight.register_post_accumulate_grad_hook(lambda p: None)  # type: ignore[index]
    with pytest.raises(OptionError, match=r"'0\.weight' is there"):
        swept(model, regression(), MSE)


def penalised(model: nn.Module) -> Any:
    def loss(output: Tensor, target: Tensor) -> Tensor:
        return MSE(output, target) + 0.05 * sum(p.abs().sum() for p in model.parameters())

    return loss


class OfModel:
    """A loss that is an object and holds the model: its copies hold the lanes' copies."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        return MSE(output, target) + 0.05 * sum(p.abs().sum() for p in self.model.parameters())

    def value(self, output: Tensor, target: Tensor) -> Tensor:
        return self(output, target)


def test_a_loss_that_reaches_into_the_given_model_is_refused_or_followed() -> None:
    model, data = mlp(), regression()
    with pytest.raises(OptionError, match=r"refers to the model that was given \(by 'model'\)"):
        swept(model, data, penalised(model))
    expected, _ = alone((own := mlp()), data, penalised(own), 0.05)
    for loss in (OfModel(model), OfModel(model).value):
        assert swept(model, data, loss).losses[0, 1, -1] == pytest.approx(expected, rel=1e-9)


def test_a_loss_whose_gradient_goes_elsewhere_is_refused() -> None:
    model, data = mlp(), regression()
    parameters = {"all": [list(model.parameters())]}  # deeper than anybody looks
    with pytest.raises(OptionError, match=r"its parameter '0\.weight'"):
        swept(model, data, lambda o, t: MSE(o, t) + parameters["all"][0][0].sum())
    scale = nn.Linear(1, 1).double()
    with pytest.raises(OptionError, match="give a loss with parameters as a module"):
        swept(model, data, lambda o, t: MSE(scale(o), t))


def test_the_parameters_of_a_loss_that_is_a_module_are_trained() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))

        def forward(self, output: Tensor, target: Tensor) -> Tensor:
            return MSE(self.scale * output, target)

    result = swept(mlp(), regression(), Scaled())
    assert "stacked" in result.engine_reason
    own = Scaled()
    expected, trained = alone(mlp(), regression(), own, 0.05, more=tuple(own.parameters()))
    assert result.losses[0, 1, -1] == pytest.approx(expected, rel=1e-9)
    assert set(result.state_dict(0.05)) == set(trained.state_dict())


class Annealed:
    """Weighs a second term by a count of its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        self.calls += 1
        return MSE(output, target) + min(1.0, self.calls / 50) * output.square().mean()


@pytest.mark.parametrize("at_once", ["auto", 1])
def test_state_of_a_loss_belongs_to_the_lane(at_once: Any) -> None:
    loss = Annealed()
    lrs = [0.05 * (1 + 1e-9), 0.05]
    result = swept(mlp(), regression(), loss, lrs=lrs, lanes_at_once=at_once)
    assert loss.calls == 0
    assert result.losses[0, 0, -1] == pytest.approx(result.losses[0, 1, -1], rel=1e-7)
    _, trained = alone(mlp(), regression(), Annealed(), 0.05)
    for name, value in result.state_dict(0.05).items():
        torch.testing.assert_close(value, trained.state_dict()[name])
    if at_once == "auto":
        assert "'calls' of Annealed" in result.notes[0]


def counting() -> Any:
    calls = 0

    def loss(output: Tensor, target: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return MSE(output, target) + min(1.0, calls / 50) * output.square().mean()

    return loss


def test_state_around_a_function_is_refused_by_name() -> None:
    with pytest.raises(OptionError, match=r"'calls' of a function has changed"):
        swept(mlp(), regression(), counting())


def test_a_patched_forward_is_followed() -> None:
    def doubled(self: nn.Sequential, x: Tensor) -> Tensor:
        return 2 * nn.Sequential.forward(self, x)  # type: ignore[no-untyped-call, no-any-return]

    model = mlp()
    model.forward = types.MethodType(doubled, model)
    assert "stacked" in assert_own(model, regression(), MSE).engine_reason
    before = model.forward
    model.forward = lambda x: before(x) + 1
    with pytest.raises(OptionError, match="that was given"):
        swept(model, regression(), MSE)


def test_a_norm_left_in_evaluation_mode_stays_there() -> None:
    model = seeded(lambda: nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3), nn.Linear(3, 1)))
    model[1].eval()  # type: ignore[index]
    for at_once in ("auto", 1):
        trained = swept(model, regression(), MSE, lanes_at_once=at_once).model(0.05)
        assert torch.equal(trained[1].running_mean, torch.zeros(3).double())
        assert not torch.equal(trained[1].weight, torch.ones(3).double())


def test_a_reset_leaves_what_is_frozen_and_what_the_model_initialised() -> None:
    def build() -> nn.Module:
        frozen = nn.Sequential(nn.Linear(5, 8), nn.Tanh()).requires_grad_(False)
        return nn.Sequential(frozen, nn.Linear(8, 4), nn.Linear(4, 1))

    model = seeded(build)
    model[1].bias.requires_grad_(False)  # type: ignore[index]
    trained = swept(model, regression(), MSE, start="reset").model(0.05)
    assert torch.equal(trained[0][0].weight, model[0][0].weight)  # type: ignore[index]
    assert torch.equal(trained[1].bias, model[1].bias)  # type: ignore[index]
    nn.init.zeros_(model[1].weight)  # type: ignore[index]
    with pytest.raises(OptionError, match=r"'1\.weight', which the model has initialised"):
        swept(model, regression(), MSE, start="reset")


class Energy(nn.Module):
    """Its output holds its own derivative."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp()

    def forward(self, x: Tensor) -> Tensor:
        x = x.clone().requires_grad_()
        u = self.net(x)
        (du,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        return torch.cat([u, du], 1)


def test_gradients_inside_of_forward_are_there_in_evaluation_too() -> None:
    X, _ = regression()
    assert_own(seeded(Energy), (X, X), lambda o, x: (o.sum(1) - x[:, 0]).square().mean())


def test_a_cache_that_the_first_pass_fills_does_not_keep_lanes_apart() -> None:
    class Cached(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.places = nn.Linear(5, 1), {}  # type: ignore[var-annotated]

        def forward(self, x: Tensor) -> Tensor:
            if x.shape[1] not in self.places:
                self.places[x.shape[1]] = torch.arange(5.0, dtype=x.dtype)
            return self.layer(x + self.places[x.shape[1]])  # type: ignore[no-any-return]

    assert "stacked" in assert_own(seeded(Cached), regression(), MSE).engine_reason


@pytest.mark.parametrize("kind", ["pruned", "normed", "keeping"])
def test_models_that_keep_what_a_pass_computed_are_trained(kind: str) -> None:
    class Keeping(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(5, 1)

        def forward(self, x: Tensor) -> Tensor:
            self.last = self.layer(x)
            return self.last  # type: ignore[no-any-return]

    def build() -> nn.Module:
        model = mlp()
        if kind == "pruned":
            prune.l1_unstructured(model[0], "weight", 0.5)  # type: ignore[no-untyped-call, index]
        if kind == "normed":
            nn.utils.weight_norm(model[0])  # type: ignore[index]
        if kind == "keeping":
            model = seeded(Keeping)
        model(regression()[0])
        return model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        expected, _ = alone(build(), regression(), MSE, 0.05)
        for source in (build(), build):
            result = swept(source, regression(), MSE)
            assert result.losses[0, 1, -1] == pytest.approx(expected, rel=1e-9)
            assert all(value.isfinite().all() for value in result.state_dict(0.05).values())
