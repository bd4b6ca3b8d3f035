"""What is decided without a cluster: how lanes are cut and joined, and what is split."""

from __future__ import annotations

import socket
import sys
import time
from dataclasses import replace
from multiprocessing import Pipe

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import learnrate
from learnrate.cluster.connection import Places, head_is_lost
from learnrate.cluster.driver import Job, receive_job, send_job
from learnrate.cluster.lanes import cut, join
from learnrate.cluster.ray import RayCluster
from learnrate.cluster.split import choose_split, pass_costs
from learnrate.cluster.worker import Part, Worker, part_of
from learnrate.engines.fused import FusedEngine
from learnrate.engines.gram import GramEngine
from learnrate.engines.problem import EpochState
from learnrate.errors import ClusterError, MissingExtraError, OptionError
from tests.contract.problems import make_problem

FAR = 1 << 20


def state(lanes: int, epoch: int = 3, momentum: bool = True) -> EpochState:
    rng = np.random.default_rng(lanes)
    W, b, loss = rng.normal(size=(lanes, 2)), rng.normal(size=lanes), rng.normal(size=lanes)
    return EpochState(epoch, W, b, loss, W + 1 if momentum else None, b + 1 if momentum else None)


@given(
    lanes=st.integers(1, 100),
    pieces=st.integers(1, 12),
    granule=st.sampled_from([1, 16]),
    momentum=st.booleans(),
)
@settings(deadline=None)
def test_cut_and_joined_again(lanes: int, pieces: int, granule: int, momentum: bool) -> None:
    whole = state(lanes, momentum=momentum)
    parts = cut(Part(0, 5, 5 + lanes, whole), pieces, granule)
    assert len(parts) == min(pieces, -(-lanes // granule))
    assert [part.first for part in parts] == [5, *(part.stop for part in parts[:-1])]
    assert all((part.first - 5) % granule == 0 for part in parts)
    back = join([(p.first, p.start) for p in reversed(parts) if p.start is not None])
    for name in ("W", "b", "loss", "V", "vb"):
        np.testing.assert_array_equal(getattr(back, name), getattr(whole, name))


def test_a_part_of_the_lanes_is_trained_as_in_the_whole() -> None:
    # 3 lanes alone would go through the rows, and 40 go through Gram matrices.
    problem = make_problem(200, 30, 20, 40, 2)
    whole = list(FusedEngine().epochs(problem))[-1]
    for first, stop in [(0, 16), (16, 19), (19, 40)]:
        part = list(FusedEngine().epochs(part_of(problem, first, stop)))[-1]
        np.testing.assert_array_equal(part.W, whole.W[first:stop])
        np.testing.assert_array_equal(part.loss, whole.loss[first:stop])
    whole = list(GramEngine().epochs(problem))[-1]
    part = list(GramEngine().epochs(part_of(problem, 7, 9)))[-1]
    np.testing.assert_allclose(part.W, whole.W[7:9], rtol=1e-12)


def test_a_worker_goes_on_with_the_part_it_has() -> None:
    problem = make_problem(2000, 5, 10, 4, 6)
    worker, states = Worker([problem], "gram"), []
    effort, new = worker.train(Part(0, 1, 3, None))
    while new:
        assert effort.examples == 2000 * sum(state.epoch > 0 for state in new)
        states += new
        effort, new = worker.train(None)
    assert [state.epoch for state in states] == list(range(7))
    assert states[-1].b.shape == (2,)


def test_lanes_are_split_where_there_are_enough_of_them() -> None:
    few, many = make_problem(300, 20, 64, 8, 1), make_problem(300, 20, 64, 256, 1)
    assert choose_split(few, 1, 8, "fused") == "data"
    assert choose_split(few, 8, 8, "fused") == "lanes"  # whole seeds share nothing
    assert choose_split(many, 1, 8, "fused") == "lanes"
    assert choose_split(few, 1, 1, "fused") == "lanes"
    assert choose_split(few, 1, 8, "gram") == "lanes"


def test_the_split_rule_is_its_docstring() -> None:
    lanes, data = pass_costs(9, 32, 32, seeds=1, workers=2)
    assert lanes == 11 * 19 + 2 * 100 / 32 * 16
    assert data == 11 * 19 + 2 * 64 * 100 / 32


@pytest.mark.parametrize("split", ["rows", ""])
def test_a_split_that_is_none(split: str) -> None:
    with pytest.raises(OptionError, match="must be lanes or data"):
        RayCluster(split=split)


def test_workers_are_counted() -> None:
    with pytest.raises(OptionError, match="1 or more"):
        RayCluster(workers=0)


def test_splitting_the_data_takes_the_fused_engine() -> None:
    cluster = RayCluster(split="data")
    assert cluster.engine("auto") == cluster.engine("fused") == "fused"
    assert RayCluster().engine("auto") == "auto"
    with pytest.raises(OptionError, match="Got 'gram' instead"):
        learnrate.sweep(*learnrate.note_data(), engine="gram", cluster=cluster)


@pytest.mark.parametrize("address", ["nowhere", "host:port", "host:99999", "ray://host:1"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(OptionError, match=r"Got '.*' instead"):
        learnrate.sweep(*learnrate.note_data(), lrs=[0.1], cluster=address)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_nobody_at_the_address() -> None:
    began = time.monotonic()
    with pytest.raises(ClusterError, match="nobody answers; start one with: ray start --head"):
        learnrate.sweep(*learnrate.note_data(), lrs=[0.1], cluster=f"127.0.0.1:{free_port()}")
    assert time.monotonic() - began < 10


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'learnrate\[ray\]'"):
        learnrate.sweep(*learnrate.note_data(), lrs=[0.1], cluster="local")


def test_a_head_that_does_not_answer_is_lost() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as head,
        socket.create_server(("127.0.0.1", 0)) as near,
    ):
        places = Places(head.getsockname(), near.getsockname())
        assert places.stand()
        assert not places.lost()
        near.close()
        assert places.lost()
    assert "With --checkpoint" in str(head_is_lost(places))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_job_arrives_as_it_was_with_its_examples_once(dtype: str) -> None:
    problem = make_problem(200, 3, 7, 5, 2)
    X, y = np.asfortranarray(problem.X.astype(dtype)), problem.y.astype(dtype)
    X.flags.writeable = False
    problems = [replace(problem, X=X, y=y, seed=seed) for seed in range(3)]
    job = Job(problems, [None, state(5), None], "gram", 1, "local", None, 2)
    here, there = Pipe()
    with here, there:
        send_job(here, job)
        back = receive_job(there)
        assert not there.poll()
    assert [problem.seed for problem in back.problems] == [0, 1, 2]
    assert all(problem.X is back.problems[0].X for problem in back.problems)
    np.testing.assert_array_equal(back.problems[2].X, X)
    np.testing.assert_array_equal(back.problems[2].y, y)
    assert back.problems[0].X.dtype == dtype
    assert (back.engine, back.workers, back.starts[0]) == ("gram", 2, None)
    assert back.starts[1] is not None
    np.testing.assert_array_equal(back.starts[1].W, state(5).W)


def test_a_driver_that_cannot_live_is_said_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("learnrate.cluster.launch._COMMAND", "raise SystemExit('no, thanks')")
    with pytest.raises(ClusterError, match=r"exit code 1 \(no, thanks\); with --checkpoint"):
        learnrate.sweep(*learnrate.note_data(), lrs=[0.1], cluster="local")
