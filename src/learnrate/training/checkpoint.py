"""Checkpoints: a sweep that was killed continues from its last saved state and gives the same curves, bit for bit.

A folder holds the two newest checkpoints. Each is one file: a line that names the format, a line with the
SHA-256 checksum of the rest, and an ``.npz`` of plain arrays (nothing is pickled) with the curves so far, the latest
state of every lane, and the settings as JSON. A file is written under a temporary name, flushed to the disk and
renamed, so that a kill at any time leaves no partial file. Where the checksum does not match, the file before is used.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from learnrate._files import interrupt_later, write_atomically
from learnrate._shapes import Array
from learnrate.errors import DataError, OptionError, OutputError, option
from learnrate.training.record import Latest, Record
from learnrate.training.states import LaneStates

__all__ = ["Checkpoint", "Checkpoints", "Restored", "as_checkpoints"]

_FIRST_LINE = b"learnrate checkpoint 2\n"
_SUFFIX = ".checkpoint"


@dataclass(frozen=True)
class Checkpoint:
    """Where and how often a sweep is saved while it runs.

    Attributes
    ----------
    folder : str or Path
        The folder of the checkpoints. Called again, the same sweep continues from the newest one and gives the same
        curves, bit for bit. A sweep with other settings or examples is refused.
    every : float
        The least number of seconds between two checkpoints.
    required : bool
        Whether the sweep ends when it cannot be saved, because the disk is full for instance. Otherwise a warning says
        so, and it goes on; the next checkpoint is tried as usual.

    Raises
    ------
    OptionError
        If ``every`` is negative or not a number.
    """

    folder: str | Path
    every: float = 30.0
    required: bool = False

    def __post_init__(self) -> None:
        """Check ``every``."""
        if not self.every >= 0:
            raise OptionError(
                f"{option('checkpoint_every')} must be 0 seconds or more. Got {self.every!r} instead."
            )


def as_checkpoints(checkpoint: str | Path | Checkpoint | None) -> Checkpoints | None:
    """The checkpoints of the option ``checkpoint``: a folder, or a `Checkpoint`; None if it is None."""
    if checkpoint is None:
        return None
    return Checkpoints(checkpoint if isinstance(checkpoint, Checkpoint) else Checkpoint(checkpoint))


class Restored(NamedTuple):
    """The engine that trained a checkpoint's states, and the seconds that took."""

    engine: str
    seconds: float


class Checkpoints:
    """The checkpoints of one sweep, in a folder that is created if necessary.

    Parameters
    ----------
    where : Checkpoint
        The folder, and how often to save.

    Raises
    ------
    OutputError
        If the folder cannot be created or written.
    """

    def __init__(self, where: Checkpoint) -> None:
        self.folder, self.every, self.required = Path(where.folder), where.every, where.required
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise OutputError(
                f"The checkpoint must be a folder that can be written. Got {str(self.folder)!r} "
                f"({error.strerror or error}); name another."
            ) from error
        self._newest: Path | None = None
        self._saved_at = time.monotonic()

    def restore(self, record: Record, settings: Mapping[str, Any]) -> Restored | None:
        """Fill a record from the newest checkpoint that is not damaged; returns None if there is none.

        Parameters
        ----------
        record : Record
            An empty one.
        settings : mapping
            All settings that decide the numbers, in types of JSON; the engine may be ``"auto"``.

        Raises
        ------
        OptionError
            If the checkpoint is of another sweep; the message lists the differences.
        """
        for path in self._kept():
            try:
                arrays = _read(path)
            except DataError as error:
                warnings.warn(f"{error} The one before it is used, if there is one.", stacklevel=4)
                continue
            about = json.loads(str(arrays["about"]))
            self._check_same_sweep(about["settings"], settings)
            _restore(record, arrays, about)
            self._newest = path
            return Restored(about["settings"]["engine"], about["seconds"])
        return None

    def save(
        self, record: Record, settings: Mapping[str, Any], seconds: float, *, due: bool = False
    ) -> None:
        """Save a record, and remove all checkpoints but this one and the one before.

        Parameters
        ----------
        record : Record
            Curves and latest states.
        settings : mapping
            All settings that decide the numbers, with the engine that trains.
        seconds : float
            Time that the training has taken so far.
        due : bool
            If true, save only when `Checkpoint.every` seconds have passed since the last time.
        """
        if due and time.monotonic() - self._saved_at < self.every:
            return
        about = {"settings": settings, "seconds": seconds, **_groups_of(record)}
        try:
            self._save(about, _arrays(record))
        finally:
            self._saved_at = time.monotonic()

    @interrupt_later()
    def _save(self, about: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Write a checkpoint, and remove all but it and the one before; Ctrl-C takes effect afterwards."""
        payload = io.BytesIO()
        np.savez(payload, allow_pickle=False, about=np.array(_as_json(about)), **arrays)
        body = payload.getbuffer()
        number = 1 + max((int(path.stem) for path in self._kept()), default=0)
        path = self.folder / f"{number:010d}{_SUFFIX}"

        def write(temporary: Path) -> None:
            with temporary.open("wb") as file:
                file.write(_FIRST_LINE + _checksum(body))
                file.write(body)
                file.flush()
                os.fsync(file.fileno())

        write_atomically(path, write)
        for other in (*self._kept(), *self.folder.glob(f".*{_SUFFIX}")):
            if other not in (path, self._newest):
                other.unlink(missing_ok=True)
        self._newest = path

    def _kept(self) -> list[Path]:
        """Files of complete checkpoints, the newest first. Temporary files begin with a dot."""
        return sorted(self.folder.glob(f"[0-9]*{_SUFFIX}"), reverse=True)

    def _check_same_sweep(self, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
        asked: dict[str, Any] = json.loads(_as_json(ours))
        if asked["engine"] == "auto":
            asked["engine"] = theirs["engine"]
        differences = [
            f"{name} is {_abbreviated(theirs.get(name))} there and {_abbreviated(asked.get(name))} here"
            for name in {**theirs, **asked}
            if theirs.get(name) != asked.get(name)
        ]
        if differences:
            raise OptionError(
                f"A checkpoint must be of the same sweep. Got one in {str(self.folder)!r} where "
                f"{'; '.join(differences)}. Use its settings to go on from it, or name another folder."
            )


def _as_json(about: Mapping[str, Any]) -> str:
    return json.dumps(about, default=str)


def _groups_of(record: Record) -> dict[str, Any]:
    """The position of each group of lanes, in the order of `_arrays`, and what else goes into JSON."""
    groups = [
        {
            "seed": s,
            "lanes": lanes.tolist(),
            "epoch": states.epoch,
            "step": states.step,
            "way": states.method,
            "between": states.between,
        }
        for s, begun in enumerate(record.latest)
        for lanes, states in begun
    ]
    texts = {
        "remarks": record.remarks,
        "ways": record.methods,
        "ended": record.ended.tolist(),
        "pruned": record.pruned.tolist(),
    }
    return {"groups": groups, **texts}


def _arrays(record: Record) -> dict[str, Array]:
    """A record as plain arrays: its curves, those of the latest states of each group of lanes, and of each lane's best."""
    arrays = {f"curve {name}": curve for name, curve in record.curves.items()}
    groups = [states for begun in record.latest for _, states in begun]
    for number, states in enumerate(groups):
        arrays.update({f"{number} {name}": array for name, array in states.arrays.items()})
    for (s, k), kept in record.best.items():
        arrays.update({f"best {s} {k} {name}": array for name, array in kept.items()})
    return arrays


def _restore(record: Record, arrays: Mapping[str, Array], about: Mapping[str, Any]) -> None:
    record.remarks += about["remarks"]
    record.methods += about["ways"]
    record.ended[:] = about["ended"]
    record.pruned[:] = about["pruned"]
    curves = {
        name.removeprefix("curve "): array
        for name, array in arrays.items()
        if name.startswith("curve ")
    }
    for name, curve in curves.items():
        record.curve(name)[:] = curve
    for name, array in arrays.items():
        if name.startswith("best "):
            _, s, k, of = name.split(" ", 3)
            record.best.setdefault((int(s), int(k)), {})[of] = array
    for number, group in enumerate(about["groups"]):
        s, lanes, mine = group["seed"], np.array(group["lanes"]), f"{number} "
        ended = record.ended[s, lanes]
        states = LaneStates(
            epoch=group["epoch"],
            step=group["step"],
            arrays={n.removeprefix(mine): a for n, a in arrays.items() if n.startswith(mine)},
            measured={},
            method=group["way"],
            ended=ended if ended.any() else None,
            between=group["between"],
        )
        point = record.horizon.point(states)
        if point is not None:
            measured = {name: curve[s, lanes, point] for name, curve in curves.items()}
            states.measured.update(measured)  # type: ignore[attr-defined]
        record.latest[s].append(Latest(lanes, states))


def _read(path: Path) -> dict[str, Array]:
    """Read the arrays of a checkpoint and check its checksum."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"The checkpoint {str(path)!r} cannot be read ({error.strerror})."
        ) from error
    if content.startswith(b"learnrate checkpoint 1\n"):
        raise OptionError(
            f"A checkpoint must be of this version of learnrate. Got {str(path)!r} of an older one; "
            "name another folder to start anew."
        )
    head = len(_FIRST_LINE) + len(_checksum(b""))
    body = memoryview(content)[head:]
    if content[:head] != _FIRST_LINE + _checksum(body):
        raise DataError(f"The checkpoint {str(path)!r} is damaged: its checksum does not match.")
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        return dict(arrays)


def _checksum(body: bytes | memoryview) -> bytes:
    return hashlib.sha256(body).hexdigest().encode() + b"\n"


def _abbreviated(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} rates from {min(value):g} to {max(value):g}" if value else "none"
    return str(value)
