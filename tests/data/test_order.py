from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from learnrate._shapes import Array
from learnrate.data.order import (
    MinibatchOrders,
    Sampling,
    epoch_order,
    initial_weights,
    steps_per_epoch,
)

SIZES = st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n)))


@given(SIZES, st.integers(0, 2**40), st.integers(0, 1000))
def test_an_epoch_visits_each_example_once(sizes: tuple[int, int], seed: int, epoch: int) -> None:
    n, B = sizes
    order = epoch_order(n, B, seed=seed, epoch=epoch)
    assert sorted(order.tolist()) == list(range(n))


@given(SIZES, st.integers(0, 1000))
def test_independent_minibatches_are_full_and_hold_each_example_at_most_once(
    sizes: tuple[int, int], seed: int
) -> None:
    n, B = sizes
    order = epoch_order(n, B, seed=seed, epoch=0, sampling=Sampling.INDEPENDENT)
    batches = order.reshape(steps_per_epoch(n, B), B)
    assert ((batches >= 0) & (batches < n)).all()
    assert all(len(set(batch)) == B for batch in batches.tolist())


@pytest.mark.parametrize("sampling", Sampling)
def test_the_order_is_a_function_of_its_arguments(sampling: Sampling) -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return epoch_order(50, 7, seed=seed, epoch=epoch, sampling=sampling).tolist()  # type: ignore[no-any-return]

    assert order(3, 4) == order(3, 4)
    assert len({tuple(order(s, e)) for s, e in itertools.product(range(5), range(5))}) == 25


def test_the_order_does_not_touch_the_callers_random_state() -> None:
    np.random.seed(0)  # noqa: NPY002  # the legacy state is the one to guard
    before = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    epoch_order(50, 7, seed=0, epoch=0)
    initial_weights(5, 0)
    assert (np.random.get_state()[1] == before).all()  # type: ignore[index]  # noqa: NPY002


def test_permutations_are_uniform() -> None:
    """All 24 orders of four examples, equally often."""
    counts = Counter(tuple(epoch_order(4, 2, seed=seed, epoch=0).tolist()) for seed in range(4800))
    assert len(counts) == 24
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


def test_independent_minibatches_are_uniform() -> None:
    """All ten pairs of five examples, equally often, also where whole batches are redrawn."""
    order = epoch_order(5, 2, seed=0, epoch=0, sampling=Sampling.INDEPENDENT)
    assert order.shape == (6,)
    pairs = Counter(
        tuple(sorted(batch))
        for seed in range(1500)
        for batch in epoch_order(5, 2, seed=seed, epoch=0, sampling=Sampling.INDEPENDENT)
        .reshape(3, 2)
        .tolist()
    )
    assert len(pairs) == 10
    assert stats.chisquare(list(pairs.values())).pvalue > 1e-3


def test_epochs_can_be_gone_to_in_any_sequence() -> None:
    orders = MinibatchOrders(50, 7, seed=5)
    for epoch in (3, 0, 3, 1):
        expected = epoch_order(50, 7, seed=5, epoch=epoch)
        np.testing.assert_array_equal(orders.epoch(epoch), expected)


def test_another_permutation_may_be_given() -> None:
    def permute(rng: np.random.Generator, n: int) -> Array:
        return rng.permutation(n)[::-1]

    given = MinibatchOrders(50, 7, seed=5, permute=permute).epoch(2)
    np.testing.assert_array_equal(given[::-1], epoch_order(50, 7, seed=5, epoch=2))


def test_the_start_is_small_and_normal() -> None:
    w = initial_weights(10_000, seed=1)
    assert w.std() == pytest.approx(0.01, rel=0.05)
    assert stats.kstest(w / 0.01, "norm").pvalue > 1e-3


def test_the_first_weights_do_not_depend_on_how_many_there_are() -> None:
    np.testing.assert_array_equal(initial_weights(3, 7), initial_weights(10, 7)[:3])


@pytest.mark.parametrize(("n", "B", "steps"), [(10, 10, 1), (10, 3, 4), (1, 1, 1), (9, 3, 3)])
def test_a_short_last_minibatch_is_a_step(n: int, B: int, steps: int) -> None:
    assert steps_per_epoch(n, B) == steps


@given(SIZES, st.integers(1, 400), st.integers(0, 1000), st.integers(0, 100))
def test_a_block_shuffle_goes_block_by_block_and_only_its_last_minibatch_is_short(
    sizes: tuple[int, int], block_size: int, seed: int, epoch: int
) -> None:
    n, B = sizes
    S = -(-block_size // B) * B
    orders = MinibatchOrders(n, B, seed=seed, block_size=block_size)
    visited = list(orders.blocks(epoch))
    assert sorted(block for block, _ in visited) == list(range(-(-n // S)))
    for place, (block, order) in enumerate(visited):
        assert sorted(order.tolist()) == list(range(min(S, n - block * S)))
        assert len(order) % B == 0 or place == len(visited) - 1
    whole = np.concatenate([block * min(S, n) + order for block, order in visited])
    assert (whole == epoch_order(n, B, seed=seed, epoch=epoch, block_size=block_size)).all()


def test_a_block_that_holds_all_rows_is_shuffled_as_without_blocks() -> None:
    assert (
        epoch_order(50, 7, seed=3, epoch=2, block_size=50) == epoch_order(50, 7, seed=3, epoch=2)
    ).all()


def test_the_order_inside_a_block_is_told_without_the_others() -> None:
    orders = MinibatchOrders(1000, 10, seed=1, block_size=100)
    known = dict(orders.blocks(4))
    alone = MinibatchOrders(1000, 10, seed=1, block_size=100).inside(4, 7)
    assert (alone == known[7]).all()
    assert len({tuple(order.tolist()) for order in known.values()}) == 10
    assert list(known) != sorted(known)
    assert orders.sequence(4).tolist() != orders.sequence(5).tolist()


def test_block_orders_are_uniform() -> None:
    """All six orders of three blocks, and both orders inside each, equally often."""
    counts = Counter(
        tuple(epoch_order(6, 1, seed=seed, epoch=0, block_size=2).tolist()) for seed in range(4800)
    )
    assert len(counts) == 6 * 8
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


@pytest.mark.parametrize("seed", [0, 3, 2**70])
def test_streams_are_those_of_numpys_seeds(seed: int) -> None:
    """However their words are kept."""
    weights = np.random.default_rng([seed, 0]).normal(0.0, 0.01, 5)
    np.testing.assert_array_equal(initial_weights(5, seed), weights)
    order = np.random.default_rng([seed, 1]).permutation(50)
    np.testing.assert_array_equal(epoch_order(50, 7, seed=seed, epoch=0), order)


def test_an_order_that_was_prepared_is_the_same_and_serves_once() -> None:
    orders, others = (MinibatchOrders(50, 7, seed=5) for _ in range(2))
    orders.prepare(2)
    for epoch in (2, 2, 1):
        np.testing.assert_array_equal(orders.inside(epoch, 0), others.inside(epoch, 0))
    orders.prepare(1)
    np.testing.assert_array_equal(orders.inside(2, 0), others.inside(2, 0))
