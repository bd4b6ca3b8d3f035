"""What differs on a GPU. These run where there is one."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import learnrate.torch
from learnrate.linear.torch import TorchEngine
from learnrate.torch import stacked, trace
from learnrate.torch.memory import free_memory
from tests.contract.problems import make_problem
from tests.torch.models import cnn, images, mlp, regression, seeded

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a GPU, and there is none"
)

LRS = [0.003, 0.05, 0.2]
PICTURES: dict[str, Any] = {"loss": "cross-entropy", "lrs": LRS, "batch_size": 10, "epochs": 3}
NUMBERS: dict[str, Any] = {**PICTURES, "loss": "mse"}


def dropout() -> nn.Module:
    return seeded(
        lambda: nn.Sequential(nn.Linear(5, 16), nn.Dropout(0.4), nn.ReLU(), nn.Linear(16, 1))
    )


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Where each group of lanes was trained, and how many they were."""
    seen: list[tuple[str, int]] = []
    train = stacked.StackedLanes.train

    def noted(self: Any, *arguments: Any) -> Any:
        seen.append((self.theta.device.type, len(self.theta)))
        return train(self, *arguments)

    monkeypatch.setattr(stacked.StackedLanes, "train", noted)
    return seen


@pytest.mark.parametrize("recorded", [False, True])
def test_curves_are_those_of_the_cpu(
    recorded: bool, devices: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "_PATIENCE", 0 if recorded else 10**9)
    cpu = learnrate.torch.sweep(cnn(), images(), **PICTURES)
    gpu = learnrate.torch.sweep(cnn(), images(), device="cuda", **PICTURES)
    np.testing.assert_allclose(gpu.losses, cpu.losses, rtol=1e-6)
    assert {where for where, _ in devices[: len(devices) // 2]} == {"cpu"}
    assert {where for where, _ in devices[len(devices) // 2 :]} == {"cuda"}
    assert all(tensor.device.type == "cpu" for tensor in gpu.state_dict(0.05).values())
    assert gpu.config.device.startswith("cuda")


@pytest.mark.parametrize("build", [mlp, dropout], ids=lambda f: f.__name__)
def test_a_rerun_gives_the_same_bits(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = learnrate.torch.sweep(build(), regression(), device="cuda", **NUMBERS)
    torch.rand(7, device="cuda")
    again = learnrate.torch.sweep(build(), regression(), device="cuda", **NUMBERS)
    np.testing.assert_array_equal(again.losses, first.losses)
    monkeypatch.setattr(trace, "_PATIENCE", 0)  # and a recorded step draws the same masks
    recorded = learnrate.torch.sweep(build(), regression(), device="cuda", **NUMBERS)
    np.testing.assert_allclose(recorded.losses, first.losses, rtol=1e-9)


def test_a_model_on_the_gpu_is_trained_there_and_left_alone() -> None:
    model = cnn().cuda()
    state, before = copy.deepcopy(model.state_dict()), torch.cuda.get_rng_state()
    result = learnrate.torch.sweep(model, images(), **PICTURES)
    assert result.config.device.startswith("cuda")
    assert torch.equal(before, torch.cuda.get_rng_state())
    for key, value in model.state_dict().items():
        assert value.is_cuda
        assert torch.equal(value, state[key])


def test_lanes_at_once_go_by_the_gpus_free_memory(
    devices: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = learnrate.torch.sweep(mlp(), regression(), device="cuda", **NUMBERS)
    assert free_memory(torch.device("cuda")) > 1 << 20
    assert devices[-1] == ("cuda", len(LRS))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device=None: (1, 1))
    parts = learnrate.torch.sweep(mlp(), regression(), device="cuda", **NUMBERS)
    np.testing.assert_allclose(parts.losses, whole.losses, rtol=1e-9)
    assert len(devices) == NUMBERS["epochs"]  # one lane at a time is not stacked


def test_out_of_memory_halves_the_lanes_and_goes_on() -> None:
    """A real one: the process may take a share of the GPU that 64 lanes do not fit into."""
    model = seeded(lambda: nn.Sequential(nn.Linear(5, 2048), nn.Tanh(), nn.Linear(2048, 2048)))
    model = nn.Sequential(model, nn.Linear(2048, 1).double())
    X, y = regression(32)
    kept: dict[str, Any] = {"loss": "mse", "lrs": np.geomspace(1e-4, 1e-2, 64), "batch_size": 16}
    kept |= {"epochs": 1, "device": "cuda", "keep": "none"}
    expected = learnrate.torch.sweep(model, (X, y), lanes_at_once=4, **kept)
    torch.cuda.empty_cache()
    room = 3e9 / torch.cuda.get_device_properties(0).total_memory  # a lane's parameters are 34 MB
    torch.cuda.set_per_process_memory_fraction(room)
    try:
        result = learnrate.torch.sweep(model, (X, y), lanes_at_once=64, **kept)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "Memory ran out" in result.notes[0]
    np.testing.assert_allclose(result.losses, expected.losses, rtol=1e-6)


def test_sharpness_is_that_of_the_cpu() -> None:
    kept = {**NUMBERS, "sharpness": True}
    cpu = learnrate.torch.sweep(mlp(), regression(), **kept)
    gpu = learnrate.torch.sweep(mlp(), regression(), device="cuda", **kept)
    assert cpu.sharpness is not None
    assert gpu.sharpness is not None
    np.testing.assert_allclose(gpu.sharpness, cpu.sharpness, rtol=1e-3)


def test_the_linear_engine_runs_there() -> None:
    problem = make_problem(300, 7, 16, 9, 3)
    on_cpu, on_gpu = (list(TorchEngine(where).states(problem)) for where in ("cpu", "cuda"))
    np.testing.assert_allclose(on_gpu[-1].loss, on_cpu[-1].loss, rtol=1e-9)
