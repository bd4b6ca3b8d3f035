"""Reading tables: every format, several files, standard input, and what is refused."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnrate.data import BUILT_IN, FORMATS, load_diabetes, read_table
from learnrate.data.prepare import prepare
from learnrate.errors import DataError

FRAME = pl.DataFrame(
    {
        "area": [50, 60, 75, 90, 110],
        "height": [2.5, 2.75, None, 3.0, 2.25],
        "street": ["Grvl", "Pave", "Pave", None, "Grvl"],
        "new": [True, False, False, True, True],
        "price": [1.5, 2.5, 3.5, 4.5, 1e-3],
    }
)

WRITERS: dict[str, Callable[[pl.DataFrame, Any], Any]] = {
    ".csv": pl.DataFrame.write_csv,
    ".tsv": lambda frame, file: frame.write_csv(file, separator="\t"),
    ".parquet": pl.DataFrame.write_parquet,
    ".feather": lambda frame, file: frame.write_ipc(file, compression="lz4"),
    ".arrow": pl.DataFrame.write_ipc,
    ".ipc": pl.DataFrame.write_ipc_stream,
    ".jsonl": pl.DataFrame.write_ndjson,
    ".ndjson": pl.DataFrame.write_ndjson,
}


def written(frame: pl.DataFrame, suffix: str) -> bytes:
    buffer = io.BytesIO()
    WRITERS[suffix](frame, buffer)
    return buffer.getvalue()


def refusal(source: object, **options: Any) -> str:
    """The message with which reading is refused: one line."""
    with pytest.raises(DataError) as caught:
        read_table(source, **options)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_every_format_is_written_here_or_numpys() -> None:
    others = {".npy", ".npz", ".txt", ".data", ".dat", ".json", ".xlsx", ".xls", ".ods", "", "::"}
    assert set(FORMATS) == {*WRITERS, *others}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzipped"])
@pytest.mark.parametrize("suffix", WRITERS)
def test_formats_agree(suffix: str, packed: bool, tmp_path: Path) -> None:
    content = written(FRAME, suffix)
    path = tmp_path / f"houses{suffix}{'.gz' if packed else ''}"
    path.write_bytes(gzip.compress(content) if packed else content)
    frame = read_table(path)
    assert frame.columns == FRAME.columns
    assert frame.rows() == FRAME.rows()
    assert read_table(str(path)).equals(frame)


numbers = st.floats(-1e6, 1e6).map(lambda x: round(x, 6))
tables = st.integers(4, 12).flatmap(
    lambda n: st.fixed_dictionaries(
        {
            "a": st.lists(numbers, min_size=n, max_size=n, unique=True),
            "b": st.lists(st.integers(-1000, 1000), min_size=n, max_size=n),
            "c": st.lists(st.sampled_from(["x", "y,z", 'q"', "é"]), min_size=n, max_size=n),
            "y": st.lists(numbers, min_size=n, max_size=n),
        }
    )
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(columns=tables)
def test_formats_give_the_same_examples(
    columns: dict[str, list[Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    frame = pl.DataFrame(columns)
    expected = prepare(frame, "y")
    folder = tmp_path_factory.mktemp("formats")
    for suffix in (".csv", ".parquet", ".arrow", ".jsonl"):
        (folder / f"t{suffix}").write_bytes(written(frame, suffix))
        prepared = prepare(read_table(folder / f"t{suffix}"), "y")
        assert prepared.feature_names == expected.feature_names
        assert prepared.left_out == expected.left_out
        np.testing.assert_array_equal(prepared.X_train, expected.X_train)
        np.testing.assert_array_equal(prepared.y_train, expected.y_train)


def test_a_suffix_in_capitals_and_brackets_in_a_name(tmp_path: Path) -> None:
    for suffix in (".CSV", ".parquet", ".arrow", ".jsonl"):
        path = tmp_path / f"a[1]{suffix}"
        path.write_bytes(written(FRAME, suffix.lower()))
        assert read_table(path).rows() == FRAME.rows()


def test_a_folder_named_like_a_hive_partition_adds_no_column(tmp_path: Path) -> None:
    (tmp_path / "year=2020").mkdir()
    FRAME.write_parquet(tmp_path / "year=2020" / "t.parquet")
    assert read_table(tmp_path / "year=2020" / "t.parquet").columns == FRAME.columns


class TestSeveralFiles:
    def test_a_pattern_reads_the_files_in_order(self, tmp_path: Path) -> None:
        FRAME[3:].write_csv(tmp_path / "b.csv")
        FRAME[:3].select(reversed(FRAME.columns)).write_csv(tmp_path / "a.csv")
        frame = read_table(tmp_path / "*.csv")
        assert frame.columns == list(reversed(FRAME.columns))
        assert frame.select(FRAME.columns).rows() == FRAME.rows()
        assert read_table([tmp_path / "b.csv", tmp_path / "a.csv"])["area"][0] == 90

    def test_types_may_differ_from_file_to_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text(
            "n,all,text,m,day\n1,2,3,4,2020-01-31\n2,3,4,5,2020-02-01\n"
        )
        (tmp_path / "b.csv").write_text("n,all,text,m,day\n1.5,NA,three,,\n2,NA,x,,\n")
        frame = read_table(tmp_path / "?.csv")
        assert frame["n"].to_list() == [1.0, 2.0, 1.5, 2.0]
        assert frame["all"].to_list() == [2, 3, None, None]
        assert frame["text"].to_list() == ["3", "4", "three", "x"]
        assert frame["m"].dtype == pl.Int64
        assert frame["day"].dtype == pl.Date

    def test_types_that_have_nothing_in_common(self, tmp_path: Path) -> None:
        pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "a.parquet")
        pl.DataFrame({"a": [[{"b": 1}]]}).write_parquet(tmp_path / "b.parquet")
        message = refusal(tmp_path / "*.parquet")
        assert "'a'" in message
        assert "Int64" in message

    def test_the_file_that_differs_is_named(self, tmp_path: Path) -> None:
        FRAME.write_csv(tmp_path / "a.csv")
        FRAME.drop("area").write_csv(tmp_path / "b.csv")
        message = refusal(tmp_path / "*.csv")
        assert "b.csv" in message
        assert "lacks 'area'" in message
        FRAME.with_columns(extra=1).write_csv(tmp_path / "b.csv")
        assert "has another column, 'extra'" in refusal(tmp_path / "*.csv")

    def test_a_pattern_that_matches_nothing(self, tmp_path: Path) -> None:
        assert "matches none" in refusal(tmp_path / "*.nothing")
        assert "*.nothing" in refusal(tmp_path / "*.nothing")


class TestStandardInput:
    def test_bytes_and_text(self) -> None:
        text = "a,b\n1,2\n3,4\n"
        expected = [(1, 2), (3, 4)]
        assert read_table("-", stdin=io.BytesIO(text.encode())).rows() == expected
        assert read_table("-", stdin=io.StringIO(text)).rows() == expected
        assert read_table("-", stdin=io.TextIOWrapper(io.BytesIO(text.encode()))).rows() == expected

    def test_what_is_refused(self) -> None:
        assert "0 bytes" in refusal("-", stdin=io.BytesIO(b""))
        assert "Standard input" in refusal("-", stdin=io.BytesIO(b"a,b\n"))
        assert "2 names in line 1" in refusal("-", stdin=io.BytesIO(b"a,b\n1,2,3\n"))
        assert "standard input" in refusal("-")


class TestRefusedFiles:
    def test_no_such_file_suggests_the_nearest(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        FRAME.write_csv(tmp_path / "houses.csv")
        message = refusal(tmp_path / "huoses.csv")
        assert "huoses.csv" in message
        assert "Did you mean 'houses.csv'?" in message
        assert "no folder" in refusal(tmp_path / "nowhere" / "houses.csv")
        monkeypatch.chdir(tmp_path)
        assert "Did you mean 'diabetes'?" in refusal("diabets")

    def test_no_table_is_near(self, tmp_path: Path) -> None:
        assert "No table is in that folder" in refusal(tmp_path / "houses.csv")

    def test_a_folder(self, tmp_path: Path) -> None:
        message = refusal(tmp_path)
        assert "folder" in message
        assert "*.csv" in message

    @pytest.mark.parametrize("suffix", [*sorted(set(FORMATS) - {"::"}), ".csv.gz"])
    def test_an_empty_file(self, suffix: str, tmp_path: Path) -> None:
        (tmp_path / f"t{suffix}").touch()
        assert f"t{suffix}" in refusal(tmp_path / f"t{suffix}")

    def test_a_suffix_that_is_not_known(self, tmp_path: Path) -> None:
        for name in ("t.doc", "t.doc.gz"):
            (tmp_path / name).write_bytes(b"PK")
            message = refusal(tmp_path / name)
            assert all(suffix in message for suffix in FORMATS if suffix != "::")
            assert name in message

    @pytest.mark.parametrize(
        "suffix",
        [
            *(".parquet", ".feather", ".arrow", ".ipc", ".jsonl", ".json", ".npy", ".npz"),
            pytest.param(".xlsx", marks=pytest.mark.extra),
        ],
    )
    def test_something_else_under_the_suffix(self, suffix: str, tmp_path: Path) -> None:
        (tmp_path / f"t{suffix}").write_bytes(b"a,b\n1,2\n" * 20)
        message = refusal(tmp_path / f"t{suffix}")
        assert f"t{suffix}" in message
        assert "must" in message
        assert "instead" in message

    @pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".ipc"])
    def test_no_rows(self, suffix: str, tmp_path: Path) -> None:
        (tmp_path / f"t{suffix}").write_bytes(written(FRAME[:0], suffix))
        assert "Got 0 rows" in refusal(tmp_path / f"t{suffix}")

    def test_a_cut_gzip_file(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n" * 100)[:-10])
        assert "gzip" in refusal(tmp_path / "t.csv.gz")
        (tmp_path / "t.csv.gz").write_bytes(b"a,b\n1,2\n")
        assert "gzip" in refusal(tmp_path / "t.csv.gz")

    def test_no_permission(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        FRAME.write_csv(tmp_path / "t.csv")

        def forbidden(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", forbidden)  # root, who may run this, may read everything
        message = refusal(tmp_path / "t.csv")
        assert "Permission denied" in message
        assert "t.csv" in message

    def test_names_that_the_system_refuses(self) -> None:
        assert "File name too long" in refusal("x" * 5000 + ".csv")
        assert "exists" in refusal("a\0b.csv")


def test_repeated_names_in_an_arrow_file(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow.parquet import write_table

    table = pa.table([pa.array([1, 2]), pa.array([3, 4])], names=["a", "a"])
    write_table(table, tmp_path / "t.parquet")
    assert "'a'" in refusal(tmp_path / "t.parquet")


class TestBuiltIn:
    def test_diabetes(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        frame = read_table("diabetes")
        assert frame.equals(load_diabetes())
        assert frame.shape == (442, 11)
        assert frame.columns[:4] == ["age", "sex", "bmi", "bp"]
        assert frame.columns[-1] == BUILT_IN["diabetes"].target
        assert not any(frame.null_count().row(0))
        # The sums by which the published table is told: mean response 152.133, mean age 48.518.
        assert frame["progression"].sum() == 67243
        assert frame["age"].mean() == pytest.approx(48.5181, abs=1e-4)

    def test_least_squares_is_that_of_the_paper(self) -> None:
        """Efron et al. (2004), section 1: bmi and s5 come first, and R² of all ten is 0.518."""
        data = prepare(load_diabetes())
        design = np.column_stack([data.X_train, np.ones(442)])
        theta, residual, *_ = np.linalg.lstsq(design, data.y_train, rcond=None)
        assert 1 - residual[0] / (442 * data.y_train.var()) == pytest.approx(0.518, abs=5e-4)
        correlation = np.abs(data.X_train.T @ (data.y_train - data.y_train.mean()))
        first_two = {data.feature_names[j] for j in np.argsort(correlation)[-2:]}
        assert first_two == {"bmi", "s5"}
        assert theta[-1] == pytest.approx(152.133, abs=1e-3)

    def test_a_file_of_that_name_comes_first(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "diabetes").mkdir()
        assert "folder" in refusal("diabetes")


def test_importing_loads_no_table_library() -> None:
    code = "import sys, learnrate.data, learnrate.data.prepare; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not {"polars", "pandas", "pyarrow"} & set(done.stdout.split())
