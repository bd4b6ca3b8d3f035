"""Lanes of models of many kinds, each against PyTorch's own loop on that lane alone."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import learnrate.torch
from learnrate.errors import OptionError
from learnrate.torch import trace
from learnrate.torch.stacked import StackedSteps
from tests.torch.models import cnn, images, mlp, plain_loop, regression, seeded

LRS = [0.003, 0.05, 0.2]


class Attention(nn.Module):
    """Embedding, attention and layer norm over a short sequence of whole numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 8)
        self.attend = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.out = nn.Linear(8, 7, bias=False)
        self.out.weight = self.embed.weight  # tied

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)
        x = self.norm(x + self.attend(x, x, x, need_weights=False)[0])
        return self.out(x.mean(dim=1))  # type: ignore[no-any-return]


class Dropping(nn.Module):
    """Attention with dropout, in a layer that transposes its input."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.out = nn.Embedding(7, 8), nn.Linear(8, 7)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.3, batch_first=True)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.out(self.layer(self.embed(tokens)).mean(dim=1))  # type: ignore[no-any-return]


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell, self.out = nn.GRUCell(5, 6), nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(len(x), 6, dtype=x.dtype)
        for _ in range(3):
            h = self.cell(x, h)
        return self.out(h)  # type: ignore[no-any-return]


class MovingMean(nn.Module):
    """A buffer that is replaced instead of changed in place."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 1)
        self.mean: Tensor
        self.register_buffer("mean", torch.zeros(5))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * x.mean(dim=0)
        return self.layer(x - self.mean)  # type: ignore[no-any-return]


class Unused(nn.Module):
    """One parameter that the loss does not see, and one that is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.idle = nn.Linear(5, 4), nn.Linear(4, 1), nn.Linear(4, 1)
        self.first.bias.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.tanh(self.first(x)))  # type: ignore[no-any-return]


class Branching(nn.Module):
    """Looks at a value that differs from lane to lane: vmap cannot stack it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x)
        return y if y.sum().item() > 0 else 1.1 * y


class Counting(nn.Module):
    """Counts its calls in a plain attribute, and uses the count."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.calls = nn.Linear(5, 1), 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += self.training
        return self.layer(x) / (1 + 0.1 * self.calls)  # type: ignore[no-any-return]


class HalfOfIt(torch.autograd.Function):
    """A gradient of one's own, which `vmap` cannot see through."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *g: Tensor) -> Tensor:
        return g[0] / 2


class Reversed(torch.autograd.Function):
    """Another in the newer form, with two results and an argument that is no tensor."""

    @staticmethod
    def forward(x: Tensor, scale: float = 0.5) -> tuple[Tensor, Tensor]:
        return x.clone(), x.tanh()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.scale = inputs[1]
        ctx.save_for_backward(output[1])

    @staticmethod
    def backward(ctx: Any, *g: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return -ctx.scale * g[0] + g[1] * (1 - y**2), None


class OwnGradient(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer, self.out = nn.Linear(5, 3), nn.Linear(3, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = HalfOfIt.apply(x)  # type: ignore[no-untyped-call]  # the same for all lanes
        h = HalfOfIt.apply(self.layer(x))  # type: ignore[no-untyped-call]
        a, b = Reversed.apply(h, 0.3)  # type: ignore[no-untyped-call]
        return self.out(a + b)  # type: ignore[no-any-return]


class Mixed(nn.Module):
    """Draws how inputs are mixed from a Beta distribution, whose gradient is PyTorch's own `autograd.Function`."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            share = torch.distributions.Beta(0.4, 0.4).sample().to(x.dtype)
            x = share * x + (1 - share) * x.flip(0)
        return self.layer(x)  # type: ignore[no-any-return]


class Looking(nn.Module):
    """Decides by values in which lanes do not differ."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x)
        assert not y.isnan().any()
        return y if (y.detach() < 1e9).sum().item() == y.numel() else 0 * y


def likelihood(output: Tensor, y: Tensor) -> Tensor:
    """PyTorch's, which refuses negative variances."""
    return nn.functional.gaussian_nll_loss(output[:, :1], y, output[:, 1:].exp())


class Filling(nn.Module):
    """Fills tensors that it makes, as sums over the neighbours in a graph do."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.out = nn.Linear(5, 4), nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.layer(x)
        sums = x.new_zeros(len(x), 4).index_add_(1, torch.tensor([0, 2, 2, 3]), h)
        parts = torch.zeros(len(x), 4, dtype=x.dtype)
        parts[:, 1:] = h[:, 1:].tanh()
        return self.out(sums + parts)  # type: ignore[no-any-return]


class Longer(nn.Module):
    """`nn.LSTMCell`, first without a state."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.out = nn.LSTMCell(5, 6), nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        state = None
        for _ in range(3):
            state = self.cell(x, state)
        return self.out(state[0])  # type: ignore[index, no-any-return]


class Forces(nn.Module):
    """The derivative of what a network gives, with respect to its input, as forces are of an energy."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.out = nn.Linear(5, 6), nn.Linear(6, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x.requires_grad_(True)
        with torch.enable_grad():
            energy = self.out(self.layer(x).tanh())
        options = {"create_graph": self.training}
        (first,) = torch.autograd.grad(energy, x, torch.ones_like(energy), **options)
        return first[:, :1]


class Penalty(nn.Module):
    """A network, beside the squared derivative of what it gives at inputs between those of the minibatch."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.out = nn.Linear(5, 6), nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.out(self.layer(x).tanh())
        if not self.training:
            return y
        between = torch.rand(len(x), 1, dtype=x.dtype) * x.detach()
        between.requires_grad = True
        (g,) = torch.autograd.grad(self.layer(between).tanh().sum(), between, create_graph=True)
        return y + g.square().sum(1, keepdim=True)


class Near(nn.Module):
    """Attention with a bias that is learnt, as T5 has."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.bias = nn.Embedding(7, 8), nn.Parameter(torch.zeros(2, 4, 4))
        self.out = nn.Linear(8, 7)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens).view(-1, 4, 2, 4).transpose(1, 2)
        bias = self.bias.expand(len(x), 2, 4, 4)
        x = nn.functional.scaled_dot_product_attention(x, x, x, attn_mask=bias)
        return self.out(x.transpose(1, 2).flatten(2).mean(1))  # type: ignore[no-any-return]


class Padded(nn.Module):
    """`nn.TransformerEncoder` as it is by itself: in evaluation mode it makes nested tensors of padded sequences."""

    def __init__(self, padding_counts: bool = False) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.embed, self.layers = nn.Embedding(7, 8), nn.TransformerEncoder(layer, 2)
        self.out, self.padding_counts = nn.Linear(8, 7), padding_counts

    def forward(self, tokens: Tensor) -> Tensor:
        padding = torch.arange(tokens.shape[1]) >= tokens[:, :1].clamp(min=2)
        h = self.layers(self.embed(tokens), src_key_padding_mask=padding)
        if not self.padding_counts:
            h = h.masked_fill(padding[..., None], 0.0)
        return self.out(h.mean(1))  # type: ignore[no-any-return]


class Noted(nn.Module):
    """Leaves activations in attributes; the loss of the next layer but one reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.out = nn.Linear(5, 4), nn.Linear(4, 1)
        self.mean: Tensor
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        self.inside, self.seen = self.layer(x), []
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * self.inside.detach().mean(0)
        for power in (1, 2):
            self.seen.append(self.inside**power)
        y = self.out((self.inside - self.mean).tanh())
        return y + self.seen[0].mean(1, keepdim=True) + self.seen[1].mean(1, keepdim=True)  # type: ignore[no-any-return]


class ReadLater(Noted):
    """Leaves activations that evaluation mode reads."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = torch.zeros((), dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        h = self.layer(x)
        if self.training:
            self.inside = h.detach().mean()
        return self.out(h - self.inside)  # type: ignore[no-any-return]


class Averaging(ReadLater):
    """Leaves what the next pass goes on from."""

    def forward(self, x: Tensor) -> Tensor:
        h = self.layer(x)
        if self.training:
            self.inside = 0.9 * self.inside + h.detach().mean()
        return self.out(h)  # type: ignore[no-any-return]


class Again(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer, self.out = nn.Linear(5, 4), nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(checkpoint(torch.tanh, self.layer(x), use_reentrant=False))  # type: ignore[no-any-return]


def tokens() -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(0)
    T = torch.randint(7, (30, 4), generator=rng)
    return T, T[:, 0]


def dropout() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 16), nn.Dropout(0.4), nn.Tanh(), nn.Linear(16, 1))


def cumulative_norm() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3, momentum=None), nn.Linear(3, 1))


def spectral_norm() -> nn.Module:
    normed = nn.utils.parametrizations.spectral_norm(nn.Linear(5, 6))
    last = nn.utils.parametrizations.spectral_norm(nn.Linear(6, 1))  # whose buffer stays 1 or -1
    return nn.Sequential(normed, nn.Tanh(), last)


def batch_norm() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 1))


MSE, CE = nn.functional.mse_loss, nn.functional.cross_entropy
STACKED: dict[str, tuple[Any, Any, Any]] = {
    "mlp": (mlp, regression, MSE),
    "cnn": (cnn, images, CE),
    "batch norm": (batch_norm, regression, MSE),
    "dropout": (dropout, regression, MSE),
    "attention, tied": (Attention, tokens, CE),
    "attention, dropout": (Dropping, tokens, CE),
    "recurrent": (Recurrent, regression, MSE),
    "replaced buffer": (MovingMean, regression, MSE),
    "unused and frozen": (Unused, regression, MSE),
    "own gradient": (OwnGradient, regression, MSE),
    "mixed": (Mixed, regression, MSE),
    "looking": (Looking, regression, likelihood),
    "filling": (Filling, regression, MSE),
    "longer": (Longer, regression, MSE),
    "forces": (Forces, regression, MSE),
    "penalty": (Penalty, regression, MSE),
    "near": (Near, tokens, CE),
    "padded": (Padded, tokens, CE),
    "noted": (Noted, regression, MSE),
    "spectral norm": (spectral_norm, regression, MSE),
    "cumulative batch norm": (cumulative_norm, regression, MSE),
}
SEPARATE: dict[str, tuple[Any, str]] = {
    "branching": (Branching, "a value decides"),
    "counting": (Counting, "register_buffer"),
    "read later": (ReadLater, "register_buffer"),
    "averaging": (Averaging, "register_buffer"),
    "checkpointed": (Again, "torch.utils.checkpoint"),
}


def assert_each_lane_is_the_plain_loop(
    model: nn.Module, data: Any, loss: Any, result: Any, **kept: Any
) -> None:
    for k, lr in enumerate(LRS):
        losses, trained = plain_loop(model, data, loss, lr, **kept)
        np.testing.assert_allclose(result.losses[0, k], losses, rtol=1e-9)
        expected = trained.state_dict()
        state = result.state_dict(lr)
        assert list(state) == list(expected)
        for key, value in state.items():
            torch.testing.assert_close(value, expected[key], rtol=1e-8, atol=1e-10)


KEPT: dict[str, Any] = {"batch_size": 12, "epochs": 3}


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("name", STACKED)
def test_stacked_lanes_are_the_plain_loop(
    name: str, recorded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "_PATIENCE", 0 if recorded else 10**9)
    build, data, loss = STACKED[name]
    model, examples = seeded(build), data()
    result = learnrate.torch.sweep(model, examples, loss=loss, lrs=LRS, **KEPT)
    assert "stacked" in result.engine_reason
    idle = "Parameters that were not trained, for no minibatch gave them a gradient: idle.weight, idle.bias."
    assert result.notes == ((idle,) if name == "unused and frozen" else ())
    assert_each_lane_is_the_plain_loop(model, examples, loss, result, **KEPT)


@pytest.mark.parametrize("name", SEPARATE)
def test_what_cannot_be_stacked_is_trained_one_lane_at_a_time_and_says_so(name: str) -> None:
    build, reason = SEPARATE[name]
    model, data = seeded(build), regression()
    with pytest.warns(UserWarning, match="one at a time") as caught:
        result = learnrate.torch.sweep(model, data, loss="mse", lrs=LRS, **KEPT)
    assert reason in result.notes[0]
    assert caught[0].filename == __file__
    assert "\n" not in result.notes[0]
    assert "one lane at a time" in result.engine_reason
    if name == "branching":  # it looks at whole minibatches, and is measured on such
        _, trained = plain_loop(model, data, MSE, LRS[2], **KEPT)
        for key, value in result.state_dict(LRS[2]).items():
            torch.testing.assert_close(value, trained.state_dict()[key], rtol=1e-8, atol=1e-10)
    elif name != "counting":  # whose evaluations would count in the loop too
        assert_each_lane_is_the_plain_loop(model, data, MSE, result, **KEPT)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_lanes_that_would_be_measured_otherwise_are_not_stacked() -> None:
    """In evaluation mode PyTorch fills the padding with zeros, but not where lanes are stacked."""
    model = seeded(lambda: Padded(padding_counts=True))
    with pytest.warns(UserWarning, match="in evaluation mode its stacked loss differs"):
        result = learnrate.torch.sweep(model, tokens(), loss=CE, lrs=LRS, **KEPT)
    assert_each_lane_is_the_plain_loop(model, tokens(), CE, result, **KEPT)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_padded_encoders_are_trained_under_autocast() -> None:
    """PyTorch's own evaluation of them fails there, on a CPU."""
    model, kept = seeded(Padded).float(), {"loss": CE, "lrs": LRS, **KEPT}
    half = learnrate.torch.sweep(model, tokens(), precision="bf16", **kept)
    assert "stacked" in half.engine_reason
    whole = learnrate.torch.sweep(model, tokens(), **kept)
    np.testing.assert_allclose(half.losses, whole.losses, rtol=0.05)


def test_functions_of_autograd_are_afterwards_as_before() -> None:
    before = vars(torch.autograd.Function)["apply"]
    learnrate.torch.sweep(seeded(OwnGradient), regression(), loss="mse", lrs=LRS, **KEPT)
    assert vars(torch.autograd.Function)["apply"] is before


def test_lanes_of_what_keeps_state_do_not_share_it() -> None:
    model, data = seeded(Counting), regression()
    with pytest.warns(UserWarning, match="register_buffer"):
        together = learnrate.torch.sweep(model, data, loss="mse", lrs=LRS, **KEPT)
    alone = learnrate.torch.sweep(model, data, loss="mse", lrs=LRS[-1:], **KEPT)
    np.testing.assert_array_equal(together.losses[:, -1:], alone.losses)


@pytest.mark.parametrize("build", [dropout, cnn, batch_norm], ids=lambda f: f.__name__)
@pytest.mark.parametrize("lanes_at_once", [1, 2, 4])
def test_the_number_of_lanes_at_once_changes_nothing(build: Any, lanes_at_once: int) -> None:
    data, loss = (images(), "cross-entropy") if build is cnn else (regression(), "mse")
    kept: dict[str, Any] = {"loss": loss, "lrs": [*LRS, 0.3, 0.01], **KEPT}
    model = seeded(build)
    whole = learnrate.torch.sweep(model, data, **kept)
    parts = learnrate.torch.sweep(model, data, lanes_at_once=lanes_at_once, **kept)
    np.testing.assert_allclose(parts.losses, whole.losses, rtol=1e-9)
    assert parts.suggestion().lr == whole.suggestion().lr


def test_a_diverging_lane_disturbs_no_other() -> None:
    model, data = seeded(batch_norm), regression()
    good = learnrate.torch.sweep(model, data, loss="mse", lrs=LRS, **KEPT)
    beside = learnrate.torch.sweep(model, data, loss="mse", lrs=[1e30, *LRS, 1e300], **KEPT)
    np.testing.assert_allclose(beside.losses[:, 1:4], good.losses, rtol=1e-9)
    assert not np.isfinite(beside.losses[0, -1, -1])
    assert beside.outcomes[0][-1].diverges


def test_dropout_draws_the_same_masks_for_all_lanes() -> None:
    """Two lanes of rates that hardly differ stay together; with masks of their own they would part."""
    result = learnrate.torch.sweep(
        seeded(dropout), regression(), loss="mse", lrs=[0.05, 0.05 * (1 + 1e-9)], **KEPT
    )
    np.testing.assert_allclose(result.losses[0, 0], result.losses[0, 1], rtol=1e-6)


def test_python_randomness_is_drawn_once_for_all_lanes_and_never_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Depth(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.skipped = nn.Linear(5, 5), nn.Linear(5, 1)

        def forward(self, x: Tensor) -> Tensor:
            if self.training and random.random() < 0.5:
                x = torch.tanh(self.layer(x))
            return self.skipped(x)  # type: ignore[no-any-return]

    monkeypatch.setattr(trace, "_PATIENCE", 0)
    torch.manual_seed(3)
    model, data = seeded(Depth), regression()
    stacked = learnrate.torch.sweep(model, data, loss="mse", lrs=LRS, **KEPT)
    alone = learnrate.torch.sweep(model, data, loss="mse", lrs=LRS, lanes_at_once=1, **KEPT)
    np.testing.assert_allclose(stacked.losses, alone.losses, rtol=1e-9)


class Room(nn.Module):
    """Runs out of memory at more than so many numbers at once."""

    limit = 10**9

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x)
        lanes = 1 if not torch._C._functorch.is_batchedtensor(y) else 2
        if lanes > self.limit:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return y


def test_without_memory_for_two_lanes_they_are_trained_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, data = seeded(Room), regression()
    expected = learnrate.torch.sweep(model, data, loss="mse", lrs=LRS, **KEPT)
    monkeypatch.setattr(Room, "limit", 1)
    with pytest.warns(UserWarning, match="one at a time: memory ran out"):
        result = learnrate.torch.sweep(model, data, loss="mse", lrs=LRS, **KEPT)
    np.testing.assert_allclose(result.losses, expected.losses, rtol=1e-9)


def test_without_memory_for_one_lane_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Room, "limit", 0)
    with pytest.raises(OptionError, match=r"One lane .* smaller batch_size"):
        learnrate.torch.sweep(seeded(Room), regression(), loss="mse", lrs=LRS, **KEPT)


def test_out_of_memory_halves_the_lanes_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from learnrate.torch.stacked import StackedLanes

    train = StackedLanes.train
    seen = []

    def fits_three(self: Any, *arguments: Any) -> Any:
        seen.append(len(self.theta))
        if len(self.theta) > 3:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return train(self, *arguments)

    model, data, lrs = mlp(), regression(), [0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3]
    kept: dict[str, Any] = {"loss": "mse", "lrs": lrs, **KEPT}
    expected = learnrate.torch.sweep(model, data, **kept)
    monkeypatch.setattr(StackedLanes, "train", fits_three)
    result = learnrate.torch.sweep(model, data, **kept)
    assert seen[0] == 7
    assert max(seen[1:]) == 3
    np.testing.assert_allclose(result.losses, expected.losses, rtol=1e-9)
    assert "Memory ran out" in result.notes[0]


@pytest.mark.parametrize(("prune", "most"), [(False, 5), (True, 45)])
def test_where_many_steps_are_to_come_they_are_recorded_at_once(
    prune: bool, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 512 steps and 129 measurements; a pruned sweep records them anew for each number of lanes that is left."""
    calls, call = [0], StackedSteps._call

    def counted(*arguments: Any, **options: Any) -> Any:
        calls[0] += 1
        return call(*arguments, **options)

    monkeypatch.setattr(StackedSteps, "_call", counted)
    X, y = regression(64)
    lrs = np.geomspace(1e-3, 0.1, 13)
    options: dict[str, Any] = {"lrs": lrs, "epochs": 128, "batch_size": 16, "prune": prune}
    learnrate.torch.sweep(mlp(), (X, y), loss="mse", **options)
    assert calls[0] <= most
