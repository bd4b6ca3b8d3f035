"""Clusters of several processes: a node that comes in mid-run, a head that goes, the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import learnrate
from learnrate._shapes import Array
from learnrate.cluster.ray import RayCluster
from learnrate.errors import ClusterError
from tests.cluster.machines import PATIENCE, free_port, kill_session, node

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: the sockets in it may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="lr-", ignore_cleanup_errors=True) as path:
        yield Path(path)


def examples() -> tuple[Array, Array, dict[str, Any]]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100_000, 12))
    y = X @ rng.normal(size=12) + 0.1 * rng.normal(size=100_000)
    return X, y, {"lrs": np.geomspace(1e-3, 1, 32), "batch_size": 20, "engine": "fused"}


@pytest.mark.parametrize("split", ["lanes", "data"])
def test_a_node_that_comes_in_mid_run_is_used(folder: Path, split: str) -> None:
    X, y, options = examples()
    said: list[str] = []
    port, epochs = free_port(), 500
    until = time.monotonic() + PATIENCE
    with node(folder, port=port, head=True), ExitStack() as more:

        def another(done: int, total: int) -> None:
            if done == 1:
                more.enter_context(node(folder, port=port, head=False))
            if not any("2 in all" in message for message in said):
                assert time.monotonic() < until, said
                time.sleep(0.3)  # the cluster is looked at between epochs

        cluster = RayCluster(f"127.0.0.1:{port}", split=split)
        spread = learnrate.sweep(
            X,
            y,
            cluster=cluster,
            monitor=learnrate.Monitor(on_epoch=another, on_message=said.append),
            epochs=epochs,
            **options,
        )
    alone = learnrate.sweep(X, y, epochs=epochs, **options)
    np.testing.assert_array_equal(alone.W, spread.W)
    np.testing.assert_array_equal(alone.b, spread.b)
    np.testing.assert_allclose(alone.losses, spread.losses, rtol=1e-12)
    assert spread.engine_reason.count("examples, ") == 2, spread.engine_reason


@pytest.mark.parametrize("split", ["lanes", "data"])
def test_a_lost_head_ends_in_one_line_and_the_checkpoint_goes_on_elsewhere(
    folder: Path, split: str
) -> None:
    X, y, options = examples()
    options |= {"epochs": 400}
    saving: dict[str, Any] = {"checkpoint": learnrate.Checkpoint(folder / "saved", every=0)}
    port = free_port()
    with node(folder, port=port, head=True) as head:

        def lose(done: int, total: int) -> None:
            if done == 2:
                kill_session(head)

        cluster = RayCluster(f"127.0.0.1:{port}", split=split)
        with pytest.raises(ClusterError, match=r"The head of the Ray cluster.* must stay up"):
            learnrate.sweep(
                X, y, cluster=cluster, monitor=learnrate.Monitor(on_epoch=lose), **saving, **options
            )
    said: list[str] = []
    resumed = learnrate.sweep(
        X, y, monitor=learnrate.Monitor(on_message=said.append), **saving, **options
    )
    assert any("Going on from the checkpoint" in message for message in said), said
    alone = learnrate.sweep(X, y, **options)
    np.testing.assert_array_equal(alone.W, resumed.W)
    np.testing.assert_array_equal(alone.b, resumed.b)
    np.testing.assert_allclose(alone.losses, resumed.losses, rtol=1e-12)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "learnrate", "sweep", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_the_command_on_a_cluster_of_its_own_prints_one_document() -> None:
    options = ("diabetes", "--lrs", "0.1,0.2", "--seeds", "3", "--json")
    alone, spread = command(*options), command(*options, "--cluster", "local")
    assert spread.returncode == 0, spread.stderr
    assert spread.stderr == ""
    one, other = json.loads(alone.stdout), json.loads(spread.stdout)
    assert one.keys() == other.keys()
    assert one["lanes"] == other["lanes"]


def test_the_command_says_in_one_line_that_the_head_is_lost(folder: Path) -> None:
    port, saved = free_port(), folder / "saved"
    options = ["--lrs", "0.01", "--epochs", "10000000", "--engine", "gram"]
    options += ["--cluster", f"127.0.0.1:{port}"]
    options += ["--checkpoint", str(saved), "--checkpoint-every", "1"]
    with node(folder, port=port, head=True) as head:
        sweep = subprocess.Popen(
            [sys.executable, "-m", "learnrate", "sweep", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            until = time.monotonic() + PATIENCE
            while not (saved.is_dir() and any(saved.iterdir())):  # it trains, and has saved once
                assert sweep.poll() is None, sweep.stderr.read() if sweep.stderr else ""
                assert time.monotonic() < until
                time.sleep(0.2)
            kill_session(head)
            out, err = sweep.communicate(timeout=60)
        finally:
            sweep.kill()
    assert sweep.returncode == 2
    assert out == ""
    assert err.startswith(
        "learnrate: The head of the Ray cluster, and Ray on this machine, must stay up"
    )
    assert err.count("\n") == 1


@pytest.mark.parametrize("split", ["lanes", "data"])
@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-10), ("float32", 1e-5)])
def test_workers_with_vectors_of_another_width_give_the_same_curves(
    folder: Path, split: str, dtype: str, rtol: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where machines differ: ten digits in float64, five in float32."""
    X, y, options = examples()
    options |= {"epochs": 2, "dtype": dtype}
    alone = learnrate.sweep(X[:5000], y[:5000], **options)
    port = free_port()
    monkeypatch.setenv("LEARNRATE_VECTOR_BYTES", "32")
    with node(folder, port=port, head=True):
        monkeypatch.setenv("LEARNRATE_VECTOR_BYTES", "16")
        cluster = RayCluster(f"127.0.0.1:{port}", split=split)
        mixed = learnrate.sweep(X[:5000], y[:5000], cluster=cluster, **options)
    np.testing.assert_allclose(alone.losses, mixed.losses, rtol=rtol)
