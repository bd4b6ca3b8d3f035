from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from learnrate._files import interrupt_later, user_cache


def test_the_users_folder_for_caches_is_where_the_system_has_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache("tables") == tmp_path / "learnrate" / "tables"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_cache("tables") == tmp_path / ".cache" / "learnrate" / "tables"


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT is an interrupt, in a process that was started in the background too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_what_stands_inside_ends_before_an_interrupt(interruptible: None) -> None:
    steps = []

    @interrupt_later()
    def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        steps.append("done")

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        work()
    assert steps == ["done"]
    assert signal.getsignal(signal.SIGINT) is handler
