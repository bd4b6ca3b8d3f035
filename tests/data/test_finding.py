from __future__ import annotations

import sys
from pathlib import Path

import pytest

from learnrate.data.finding import find_sources
from learnrate.data.streaming.examples import from_stream
from learnrate.data.tables import FORMATS
from learnrate.errors import DataError, MissingExtraError, OptionError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.csv", "a.csv", "c.parquet", "notes.doc"):
        (tmp_path / name).write_text("a,y\n1,2\n")
    return tmp_path


def names(data: object) -> list[str]:
    return [Path(part.name).name for part in find_sources(data, FORMATS)]


def test_files_and_patterns(folder: Path) -> None:
    assert names(folder / "a.csv") == ["a.csv"]
    assert names(f"{folder}/*.csv") == ["a.csv", "b.csv"]
    assert names([folder / "c.parquet", f"{folder}/?.csv"]) == ["c.parquet", "a.csv", "b.csv"]


def test_addresses_that_pyarrow_opens(folder: Path) -> None:
    assert names(f"file://{folder}/a.csv") == ["a.csv"]
    (first, second) = find_sources(f"file://{folder}/*.csv", FORMATS)
    assert first.size == 8
    assert first.changed > 0
    assert first.open().read() == b"a,y\n1,2\n"
    assert Path(second.name).name == "b.csv"


def test_addresses_that_fsspec_opens() -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    for name in ("2", "1"):
        memory.pipe(f"/streamed/{name}.csv", b"a,y\n1,2\n")
    assert names("memory://streamed/*.csv") == ["1.csv", "2.csv"]
    (part,) = find_sources("memory://streamed/1.csv", FORMATS)
    assert part.size == 8
    assert part.open().read() == b"a,y\n1,2\n"
    with pytest.raises(DataError, match="must match at least one"):
        find_sources("memory://streamed/*.parquet", FORMATS)
    with pytest.raises(DataError, match="file that exists"):
        find_sources("memory://streamed/3.csv", FORMATS)


def test_without_fsspec_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match="pip install fsspec"):
        find_sources("memory://streamed/1.csv", FORMATS)


@pytest.mark.parametrize(
    ("data", "error", "what"),
    [
        ("-", OptionError, "standard input"),
        ("diabetes", OptionError, "ships with learnrate"),
        ("no/such.csv", DataError, "no folder"),
        ("*.nothing", DataError, "must match at least one"),
        pytest.param("nowhere://a/b.csv", DataError, "scheme", marks=pytest.mark.extra),
        ("file:///no/such.csv", DataError, "file that exists"),
    ],
)
def test_what_cannot_be_streamed(data: str, error: type[Exception], what: str) -> None:
    with pytest.raises(error, match=what) as caught:
        from_stream(data, memory=10**8)
    assert "\n" not in str(caught.value)


def test_other_formats_are_named(folder: Path) -> None:
    with pytest.raises(DataError, match=r"must be one of .csv.*notes\.doc"):
        find_sources(folder / "notes.doc", FORMATS)
