"""CSV, TSV and JSON lines: what texts mean, and what is wrong with a broken file."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnrate.data import read_table
from learnrate.data.text import MISSING, meaning, plain_numbers
from learnrate.errors import DataError


def typed(text: pl.Series) -> pl.Series:
    number, text = plain_numbers(text)
    return meaning(text) if number is None else number


def read(tmp_path: Path, content: str | bytes, name: str = "t.csv") -> pl.DataFrame:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path)


def refusal(tmp_path: Path, content: str | bytes, name: str = "t.csv") -> str:
    with pytest.raises(DataError) as caught:
        read(tmp_path, content, name)
    message = str(caught.value)
    assert "\n" not in message
    assert name in message
    return message


class TestTypes:
    @pytest.mark.parametrize(
        ("values", "dtype", "expected"),
        [
            (["1", "-2", "+3"], pl.Int64, [1, -2, 3]),
            (["1", "2.5", "1e3", ".5"], pl.Float64, [1, 2.5, 1000, 0.5]),
            ([" 1", "2 ", "NA"], pl.Int64, [1, 2, None]),
            (["1", None, "?"], pl.Int64, [1, None, None]),
            (["9" * 25, "1"], pl.Int128, [10**25 - 1, 1]),
            (["9" * 50, "1"], pl.Float64, [1e50, 1]),
            (["inf", "-Infinity"], pl.Float64, [float("inf"), float("-inf")]),
            (["true", "FALSE", ""], pl.Boolean, [True, False, None]),
            (["yes", " no "], pl.String, ["yes", "no"]),
            (["1", "2", "three"], pl.String, ["1", "2", "three"]),
            (["1,5", "2"], pl.String, ["1,5", "2"]),
            (["2020-01-31", "NA"], pl.Date, [datetime.date(2020, 1, 31), None]),
            (["12:30:00", "01:00:00"], pl.Time, [datetime.time(12, 30), datetime.time(1)]),
            (["2020-01-31", "tomorrow"], pl.String, ["2020-01-31", "tomorrow"]),
            (["a-b", "c:d"], pl.String, ["a-b", "c:d"]),
            ([None, None], pl.Int64, [None, None]),
        ],
    )
    def test_narrowest(self, values: list[Any], dtype: Any, expected: list[Any]) -> None:
        column = typed(pl.Series("c", values, dtype=pl.String))
        assert column.dtype == dtype
        assert column.to_list() == expected
        assert column.name == "c"

    def test_timestamps(self) -> None:
        column = typed(pl.Series(["2020-01-31T12:00:00", "2021-01-31T12:30:00"]))
        assert column.dtype.is_temporal()

    @pytest.mark.parametrize("marker", MISSING)
    def test_missing_markers(self, marker: str, tmp_path: Path) -> None:
        frame = read(tmp_path, f"i,n,t\n1,1,x\n2,{marker},{marker}\n3,2.5,y\n")
        assert frame["n"].fill_nan(None).to_list() == [1, None, 2.5]
        assert frame["t"].to_list() == ["x", None, "y"]

    def test_floats_after_many_whole_numbers(self, tmp_path: Path) -> None:
        frame = read(tmp_path, "a,b\n" + "1,2\n" * 5000 + "1.5,x\n")
        assert frame["a"].dtype == pl.Float64
        assert frame["a"][-1] == 1.5
        assert frame["b"].dtype == pl.String

    @settings(max_examples=50, deadline=None, derandomize=True)
    @given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20))
    def test_numbers_come_back_exactly(self, values: list[float]) -> None:
        assert typed(pl.Series([repr(value) for value in values])).to_list() == values


class TestForms:
    def test_other_separators_are_told_by_the_header(self, tmp_path: Path) -> None:
        for separator in ";\t|":
            frame = read(tmp_path, f"a{separator}b\n1{separator}x,y\n")
            assert frame.rows() == [(1, "x,y")]

    def test_decimal_commas_go_with_semicolons(self, tmp_path: Path) -> None:
        frame = read(tmp_path, "a;b;c\n1,5;1.5;1,5\n2;2;x\n")
        assert frame.rows() == [(1.5, 1.5, "1,5"), (2, 2, "x")]

    def test_byte_order_mark_windows_line_ends_blank_lines_and_quotes(self, tmp_path: Path) -> None:
        content = '\ufeff\r\n"a ", b\r\n1,"x\r\ny"\r\n\r\n2,"say ""hi"""\r\n\r\n,\r\n'
        frame = read(tmp_path, content)
        assert frame.columns == ["a", "b"]
        assert frame.rows() == [(1, "x\r\ny"), (2, 'say "hi"')]

    def test_unnamed_columns_get_a_name(self, tmp_path: Path) -> None:
        assert read(tmp_path, ",a,\n0,1,\n1,2,\n").columns == ["column_1", "a", "column_3"]

    def test_a_name_over_two_lines(self, tmp_path: Path) -> None:
        assert read(tmp_path, '"lot\narea",b\n1,2\n').columns == ["lot area", "b"]

    def test_whole_numbers_may_name_columns(self, tmp_path: Path) -> None:
        assert read(tmp_path, "0,1\n5,6\n").columns == ["0", "1"]
        assert read(tmp_path, "2019,2020\n5,6\n").columns == ["2019", "2020"]

    def test_no_newline_at_the_end(self, tmp_path: Path) -> None:
        assert read(tmp_path, "a,b\n1,2\n3,4").height == 2


class TestBroken:
    def test_header_only(self, tmp_path: Path) -> None:
        for content in ("a,b\n", "a,b", "a,b\n\n\n", "a,b\n,\n"):
            assert "header alone" in refusal(tmp_path, content)

    def test_blank_lines_only(self, tmp_path: Path) -> None:
        assert "blank lines" in refusal(tmp_path, "\n\n")

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("a,b\n1,2\n3,4,5\n", "Got 3 in line 3"),
            ("a,b\n1,2\n\n3\n4,5\n", "Got 1 in line 4"),
            ('a,b\n"x\ny",2\n3\n', "Got 1 in line 4"),
            ("a;b\n1;2\n3\n", "Got 1 in line 3"),
        ],
    )
    def test_ragged_lines(self, content: str, words: str, tmp_path: Path) -> None:
        message = refusal(tmp_path, content)
        assert words in message
        assert "2 values" in message

    def test_a_late_ragged_line(self, tmp_path: Path) -> None:
        content = "a,b\n" + "1,NA\n" * 20_000 + "1\n"
        assert "line 20002" in refusal(tmp_path, content)

    def test_missing_values_in_the_last_column_are_not_ragged(self, tmp_path: Path) -> None:
        assert read(tmp_path, "a,b\n1,\n2,3\n").rows() == [(1, None), (2, 3)]

    def test_a_byte_that_fits_no_encoding(self, tmp_path: Path) -> None:
        content = "a,b\n" + "1,é\n" * 3 + "2,"
        message = refusal(tmp_path, content.encode() + b"\xff\n")
        assert "0xFF" in message
        assert "line 5;" in message
        assert "encoding" in message

    def test_a_binary_file(self, tmp_path: Path) -> None:
        assert "binary file" in refusal(tmp_path, b"a,b\n\0\0\0")

    def test_line_ends_of_old_macs(self, tmp_path: Path) -> None:
        assert read(tmp_path, "a,b\r1,2\r3,4\r").rows() == [(1, 2), (3, 4)]

    def test_repeated_names(self, tmp_path: Path) -> None:
        message = refusal(tmp_path, "a,b,a \n1,2,3\n")
        assert "'a'" in message
        assert "column 3" in message

    def test_no_header(self, tmp_path: Path) -> None:
        message = refusal(tmp_path, "1.5,2,3,4\n1,2,3,4\n")
        assert "names the columns" in message
        assert "1.5, 2, 3, …" in message
        assert "names the columns" in refusal(tmp_path, "1,0,1\n0,0,1\n")

    def test_a_quotation_mark_that_is_never_closed(self, tmp_path: Path) -> None:
        refusal(tmp_path, 'a,b\n"1,2\n3,4\n')
        assert "quotation mark" in refusal(tmp_path, 'a,b\n1,2\n"' + "3,4\n" * 50_000)


class TestJsonLines:
    def test_missing_keys_texts_and_blank_lines(self, tmp_path: Path) -> None:
        content = '{"a": 1, "d": "2020-01-01"}\n\n{"b": "NA", "a": 2.5}\n{"b": "x"}\n'
        frame = read(tmp_path, content, "t.jsonl")
        assert frame["a"].to_list() == [1, 2.5, None]
        assert frame["b"].to_list() == [None, None, "x"]
        assert frame["d"].dtype == pl.Date

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ('{"a": 1}\n{"a": \n', "line 2"),
            ('{"a": 1}\n\n[1, 2]\n', "line 3 instead (a list)"),
            ('[{"a": 1}, 2]', "object 2 instead (a int)"),
            ('[{"a": 1}, {"a": 2}', "object 3"),
            ('{"a": 1}\n{"a": NaN}\n', "line 2 instead (NaN is not JSON"),
            ("{}\n{}\n", "0 columns"),
        ],
    )
    def test_broken(self, content: str, words: str, tmp_path: Path) -> None:
        assert words in refusal(tmp_path, content, "t.jsonl")
