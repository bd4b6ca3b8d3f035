"""A recorded step: the same values with less around them, or no recording."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch import Tensor

from learnrate.torch import trace
from learnrate.torch.trace import Traced

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "_PATIENCE", 0)


def test_what_does_nothing_is_not_recorded() -> None:
    def function(x: Tensor) -> tuple[Tensor, ...]:
        torch.exp(x)  # never used
        y = x.expand(4, 3).view(4, 3) + 1
        y.view(4, 3).mul_(2)  # a view that matters: the original changes too
        return (y.view(12),)

    traced = Traced(function, device=CPU)
    for seed in range(3):
        x = torch.randn(4, 3, generator=torch.Generator().manual_seed(seed))
        torch.testing.assert_close(traced(x)[0], (2 * (x + 1)).view(12))
    (graph,) = traced.graphs.values()
    assert isinstance(graph, torch.fx.GraphModule)
    assert graph.code.count("aten.") == 3


def test_what_does_not_fit_is_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    def function(x: Tensor) -> tuple[Tensor, ...]:
        return (x.exp().sin().sum(),)

    x = torch.ones(1000)
    monkeypatch.setattr(trace, "_SHARE", 1)
    for room, fits in ((8004, True), (8003, False)):  # two results of 4 kB, and their sum
        monkeypatch.setattr(trace, "free_memory", lambda _, room=room: room)
        traced = Traced(function, device=CPU)
        assert torch.equal(traced(x)[0], function(x)[0])
        (step,) = traced.graphs.values()
        assert isinstance(step, torch.fx.GraphModule) == fits


def test_random_draws_are_those_of_the_function() -> None:
    def function(x: Tensor) -> tuple[Tensor, ...]:
        return (torch.nn.functional.dropout(x, 0.5),)

    traced, x = Traced(function, device=CPU), torch.ones(50)
    for seed in range(3):
        torch.manual_seed(seed)
        values = traced(x)[0]
        torch.manual_seed(seed)
        assert torch.equal(values, function(x)[0])


def test_what_would_come_out_otherwise_is_not_replayed() -> None:
    def function(x: Tensor) -> tuple[Tensor, ...]:
        return (x * random.random(),)

    traced, x = Traced(function, device=CPU), torch.ones(3)
    assert traced(x)[0][0] != traced(x)[0][0]
    assert list(traced.graphs.values()) == [function]


def test_a_draw_that_is_not_used_still_counts() -> None:
    """Left out of the recording it would shift all later draws: so there is no recording."""

    def function(x: Tensor) -> tuple[Tensor, ...]:
        torch.rand(1)
        return (x + torch.rand(1),)

    traced, x = Traced(function, device=CPU), torch.zeros(3)
    torch.manual_seed(0)
    drawn = [traced(x)[0][0].item() for _ in range(3)]
    torch.manual_seed(0)
    assert drawn == [function(x)[0][0].item() for _ in range(3)]


def masked(x: Tensor) -> tuple[Tensor, ...]:
    return (x[x > 0].square().sum() / max(1, len(x[x > 0])),)


def chosen(x: Tensor) -> tuple[Tensor, ...]:
    return (torch.masked_select(x, x > 0).mean(),)


def places(x: Tensor) -> tuple[Tensor, ...]:
    return (x * len(torch.nonzero(x > 0)),)


@pytest.mark.parametrize("function", [masked, chosen, places], ids=lambda f: f.__name__)
def test_sizes_that_go_by_values_are_not_recorded(function: Any) -> None:
    """A recording would keep the size that the first tensor happened to have."""
    traced = Traced(function, device=CPU)
    for count in (3, 5, 1):
        x = torch.cat([torch.arange(1.0, 1 + count), -torch.ones(6 - count)])
        torch.testing.assert_close(traced(x)[0], function(x)[0])
    assert list(traced.graphs.values()) == [function]


def test_whole_numbers_as_indices_are_recorded() -> None:
    traced = Traced(lambda x, i: (x[i],), device=CPU)
    for first in range(3):
        x, i = torch.arange(5.0), torch.arange(first, first + 2)
        assert torch.equal(traced(x, i)[0], x[i])
    assert isinstance(next(iter(traced.graphs.values())), torch.fx.GraphModule)


def test_what_an_operation_changes_in_place_is_changed_again_in_every_replay() -> None:
    """A number in the code is a constant of the recording; so is a tensor from elsewhere, which is no copy."""
    shared = torch.ones(3)

    def function(x: Tensor) -> tuple[Tensor, ...]:
        counter = torch.tensor(1.0)
        counter.add_(1)
        parts = torch.split(x, 1)
        return parts[0] * counter, parts[1] + shared[:1], x.clone().mul_(counter)

    traced = Traced(function, device=CPU)
    for first in (1.0, 2.0, 3.0):
        x = torch.tensor([first, 5.0])
        for found, expected in zip(traced(x), function(x), strict=True):
            assert torch.equal(found, expected)
    assert isinstance(next(iter(traced.graphs.values())), torch.fx.GraphModule)


def test_a_gradient_and_vmap_are_recorded() -> None:
    def function(theta: Tensor, x: Tensor) -> tuple[Tensor, ...]:
        theta = theta.detach().requires_grad_()
        with torch.enable_grad():
            losses = torch.vmap(lambda w: (x @ w).tanh().square().sum())(theta)
            (gradient,) = torch.autograd.grad(losses.sum(), theta)
        return losses.detach(), gradient

    traced, generator = Traced(function, device=CPU), torch.Generator().manual_seed(0)
    for _ in range(3):
        theta, x = torch.randn(4, 3, generator=generator), torch.randn(5, 3, generator=generator)
        for found, expected in zip(traced(theta, x), function(theta, x), strict=True):
            torch.testing.assert_close(found, expected)
    assert isinstance(next(iter(traced.graphs.values())), torch.fx.GraphModule)


def test_steps_that_are_known_to_come_are_recorded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "_PATIENCE", 5)
    traced = Traced(lambda x: (x + 1,), device=CPU)
    traced(torch.ones(2))
    assert not traced.graphs
    traced.coming = 5
    traced(torch.ones(2))
    assert traced.graphs
