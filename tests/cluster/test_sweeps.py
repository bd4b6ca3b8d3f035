"""Sweeps on a small cluster of this machine: the numbers of a sweep without one."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

import learnrate
import learnrate.torch
from learnrate import _memory
from learnrate.cluster.connection import Addresses, connected
from learnrate.cluster.driver import Job
from learnrate.cluster.launch import Driver
from learnrate.cluster.ray import RayCluster
from learnrate.errors import ClusterError
from learnrate.linear.choose import get_engine
from learnrate.linear.problem import EpochState, LinearProblem
from learnrate.sweeps.linear import LinearSweepResult
from learnrate.torch.result import TorchSweepResult
from learnrate.training.states import LaneStates
from tests.contract.problems import make_problem

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """One Ray for all tests here; sweeps find it and leave it running."""
    with connected("local", cpus=2, gpus=1, store=150_000_000):  # Ray asks for no proof of a GPU
        yield


def alone(engine: str, problem: LinearProblem) -> list[EpochState]:
    """All states of a problem that is trained here."""
    return [EpochState.of(states) for states in get_engine(engine).states(problem)]


def train(
    problems: list[LinearProblem],
    engine: str,
    starts: Sequence[LaneStates | None] | None = None,
    **settings: Any,
) -> list[list[EpochState]]:
    """All states of each problem, each of all lanes: workers tell of their own."""
    states: list[list[EpochState]] = [[] for _ in problems]
    gathered: dict[tuple[int, int], dict[int, LaneStates]] = {}
    executor = RayCluster(**settings).executor(get_engine(engine))
    for s, state in executor.run(problems, starts or [None] * len(problems)):
        first = 0 if state.lanes is None else int(state.lanes[0])
        gathered.setdefault((s, state.epoch), {})[first] = state
    for (s, _), parts in sorted(gathered.items()):
        states[s].append(EpochState.of(LaneStates.join(parts[k] for k in sorted(parts))))
    executor.close()
    assert "of a Ray cluster" in executor.summary[0]
    return states


def assert_equal(alone: list[EpochState], spread: list[EpochState], engine: str) -> None:
    """Fused and reference: W and b are the same bits. Gram: BLAS goes by shapes, so to 1e-12."""
    assert [state.epoch for state in alone] == [state.epoch for state in spread]
    for one, other in zip(alone, spread, strict=True):
        for name in ("W", "b", "V", "vb"):
            a, b = getattr(one, name), getattr(other, name)
            if engine == "gram" and a is not None:
                np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)
            else:
                np.testing.assert_array_equal(a, b)
        np.testing.assert_allclose(one.loss, other.loss, rtol=1e-12)


@dataclass(frozen=True, eq=False)
class Curious(LinearProblem):
    """A problem that looks at its worker."""

    on: str = "CPU"

    @property
    def processor(self) -> str:
        return self.on

    def take(self, which: Any) -> LinearProblem:
        seen = os.environ.get("CUDA_VISIBLE_DEVICES", ""), _memory._sharers
        assert seen == {"CPU": ("", 2), "GPU": ("0", 1)}[self.on]
        return super().take(which)


@pytest.mark.parametrize(("on", "workers"), [("CPU", "2 workers"), ("GPU", "1 worker")])
def test_each_worker_has_a_processor_and_its_part_of_the_memory(on: str, workers: str) -> None:
    problem = make_problem(60, 3, 8, lanes=4, epochs=2)
    curious = Curious(
        **{field.name: getattr(problem, field.name) for field in fields(problem)}, on=on
    )
    executor = RayCluster().executor(get_engine("reference"))
    lanes = sum(len(states.measured["loss"]) for _, states in executor.run([curious], [None]))
    executor.close()
    assert lanes == 4 * 3
    assert f"over {workers} of a Ray cluster" in executor.summary[0]


@pytest.mark.parametrize("engine", ["reference", "gram", "fused"])
def test_lanes_split_gives_the_same_numbers(engine: str) -> None:
    size = (60, 3, 7, 5, 2) if engine == "reference" else (700, 20, 32, 40, 3)
    problem = make_problem(*size, momentum=0.5)
    (spread,) = train([problem], engine, split="lanes")
    assert_equal(alone(engine, problem), spread, engine)


def test_data_split_gives_the_same_numbers_as_every_engine() -> None:
    problem = make_problem(700, 6, 32, 5, 3, momentum=0.5)
    seeds = [problem, replace(problem, seed=1)]
    spread = train(seeds, "fused", split="data")
    for s in (0, 1):
        assert_equal(alone("fused", seeds[s]), spread[s], "fused")
        for engine in ("gram", "reference"):
            for one, other in zip(alone(engine, seeds[s]), spread[s], strict=True):
                np.testing.assert_allclose(one.W, other.W, rtol=1e-9, atol=1e-12)
                np.testing.assert_allclose(one.loss, other.loss, rtol=1e-9)


@pytest.mark.parametrize("split", ["lanes", "data"])
def test_starts_are_gone_on_from(split: str) -> None:
    problem = make_problem(500, 8, 16, 40, 4)
    seeds = [replace(problem, seed=seed) for seed in range(3)]
    whole = [alone("fused", seed) for seed in seeds]
    starts = [whole[0][2], None, whole[2][4]]
    spread = train(seeds, "fused", starts, split=split)
    assert_equal(whole[0][3:], spread[0], "fused")
    assert_equal(whole[1], spread[1], "fused")
    assert spread[2] == []


def sweep(**options: Any) -> LinearSweepResult:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60_000, 12))
    y = X @ rng.normal(size=12) + 0.1 * rng.normal(size=60_000)
    settings = {"lrs": np.geomspace(1e-3, 3, 32), "batch_size": 20, "epochs": 8, **options}
    return learnrate.sweep(X, y, engine="fused", **settings)


@pytest.mark.parametrize("split", ["lanes", "data"])
def test_a_worker_killed_in_mid_run(split: str) -> None:
    said: list[str] = []
    killed: list[int] = []

    def kill(done: int, total: int) -> None:
        workers = re.findall(r"worker (\d+) on \S+ joined", "\n".join(said))
        if done == 2:
            killed.append(int(workers[0]))
            os.kill(killed[0], signal.SIGKILL)

    # Long enough for a worker that hands over its states every quarter of a second.
    options = {"epochs": 300 if split == "lanes" else 80, "val": 0.1}
    cluster = RayCluster(split=split)
    spread = sweep(
        cluster=cluster, monitor=learnrate.Monitor(on_epoch=kill, on_message=said.append), **options
    )
    alone = sweep(**options)
    assert any("was lost" in message for message in said), said
    np.testing.assert_array_equal(alone.W, spread.W)
    np.testing.assert_array_equal(alone.b, spread.b)
    np.testing.assert_allclose(alone.losses, spread.losses, rtol=1e-12)
    workers = re.findall(
        r"worker \d+ on \S+: [\d,]+ examples, [\d,]+ a second", spread.engine_reason
    )
    assert len(workers) >= 2


@pytest.mark.parametrize("split", ["lanes", "data"])
def test_a_stored_table(split: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4001, 5))
    frame = pl.DataFrame(X).with_columns(y=pl.Series(X @ np.arange(5) + rng.normal(size=4001)))
    frame.write_parquet(tmp_path / "table.parquet")
    options: dict[str, Any] = {
        "target": "y",
        "lrs": np.geomspace(1e-3, 0.1, 20),
        "batch_size": 8,
        "engine": "fused",
        "memory": learnrate.OutOfCore("20MB", block_size=600, cache=tmp_path / "cache"),
    }
    alone = learnrate.sweep(str(tmp_path / "table.parquet"), **options)
    cluster = RayCluster(split=split)
    spread = learnrate.sweep(str(tmp_path / "table.parquet"), cluster=cluster, **options)
    np.testing.assert_array_equal(alone.W, spread.W)
    np.testing.assert_array_equal(alone.b, spread.b)
    np.testing.assert_allclose(alone.losses, spread.losses, rtol=1e-12)


def test_a_checkpoint_is_gone_on_from_elsewhere(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise ClusterError("the head is lost")

    with pytest.raises(ClusterError):
        sweep(
            cluster="local", seeds=2, checkpoint=tmp_path, monitor=learnrate.Monitor(on_epoch=stop)
        )
    resumed, alone = sweep(seeds=2, checkpoint=tmp_path), sweep(seeds=2)
    assert resumed.engine_reason == "the checkpoint's"
    np.testing.assert_array_equal(alone.losses, resumed.losses)
    np.testing.assert_array_equal(alone.W, resumed.W)


def test_what_is_raised_on_a_worker_reaches_the_caller() -> None:
    problem = make_problem(60, 3, 7, 5, 2)
    broken = replace(problem, multipliers=np.ones(1))
    with pytest.raises(ValueError):  # noqa: PT011  # as here, whatever it says
        list(get_engine("reference").states(broken))
    with pytest.raises(ValueError):  # noqa: PT011
        train([broken], "reference")


def test_a_driver_that_is_killed_ends_the_sweep_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drivers: list[Driver] = []
    begin = Driver.begin

    def noted(self: Driver, job: Job) -> None:
        drivers.append(self)
        begin(self, job)

    monkeypatch.setattr(Driver, "begin", noted)

    def kill(done: int, total: int) -> None:
        drivers[0]._process.kill()

    with pytest.raises(ClusterError, match=r"Got its end, with exit code -9; with checkpoint"):
        sweep(cluster="local", monitor=learnrate.Monitor(on_epoch=kill), epochs=100_000)


def test_ctrl_c_leaves_no_workers() -> None:
    said: list[str] = []

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(cluster="local", monitor=learnrate.Monitor(on_epoch=stop, on_message=said.append))
    for pid in re.findall(r"worker (\d+) on", "\n".join(said)):
        for _ in range(100):
            try:
                os.kill(int(pid), 0)
            except ProcessLookupError:
                break
            signal.sigtimedwait([], 0.1)
        else:
            pytest.fail(f"worker {pid} is still there")


class Net(torch.nn.Module):
    """A class of a user's own, which workers cannot import."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = torch.nn.Sequential(
            torch.nn.Linear(5, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Dropout(0.2)
        )
        self.last = torch.nn.Linear(8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.last(self.inside(x))
        return out


def sweep_network(cluster: str | None, **options: Any) -> TorchSweepResult:
    torch.manual_seed(0)
    X = torch.randn(200, 5)
    loss = options.pop("loss", lambda output, y: ((output - y) ** 2).mean())
    settings: dict[str, Any] = {
        "lrs": [1e-3, 1e-2, 1e-1],
        "epochs": 4,
        "optimizer": "adamw",
        **options,
    }
    return learnrate.torch.sweep(
        Net(), (X, X.sin().sum(1, keepdim=True)), loss=loss, cluster=cluster, **settings
    )


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As the workers have."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def assert_same_networks(alone: TorchSweepResult, spread: TorchSweepResult) -> None:
    assert "of a Ray cluster" in spread.engine_reason
    np.testing.assert_array_equal(alone.losses, spread.losses)
    for seed in range(len(alone.losses)):
        for lr in alone.lrs:
            theirs = spread.state_dict(lr, seed=seed)
            for name, tensor in alone.state_dict(lr, seed=seed).items():
                assert torch.equal(tensor, theirs[name])


BEST: dict[str, Any] = {"keep": "best", "val_data": (torch.ones(9, 5), torch.ones(9, 1))}


@pytest.mark.parametrize(
    "options", [{"seeds": 2}, {"lanes_at_once": 1, **BEST}, {"lanes_at_once": 2}]
)
def test_networks_on_workers_come_out_the_same(one_thread: None, options: dict[str, Any]) -> None:
    assert_same_networks(sweep_network(None, **options), sweep_network("local", **options))


def test_a_pruned_sweep_on_workers_ends_the_same_rates(
    one_thread: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Driver] = []

    class Counted(Driver):
        def __init__(self, addresses: Addresses | None) -> None:
            super().__init__(addresses)
            started.append(self)

    monkeypatch.setattr("learnrate.cluster.ray.Driver", Counted)
    options = {"prune": True, "seeds": 2, "epochs": 32, "lrs": learnrate.logspace(1e-3, 1, 9)}
    alone, spread = sweep_network(None, **options), sweep_network("local", **options)
    assert len(started) == 1  # not one after every pruning
    assert "over 2 workers" in spread.engine_reason
    np.testing.assert_allclose(spread.losses, alone.losses, rtol=1e-5)  # groups of lanes differ
    assert spread.outcomes == alone.outcomes
    assert np.isnan(alone.losses[:, :, -1]).sum() == 2 * 8
    best = alone.suggestion().lr
    assert spread.suggestion().lr == best
    for name, tensor in alone.state_dict(best, seed=1).items():
        torch.testing.assert_close(spread.state_dict(best, seed=1)[name], tensor)


def test_networks_of_a_lost_worker_go_on_elsewhere(one_thread: None, tmp_path: Path) -> None:
    alone, here = sweep_network(None, epochs=12), os.getpid()

    def loss(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        calls = tmp_path / str(os.getpid())
        with calls.open("a") as file:
            file.write(".")
        struck = tmp_path / "struck"
        # Recorded steps call it no more: 24 calls come in the first epoch, two in each evaluation, 16 at the end.
        if os.getpid() != here and calls.stat().st_size > 30 and not struck.exists():
            struck.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return ((output - y) ** 2).mean()

    assert_same_networks(alone, sweep_network("local", loss=loss, epochs=12))
    assert (tmp_path / "struck").exists()


def test_what_cannot_be_sent_is_named() -> None:
    class Locked(torch.utils.data.Dataset[Any]):
        def __init__(self) -> None:
            self.door = threading.Lock()

        def __len__(self) -> int:
            return 40

        def __getitem__(self, i: int) -> Any:
            return torch.full((5,), float(i % 7)), torch.full((1,), float(i % 3))

    with pytest.raises(ClusterError, match=r"cannot be pickled: .*dataset\.door, of type lock"):
        learnrate.torch.sweep(Net(), Locked(), loss="mse", hold=False, cluster="local")
