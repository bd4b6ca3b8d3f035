"""State that a model keeps where stacked lanes would share it is seen, and they are trained one at a time."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import learnrate.torch
from learnrate.torch import trace
from learnrate.torch.kept import fingerprint
from learnrate.torch.separate import SeparateLanes
from tests.torch.models import Pairs, mlp, regression, seeded

KEPT: dict[str, Any] = {"loss": "mse", "lrs": [0.01, 0.1], "batch_size": 12, "epochs": 3}


class Box:
    def __init__(self) -> None:
        self.count = [0]


class Counting(nn.Module):
    """Divides by a count of its calls, kept somewhere."""

    def __init__(self, where: Any) -> None:
        super().__init__()
        self.layer, self.where = nn.Linear(5, 1), where

    def forward(self, x: Tensor) -> Tensor:
        count = self.where.count if isinstance(self.where, Box) else self.where
        key: Any = "n" if isinstance(count, dict) else 0
        count[key] = count[key] + self.training
        return self.layer(x) / (1 + 0.1 * float(count[key]))  # type: ignore[no-any-return]


class Drawing(nn.Module):
    """Adds noise from a generator of its own."""

    def __init__(self, generator: Any) -> None:
        super().__init__()
        self.layer, self.generator = nn.Linear(5, 1), generator

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return self.layer(x)  # type: ignore[no-any-return]
        if isinstance(self.generator, torch.Generator):
            noise = float(torch.rand(1, generator=self.generator))
        else:
            noise = self.generator.random()
        return self.layer(x + noise)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "build",
    [
        lambda: Counting({"n": 0}),
        lambda: Counting([0]),
        lambda: Counting(np.zeros(1)),
        lambda: Counting(Box()),
        lambda: Drawing(torch.Generator().manual_seed(0)),
        lambda: Drawing(np.random.default_rng(0)),
        lambda: Drawing(random.Random(0)),
    ],
    ids=["dict", "list", "array", "object", "torch", "numpy", "python"],
)
def test_state_outside_of_buffers_is_seen(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "_PATIENCE", 0)
    model, data = seeded(build), regression()
    with pytest.warns(UserWarning, match="state is kept outside of buffers"):
        together = learnrate.torch.sweep(model, data, **KEPT)
    alone = learnrate.torch.sweep(model, data, **{**KEPT, "lrs": [0.1]})
    np.testing.assert_array_equal(together.losses[:, 1:], alone.losses)


def test_looking_into_containers_comes_to_an_end() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    before = fingerprint({"a": loop, "b": list(range(10**6))})
    loop[0] = 2
    assert fingerprint({"a": loop, "b": ()}) != before
    assert fingerprint(loop) != before


class Flipped(Pairs):
    """Turns one item in a hundred round: three items read twice hardly show it."""

    def __getitem__(self, i: int) -> Any:
        X, y = super().__getitem__(i)
        return (-X if self.draw() < 0.01 else X), y

    def draw(self) -> float:
        return float(torch.rand(1))


class FlippedByPython(Flipped):
    def draw(self) -> float:
        return random.random()


class FlippedByNumpy(Flipped):
    def draw(self) -> float:
        return np.random.rand()  # noqa: NPY002


@pytest.mark.parametrize("kind", [Pairs, Flipped, FlippedByPython, FlippedByNumpy])
def test_a_dataset_that_draws_is_read_at_every_visit(kind: Any) -> None:
    class Noted(kind):  # type: ignore[misc]
        reads = 0

        def __getitem__(self, i: int) -> Any:
            type(self).reads += 1
            return super().__getitem__(i)

    data = Noted()
    learnrate.torch.sweep(mlp(), data, **{**KEPT, "lrs": [0.1]})
    visits = len(data) * (2 * KEPT["epochs"] + 1)  # trained and evaluated on
    assert (Noted.reads > visits) == (kind is not Pairs)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_where_gradients_are_off_the_sweep_has_its_own(mode: Any) -> None:
    expected = learnrate.torch.sweep(mlp(), regression(), **KEPT)
    with mode():
        found = learnrate.torch.sweep(mlp(), regression(), **KEPT)
        assert not torch.is_grad_enabled()
    np.testing.assert_array_equal(found.losses, expected.losses)


def test_inputs_that_a_model_changes_are_copies() -> None:
    class Doubling(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(5, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x.mul_(2))  # type: ignore[no-any-return]

    X, y = regression()
    before = X.clone()
    result = learnrate.torch.sweep(seeded(Doubling), (X, y), **KEPT)
    assert "stacked" in result.engine_reason
    assert torch.equal(X, before)


@pytest.mark.parametrize("seed", [4, 7])
def test_masks_that_would_differ_are_seen_even_where_they_look_alike_at_first(seed: int) -> None:
    """`torch.dropout` draws the masks of a transposed tensor in another order when stacked; these drop hardly anything."""

    class Turned(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.dropout(x.transpose(1, 2), 0.002, self.training)

    def build() -> nn.Module:
        rows = [nn.Unflatten(1, (5, 1)), nn.Linear(1, 4), Turned(), nn.Flatten()]
        return nn.Sequential(*rows, nn.Linear(20, 8), nn.Tanh(), nn.Linear(8, 1))

    kept = {**KEPT, "lrs": [0.001, 0.01], "epochs": 1, "seed": seed}
    with pytest.warns(UserWarning, match="its stacked (loss|gradient) differs from its own"):
        learnrate.torch.sweep(seeded(build), regression(24), **kept)


class Backbone(nn.Module):
    """A frozen part and a head; after some minibatches the frozen part may be changed in forward."""

    calls: Tensor

    def __init__(self, changes_after: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.frozen, self.head = nn.Linear(5, 6).requires_grad_(False), nn.Linear(6, 1)
        self.register_buffer("calls", torch.zeros(()))
        self.changes_after = changes_after

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.calls += 1
            apart = self.head.weight.detach().sigmoid().mean()  # in which lanes differ
            if float(self.calls + apart) > 1 + self.changes_after:
                self.frozen.weight.data.mul_(0.9)
        return self.head(torch.tanh(self.frozen(x)))  # type: ignore[no-any-return]


@pytest.mark.filterwarnings("ignore:Lanes were trained one at a time")
def test_lanes_one_at_a_time_hold_a_frozen_backbone_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[SeparateLanes] = []
    train = SeparateLanes.train

    def look(self: SeparateLanes, *rest: Any) -> Any:
        seen.append(self)
        return train(self, *rest)

    monkeypatch.setattr(SeparateLanes, "train", look)
    model = Backbone(10**9).double()
    result = learnrate.torch.sweep(model, regression(), loss="mse", lrs=[0.01, 0.1, 0.3], epochs=2)
    lanes = seen[-1].lanes
    assert len(lanes) == 3
    named = [dict(lane.whole.named_parameters()) for lane in lanes]
    places = {
        part: {of[f"model.{part}.weight"].data_ptr() for of in named} for part in ("frozen", "head")
    }
    assert (len(places["frozen"]), len(places["head"])) == (1, 3)
    assert torch.equal(result.state_dict(0.1)["frozen.weight"], model.frozen.weight)


@pytest.mark.filterwarnings("ignore:Lanes were trained one at a time")
def test_a_frozen_part_that_is_changed_late_is_each_lanes_own() -> None:
    options: dict[str, Any] = {"loss": "mse", "epochs": 3, "batch_size": 16}
    together = learnrate.torch.sweep(
        Backbone(7).double(), regression(), lrs=[0.01, 0.1, 0.3], **options
    )
    for k, lr in enumerate([0.01, 0.1, 0.3]):
        alone = learnrate.torch.sweep(Backbone(7).double(), regression(), lrs=[lr], **options)
        np.testing.assert_allclose(together.losses[0, k], alone.losses[0, 0], rtol=1e-12)
        torch.testing.assert_close(together.state_dict(lr), alone.state_dict(lr))
