"""What needs a GPU: the same curves there, nothing touched, and memory that really runs out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import learnrate.torch
from learnrate.engines.torch import TorchEngine
from tests.contract.problems import make_problem
from tests.torch.models import cnn, images

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a GPU, and there is none"
)


def test_curves_are_those_of_the_cpu() -> None:
    kept = {"loss": "cross-entropy", "lrs": [0.003, 0.05, 0.2], "batch_size": 10, "epochs": 3}
    model, before = cnn(), torch.cuda.get_rng_state()
    cpu = learnrate.torch.sweep(model, images(), **kept)  # type: ignore[arg-type]
    gpu = learnrate.torch.sweep(model, images(), device="cuda", **kept)  # type: ignore[arg-type]
    np.testing.assert_allclose(gpu.losses, cpu.losses, rtol=1e-7)
    assert next(model.parameters()).device.type == "cpu"
    assert all(tensor.device.type == "cpu" for tensor in gpu.state_dict(0.05).values())
    assert torch.equal(before, torch.cuda.get_rng_state())


def test_the_linear_engine_runs_there() -> None:
    problem = make_problem(300, 7, 16, 9, 3)
    on_cpu, on_gpu = (list(TorchEngine(where).epochs(problem)) for where in ("cpu", "cuda"))
    np.testing.assert_allclose(on_gpu[-1].loss, on_cpu[-1].loss, rtol=1e-9)
