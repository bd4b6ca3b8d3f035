"""Recording and training, per thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from learnrate import autograd, nd
from learnrate.autograd.scopes import Scope

State = tuple[bool, bool]


def state() -> State:
    return autograd.is_recording(), autograd.is_training()


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (autograd.record, (True, True)),
        (lambda: autograd.record(train_mode=False), (True, False)),
        (autograd.pause, (False, False)),
        (lambda: autograd.pause(train_mode=True), (False, True)),
        (autograd.train_mode, (False, True)),
        (autograd.predict_mode, (False, False)),
    ],
)
def test_each_scope_outside_of_any(scope: Callable[[], Scope], expected: State) -> None:
    with scope():
        assert state() == expected
    assert state() == (False, False)


def test_scopes_nest_and_restore_what_held() -> None:
    with autograd.record():
        with autograd.pause():
            assert state() == (False, False)
            with autograd.train_mode():
                assert state() == (False, True)
        with autograd.predict_mode():
            assert state() == (True, False)
        assert state() == (True, True)


def test_one_scope_may_be_entered_again_inside_itself() -> None:
    scope = autograd.record()
    with scope:
        with scope:
            pass
        assert state() == (True, True)
    assert state() == (False, False)


def test_an_error_inside_ends_the_scope() -> None:
    with pytest.raises(ZeroDivisionError), autograd.record():
        _ = 1 / 0
    assert state() == (False, False)


def test_setters_return_what_held() -> None:
    assert autograd.set_recording(True) is False
    assert autograd.set_training(True) is False
    assert autograd.set_recording(False) is True
    assert autograd.set_training(False) is True


def test_a_thread_records_for_itself_alone() -> None:
    x = nd.array([1.0])
    x.attach_grad()
    inside = threading.Event()
    seen: list[State] = []
    recorded: list[bool] = []

    def other() -> None:
        seen.append(state())
        recorded.append((x * 2)._node is not None)
        inside.set()

    with autograd.record():
        thread = threading.Thread(target=other)
        thread.start()
        assert inside.wait(10)
        thread.join()
        assert (x * 2)._node is not None
    assert seen == [(False, False)]
    assert recorded == [False]


def test_many_threads_train_at_once_without_mixing_gradients() -> None:
    def work(k: int) -> None:
        x = nd.array([float(k), 1.0])
        x.attach_grad()
        for _ in range(200):
            with autograd.record():
                y = (x * x * k).sum()
            y.backward()
        results[k] = x.grad.asnumpy().tolist()

    results: dict[int, list[float]] = {}
    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {k: [2.0 * k * k, 2.0 * k] for k in range(1, 7)}
