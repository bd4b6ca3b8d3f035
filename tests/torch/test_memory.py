"""What lanes take of the memory is known before, and what no lane changes is held once."""

from __future__ import annotations

import errno
import tempfile
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import learnrate.torch
from learnrate.torch import engine, prepared
from learnrate.torch.fingerprints import checksum
from learnrate.torch.memory import Meter
from learnrate.torch.separate import SeparateLanes
from learnrate.torch.stacked import StackedLanes
from learnrate.torch.views import Views
from tests.torch.models import mlp, regression, seeded

LRS = [0.01, 0.03, 0.1, 0.3]
KEPT: dict[str, Any] = {"loss": "mse", "lrs": LRS, "batch_size": 16, "epochs": 2}


def test_a_meter_counts_what_is_held_and_what_was_held_at_most() -> None:
    x = torch.zeros(1000)
    with Meter() as meter:
        a = x + 1
        b = a.view(10, 100)  # the same memory
        b.add_(1)
        (a * 2).sum()
        assert (meter.now, meter.peak) == (4000, 8004)
        del a
        assert meter.now == 4000
        del b
        assert meter.now == 0


@pytest.mark.parametrize("way", ["stacked", "alone"])
@pytest.mark.parametrize(
    (
        "optimizer",
        "copies",
    ),  # of the parameters: lane, optimizer state; step; state that is held, twice when it is taken
    [("sgd", {"stacked": 3, "alone": 3}), ("adam", {"stacked": 9, "alone": 9})],
)
def test_what_a_lane_takes_is_measured(
    monkeypatch: pytest.MonkeyPatch, way: str, optimizer: str, copies: dict[str, int]
) -> None:
    known: list[Any] = []

    def noting(prepared: Any, training: Any, lanes: int) -> int:
        known[:] = prepared, training
        return lanes

    monkeypatch.setattr(engine, "lanes_at_once", noting)
    model = seeded(lambda: nn.Sequential(nn.Linear(600, 300), nn.Tanh(), nn.Linear(300, 1)))
    at_once = 1 if way == "alone" else "auto"
    learnrate.torch.sweep(
        model,
        regression(16, 600),
        **{**KEPT, "batch_size": 1},
        optimizer=optimizer,
        lanes_at_once=at_once,
    )
    need = prepared.bytes_of_lanes(*known)
    bytes_of_one = 8 * sum(p.numel() for p in model.parameters())
    assert need.each / bytes_of_one == pytest.approx(copies[way], abs=0.6)


def test_as_many_lanes_are_trained_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    together: list[int] = []
    train = StackedLanes.train

    def look(self: StackedLanes, *rest: Any) -> Any:
        together.append(len(self.theta))
        return train(self, *rest)

    whole = learnrate.torch.sweep(mlp(), regression(), **KEPT)
    monkeypatch.setattr(prepared, "free_memory", lambda device: 1000)
    monkeypatch.setattr(prepared, "bytes_of_lanes", lambda *_: prepared.Need(fixed=90, each=200))
    monkeypatch.setattr(StackedLanes, "train", look)
    parts = learnrate.torch.sweep(mlp(), regression(), **KEPT)
    assert set(together) == {2}  # (1000 / 2 - 90) / 200
    np.testing.assert_array_equal(parts.losses, whole.losses)


class Normed(nn.Module):
    """A frozen layer, a head, a buffer that stays and one that moves."""

    scale: Tensor
    calls: Tensor

    def __init__(self, changes: bool = False) -> None:
        super().__init__()
        self.frozen, self.head = nn.Linear(5, 6).requires_grad_(False), nn.Linear(6, 1)
        self.register_buffer("scale", torch.ones(6))
        self.register_buffer("calls", torch.zeros(()))
        self.changes = changes

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.calls += 1
            if self.changes and bool((x > 50).any()):
                self.scale.mul_(0.5)
        return self.head(torch.tanh(self.frozen(x) * self.scale))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "optimizer", ["adam", lambda model, lr: torch.optim.Adafactor(model.parameters(), lr)]
)
def test_what_no_lane_changes_is_held_once(monkeypatch: pytest.MonkeyPatch, optimizer: Any) -> None:
    seen: list[Any] = []
    for kind in (StackedLanes, SeparateLanes):

        def look(self: Any, *rest: Any, train: Any = kind.train) -> Any:
            seen.append(self)
            return train(self, *rest)

        monkeypatch.setattr(kind, "train", look)
    options = {**KEPT, "optimizer": optimizer}
    learnrate.torch.sweep(seeded(Normed), regression(), **options)
    stacked, one, trained = seen[-1], seen[-1]._steps.whole, 7
    assert type(stacked) is StackedLanes
    assert tuple(stacked.theta.shape) == (len(LRS), trained)
    assert [b.shape for b in stacked.buffers] == [(len(LRS),)]  # that which moves
    start: Any = stacked._task.whole
    for ours, theirs in (
        (one.model.frozen.weight, start.model.frozen.weight),
        (one.model.scale, start.model.scale),
    ):
        assert ours.data_ptr() == theirs.data_ptr()
    if isinstance(stacked.updates, Views):
        groups = [optimizer.param_groups[0]["params"] for optimizer in stacked.updates._optimizers]
        assert len({p.data_ptr() for group in groups for p in group if not p.requires_grad}) == 2
    monkeypatch.setattr(engine, "stacked_is_slower", lambda *_: True)
    learnrate.torch.sweep(seeded(Normed), regression(), **options)
    lanes = seen[-1].lanes
    for name, places in (("frozen.weight", 1), ("head.weight", len(LRS))):
        assert len({lane.whole.model.get_parameter(name).data_ptr() for lane in lanes}) == places
    assert len({lane.whole.model.scale.data_ptr() for lane in lanes}) == 1
    assert len({lane.whole.model.calls.data_ptr() for lane in lanes}) == len(LRS)


@pytest.mark.parametrize("stacked", [True, False])
@pytest.mark.filterwarnings("ignore:Lanes were trained one at a time")
def test_a_buffer_that_is_changed_late_is_each_lanes_own(
    monkeypatch: pytest.MonkeyPatch, stacked: bool
) -> None:
    monkeypatch.setattr(engine, "stacked_is_slower", lambda *_: not stacked)
    X, y = regression()
    X[11, 0] = 99.0  # not among the first minibatches
    model: Any = seeded(lambda: Normed(changes=True))
    result = learnrate.torch.sweep(model, (X, y), **KEPT)
    assert float(result.state_dict(0.1)["scale"][0]) == 0.25  # in each of two epochs
    assert float(model.scale[0]) == 1.0
    if stacked:
        assert any("buffer has changed that they share" in note for note in result.notes)
    for k in (0, 2):
        alone = learnrate.torch.sweep(model, (X, y), **{**KEPT, "lrs": [LRS[k]]})
        np.testing.assert_allclose(result.losses[0, k], alone.losses[0, 0], rtol=1e-12)


def test_a_checksum_sees_a_bit_and_the_order() -> None:
    tensors = [torch.arange(6.0), torch.tensor([True, False]), torch.ones(3, dtype=torch.bfloat16)]
    sums = {checksum(tensors), checksum(tensors[::-1])}
    tensors[0][[1, 4]] = tensors[0][[4, 1]]
    sums.add(checksum(tensors))
    tensors[0][3] = torch.nextafter(tensors[0][3], torch.tensor(9.0))
    sums.add(checksum(tensors))
    tensors[1][1] = True
    sums.add(checksum(tensors))
    assert len(sums) == 5


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("at_once", ["auto", 1])
def test_large_states_are_held_on_disk(
    monkeypatch: pytest.MonkeyPatch, full: bool, at_once: int | str
) -> None:
    options = {**KEPT, "optimizer": "adam", "lanes_at_once": at_once}
    whole = learnrate.torch.sweep(mlp(), regression(), **options)
    files: list[Any] = []
    make = tempfile.TemporaryFile

    def noting(*rest: Any, **options: Any) -> Any:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        files.append(make(*rest, **options))
        return files[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", noting)
    monkeypatch.setattr(prepared, "_IN_MEMORY", 0.0)
    result = learnrate.torch.sweep(mlp(), regression(), **options)
    assert bool(files) != full
    np.testing.assert_array_equal(result.losses, whole.losses)
    for lr in LRS:
        torch.testing.assert_close(result.state_dict(lr), whole.state_dict(lr), rtol=0, atol=0)
    kept = result.lane_states[0][1]["0.weight"]  # type: ignore[index]
    if not full:  # it lies in the file until it is written to
        kept.add_(1)
        assert not torch.equal(
            result.state_dict(0.03)["0.weight"], whole.state_dict(0.03)["0.weight"]
        )
