"""Examples of a table larger than memory, from its cache, which is made if necessary."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from learnrate._files import user_cache
from learnrate._shapes import Array, Float
from learnrate.data.blocks import TableBlock
from learnrate.data.columns import LeftOut
from learnrate.data.fingerprint import Fingerprint
from learnrate.data.missing import as_policy
from learnrate.data.moments import Moments
from learnrate.data.options import Table
from learnrate.data.plan import Plan, TargetKind, make_plan
from learnrate.data.prepared import (
    Prepared,
    Scaling,
    Stored,
    as_float_type,
    as_type,
    refuse_overflow,
    remarks_on_target,
)
from learnrate.data.remarks import remarks_on_fit
from learnrate.data.split import held_out_count
from learnrate.data.streaming.budget import batch_rows
from learnrate.data.streaming.cache import build, find, name_of
from learnrate.data.streaming.stored import StoredRows
from learnrate.data.tables import stream_table
from learnrate.errors import DataError
from learnrate.version import __version__

__all__ = ["from_stream"]

_SAMPLE_ROWS, _SAMPLE_NUMBERS = 20_000, 2_000_000


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
    options: Table | None = None,
    target_kind: TargetKind = "number",
) -> Prepared:
    """Prepare a table larger than memory. Its examples stay in files, with the values that `prepare` would give.

    Parameters
    ----------
    data : str, path, or several
        A file, a pattern, an address or several files, but not standard input.
    target, features, missing, standardize, val_fraction, seed, dtype, options, target_kind
        As for `learnrate.data.prepare.prepare`.
    memory : int
        Bytes that preparing may take, beside what Python itself needs.
    cache : path, optional
        The folder for caches. By default one in the user's cache folder.
    on_message : callable, optional
        Called with a sentence before a cache is written.

    Returns
    -------
    Prepared
        ``X_train`` and ``y_train`` hold up to 20,000 evenly spaced rows of the table, ``stored`` all of them.

    Raises
    ------
    DataError, OptionError
        As `learnrate.data.prepare.prepare` and `learnrate.data.read_table`.
    OutputError
        If the cache cannot be written.
    """
    wanted, policy, options = as_float_type(dtype), as_policy(missing), options or Table()
    held_out_count(1 << 40, val_fraction, seed)
    sources, table = stream_table(data, lambda columns: batch_rows(memory, columns), options)
    asked = {
        "files": [source.name for source in sources],
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
        "table": options.given(),
        "target_kind": target_kind,
    }
    state = {
        "files": [[source.size, source.changed] for source in sources],
        "learnrate": __version__,
    }
    folder = user_cache("tables") if cache is None else Path(cache).expanduser()
    name = name_of(asked, state)
    facts = find(folder, name)
    if facts is None:
        if on_message is not None:
            on_message(f"Preparing the table, once: its cache goes to {folder / name} …")
        plan = make_plan(
            table,
            target,
            features=features,
            policy=policy,
            standardize=standardize,
            val_fraction=val_fraction,
            seed=seed,
            options=options,
            target_kind=target_kind,
        )
        needed = plan.n * (len(plan.names) + 1) * wanted.itemsize
        made_of = {"asked": asked, "state": state}
        facts = build(folder, name, needed, lambda own: {**made_of, **_write(plan, own, wanted)})
    return _open(folder / name, facts)


def _write(plan: Plan, own: Path, dtype: np.dtype[Any]) -> dict[str, Any]:
    """Write the arrays into a folder, and return the facts for ``cache.json``."""
    split = plan.split
    held_out = 0 if split is None else split.held_out
    d = len(plan.names)
    trained, kept = Moments(), Moments()
    with ExitStack() as files:

        def file(name: str, *shape: int) -> _NpyWriter:
            kind = np.dtype(np.int64) if plan.classes and name.endswith("y") else dtype
            return files.enter_context(_NpyWriter(own / f"{name}.npy", shape, kind))

        train = file("X", plan.n - held_out, d), file("y", plan.n - held_out)
        val = (file("val_X", held_out, d), file("val_y", held_out)) if held_out else None
        done = 0
        for block in plan.table.read():
            X, y = _encode(plan, block, dtype)
            if split is not None and val is not None:
                if done + len(y) > plan.n:
                    raise _changed()
                mask = split.rows(done, len(y))
                val[0].add(X[mask])
                val[1].add(y[mask])
                kept.add(y[mask].astype(np.float64, copy=False))
                X, y = X[~mask], y[~mask]
                done += len(mask)
            train[0].add(X)
            train[1].add(y)
            trained.add(y.astype(np.float64, copy=False))
    scaling, ends = plan.scaling, np.array([trained.low, trained.high])
    remarks = () if plan.classes else remarks_on_target(ends, plan.target)
    return {
        "rows": plan.n - held_out,
        "held_out": held_out,
        "features": plan.names,
        "target": plan.target,
        "dtype": str(dtype),
        "scaling": None
        if scaling is None
        else {"mean": scaling.mean.tolist(), "scale": scaling.scale.tolist()},
        "left_out": [[out.name, out.reason] for out in plan.left_out],
        "references": plan.references,
        "classes": list(plan.classes),
        "class_counts": list(plan.classes.values()),
        "notes": [*plan.notes, *remarks],
        "val_variance": kept.deviation**2 if held_out else None,
        "fingerprint": _fingerprint(own, held_out > 0),
    }


def _encode(
    plan: Plan, block: TableBlock, dtype: np.dtype[Any]
) -> tuple[Float[Array, "rows d"], Array]:
    """The scaled features and the labels of a block."""
    y = plan.labels(block)
    if not plan.classes:
        y = as_type(y, dtype, plan.target)
    X = np.empty((len(y), len(plan.names)), dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # overflow is an error below
        for j, (_, values) in enumerate(plan.features(block)):
            if plan.scaling is not None:
                values = (values - plan.scaling.mean[j]) / plan.scaling.scale[j]
            X[:, j] = values
    if not np.isfinite(X).all():
        for j, name in enumerate(plan.names):
            refuse_overflow(X[:, j], name, dtype)
    return X, y


class _NpyWriter:
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
        """Flush the file to the disk and close it."""
        if self._left:
            raise _changed()
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()

    def __enter__(self) -> _NpyWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._stream.close()


def _changed() -> DataError:
    return DataError(
        "A table must not change while its cache is made. Got other rows when it was read again; "
        "run this again when the file is complete."
    )


def _fingerprint(own: Path, held_out: bool) -> str:
    """The fingerprint of the arrays in a folder, the same as for these arrays in memory."""
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
    remarks = [] if facts["classes"] else remarks_on_fit(sample.X, sample.y, facts["features"])
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
        notes=(*facts["notes"], *remarks),
        classes=tuple(facts["classes"]),
        class_counts=tuple(facts["class_counts"]),
        stored=Stored(train, val, facts["val_variance"], facts["fingerprint"]),
    )
