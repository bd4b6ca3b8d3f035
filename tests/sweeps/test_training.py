"""Seeds through an executor: the same bits on any number of threads, and what Ctrl-C leaves."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

import learnrate
from learnrate.linear.fused import FusedEngine
from learnrate.linear.gram import GramEngine
from learnrate.linear.problem import EpochState, LinearProblem
from learnrate.sweeps.linear import LinearSweepResult
from learnrate.training.executors import LocalExecutor
from learnrate.training.monitor import SweepInterrupted
from learnrate.training.problem import Engine
from learnrate.training.states import LaneStates

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


class Meeting(Engine):
    """An engine whose epochs end only when two problems are being trained at the same time."""

    name = "meeting"

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2, timeout=20)
        self.ended: list[int] = []

    def states(
        self, problem: LinearProblem, start: LaneStates | None = None
    ) -> Iterator[EpochState]:
        try:
            for state in GramEngine().states(problem, start):
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
        def states(
            self, problem: LinearProblem, start: LaneStates | None = None
        ) -> Iterator[EpochState]:
            if problem.seed == 1:
                raise ZeroDivisionError("on purpose")
            yield from super().states(problem, start)

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
        run(seeds=4, threads=threads, monitor=learnrate.Monitor(on_epoch=stop))
    left, whole = caught.value.result, run(seeds=4)
    S, epochs, first = len(left.losses), left.epochs, left.config.seed
    assert (S, epochs) in {(1, 2), (2, 2), (1, 1), (2, 1)}
    if threads == 1:
        assert (
            first == 0
        )  # on threads another seed may come first: the system says which thread runs
    np.testing.assert_array_equal(left.losses, whole.losses[first : first + S, :, : epochs + 1])


def test_ctrl_c_leaves_the_seed_that_began_where_that_is_not_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, train = threading.Event(), FusedEngine.states

    def second_first(
        self: FusedEngine, problem: LinearProblem, start: LaneStates | None = None
    ) -> Iterator[EpochState]:
        if problem.seed == 0:
            assert begun.wait(timeout=20)
        yield from train(self, problem, start)

    def stop(done: int, total: int) -> None:
        begun.set()
        raise KeyboardInterrupt

    alone = run(seed=1)
    monkeypatch.setattr(FusedEngine, "states", second_first)
    with pytest.raises(SweepInterrupted) as caught:
        run(seeds=2, threads=2, monitor=learnrate.Monitor(on_epoch=stop))
    left = caught.value.result
    assert (left.config.seed, len(left.losses)) == (1, 1)
    np.testing.assert_array_equal(left.losses[0], alone.losses[0, :, : left.epochs + 1])


def test_ctrl_c_in_the_first_seed_leaves_its_epochs() -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(SweepInterrupted) as caught:
        run(seeds=2, epochs=3, monitor=learnrate.Monitor(on_epoch=stop))
    left = caught.value.result
    assert left.losses.shape == (1, 3, 2)
    np.testing.assert_array_equal(left.W[0], run(epochs=1).W[0])


def test_ctrl_c_before_anything_is_done_is_only_that() -> None:
    with pytest.MonkeyPatch.context() as patch:

        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(GramEngine, "states", interrupted)
        with pytest.raises(KeyboardInterrupt) as caught:
            run(engine="gram")
    assert not isinstance(caught.value, SweepInterrupted)


@pytest.mark.parametrize("engine", ["gram", "rows", "reference", "torch"])
def test_threads_that_an_engine_does_not_use_are_refused(engine: str) -> None:
    with pytest.raises(
        learnrate.errors.OptionError, match=f"threads must be 1 with the engine {engine}"
    ):
        run(engine=engine, seeds=2, threads=2)
