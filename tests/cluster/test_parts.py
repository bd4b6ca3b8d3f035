"""What is decided without a cluster: how lanes are cut and joined, and what is split."""

from __future__ import annotations

import socket
import sys
import threading
import time
from dataclasses import replace
from multiprocessing import Pipe
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import learnrate
from learnrate.cluster.connection import Addresses, lost_head
from learnrate.cluster.driver import LEAVE, Job, _store, _Training, pack_job, receive_job, send_job
from learnrate.cluster.lanes import cut
from learnrate.cluster.ray import RayCluster
from learnrate.cluster.split import choose_split, pass_costs
from learnrate.cluster.worker import LaneRange, Worker
from learnrate.errors import ClusterError, MissingExtraError, OptionError
from learnrate.linear.fused import FusedEngine
from learnrate.linear.gram import GramEngine
from learnrate.linear.problem import EpochState, LinearProblem
from learnrate.training.losses import Logistic
from learnrate.training.states import LaneStates
from tests.contract.problems import make_problem

FAR = 1 << 20


def state(lanes: int, epoch: int = 3, momentum: bool = True) -> EpochState:
    rng = np.random.default_rng(lanes)
    W, b, loss = rng.normal(size=(lanes, 2)), rng.normal(size=lanes), rng.normal(size=lanes)
    return EpochState(epoch, W, b, loss, W + 1 if momentum else None, b + 1 if momentum else None)


@given(
    lanes=st.integers(1, 100),
    pieces=st.integers(1, 12),
    multiple=st.sampled_from([1, 16]),
    momentum=st.booleans(),
)
@settings(deadline=None)
def test_cut_and_joined_again(lanes: int, pieces: int, multiple: int, momentum: bool) -> None:
    whole = state(lanes, momentum=momentum)
    parts = cut(LaneRange(0, 5, 5 + lanes, whole), pieces, multiple)
    assert len(parts) == min(pieces, -(-lanes // multiple))
    assert [part.first for part in parts] == [5, *(part.stop for part in parts[:-1])]
    assert all((part.first - 5) % multiple == 0 for part in parts)
    back = LaneStates.join(part.start for part in parts if part.start is not None)
    assert back.arrays.keys() == whole.arrays.keys()
    for name, array in {**whole.arrays, **whole.measured}.items():
        np.testing.assert_array_equal({**back.arrays, **back.measured}[name], array)


def test_a_part_of_the_lanes_is_trained_as_in_the_whole() -> None:
    # 3 lanes alone would go through the rows, and 40 go through Gram matrices.
    problem = make_problem(200, 30, 20, 40, 2)
    whole = list(FusedEngine().states(problem))[-1]
    for first, stop in [(0, 16), (16, 19), (19, 40)]:
        part = list(FusedEngine().states(problem.take(slice(first, stop))))[-1]
        np.testing.assert_array_equal(part.W, whole.W[first:stop])
        np.testing.assert_array_equal(part.loss, whole.loss[first:stop])
    whole = list(GramEngine().states(problem))[-1]
    part = list(GramEngine().states(problem.take(slice(7, 9))))[-1]
    np.testing.assert_allclose(part.W, whole.W[7:9], rtol=1e-12)


def test_a_worker_goes_on_with_the_part_it_has() -> None:
    problem = make_problem(2000, 5, 10, 4, 6)
    worker, states = Worker([problem], GramEngine()), []
    effort, new = worker.train(LaneRange(0, 1, 3, None))
    while new:
        assert effort.examples == 2000 * sum(state.epoch > 0 for state in new)
        states += new
        effort, new = worker.train(None)
    assert [state.epoch for state in states] == list(range(7))
    assert states[-1].arrays["b"].shape == (2,)


def test_lanes_are_split_where_there_are_enough_of_them() -> None:
    few, many = make_problem(300, 20, 64, 8, 1), make_problem(300, 20, 64, 256, 1)
    assert choose_split(few, 1, 8) == "data"
    assert choose_split(few, 8, 8) == "lanes"  # whole seeds share nothing
    assert choose_split(many, 1, 8) == "lanes"
    assert choose_split(few, 1, 1) == "lanes"


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
        addresses = Addresses(head.getsockname(), near.getsockname())
        assert addresses.answer()
        assert not addresses.lost()
        near.close()
        assert addresses.lost()
    assert "With checkpoint" in str(lost_head(addresses))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_job_arrives_as_it_was_with_its_examples_once(dtype: str) -> None:
    problem = make_problem(200, 3, 7, 5, 2)
    X, y = np.asfortranarray(problem.X.astype(dtype)), problem.y.astype(dtype)
    X.flags.writeable = False
    problems = [replace(problem, X=X, y=y, seed=seed) for seed in range(3)]
    job = Job(problems, [None, state(5), None], GramEngine(), "local", None, 2)
    here, there = Pipe()
    with here, there:
        send_job(here, pack_job(job))
        back = receive_job(there)
        assert back is not None
        assert not there.poll()
        here.send(LEAVE)
        assert receive_job(there) is None
    assert [problem.seed for problem in back.problems] == [0, 1, 2]
    assert all(problem.X is back.problems[0].X for problem in back.problems)
    np.testing.assert_array_equal(back.problems[2].X, X)
    np.testing.assert_array_equal(back.problems[2].y, y)
    assert back.problems[0].X.dtype == dtype
    assert (back.engine.name, back.workers, back.starts[0]) == ("gram", 2, None)
    assert back.starts[1] is not None
    np.testing.assert_array_equal(back.starts[1].arrays["W"], state(5).W)


def test_a_driver_that_cannot_live_is_said_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("learnrate.cluster.launch._COMMAND", "raise SystemExit('no, thanks')")
    with pytest.raises(ClusterError, match=r"exit code 1 \(no, thanks\); with checkpoint"):
        learnrate.sweep(*learnrate.note_data(), lrs=[0.1], cluster="local")


@pytest.mark.parametrize(
    ("split", "expected"), [(None, "lanes"), ("lanes", "lanes"), ("data", None)]
)
def test_of_another_loss_only_lanes_are_split(split: str | None, expected: str | None) -> None:
    X, y = np.zeros((90, 2)), np.arange(90) % 2
    problem = LinearProblem(X, y, np.ones(64), 9, 1, loss=Logistic())
    job = SimpleNamespace(problems=[problem], split=split)
    training: Any = SimpleNamespace(job=job, engine=FusedEngine())
    if expected is None:
        with pytest.raises(OptionError, match="logistic loss"):
            _Training._split(training, 2)
    else:
        assert _Training._split(training, 2) == expected


def test_the_object_store_has_room_for_what_is_pickled_with_the_arrays() -> None:
    """Tensors are in the pickled bytes, and not among the arrays beside them."""
    weights = torch.zeros(300_000)
    job = Job([weights], [None], GramEngine(), "local", None, None)
    here, there = Pipe()
    with here, there:
        sender = threading.Thread(target=send_job, args=(here, pack_job(job)))
        sender.start()  # a pipe holds less than this job
        received = receive_job(there)
        assert received is not None
        sender.join()
    assert received.nbytes >= weights.nbytes
    assert _store(received, 2) - _store(replace(received, nbytes=0), 2) >= weights.nbytes
