"""The named losses against PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.func import grad_and_value, vmap

from learnrate.torch import LOSSES


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
