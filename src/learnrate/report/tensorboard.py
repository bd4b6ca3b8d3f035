"""Curves as runs of TensorBoard: one run per lane, its losses as scalars, its settings in the HParams table."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from learnrate._extras import require
from learnrate._shapes import Array, Float
from learnrate.errors import OutputError

__all__ = ["Run", "require_tensorboard", "save_runs"]

Setting = bool | int | float | str
"""What the HParams table can hold."""


@dataclass(frozen=True, eq=False)
class Run:
    """One lane as TensorBoard shows it.

    Attributes
    ----------
    name : str
        Its folder, and what the legend says: ``lr=0.01``.
    scalars : mapping from str to arrays, shape (E + 1,)
        A chart's name and the values before training and after each epoch.
    settings : mapping
        Its row in the HParams table.
    failed : bool
        Whether that row says that the run failed.
    """

    name: str
    scalars: Mapping[str, Float[Array, " epochs"]]
    settings: Mapping[str, Setting]
    failed: bool


def require_tensorboard() -> Any:
    """Return the module that writes records, or say which extra brings it."""
    return require(
        "tensorboard.summary.writer.record_writer",
        extra="tensorboard",
        purpose="TensorBoard's files",
    )


def save_runs(folder: Path, runs: Iterable[Run]) -> Path:
    """Write all runs into a new folder ``sweep-1``, ``sweep-2``, … of ``folder``, and return that.

    The folder appears when all of it is written, and what an earlier sweep left there stays.

    Raises
    ------
    MissingExtraError
        If TensorBoard is not installed.
    OutputError
        If the system refuses. Nothing half-written stays.
    """
    require_tensorboard()
    temporary = folder / f".{secrets.token_hex(4)}"
    now = time.time()
    try:
        for run in runs:
            place = temporary / run.name
            place.mkdir(parents=True)
            # TensorBoard reads what has "tfevents" in its name.
            _write_run(place / f"events.out.tfevents.{now:.0f}.learnrate", run, now)
        return _put(temporary, folder)
    except OSError as error:
        raise OutputError(
            f"{str(folder)!r} must be a folder that can be written. Got: {error.strerror or error}; "
            "free some space, change its permissions or write elsewhere."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _put(temporary: Path, folder: Path) -> Path:
    """Give the whole folder the first number that is free."""
    for number in count(1):
        place = folder / f"sweep-{number}"
        if place.exists():
            continue
        try:
            return temporary.rename(place)
        except OSError:
            if not place.exists():  # else another process was quicker
                raise
    raise AssertionError("unreachable")


def _write_run(path: Path, run: Run, now: float) -> None:
    """One file of records, each an event of the same time: the epoch is the step."""
    with path.open("wb") as file:
        records = require_tensorboard().RecordWriter(file)
        for event in _events(run, now):
            event.wall_time = now
            records.write(event.SerializeToString())


def _events(run: Run, now: float) -> Iterator[Any]:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    def hparams(tag: str, **content: Any) -> Any:
        data = plugin_data_pb2.HParamsPluginData(**content)
        value = Summary.Value(
            tag=tag,
            tensor=metadata.NULL_TENSOR,
            metadata=metadata.create_summary_metadata(data),
        )
        return Event(summary=Summary(value=[value]))

    yield Event(file_version="brain.Event:2")
    start = plugin_data_pb2.SessionStartInfo(start_time_secs=now)
    for name, setting in run.settings.items():
        if isinstance(setting, bool):
            start.hparams[name].bool_value = setting
        elif isinstance(setting, str):
            start.hparams[name].string_value = setting
        else:
            start.hparams[name].number_value = setting
    yield hparams(metadata.SESSION_START_INFO_TAG, session_start_info=start)
    for tag, values in run.scalars.items():
        for epoch, value in enumerate(values):
            scalar = Summary.Value(tag=tag, simple_value=float(value))
            yield Event(step=epoch, summary=Summary(value=[scalar]))
    status = api_pb2.STATUS_FAILURE if run.failed else api_pb2.STATUS_SUCCESS
    end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=now)
    yield hparams(metadata.SESSION_END_INFO_TAG, session_end_info=end)
