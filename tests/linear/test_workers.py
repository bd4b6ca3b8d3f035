from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from learnrate.linear.workers import Workers


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_worker_has_its_job_once(threads: int) -> None:
    done: list[int] = []
    with ThreadPoolExecutor(4) as executor:
        Workers(threads, executor if threads > 1 else None).run(done.append)
    assert sorted(done) == list(range(threads))


def test_no_job_goes_on_after_one_has_failed() -> None:
    """Ctrl-C comes to the first: whoever catches it may look at arrays that nobody writes any more."""
    finished, go_on = threading.Event(), threading.Event()

    def job(worker: int) -> None:
        if worker == 0:
            go_on.set()
            raise KeyboardInterrupt
        go_on.wait(10)
        finished.set()

    with ThreadPoolExecutor(1) as executor:
        with pytest.raises(KeyboardInterrupt):
            Workers(2, executor).run(job)
        assert finished.is_set()


def test_an_error_in_another_thread_is_raised() -> None:
    def job(worker: int) -> None:
        if worker:
            raise ValueError(worker)

    with ThreadPoolExecutor(1) as executor, pytest.raises(ValueError, match="1"):
        Workers(2, executor).run(job)
