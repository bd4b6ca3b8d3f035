"""The named losses against PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.func import grad_and_value, vmap

import learnrate.torch
from learnrate.errors import OptionError
from learnrate.torch import LOSSES, METRICS


@pytest.mark.parametrize("classes", [2, 10, 15, 16, 40])
def test_cross_entropy_is_pytorchs_whatever_the_number_of_classes(classes: int) -> None:
    """Few classes go along another axis; the ignored target -100 counts nowhere either way."""
    rng = torch.Generator().manual_seed(classes)
    output = 9 * torch.randn(4, 30, classes, generator=rng, dtype=torch.float64)
    target = torch.randint(classes, (30,), generator=rng)
    target[3] = -100
    ours = vmap(grad_and_value(LOSSES["cross-entropy"]), in_dims=(0, None))(output, target)
    for k, logits in enumerate(output):
        expected = grad_and_value(nn.functional.cross_entropy)(logits, target)
        torch.testing.assert_close(ours[0][k], expected[0], rtol=1e-12, atol=1e-14)
        torch.testing.assert_close(ours[1][k], expected[1], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.bool])
def test_classes_come_in_any_whole_numbers_and_in_a_column(dtype: torch.dtype) -> None:
    output = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    target = torch.arange(20) % 2
    expected = nn.functional.cross_entropy(output, target)
    for given in (target.to(dtype), target[:, None].to(dtype)):
        torch.testing.assert_close(LOSSES["cross-entropy"](output, given), expected)
        result = learnrate.torch.sweep(
            nn.Linear(3, 2), (output, given), loss="cross-entropy", lrs=[0.1, 0.2], batch_size=8
        )
        assert "stacked" in result.engine_reason
    with pytest.raises(OptionError, match="floating-point"):
        LOSSES["cross-entropy"](output, nn.functional.one_hot(target, 3))


def test_accuracy_pairs_each_answer_with_its_own_target() -> None:
    output = torch.tensor([[2.0, 1.0], [0.0, 3.0], [5.0, 4.0], [1.0, 0.0]])
    accuracy = METRICS["accuracy"]
    for target in (torch.tensor([0, 1, 1, 0]), torch.tensor([[0], [1], [1], [0]])):
        assert accuracy(output, target) == 0.75
    sign = torch.tensor([0.5, -0.5, 2.0, 1.0])
    for target in (torch.tensor([1, 1, 1, 0]), torch.tensor([[1.0], [1.0], [1.0], [0.0]])):
        assert accuracy(sign, target) == accuracy(sign[:, None], target) == 0.5


def test_accuracy_beside_cross_entropy_is_of_the_likeliest_class_too_where_targets_are_probabilities() -> (
    None
):
    X = torch.eye(3)
    model = nn.Linear(3, 3, bias=False)
    with torch.no_grad():
        model.weight.copy_(3 * torch.eye(3) + 1)  # all logits are above 0, the right one most
    result = learnrate.torch.sweep(
        model, (X, X), loss="cross-entropy", metrics="accuracy", lrs=[1e-3], epochs=1
    )
    assert result.metrics["accuracy"][0, 0, 0] == 1
