"""A sweep that was stopped goes on to the same bits; a checkpoint that is not whole, or another's, is not used."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import learnrate
from learnrate.cli import main
from learnrate.errors import OptionError, OutputError
from learnrate.linear.gram import GramEngine
from learnrate.sweeps.linear import LinearSweepResult
from learnrate.training.executors import LocalExecutor, States
from learnrate.training.monitor import SweepInterrupted
from tests.interrupting import interrupted_once_saved

SOURCE = Path(__file__).parents[2] / "src"
X, Y = learnrate.note_data(200)
PLAIN: dict[str, Any] = {"lrs": [0.01, 0.3, 5.0], "epochs": 4, "seeds": 3, "engine": "gram"}


def sweep(
    folder: Path | None, *, stop_after: int | None = None, **options: Any
) -> LinearSweepResult:
    def stop(done: int, total: int) -> None:
        if done == stop_after:
            raise KeyboardInterrupt

    settings = {**PLAIN, **options}
    kept = None if folder is None else learnrate.Checkpoint(folder, every=0)
    monitor = learnrate.Monitor(on_epoch=stop)
    return learnrate.sweep(X, Y, **settings, checkpoint=kept, monitor=monitor)


def interrupted(folder: Path, after: int, **options: Any) -> None:
    with pytest.raises(SweepInterrupted):
        sweep(folder, stop_after=after, **options)


def assert_same(a: LinearSweepResult, b: LinearSweepResult) -> None:
    for name in ("losses", "val_losses", "W", "b", "lrs"):
        left, right = getattr(a, name), getattr(b, name)
        if left is None:
            assert right is None
        else:
            np.testing.assert_array_equal(left, right, err_msg=name)


def slower(step: int) -> float:
    return 1 / (1 + step)


def spelled(options: dict[str, Any]) -> str:
    """The same in every process, which the address of a function is not."""
    return ",".join(f"{n}={getattr(v, '__name__', v)}" for n, v in options.items())


@pytest.mark.parametrize("after", [1, 5, 11])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"engine": "fused"},
        {"engine": "reference", "epochs": 2, "seeds": 6},
        {"optimizer": learnrate.SGD(0.9), "dtype": "float32"},
        {"optimizer": learnrate.SGD(0.5, weight_decay=0.1), "engine": "fused"},
        {"schedule": "cosine", "val": 0.25},
        {"schedule": slower, "sampling": "independent"},
        {"engine": "fused", "threads": 2},
        {"engine": "auto", "lrs": "auto"},
    ],
    ids=spelled,
)
def test_a_sweep_that_was_stopped_goes_on_to_the_same_bits(
    tmp_path: Path, after: int, options: dict[str, Any]
) -> None:
    interrupted(tmp_path, after, **options)
    assert_same(sweep(tmp_path, **options), sweep(None, **options))


def test_what_a_later_seed_has_finished_is_left_where_the_first_has_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it may be on threads; here the seeds are trained from the last to the first."""
    run = LocalExecutor.run

    def backwards(self: LocalExecutor, problems: Any, starts: Any) -> States:
        for s, state in run(self, problems[::-1], starts[::-1]):
            yield len(problems) - 1 - s, state

    with monkeypatch.context() as patched:
        patched.setattr(LocalExecutor, "run", backwards)
        with pytest.raises(SweepInterrupted) as caught:
            sweep(tmp_path, stop_after=2)
    left, alone = caught.value.result, sweep(None, seed=2, seeds=1, epochs=2)
    assert left.seeds.tolist() == [2]
    np.testing.assert_array_equal(left.losses, alone.losses)
    assert_same(sweep(tmp_path), sweep(None))


def test_a_finished_sweep_is_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sweep(tmp_path)
    monkeypatch.setattr(GramEngine, "states", None)
    again = sweep(tmp_path)
    assert_same(first, again)
    assert again.engine == "gram"
    assert again.seconds >= first.seconds * 0.5


def test_two_checkpoints_are_kept_and_nothing_unfinished(tmp_path: Path) -> None:
    left_by_a_kill = tmp_path / ".0000000001.abcd.checkpoint"
    left_by_a_kill.write_bytes(b"half")
    sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert not left_by_a_kill.exists()


def test_epochs_are_saved_no_more_often_than_asked(tmp_path: Path) -> None:
    """With an hour between them there is one, at the end."""
    learnrate.sweep(X, Y, **PLAIN, checkpoint=learnrate.Checkpoint(tmp_path, every=3600))
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"batch_size": 20}, "batch_size is 10 there and 20 here"),
        ({"epochs": 5}, "epochs is 4 there and 5 here"),
        ({"engine": "fused"}, "engine is gram there and fused here"),
        ({"lrs": [0.01, 0.1]}, "lrs is 3 rates from 0.01 to 5 there and 2 rates from 0.01 to 0.1"),
        ({"schedule": lambda step: 0.5}, "schedule is constant there and a function ("),
        (
            {"optimizer": learnrate.SGD(0.5), "seed": 1},
            "seed is 0 there and 1 here; momentum is 0.0 there and 0.5",
        ),
    ],
)
def test_another_sweep_is_refused_with_the_difference(
    tmp_path: Path, option: dict[str, Any], words: str
) -> None:
    interrupted(tmp_path, 3)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(OptionError) as caught:
        sweep(tmp_path, **option)
    assert words in str(caught.value)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_other_examples_are_refused(tmp_path: Path) -> None:
    interrupted(tmp_path, 3)
    with pytest.raises(OptionError, match="examples is"):
        learnrate.sweep(X, Y + 1e-12, **PLAIN, checkpoint=tmp_path)


def test_two_schedules_that_differ_by_their_values_alone_are_told_apart(tmp_path: Path) -> None:
    interrupted(tmp_path, 3, schedule=lambda step: 0.5)
    with pytest.raises(OptionError, match="schedule is a function"):
        sweep(tmp_path, schedule=lambda step: 0.25)


def torn(content: bytes) -> bytes:
    return content[: len(content) // 2]


def altered(content: bytes) -> bytes:
    return content[:-200] + bytes([content[-200] ^ 1]) + content[-199:]


@pytest.mark.parametrize("damage", [torn, altered, lambda content: b""])
def test_of_a_damaged_checkpoint_the_one_before_it_is_used(tmp_path: Path, damage: Any) -> None:
    interrupted(tmp_path, 6)
    newest = max(tmp_path.iterdir())
    newest.write_bytes(damage(newest.read_bytes()))
    seen = []
    with pytest.warns(UserWarning, match="damaged: its checksum does not match"):
        again = learnrate.sweep(
            X,
            Y,
            **PLAIN,
            checkpoint=tmp_path,
            monitor=learnrate.Monitor(on_epoch=lambda done, total: seen.append(done)),
        )
    assert min(seen) > 1, "the one before it had more than nothing"
    assert_same(again, sweep(None))


def test_with_no_whole_checkpoint_training_begins_anew(tmp_path: Path) -> None:
    interrupted(tmp_path, 6)
    for path in tmp_path.iterdir():
        path.write_bytes(torn(path.read_bytes()))
    with pytest.warns(UserWarning, match="damaged"):
        assert_same(sweep(tmp_path), sweep(None))


def test_a_folder_that_cannot_be_is_refused_before_training(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(OutputError, match="must be a folder"):
        sweep(file / "inside")
    with pytest.raises(OutputError, match="must be a folder"):
        sweep(file)
    with pytest.raises(OptionError, match="checkpoint_every must be 0 seconds or more"):
        learnrate.Checkpoint(tmp_path, every=-1)


@pytest.fixture
def full(request: pytest.FixtureRequest) -> Iterator[None]:
    """The system refuses to write more than a kilobyte into a file, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("full")
def test_a_full_disk_is_one_line_and_the_sweep_goes_on_or_ends_as_asked(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"File too large.*\. The sweep goes on unsaved\.") as said:
        result = sweep(tmp_path)
    assert len(said) == 1
    assert "\n" not in str(said[0].message)
    assert not list(tmp_path.iterdir())
    assert_same(result, sweep(None))
    with pytest.raises(OutputError, match="must be writable"):
        learnrate.sweep(
            X, Y, **PLAIN, checkpoint=learnrate.Checkpoint(tmp_path, every=0, required=True)
        )


@pytest.mark.usefixtures("full")
def test_a_full_disk_ends_the_command_if_saving_is_required(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = str(tmp_path / "kept")
    with pytest.raises(SystemExit, match="2"):
        main([*COMMAND[3:], "--checkpoint", kept, "--checkpoint-required"])
    said = capsys.readouterr()
    assert said.out == ""
    assert "must be writable" in " ".join(said.err.split())


@pytest.mark.parametrize("option", [["--checkpoint-required"], ["--checkpoint-every", "3"]])
def test_options_of_a_checkpoint_without_one_are_refused(
    option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([*COMMAND[3:], *option])
    assert f"{option[0]} goes with --checkpoint" in " ".join(capsys.readouterr().err.split())


def test_nothing_in_a_checkpoint_is_pickled(tmp_path: Path) -> None:
    sweep(tmp_path)
    content = max(tmp_path.iterdir()).read_bytes()
    first, _, rest = content.partition(b"\n")
    assert first == b"learnrate checkpoint 2"
    body = tmp_path / "body.npz"
    body.write_bytes(rest.partition(b"\n")[2])
    with np.load(body, allow_pickle=False) as arrays:
        assert {"about", "curve loss", "0 W", "2 b"} <= set(arrays)
        assert all(arrays[name].dtype != object for name in arrays)


COMMAND = [sys.executable, "-m", "learnrate", "sweep", "--lrs", "0.01,0.3,5", "--engine", "gram"]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCE), "OPENBLAS_NUM_THREADS": "1"}


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    options = ["--epochs", "100000", "--checkpoint", str(kept), "--checkpoint-every", "1"]
    done = interrupted_once_saved([*COMMAND, *options], kept, env=environment())
    assert done.returncode == 130, done.stderr
    assert "the same command goes on from there" in " ".join(done.stdout.split())
    assert list(kept.iterdir())


@pytest.mark.slow
def test_fifty_kills_change_no_bit(tmp_path: Path) -> None:
    """SIGKILL at random moments, again and again, until fifty have struck; then compare with an unbroken run."""
    rng = random.Random(0)
    settings = ["--epochs", "60", "--seeds", "4", "--momentum", "0.5", "--quiet"]
    whole = tmp_path / "whole.csv"
    for _ in range(2):  # the second time with everything in the disk's cache
        began = time.perf_counter()
        subprocess.run(
            [*COMMAND, *settings, "--save", str(whole)], check=True, timeout=120, env=environment()
        )
        took = time.perf_counter() - began
    kills = 0
    for round_ in range(300):
        folder, table = tmp_path / f"kept-{round_}", tmp_path / f"resumed-{round_}.csv"
        command = [*COMMAND, *settings, "--save", str(table)]
        command += ["--checkpoint", str(folder), "--checkpoint-every", "0"]
        for _ in range(100):
            process = subprocess.Popen(command, env=environment())
            try:
                process.wait(timeout=rng.uniform(0.3, 1.1) * took)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait(timeout=60)
                kills += 1
                continue
            assert process.returncode == 0
            break
        assert table.read_bytes() == whole.read_bytes()
        if kills >= 50:
            break
    assert kills >= 50


def test_a_finished_sweep_is_read_and_not_saved_again(tmp_path: Path) -> None:
    first = sweep(tmp_path)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert_same(first, sweep(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == kept
