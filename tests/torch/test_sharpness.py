from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import learnrate.torch
from learnrate.errors import OptionError
from learnrate.torch.sharpness import largest_eigenvalue
from tests.torch.models import mlp, regression


@pytest.mark.parametrize("P", [1, 2, 30, 200])
def test_the_largest_eigenvalue_of_a_known_matrix(P: int) -> None:
    rng = np.random.default_rng(P)
    A = rng.standard_normal((P, P))
    H = torch.from_numpy(A + A.T)
    expected = np.linalg.eigvalsh(H.numpy())[-1]
    found = largest_eigenvalue(lambda v: H @ v, torch.ones(P, dtype=torch.float64))
    assert found == pytest.approx(expected, rel=1e-3)


def test_sharpness_of_a_linear_model_is_known() -> None:
    """``L = mean (ŷ − y)²`` of ``ŷ = w·x`` has the Hessian ``(2/n) XᵀX``, everywhere."""
    X, y = regression()
    model = nn.Linear(5, 1, bias=False).double()
    result = learnrate.torch.sweep(
        model, (X, y), loss="mse", lrs=[0.01, 0.1, 1e5], batch_size=10, epochs=40, sharpness=True
    )
    expected = float(np.linalg.eigvalsh(2 * (X.T @ X).numpy() / len(X))[-1])
    assert result.sharpness is not None
    np.testing.assert_allclose(result.sharpness[0, :2], expected, rtol=1e-3)
    assert result.edge == pytest.approx(2 / expected, rel=1e-3)


def test_sharpness_equals_the_whole_hessian_of_a_small_network() -> None:
    X, y = regression(30)
    model = mlp()
    result = learnrate.torch.sweep(
        model, (X, y), loss="mse", lrs=[0.05], batch_size=10, epochs=2, sharpness=True
    )
    for trained, found in zip((model, result.model(0.05)), result.sharpness[0, 0], strict=True):  # type: ignore[index]
        names = [name for name, _ in trained.named_parameters()]

        def loss(*values: torch.Tensor, trained: nn.Module = trained) -> torch.Tensor:
            parameters = dict(zip(names, values, strict=True))  # noqa: B023
            return nn.functional.mse_loss(torch.func.functional_call(trained, parameters, (X,)), y)

        values = tuple(p.detach() for p in trained.parameters())
        blocks = torch.autograd.functional.hessian(loss, values)  # type: ignore[no-untyped-call]
        H = torch.cat(
            [
                torch.cat([b.reshape(v.numel(), -1) for b in row], dim=1)
                for v, row in zip(values, blocks, strict=True)
            ]
        )
        assert found == pytest.approx(float(torch.linalg.eigvalsh(H)[-1]), rel=2e-3)


@pytest.mark.parametrize("optimizer", ["adam", "nesterov"])
def test_there_is_no_edge_for_other_optimisers(optimizer: str) -> None:
    result = learnrate.torch.sweep(
        mlp(),
        regression(),
        loss="mse",
        lrs=[0.01],
        batch_size=32,
        epochs=1,
        optimizer=optimizer,
        sharpness=True,
    )
    assert result.edge is None


def test_attention_has_a_sharpness_too() -> None:
    """PyTorch's fast kernels for it have no second derivative."""
    rows = nn.Sequential(nn.Unflatten(1, (5, 1)), nn.Linear(1, 4))
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    model = nn.Sequential(rows, layer, nn.Flatten(), nn.Linear(20, 1)).double()
    result = learnrate.torch.sweep(
        model, regression(), loss="mse", lrs=[0.001], batch_size=35, epochs=1, sharpness=True
    )
    assert result.sharpness is not None
    assert (result.sharpness > 0).all()


def test_a_model_without_a_second_derivative_is_told_in_one_line() -> None:
    model = nn.Sequential(nn.EmbeddingBag(4, 3), nn.Tanh(), nn.Linear(3, 1))
    data = torch.arange(12).reshape(6, 2) % 4, torch.ones(6)
    with pytest.raises(OptionError, match=r"sharpness=True .* second derivatives"):
        learnrate.torch.sweep(model, data, loss="mse", lrs=[0.1], sharpness=True)
