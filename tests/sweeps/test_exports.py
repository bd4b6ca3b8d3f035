"""Curves arrive whole in TensorBoard and xarray, read back with their own readers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import learnrate
from learnrate.errors import MissingExtraError, OutputError
from learnrate.sweeps.linear import LinearSweepResult
from learnrate.sweeps.result import SweepResult


@pytest.fixture(scope="module")
def linear() -> LinearSweepResult:
    X, y = learnrate.note_data()
    return learnrate.sweep(X, y, lrs=[0.04, 0.02, 3.0], epochs=9, seeds=2, seed=4, val=0.25)


@pytest.fixture(scope="module")
def of_model() -> SweepResult:
    import torch

    import learnrate.torch

    rng = torch.Generator().manual_seed(0)
    X = torch.randn(40, 3, generator=rng)
    y = (X[:, 0] > 0).long()
    return learnrate.torch.sweep(
        torch.nn.Linear(3, 2),
        (X[:30], y[:30]),
        val_data=(X[30:], y[30:]),
        loss="cross-entropy",
        optimizer="adamw",
        metrics=["accuracy"],
        lrs=[0.01, 0.1],
        batch_size=10,
        epochs=2,
    )


def scalars(run: Path) -> dict[str, list[float]]:
    """Every scalar of a run as TensorBoard's own reader gives it, by step."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run)).Reload()
    read: dict[str, list[float]] = {}
    for tag in events.Tags()["scalars"]:
        read[tag] = [event.value for event in events.Scalars(tag)]
        assert [event.step for event in events.Scalars(tag)] == list(range(len(read[tag])))
    return read


def table_row(run: Path) -> tuple[dict[str, Any], int]:
    """A run's settings and status as the HParams table reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata

    content = EventAccumulator(str(run)).Reload().PluginTagToContent("hparams")
    start = metadata.parse_session_start_info_plugin_data(content[metadata.SESSION_START_INFO_TAG])
    end = metadata.parse_session_end_info_plugin_data(content[metadata.SESSION_END_INFO_TAG])
    row = {name: getattr(v, v.WhichOneof("kind")) for name, v in start.hparams.items()}
    return row, end.status


def test_a_linear_sweep_for_tensorboard(linear: LinearSweepResult, tmp_path: Path) -> None:
    place = linear.to_tensorboard(tmp_path / "runs")
    assert place == tmp_path / "runs" / "sweep-1"
    names = {f"lr={lr},seed={seed}" for lr in ("0.04", "0.02", "3") for seed in (4, 5)}
    assert {run.name for run in place.iterdir()} == names
    assert linear.val_losses is not None
    for s, seed in enumerate((4, 5)):
        for k, lr in enumerate(("0.04", "0.02", "3")):
            run = place / f"lr={lr},seed={seed}"
            read = scalars(run)
            with np.errstate(over="ignore"):  # TensorBoard keeps float32
                np.testing.assert_array_equal(read["loss"], np.float32(linear.losses[s, k]))
                np.testing.assert_array_equal(read["val_loss"], np.float32(linear.val_losses[s, k]))
            row, status = table_row(run)
            assert row["lr"] == linear.lrs[k]
            assert row["seed"] == seed
            assert (row["batch_size"], row["epochs"], row["momentum"]) == (10, 9, 0)
            assert row["outcome"] == linear.outcomes[s][k].name.lower()
            assert "seeds" not in row
            assert status == (2 if lr == "3" else 1)  # failure, success


def test_the_sweep_of_a_model_brings_its_metrics(of_model: SweepResult, tmp_path: Path) -> None:
    place = of_model.save(f"{tmp_path}/runs/")
    assert {run.name for run in place.iterdir()} == {"lr=0.01", "lr=0.1"}
    read = scalars(place / "lr=0.1")
    assert set(read) == {"loss", "val_loss", "accuracy"}
    np.testing.assert_allclose(read["loss"], of_model.losses[0, 1], rtol=1e-6)
    row, _ = table_row(place / "lr=0.1")
    assert (row["optimizer"], row["loss function"]) == ("adamw", "cross-entropy")
    assert (row["betas"], row["eps"]) == ("(0.9, 0.999)", 1e-8)


def test_tensorboard_follows_a_sweep_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("learnrate.training.monitor._INTERVAL_S", 0.0)
    board, seen = learnrate.TensorBoard(tmp_path / "live"), []

    def tell(so_far: learnrate.SoFar) -> None:
        board(so_far)
        if so_far.points[0, 0] == 2 and not so_far.begun[1, 0]:
            assert board.place is not None
            seen.append({run.name: scalars(run)["loss"] for run in board.place.iterdir()})

    X, y = learnrate.note_data()
    settings: dict[str, Any] = {"lrs": [0.04, 1e9], "epochs": 3, "seeds": 2, "val": 0.25}
    for number in (1, 2):  # one callback may follow several sweeps
        monitor = learnrate.Monitor(on_progress=tell)
        result = learnrate.sweep(X, y, **settings, engine="reference", monitor=monitor)
        assert board.place == tmp_path / "live" / f"sweep-{number}"
        assert set(seen[-1]) == {"lr=0.04,seed=0", "lr=1e+09,seed=0"}
        np.testing.assert_array_equal(
            seen[-1]["lr=0.04,seed=0"], np.float32(result.losses[0, 0, :3])
        )
        for s in (0, 1):
            read = scalars(board.place / f"lr=0.04,seed={s}")
            np.testing.assert_array_equal(read["loss"], np.float32(result.losses[s, 0]))
            assert set(read) == {"loss", "val_loss"}
            row, status = table_row(board.place / f"lr=0.04,seed={s}")
            assert (row["lr"], row["seed"], row["epochs"], status) == (0.04, s, 3, 1)
            assert table_row(board.place / f"lr=1e+09,seed={s}")[1] == 2  # failure


def test_a_second_sweep_goes_beside_the_first(linear: LinearSweepResult, tmp_path: Path) -> None:
    first = linear.save(tmp_path)  # a folder that is there
    before = {file: file.read_bytes() for file in first.rglob("*") if file.is_file()}
    assert linear.to_tensorboard(tmp_path) == tmp_path / "sweep-2"
    assert before == {file: file.read_bytes() for file in first.rglob("*") if file.is_file()}
    assert sorted(item.name for item in tmp_path.iterdir()) == ["sweep-1", "sweep-2"]


def test_rates_that_three_digits_do_not_tell_apart_have_runs_of_their_own(tmp_path: Path) -> None:
    X, y = learnrate.note_data()
    result = learnrate.sweep(X, y, lrs=[0.012345678, 0.012345679], epochs=1)
    names = {run.name for run in result.to_tensorboard(tmp_path).iterdir()}
    assert names == {"lr=0.012345678", "lr=0.012345679"}


def test_nothing_half_written_stays(
    linear: LinearSweepResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tensorboard.summary.writer.record_writer import RecordWriter

    written = []

    def full(self: Any, data: bytes) -> None:
        written.append(data)
        if len(written) > 60:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(RecordWriter, "write", full)
    with pytest.raises(OutputError, match="No space left on device; free some space") as error:
        linear.to_tensorboard(tmp_path)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_written(linear: LinearSweepResult, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (f"{tmp_path}/file/", f"{tmp_path}/file/runs/"):
        with pytest.raises(OutputError, match="must be a folder"):
            linear.save(path)
    (tmp_path / "sweep.png").mkdir()
    with pytest.raises(OutputError, match="name a file"):
        linear.save(tmp_path / "sweep.png")


@pytest.mark.parametrize("package", ["tensorboard", "xarray"])
def test_without_the_package_its_extra_is_named(
    package: str, linear: LinearSweepResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    use = linear.to_xarray if package == "xarray" else lambda: linear.save(f"{tmp_path}/runs/")
    with pytest.raises(MissingExtraError, match=rf"pip install 'learnrate\[{package}\]'"):
        use()
    assert not list(tmp_path.iterdir())


def test_a_linear_sweep_in_xarray(linear: LinearSweepResult) -> None:
    data = linear.to_xarray()
    assert dict(data.sizes) == {"seed": 2, "lr": 3, "epoch": 10}
    np.testing.assert_array_equal(data.loss.values, linear.losses)
    assert float(data.val_loss.sel(seed=5, lr=0.02, epoch=9)) == linear.val_losses[1, 1, 9]  # type: ignore[index]
    assert data.outcome.sel(lr=3.0).values.tolist() == [
        outcomes[2].name.lower() for outcomes in linear.outcomes
    ]
    assert data.predicted.dims == ("lr", "epoch")
    assert data.verdict.sel(lr=3.0) == "diverges"
    assert data.attrs["limit"] == linear.limit
    assert data.attrs["batch_size"] == 10
    assert data.attrs["suggested_lr"] == linear.suggestion().lr
    # What netCDF and Zarr can hold.
    assert {type(value) for value in data.attrs.values()} <= {int, float, str}


def test_the_sweep_of_a_model_in_xarray(of_model: SweepResult) -> None:
    data = of_model.to_xarray()
    assert data.accuracy.dims == ("seed", "lr", "epoch")
    assert "predicted" not in data
    assert "limit" not in data.attrs
    assert data.attrs["optimizer"] == "adamw"
    assert {type(value) for value in data.attrs.values()} <= {int, float, str}


@pytest.mark.slow
def test_tensorboard_itself_shows_curves_and_table(
    linear: LinearSweepResult, tmp_path: Path
) -> None:
    linear.to_tensorboard(tmp_path)
    # Port 0 takes a free one; what it serves is fetched from this machine only.
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(tmp_path)]
    log = tmp_path / "tensorboard.log"
    with log.open("w") as errors:
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", "0"],
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
    try:
        url = _until(lambda: re.search(r"http://127\.0\.0\.1:\d+", log.read_text()))[0]
        _until(lambda: len(_fetch(f"{url}/data/runs")) == 6)
        query = urllib.parse.urlencode({"run": "sweep-1/lr=0.02,seed=4", "tag": "loss"})
        shown = _until(lambda: _fetch(f"{url}/data/plugin/scalars/scalars?{query}"))
        values = [value for _, _, value in shown]
        np.testing.assert_allclose(values, linear.losses[0, 1], rtol=1e-6)
        experiment = _fetch(f"{url}/data/plugin/hparams/experiment", {"experimentName": ""})
        names = {item["name"] for item in experiment["hparamInfos"]}
        assert {"lr", "seed", "batch_size", "momentum", "outcome"} <= names
        metrics = {item["name"]["tag"] for item in experiment["metricInfos"]}
        assert metrics == {"loss", "val_loss"}
        groups = _fetch(
            f"{url}/data/plugin/hparams/session_groups",
            {
                "experimentName": "",
                "allowedStatuses": ["STATUS_SUCCESS", "STATUS_FAILURE"],
                "colParams": [{"hparam": "lr"}],
                "startIndex": 0,
                "sliceSize": 100,
            },
        )["sessionGroups"]
        found = sorted((group["hparams"]["lr"], group["sessions"][0]["status"]) for group in groups)
        good, bad = "STATUS_SUCCESS", "STATUS_FAILURE"
        assert found == sorted([(0.02, good), (0.04, good), (3.0, bad)] * 2)
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(60)


def _fetch(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def _until(look: Any, seconds: float = 60) -> Any:
    """What ``look()`` returns once there is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.2)
    raise AssertionError("waited in vain")
