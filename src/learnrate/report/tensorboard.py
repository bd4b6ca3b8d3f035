"""Files for TensorBoard: one run for each lane, with its losses as scalars and its settings in the HParams table."""

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
from learnrate._shapes import Array, Float, Int
from learnrate.errors import OutputError

__all__ = [
    "Run",
    "append",
    "begin_events",
    "end_event",
    "file_name",
    "named",
    "require_tensorboard",
    "save_runs",
    "scalar_event",
    "unwritable",
]

Setting = bool | int | float | str
"""What the HParams table can hold."""


@dataclass(frozen=True, eq=False)
class Run:
    """One lane, as a run of TensorBoard.

    Attributes
    ----------
    name : str
        The run's folder and its name in the legend: ``lr=0.01``.
    scalars : mapping from str to arrays, shape (E + 1,)
        For each chart its values before training and at each measurement.
    positions : int array, shape (E + 1,)
        Where these were measured: TensorBoard's steps.
    settings : mapping
        The run's row in the HParams table.
    failed : bool
        The run's status in the HParams table.
    """

    name: str
    scalars: Mapping[str, Float[Array, " epochs"]]
    positions: Int[Array, " epochs"]
    settings: Mapping[str, Setting]
    failed: bool


def require_tensorboard() -> Any:
    """TensorBoard's module that writes records; raises MissingExtraError if it is not installed."""
    return require(
        "tensorboard.summary.writer.record_writer",
        extra="tensorboard",
        purpose="TensorBoard's files",
    )


def save_runs(folder: Path, runs: Iterable[Run]) -> Path:
    """Write all runs into a new folder ``sweep-1``, ``sweep-2``, … inside ``folder``, and return its path.

    The new folder gets its name once it is complete. Earlier sweeps in ``folder`` are not changed.

    Raises
    ------
    MissingExtraError
        If TensorBoard is not installed.
    OutputError
        If the files cannot be written. No partial folder is left.
    """
    require_tensorboard()
    temporary = folder / f".{secrets.token_hex(4)}"
    now = time.time()
    try:
        for run in runs:
            run_folder = temporary / run.name
            run_folder.mkdir(parents=True)
            _write_run(run_folder / file_name(now), run, now)
        return named(temporary, folder)
    except OSError as error:
        raise unwritable(folder, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def file_name(now: float) -> str:
    """The name of a run's file: TensorBoard reads those with "tfevents" in it."""
    return f"events.out.tfevents.{now:.0f}.learnrate"


def unwritable(folder: Path, error: OSError) -> OutputError:
    """What to say where the system refuses to write."""
    return OutputError(
        f"{str(folder)!r} must be a folder that can be written. Got: {error.strerror or error}; "
        "free some space, change its permissions or write elsewhere."
    )


def named(temporary: Path, folder: Path) -> Path:
    """Rename a complete folder to ``sweep-N``, N the first number that is free."""
    for number in count(1):
        final = folder / f"sweep-{number}"
        if final.exists():
            continue
        try:
            return temporary.rename(final)
        except OSError:
            if not final.exists():  # if it does, another process took the number
                raise
    raise AssertionError("unreachable")


def append(path: Path, events: Iterable[Any], now: float) -> None:
    """Write events at the end of a file, all with the same time."""
    with path.open("ab") as file:
        records = require_tensorboard().RecordWriter(file)
        for event in events:
            event.wall_time = now
            records.write(event.SerializeToString())


def _write_run(path: Path, run: Run, now: float) -> None:
    """Write a run as one file of events."""
    append(path, _events(run, now), now)


def _events(run: Run, now: float) -> Iterator[Any]:
    yield from begin_events(run.settings, now)
    for tag, values in run.scalars.items():
        for step, value in zip(run.positions.tolist(), values, strict=True):
            yield scalar_event(tag, step, value)
    yield end_event(run.failed, now)


def begin_events(settings: Mapping[str, Setting], now: float) -> Iterator[Any]:
    """What a file begins with, and the run's row in the HParams table."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    yield Event(file_version="brain.Event:2")
    start = plugin_data_pb2.SessionStartInfo(start_time_secs=now)
    for name, setting in settings.items():
        if isinstance(setting, bool):
            start.hparams[name].bool_value = setting
        elif isinstance(setting, str):
            start.hparams[name].string_value = setting
        else:
            start.hparams[name].number_value = setting
    yield _hparams(metadata.SESSION_START_INFO_TAG, session_start_info=start)


def scalar_event(tag: str, step: int, value: float) -> Any:
    """One point of a curve."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    scalar = Summary.Value(tag=tag, simple_value=float(value))
    return Event(step=step, summary=Summary(value=[scalar]))


def end_event(failed: bool, now: float) -> Any:
    """The run's status in the HParams table."""
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    status = api_pb2.STATUS_FAILURE if failed else api_pb2.STATUS_SUCCESS
    end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=now)
    return _hparams(metadata.SESSION_END_INFO_TAG, session_end_info=end)


def _hparams(tag: str, **content: Any) -> Any:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    data = plugin_data_pb2.HParamsPluginData(**content)
    described = metadata.create_summary_metadata(data)
    value = Summary.Value(tag=tag, tensor=metadata.NULL_TENSOR, metadata=described)
    return Event(summary=Summary(value=[value]))
