"""Checkpoints: a sweep that was killed goes on where it was, to the same bits.

A folder holds the two newest checkpoints. Each is one file: a line that names the format, a line with the
SHA-256 of the rest, and an ``.npz`` of plain arrays (nothing is pickled) with the curves so far, every seed's
parameters and momenta, and the settings as JSON. A file is written beside its place, flushed to the disk and renamed, so a
kill at any moment leaves whole ones; one that the disk tore all the same, or that was altered, is known
by its sum, and the one before it serves.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from learnrate._files import write_atomically
from learnrate._shapes import Array
from learnrate.data.fingerprint import fingerprint
from learnrate.engines.problem import EpochState
from learnrate.engines.schedules import schedule_multipliers
from learnrate.errors import DataError, OptionError, OutputError
from learnrate.sweeps.record import Record

__all__ = ["Checkpoints"]

_FIRST_LINE = b"learnrate checkpoint 1\n"
_SUFFIX = ".checkpoint"
_EVERY = 30.0


class Checkpoints:
    """The checkpoints of one sweep in a folder, which is made if it is not there.

    Parameters
    ----------
    folder : Path or str
    every : float
        Seconds that pass at least between one saved epoch and the next.

    Raises
    ------
    OutputError
        If the folder cannot be made or written.
    """

    def __init__(self, folder: Path | str, every: float = _EVERY) -> None:
        if not every >= 0:
            raise OptionError(f"checkpoint_every must be 0 seconds or more. Got {every!r} instead.")
        self.folder, self.every = Path(folder), every
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise OutputError(
                f"The checkpoint must be a folder that can be written. Got {str(folder)!r} "
                f"({error.strerror or error}); name another."
            ) from error
        self._newest: Path | None = None
        self._saved_at = time.monotonic()

    def restore(self, record: Record) -> tuple[str, float] | None:
        """Bring a record to where the newest whole checkpoint was.

        Returns
        -------
        (str, float) or None
            The engine that trained it, and the seconds that it took; None where there is no checkpoint.

        Raises
        ------
        OptionError
            If the checkpoint is another sweep's; the message shows the differences.
        """
        for path in self._kept():
            try:
                arrays = _read(path)
            except DataError as error:
                warnings.warn(f"{error} The one before it is used, if there is one.", stacklevel=4)
                continue
            about = json.loads(str(arrays["about"]))
            self._refuse_another(about["settings"], _settings(record, about["settings"]["engine"]))
            _fill(record, arrays)
            self._newest = path
            return about["settings"]["engine"], about["seconds"]
        return None

    def save(self, record: Record, engine: str, seconds: float, *, due: bool = False) -> None:
        """Save where the sweep is, and remove checkpoints but this and the one before it.

        With ``due``, only if the last time was not a moment ago.
        """
        if due and time.monotonic() - self._saved_at < self.every:
            return
        about = {"settings": _settings(record, engine), "seconds": seconds}
        payload = io.BytesIO()
        np.savez(payload, allow_pickle=False, about=np.array(json.dumps(about)), **_arrays(record))
        body = payload.getbuffer()
        number = 1 + max((int(path.stem) for path in self._kept()), default=0)
        path = self.folder / f"{number:010d}{_SUFFIX}"

        def write(temporary: Path) -> None:
            with temporary.open("wb") as file:
                file.write(_FIRST_LINE + _sum(body))
                file.write(body)
                file.flush()
                os.fsync(file.fileno())

        write_atomically(path, write)
        for other in (*self._kept(), *self.folder.glob(f".*{_SUFFIX}")):
            if other not in (path, self._newest):
                other.unlink(missing_ok=True)
        self._newest, self._saved_at = path, time.monotonic()

    def _kept(self) -> list[Path]:
        """Checkpoints, the newest first; names that begin with a dot were never finished."""
        return sorted(self.folder.glob(f"[0-9]*{_SUFFIX}"), reverse=True)

    def _refuse_another(self, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
        differences = [
            f"{name} is {_short(theirs.get(name))} there and {_short(ours.get(name))} here"
            for name in {**theirs, **ours}
            if theirs.get(name) != ours.get(name)
        ]
        if differences:
            raise OptionError(
                f"A checkpoint must be of the same sweep. Got one in {str(self.folder)!r} where "
                f"{'; '.join(differences)}. Use its settings to go on from it, or name another folder."
            )


def _settings(record: Record, engine: str) -> dict[str, Any]:
    """All that decides the numbers, as JSON can hold it; the examples by their fingerprint.

    ``engine`` is what ``"auto"`` stands for.
    """
    config, data = record.config, record.data
    settings = config.as_dict()
    del settings["threads"]  # the numbers do not depend on it
    if config.engine == "auto":
        settings["engine"] = engine
    if not isinstance(config.schedule, str):
        steps = config.total_steps(data.n)
        name = fingerprint(schedule_multipliers(config.schedule, steps))
        settings["schedule"] = f"a function ({name})"
    return {**settings, "lrs": record.lrs.tolist(), "examples": data.fingerprint}


def _arrays(record: Record) -> dict[str, Array]:
    """A record as plain arrays: of each seed that has begun, its number, epoch, parameters and momenta."""
    begun = [(s, state) for s, state in enumerate(record.states) if state is not None]
    arrays: dict[str, Array] = {
        "losses": record.losses,
        "seeds": np.array([s for s, _ in begun], dtype=np.int64),
        "epochs": np.array([state.epoch for _, state in begun], dtype=np.int64),
    }
    if record.val_losses is not None:
        arrays["val_losses"] = record.val_losses
    for name in ("W", "b", "V", "vb"):
        values = [getattr(state, name) for _, state in begun]
        if values and values[0] is not None:
            arrays[name] = np.stack(values)
    return arrays


def _fill(record: Record, arrays: Mapping[str, Array]) -> None:
    record.losses[:] = arrays["losses"]
    if record.val_losses is not None:
        record.val_losses[:] = arrays["val_losses"]
    for i, (s, epoch) in enumerate(zip(arrays["seeds"], arrays["epochs"], strict=True)):
        record.states[s] = EpochState(
            epoch=int(epoch),
            W=arrays["W"][i],
            b=arrays["b"][i],
            loss=record.losses[s, :, epoch].copy(),
            V=arrays["V"][i] if "V" in arrays else None,
            vb=arrays["vb"][i] if "vb" in arrays else None,
        )


def _read(path: Path) -> dict[str, Array]:
    """The arrays of a checkpoint, once its sum is right."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"The checkpoint {str(path)!r} cannot be read ({error.strerror})."
        ) from error
    head = len(_FIRST_LINE) + len(_sum(b""))
    body = memoryview(content)[head:]
    if content[:head] != _FIRST_LINE + _sum(body):
        raise DataError(f"The checkpoint {str(path)!r} is damaged: its checksum does not match.")
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        return dict(arrays)


def _sum(body: bytes | memoryview) -> bytes:
    return hashlib.sha256(body).hexdigest().encode() + b"\n"


def _short(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} rates from {min(value):g} to {max(value):g}" if value else "none"
    return str(value)
