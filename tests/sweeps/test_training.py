"""Seeds through an executor: the same bits on any number of threads, and what Ctrl-C leaves."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

import learnrate
from learnrate.engines.gram import GramEngine
from learnrate.engines.problem import EpochState, LinearProblem
from learnrate.sweeps.executors import LocalExecutor
from learnrate.sweeps.interruption import SweepInterrupted
from learnrate.sweeps.linear import LinearSweepResult

LRS = [0.01, 0.3, 5.0]


def run(**options: object) -> LinearSweepResult:
    X, y = learnrate.note_data()
    settings = {"lrs": LRS, "epochs": 2, "engine": "fused", **options}
    return learnrate.sweep(X, y, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_seeds_on_threads_give_the_bits_of_one_thread(threads: int) -> None:
    alone, together = run(seeds=5, val=0.2), run(seeds=5, val=0.2, threads=threads)
    np.testing.assert_array_equal(alone.losses, together.losses)
    np.testing.assert_array_equal(alone.val_losses, together.val_losses)
    np.testing.assert_array_equal(alone.W, together.W)
    np.testing.assert_array_equal(alone.b, together.b)


def test_many_seeds_are_single_seeds_side_by_side() -> None:
    together = run(seeds=3, threads=2)
    for seed in range(3):
        np.testing.assert_array_equal(run(seed=seed).losses[0], together.losses[seed])


class Meeting:
    """An engine whose epochs end only when two problems are being trained at the same time."""

    name = "meeting"

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2, timeout=20)
        self.ended: list[int] = []

    def epochs(
        self, problem: LinearProblem, start: EpochState | None = None
    ) -> Iterator[EpochState]:
        try:
            for state in GramEngine().epochs(problem, start):
                self.barrier.wait()
                yield state
        finally:
            self.ended.append(problem.seed)


def problems(seeds: int) -> list[LinearProblem]:
    X, y = learnrate.note_data(100)
    return [LinearProblem(X, y, np.array(LRS), 10, epochs=2, seed=seed) for seed in range(seeds)]


def test_seeds_are_trained_at_the_same_time() -> None:
    states = list(LocalExecutor(Meeting(), 2).run(problems(4), [None] * 4))
    for s in range(4):
        assert [state.epoch for of, state in states if of == s] == [0, 1, 2]


def test_an_error_on_a_thread_reaches_the_caller() -> None:
    class Failing(GramEngine):
        def epochs(
            self, problem: LinearProblem, start: EpochState | None = None
        ) -> Iterator[EpochState]:
            if problem.seed == 1:
                raise ZeroDivisionError("on purpose")
            yield from super().epochs(problem, start)

    with pytest.raises(ZeroDivisionError, match="on purpose"):
        list(LocalExecutor(Failing(), 2).run(problems(3), [None] * 3))


def test_closing_the_states_ends_the_training() -> None:
    before = threading.active_count()
    states = LocalExecutor(GramEngine(), 2).run(problems(3), [None] * 3)
    next(states)
    states.close()
    assert threading.active_count() == before


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_leaves_whole_seeds(threads: int) -> None:
    def stop(done: int, total: int) -> None:
        assert total == 8
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(SweepInterrupted) as caught:
        run(seeds=4, threads=threads, on_epoch=stop)
    left, whole = caught.value.result, run(seeds=4)
    S, epochs = len(left.losses), left.epochs
    assert (S, epochs) in {(1, 2), (2, 2), (1, 1), (2, 1)}
    np.testing.assert_array_equal(left.losses, whole.losses[:S, :, : epochs + 1])


def test_ctrl_c_in_the_first_seed_leaves_its_epochs() -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(SweepInterrupted) as caught:
        run(seeds=2, epochs=3, on_epoch=stop)
    left = caught.value.result
    assert left.losses.shape == (1, 3, 2)
    np.testing.assert_array_equal(left.W[0], run(epochs=1).W[0])


def test_ctrl_c_before_anything_is_done_is_only_that() -> None:
    with pytest.MonkeyPatch.context() as patch:

        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(GramEngine, "epochs", interrupted)
        with pytest.raises(KeyboardInterrupt) as caught:
            run(engine="gram")
    assert not isinstance(caught.value, SweepInterrupted)
