"""Examples from a table that is larger than memory: from its cache, which is made if need be."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from learnrate import __version__
from learnrate._shapes import Array
from learnrate.data.columns import LeftOut
from learnrate.data.fingerprint import Fingerprint
from learnrate.data.missing import as_policy
from learnrate.data.prepared import Prepared, Scaling, Stored, as_float_type, held_out_count
from learnrate.data.streaming.batches import Batch, batches
from learnrate.data.streaming.budget import batch_rows
from learnrate.data.streaming.cache import build, default_folder, find, name_of
from learnrate.data.streaming.gathered import Moments
from learnrate.data.streaming.parts import Part, find_parts
from learnrate.data.streaming.plan import Plan, make_plan
from learnrate.data.streaming.stored import StoredRows
from learnrate.errors import DataError

__all__ = ["from_stream"]

_SAMPLE_ROWS, _SAMPLE_NUMBERS = 20_000, 2_000_000
_COPY = 1 << 16


def from_stream(
    data: Any,
    target: str | None = None,
    *,
    memory: int,
    features: Sequence[str] | None = None,
    missing: str = "error",
    standardize: bool = True,
    val_fraction: float = 0.0,
    seed: int = 0,
    dtype: Any = np.float64,
    cache: str | os.PathLike[str] | None = None,
    on_message: Callable[[str], object] | None = None,
) -> Prepared:
    """Examples that stay in files, prepared as `learnrate.data.prepare.prepare` would in memory.

    Parameters
    ----------
    data : str, path, or several
        See `learnrate.data.streaming.parts.find_parts`.
    target, features, missing, standardize, val_fraction, seed, dtype
        As in `prepare`.
    memory : int
        Bytes that preparing may take, besides what the program itself does.
    cache : path, optional
        The folder for caches; the user's own unless given.
    on_message : callable, optional
        Called with a sentence before a cache is made.

    Returns
    -------
    Prepared
        Whose ``X_train`` and ``y_train`` are evenly spaced rows of the table, up to 20,000, and whose
        ``stored`` has them all.

    Raises
    ------
    DataError, OptionError
        As `prepare` and `learnrate.data.read_table`.
    OutputError
        If the cache cannot be written.
    """
    wanted, policy = as_float_type(dtype), as_policy(missing)
    held_out_count(1 << 40, val_fraction, seed)
    parts = find_parts(data)
    asked = {
        "files": [part.name for part in parts],
        "target": target,
        "features": None
        if features is None
        else [features]
        if isinstance(features, str)
        else list(features),
        "missing": str(policy),
        "standardize": standardize,
        "val": [float(val_fraction), int(seed)] if val_fraction else None,
        "dtype": str(wanted),
    }
    state = {"files": [[part.size, part.changed] for part in parts], "learnrate": __version__}
    folder = default_folder() if cache is None else Path(cache).expanduser()
    name = name_of(asked, state)
    facts = find(folder, name)
    if facts is None:
        if on_message is not None:
            on_message(f"Preparing the table, once: its cache goes to {folder / name} …")
        maker = _Maker(parts, memory)
        plan = make_plan(
            maker.read,
            target,
            features=features,
            policy=policy,
            standardize=standardize,
            val_fraction=val_fraction,
            seed=seed,
            dtype=wanted,
        )
        needed = plan.n * (len(plan.names) + 1) * wanted.itemsize
        made_of = {"asked": asked, "state": state}
        facts = build(folder, name, needed, lambda own: {**made_of, **maker.write(plan, own)})
    return _open(folder / name, facts)


class _Maker:
    """Reads a table in batches, and writes its cache."""

    def __init__(self, parts: list[Part], memory: int) -> None:
        self._parts, self._memory = parts, memory
        self._rows: int | None = None

    def read(self) -> Iterator[Batch]:
        """The table from its beginning."""
        if self._rows is None:  # the first batch tells how many columns there are
            first = next(batches(self._parts, 256))
            self._rows = batch_rows(self._memory, first.frame.width)
        return batches(self._parts, self._rows)

    def write(self, plan: Plan, own: Path) -> dict[str, Any]:
        """Write the arrays into a folder; return what is to be known of them."""
        held_out = 0 if plan.split is None else plan.split.held_out
        d = len(plan.names)
        labels = Moments()
        with (
            _Rows(own / "X.npy", (plan.n - held_out, d), plan.dtype) as X_file,
            _Rows(own / "y.npy", (plan.n - held_out,), plan.dtype) as y_file,
        ):
            val = None
            if plan.split is not None:
                val = (
                    _Rows(own / "val_X.npy", (held_out, d), plan.dtype),
                    _Rows(own / "val_y.npy", (held_out,), plan.dtype),
                )
            done = 0
            for batch in self.read():
                X, y = plan.encode(batch)
                if plan.split is not None and val is not None:
                    mask = plan.split.rows(done, len(y)) if done + len(y) <= plan.n else None
                    if mask is None:
                        raise _changed()
                    val[0].add(X[mask])
                    val[1].add(y[mask])
                    labels.add(y[mask].astype(np.float64))
                    done += len(y)
                    X, y = X[~mask], y[~mask]
                X_file.add(X)
                y_file.add(y)
            for one in val or ():
                one.close()
        scaling = plan.scaling
        return {
            "rows": plan.n - held_out,
            "held_out": held_out,
            "features": plan.names,
            "target": plan.target,
            "dtype": str(plan.dtype),
            "scaling": None
            if scaling is None
            else {"mean": scaling.mean.tolist(), "scale": scaling.scale.tolist()},
            "left_out": [[out.name, out.reason] for out in plan.left_out],
            "references": {one.name: one.categories[0] for one in plan.columns if one.categories},
            "notes": list(plan.notes),
            "val_variance": labels.deviation**2 if held_out else None,
            "fingerprint": _fingerprint(own, held_out > 0),
        }


class _Rows:
    """A ``.npy`` file that is written row by row."""

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._left = shape[0]
        self._stream: BinaryIO = path.open("wb")
        header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._stream, header)

    def add(self, rows: Array) -> None:
        self._left -= len(rows)
        if self._left < 0:
            raise _changed()
        self._stream.write(np.ascontiguousarray(rows).data)

    def close(self) -> None:
        """Bring it to the disk."""
        if self._left:
            raise _changed()
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()

    def __enter__(self) -> _Rows:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._stream.close()


def _changed() -> DataError:
    return DataError(
        "A table must stay as it is while its cache is made. Got other rows when it was read again; "
        "run this again when its writer is done."
    )


def _fingerprint(own: Path, held_out: bool) -> str:
    """That of the same arrays in memory."""
    digest = Fingerprint()
    for name in ("X", "y", "val_X", "val_y"):
        if name.startswith("val") and not held_out:
            digest.add(None)
            continue
        array = np.load(own / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        digest.begin(array.dtype, array.shape)
        file = (own / f"{name}.npy").open("rb")
        with file:
            file.seek(array.offset)
            while some := file.read(1 << 20):
                digest.more(some)
    return digest.hexdigest()


def _open(folder: Path, facts: dict[str, Any]) -> Prepared:
    train = StoredRows(folder)
    val = StoredRows(folder, "val_") if facts["held_out"] else None
    scaling = facts["scaling"]
    most = max(2, min(_SAMPLE_ROWS, _SAMPLE_NUMBERS // train.d))
    sample = train.every(max(1, -(-train.n // most)))
    return Prepared(
        X_train=sample.X,
        y_train=sample.y,
        X_val=None,
        y_val=None,
        feature_names=tuple(facts["features"]),
        target_name=facts["target"],
        scaling=None
        if scaling is None
        else Scaling(np.array(scaling["mean"]), np.array(scaling["scale"])),
        left_out=tuple(LeftOut(*out) for out in facts["left_out"]),
        references=facts["references"],
        notes=tuple(facts["notes"]),
        stored=Stored(train, val, facts["val_variance"], facts["fingerprint"]),
    )
