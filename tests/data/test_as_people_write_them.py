"""Tables as people write them: each is read rightly, in memory and in blocks, and what was judged is said."""

from __future__ import annotations

import bz2
import io
import json
import lzma
import math
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from learnrate.data import Prepared
from learnrate.data.options import Table
from learnrate.errors import InputError, OptionError
from learnrate.sweeps.examples import examples

AREA = [52.8, 114.2, 94.5, 34.8, 159.6, 75.3]
ROOMS = [1, 4, 2, 4, 1, 2]
PRICE = [58389, 135320, 104902, 55770, 166344, 86249]
PLAIN = "area,rooms,price\n" + "".join(
    f"{a},{r},{p}\n" for a, r, p in zip(AREA, ROOMS, PRICE, strict=True)
)


def made(make: Callable[[], Prepared]) -> Prepared | str:
    try:
        return make()
    except InputError as error:
        return str(error)


def both(path: Path, target: str | None = "price", **options: Any) -> Prepared | str:
    """The examples, or the error's sentence: the same in memory and in blocks."""
    kept: dict[str, Any] = {
        name: options.pop(name)
        for name in ("missing", "features", "target_kind", "val")
        if name in options
    }
    asked: dict[str, Any] = {
        "target": target,
        "table": Table(**options),
        "standardize": False,
        **kept,
    }
    memory = made(lambda: examples(path, **asked))
    cache = path.parent / "cache"
    blocks = made(lambda: examples(path, **asked, memory=16 * 10**6, cache=cache))
    if isinstance(memory, str) or isinstance(blocks, str):
        assert memory == blocks
        return memory
    for name in ("feature_names", "left_out", "notes", "n", "held_out", "classes", "class_counts"):
        assert getattr(memory, name) == getattr(blocks, name), name
    assert blocks.stored is not None
    X, y = next(iter(blocks.stored.train.blocks(blocks.n, [0])))
    np.testing.assert_array_equal(X, memory.X_train)
    np.testing.assert_array_equal(y, memory.y_train)
    return memory


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Prepared]:
    """Write a file and read it both ways."""

    def read(content: str | bytes, name: str = "t.csv", **options: Any) -> Prepared:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        found = both(path, **options)
        assert isinstance(found, Prepared), found
        return found

    return read


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., str]:
    """Write a file that is refused both ways, in the same words."""

    def refused(content: str | bytes, name: str = "t.csv", **options: Any) -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        found = both(path, **options)
        assert isinstance(found, str), found
        assert "\n" not in found
        return found

    return refused


def column(data: Prepared, name: str) -> list[float]:
    values: list[float] = data.X_train[:, data.feature_names.index(name)].tolist()
    return values


def said(data: Prepared) -> str:
    return " ".join(data.notes)


def table(separator: str = ",", **columns: list[Any]) -> str:
    """A text file of these columns, and a price."""
    return text_of(columns, separator)


def text_of(columns: dict[str, list[Any]], separator: str = ",") -> str:
    n = len(next(iter(columns.values())))
    columns.setdefault("price", [10.25, 20.5, 7, 31, 12, 15, 9, 11][:n])
    rows = zip(*columns.values(), strict=True)
    lines = [separator.join(columns), *(separator.join(map(str, row)) for row in rows)]
    return "\n".join(lines) + "\n"


class TestNumbers:
    @pytest.mark.parametrize(
        ("texts", "numbers"),
        [
            (["$5,838", "$13,532", "$10", "-$7"], [5838, 13532, 10, -7]),
            (["25.5%", "47.2%", "9%", "12 %"], [25.5, 47.2, 9, 12]),
            (["(1,200)", "300", "1,000,000", "5"], [-1200, 300, 1e6, 5]),
            (["1_000", "2_500", "30", "7"], [1000, 2500, 30, 7]),
            (["≥5", "≥7", "≥10", "≥1"], [5, 7, 10, 1]),
            (["12 km", "1 km", "3.5 km", "7 km"], [12, 1, 3.5, 7]),
            (["5 years", "1 year", "3 years", "2 years"], [5, 1, 3, 2]),
            (["EUR 5", "EUR 7.50", "EUR 1,200", "EUR 2"], [5, 7.5, 1200, 2]),
            (["1'234", "2'500.5", "7", "30"], [1234, 2500.5, 7, 30]),
            (["12,34,567", "1,00,000", "500", "7"], [1234567, 100000, 500, 7]),
            (["−5", "3", "−2.5", "1"], [-5, 3, -2.5, 1]),
        ],
    )
    def test_with_marks(self, texts: list[str], numbers: list[float], read: Any) -> None:
        data = read(table(a=[f'"{text}"' for text in texts]))
        assert column(data, "a") == numbers
        assert "Numbers read from text: a (" in said(data)

    def test_in_the_target_and_in_frames(self, read: Any) -> None:
        data = read(table(a=[1, 2, 3], price=['"$1,200"', "$5", "$7.50"]))
        assert data.y_train.tolist() == [1200, 5, 7.5]
        frame = pl.DataFrame({"a": ["$1,200", "$5", "$7"], "price": [1, 2, 4]})
        for one in (frame, frame.to_pandas()):
            assert column(examples(one, target="price", standardize=False), "a") == [1200, 5, 7]

    @pytest.mark.parametrize(
        ("texts", "words"),
        [
            (
                ["$4.99", "0", "0", "1"],
                "'$4.99' in data row 1, with the mark '$', beside '0' in data row 2",
            ),
            (
                ["0", "1", "3+", "2"],
                "'3+' in data row 3, with the mark '+', beside '0' in data row 1",
            ),
            (["5 km", "3 km", "2 mi", "7 km"], None),
            (["$5", "€5", "$7", "$8"], "with the mark '€'"),
            (["1,5", "1.5", "2", "3"], "'1.5' in data row 2 beside '1,5' in data row 1"),
        ],
    )
    def test_of_several_forms(
        self, texts: list[str], words: str | None, refused: Any, read: Any
    ) -> None:
        content = table(a=[f'"{text}"' for text in texts], b=[1, 5, 2, 7])
        if words is None:
            return
        message = refused(content)
        assert words in message
        assert "drop" in message
        assert read(content, drop="a").feature_names == ("b",)
        assert read(content, features=["b"]).feature_names == ("b",)

    def test_codes_and_ranges_are_text(self, read: Any) -> None:
        data = read(table(a=["12A", "7B", "12A", "7B"], b=["18-24", "25-34", "18-24", "25-34"]))
        assert data.feature_names == ("a=7B", "b=25-34")

    def test_a_slip_among_numbers_with_marks(self, refused: Any) -> None:
        message = refused(table(a=[*(f"${i}" for i in range(19)), "free"], price=list(range(20))))
        assert "19 numbers, and 'free' in data row 20" in message


class TestDecimalMarks:
    def test_thousands_where_decimals_would_be_written_out(self, read: Any) -> None:
        data = read("menge;umsatz\n267;33.375\n358;44.750\n7;875\n4;500\n", target="umsatz")
        assert data.y_train.tolist() == [33375, 44750, 875, 500]
        assert "umsatz ('33.375' as 33375)" in said(data)
        data = read(table(";", a=["300", "1,200", "600", "1,500"]))
        assert column(data, "a") == [300, 1200, 600, 1500]

    def test_another_column_tells(self, read: Any) -> None:
        data = read(table(";", a=["116,778", "270,640", "209,804"], price=["52.84", "114.2", "9"]))
        assert column(data, "a") == [116778, 270640, 209804]
        data = read(table(";", a=["33.375", "44.751", "12.345"], price=["52,84", "114,2", "9"]))
        assert column(data, "a") == [33375, 44751, 12345]
        assert data.y_train.tolist() == [52.84, 114.2, 9]

    def test_tabs_and_decimal_commas(self, read: Any) -> None:
        data = read("area\tprice\n52,8\t58,39\n114,2\t135,32\n7\t9\n", "t.tsv")
        assert column(data, "area") == [52.8, 114.2, 7]
        assert data.y_train.tolist() == [58.39, 135.32, 9]

    def test_where_both_fit_the_option_is_asked_for(self, refused: Any, read: Any) -> None:
        content = table(";", a=["33.375", "44.751", "12.345"], price=[1, 2, 4])
        message = refused(content)
        assert "'33.375' in data row 1, which is 33.375 or 33375" in message
        assert "decimal='.'" in message
        assert column(read(content, decimal="."), "a") == [33.375, 44.751, 12.345]
        assert column(read(content, decimal=","), "a") == [33375, 44751, 12345]
        assert column(read(content, thousands="."), "a") == [33375, 44751, 12345]

    def test_points_in_a_file_of_commas_are_decimal_points(self, read: Any) -> None:
        assert column(read(table(a=["33.375", "44.751", "500"])), "a") == [33.375, 44.751, 500]

    def test_an_option_that_does_not_fit(self, refused: Any) -> None:
        message = refused(table(";", a=["1.5", "2.25"], price=[1, 2]), decimal=",")
        assert "'1.5' in data row 1" in message
        assert "decimal" in message


class TestLines:
    @pytest.mark.parametrize(
        ("content", "note"),
        [
            ("# made by logger v1\n# units: m2\n" + PLAIN, "begin with '#'"),
            ("sep=;\n" + PLAIN.replace(",", ";"), "semicolons"),
            ("House prices 2024,,\n" + PLAIN, "'House prices 2024'"),
            ("House prices 2024\n\n" + PLAIN, "'House prices 2024'"),
            (PLAIN.replace(",", " "), "blanks"),
            (PLAIN.replace(",", "   "), "blanks"),
            (PLAIN.replace(",", ";"), "semicolons"),
            (PLAIN.replace("\n", "\nm2,,EUR\n", 1), "Line 2 is read as units"),
            ("# area rooms price\n" + PLAIN.split("\n", 1)[1].replace(",", " "), "blanks"),
            (PLAIN.replace("\n3", "\n# a break\n3"), "begin with '#'"),
        ],
    )
    def test_judged_and_said(self, content: str, note: str, read: Any) -> None:
        data = read(content)
        assert column(data, "area") == AREA
        assert data.y_train.tolist() == PRICE
        assert note in said(data)

    @pytest.mark.parametrize("name", ["t.txt", "t.data", "t.dat", "t"])
    def test_any_suffix_of_text(self, name: str, read: Any) -> None:
        for separator in (",", ";", "\t", "|", " "):
            assert column(read(PLAIN.replace(",", separator), name), "area") == AREA

    def test_a_comma_in_a_name_is_no_separator(self, read: Any) -> None:
        for name in ("area, m2", '"area, m2"'):
            content = PLAIN.replace(",", ";").replace("area", name, 1)
            assert read(content).feature_names == ("area, m2", "rooms")

    def test_fixed_columns(self, read: Any) -> None:
        lines = [
            "name        area  price",
            "Big house   52.8  58389",
            "Hut         114   135320",
            "Old mill    94.5  104902",
        ]
        data = read("\n".join([*lines, *lines[1:]]) + "\n", "t.txt")
        assert "fixed columns" in said(data)
        assert column(data, "area") == [52.8, 114, 94.5] * 2
        assert column(data, "name=Hut") == [0, 1, 0] * 2

    def test_as_r_writes_it(self, read: Any) -> None:
        content = '"mpg" "price"\n' + "".join(f'"Car {i}" {20 + i} {i * i}\n' for i in range(6))
        data = read(content, "t.txt")
        assert column(data, "mpg") == [20, 21, 22, 23, 24, 25]
        assert "read as the row's name" in said(data)

    def test_separators_at_the_ends(self, read: Any) -> None:
        for content in (
            PLAIN.replace("\n", ",\n"),
            PLAIN.replace("\n", ",\n").replace(",\n", "\n", 1),
        ):
            data = read(content)
            assert column(data, "area") == AREA
            assert [out.name for out in data.left_out] == ["column_4"]

    def test_a_first_line_that_looks_like_data(self, refused: Any, read: Any) -> None:
        content = "".join(
            f"{'FM'[i % 2]},{a},{p}\n" for i, (a, p) in enumerate(zip(AREA, PRICE, strict=True))
        )
        message = refused(content)
        assert (
            "F, 52.8, 58389 in line 1 instead, which looks like data; use header=False" in message
        )
        data = read(content, header=False, target="column_3")
        assert data.n == 6
        assert column(data, "column_2") == AREA
        assert read(content, header=True, target="58389").n == 5

    def test_years_as_names(self, read: Any) -> None:
        assert "2019" in read("kind,2019,price\na,1,3\nb,2,4\na,5,9\n").feature_names
        data = read("2019,2020,2021\n1,2,3\n2,7,4\n5,2,9\n", target="2021")
        assert "2019" in data.feature_names
        assert "read as column names" in said(data)

    def test_the_header_is_named_if_it_is_at_fault(self, refused: Any, read: Any) -> None:
        content = "area,price\n" + PLAIN.split("\n", 1)[1]
        assert "2 names in line 1, 'area, price', and 3 values" in refused(content)
        data = read("junk\nmore junk\n" + PLAIN, skip_lines=2)
        assert column(data, "area") == AREA

    def test_options(self, read: Any) -> None:
        assert column(read("% a remark\n" + PLAIN, comment="%"), "area") == AREA
        assert column(read(PLAIN.replace(",", ":"), sep=":"), "area") == AREA
        assert column(read(PLAIN.replace(",", "  "), sep="blanks"), "area") == AREA

    def test_blocks_smaller_than_the_file(self, read: Any) -> None:
        rows = "".join(f"{i} {i * i % 97} {i % 7}\n" for i in range(20_000))
        data = read("# logger\na b price\n" + rows, "t.txt")
        assert data.n == 20_000
        assert column(data, "b") == [i * i % 97 for i in range(20_000)]


class TestEncodings:
    @pytest.mark.parametrize(
        ("encoding", "words", "name"),
        [
            ("utf-16", ["Köln", "北京"], "UTF-16"),
            ("utf-16-le", ["abc", "xyz"], "UTF-16"),
            ("gb18030", ["北京", "上海", "广州", "深圳市"], "GB18030"),
            ("gb18030", ["红", "绿", "蓝", "颜色"], "GB18030"),
            ("cp949", ["서울", "부산", "대구", "인천"], "CP949"),
            ("cp1251", ["МОСКВА", "КАЗАНЬ", "САМАРА"], "Windows-1251"),
            ("big5", ["台北", "高雄", "台中", "臺南"], "Big5"),
            ("shift_jis", ["東京", "大阪", "さっぽろ", "ふくおか"], "Shift-JIS"),
            ("cp1252", ["Köln", "Málaga", "Besançon", "Zürich"], "Windows-1252"),
            ("latin-1", ["Köln", "München", "Düsseldorf", "Nürnberg"], "Latin-1"),
            ("cp1251", ["Москва", "Казань", "Самара", "Пермь"], "Windows-1251"),
        ],
    )
    def test_found_and_said(self, encoding: str, words: list[str], name: str, read: Any) -> None:
        texts = [words[i % len(words)] for i in range(40)]
        data = read(table(city=texts, price=list(range(40))).encode(encoding))
        assert {f"city={word}" for word in words} - set(data.feature_names) == {
            f"city={data.references['city']}"
        }
        assert name in said(data)
        again = read(table(city=texts, price=list(range(40))).encode(encoding), encoding=encoding)
        assert again.feature_names == data.feature_names

    def test_late_in_the_file(self, read: Any) -> None:
        content = "a,t,price\n" + "".join(f"{i % 97},x,{i % 31}\n" for i in range(300_000))
        data = read((content + "5,Köln,7\n" * 10).encode("latin-1"))
        assert "t=Köln" in data.feature_names

    def test_an_encoding_that_is_none(self) -> None:
        with pytest.raises(OptionError, match="Did you mean 'gb18030'"):
            Table(encoding="gb18031")
        with pytest.raises(OptionError, match="encoding"):
            Table(encoding="hex")


class TestFiles:
    def test_packed(self, read: Any) -> None:
        import pyarrow as pa

        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, "w") as archive:
            archive.writestr("houses.csv", PLAIN)
            archive.writestr("__MACOSX/._houses.csv", "x")
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(PLAIN.encode())
        packed = {
            "t.csv.bz2": bz2.compress(PLAIN.encode()),
            "t.csv.xz": lzma.compress(PLAIN.encode()),
            "t.zip": zipped.getvalue(),
            "t.csv.zip": zipped.getvalue(),
            "t.csv.zst": sink.getvalue().to_pybytes(),
        }
        for name, content in packed.items():
            assert column(read(content, name), "area") == AREA, name

    def test_damaged_or_several(self, refused: Any) -> None:
        assert "whole bzip2 file" in refused(bz2.compress(PLAIN.encode())[:-9], "t.csv.bz2")
        assert "whole zip file" in refused(PLAIN, "t.zip")
        two = io.BytesIO()
        with zipfile.ZipFile(two, "w") as archive:
            archive.writestr("a.csv", PLAIN)
            archive.writestr("b.csv", PLAIN)
        assert "one table. Got 2 files: a.csv, b.csv" in refused(two.getvalue(), "t.zip")

    @pytest.mark.parametrize("indent", [None, 1])
    def test_a_json_array(self, indent: int | None, read: Any) -> None:
        rows = [{"area": a, "t": "x\ny", "price": p} for a, p in zip(AREA, PRICE, strict=True)]
        for name in ("t.json", "t.jsonl"):
            assert column(read(json.dumps(rows, indent=indent), name), "area") == AREA

    def test_a_workbook(self, tmp_path: Path) -> None:
        pytest.importorskip("fastexcel")
        xlsxwriter = pytest.importorskip("xlsxwriter")
        path = tmp_path / "t.xlsx"
        book = xlsxwriter.Workbook(str(path))
        book.add_worksheet("notes").write(0, 0, "see the other sheet")
        sheet = book.add_worksheet("houses")
        sheet.write_row(0, 0, ["Houses 2024"])
        sheet.write_row(1, 0, ["area", "rooms", "price"])
        for place, row in enumerate(zip(AREA, ROOMS, PRICE, strict=True), start=2):
            sheet.write_row(place, 0, row)
        book.close()
        data = both(path, sheet="houses")
        assert isinstance(data, Prepared)
        assert column(data, "area") == AREA
        assert "'Houses 2024'" in said(data)
        second = both(path, sheet="2")
        assert isinstance(second, Prepared)
        assert column(second, "area") == AREA
        refused = str(both(path, sheet="house"))
        assert "'houses'" in refused
        assert "damaged" not in refused

    def test_databases(self, tmp_path: Path) -> None:
        path = tmp_path / "t.db"
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE houses (area REAL, rooms INTEGER, price REAL)")
            rows = list(zip(AREA, ROOMS, PRICE, strict=True))
            connection.executemany("INSERT INTO houses VALUES (?, ?, ?)", rows)
        connection.close()
        data = both(Path(f"{path}::houses"))
        assert isinstance(data, Prepared)
        assert column(data, "area") == AREA
        assert "Did you mean 'houses'" in str(both(Path(f"{path}::house")))
        duckdb = pytest.importorskip("duckdb")
        with duckdb.connect(str(tmp_path / "t.duckdb")) as connection:
            connection.execute("CREATE TABLE houses (area DOUBLE, price DOUBLE)")
            connection.executemany("INSERT INTO houses VALUES (?, ?)", [(a, p) for a, _, p in rows])
        data = both(Path(f"{tmp_path / 't.duckdb'}::houses"))
        assert isinstance(data, Prepared)
        assert column(data, "area") == AREA

    def test_standard_input_of_any_kind(self) -> None:
        frame = pl.DataFrame({"area": AREA, "price": PRICE})
        parquet = io.BytesIO()
        frame.write_parquet(parquet)
        for content in (
            PLAIN.encode(),
            PLAIN.replace(",", ";").encode(),
            PLAIN.encode("utf-16"),
            parquet.getvalue(),
            frame.write_ndjson().encode(),
            bz2.compress(PLAIN.encode()),
        ):
            data = examples(io.BytesIO(content), target="price", standardize=False)
            assert column(data, "area") == AREA

    def test_an_option_without_effect_is_refused(self, tmp_path: Path) -> None:
        pl.DataFrame({"a": [1, 2], "price": [1, 2]}).write_parquet(tmp_path / "t.parquet")
        assert "sep must come with a text file" in str(both(tmp_path / "t.parquet", sep=";"))
        (tmp_path / "t.csv").write_text(PLAIN)
        assert "sheet must come with a workbook" in str(both(tmp_path / "t.csv", sheet="a"))
        with pytest.raises(OptionError, match="read already"):
            examples(pl.DataFrame({"a": [1]}), target="a", table=Table(sep=";"))
        with pytest.raises(OptionError, match=r"decimal must come with a table\. Got arrays"):
            examples(np.eye(3), np.ones(3), table=Table(decimal=","))


class TestDates:
    DAYS = ("2024-01-15", "2024-04-20", "2023-12-31", "2024-01-17")

    def test_are_left_out_with_the_way_in(self, refused: Any, read: Any) -> None:
        content = table(when=list(self.DAYS))
        message = refused(content)
        assert "must be at least 1 column to learn from" in message
        assert "dates='parts' or dates='days'" in message
        data = read(content, dates="days")
        assert data.feature_names == ("when days",)
        assert column(data, "when days") == [15, 111, 0, 17]

    def test_parts(self, read: Any) -> None:
        data = read(table(when=list(self.DAYS)), dates="parts")
        assert data.feature_names[:3] == ("when year", "when month sin", "when month cos")
        assert column(data, "when year") == [2024, 2024, 2023, 2024]
        angle = 2 * math.pi * 3 / 12
        assert column(data, "when month sin")[1] == pytest.approx(math.sin(angle))
        assert column(data, "when month cos")[2] == pytest.approx(math.cos(2 * math.pi * 11 / 12))
        assert {name for name in data.feature_names if "weekday" in name} <= {
            f"when weekday={day}" for day in ("Monday", "Saturday", "Sunday", "Wednesday")
        }

    def test_hours(self, read: Any) -> None:
        data = read(
            table(t=["2024-01-15 06:00:00", "2024-01-15 18:00:00", "2024-01-15 12:30:00"]),
            dates="parts",
        )
        assert column(data, "t hour sin") == pytest.approx(
            [1, -1, math.sin(2 * math.pi * 12.5 / 24)]
        )
        assert {out.name for out in data.left_out} >= {"t year"}

    @pytest.mark.parametrize(
        "days",
        [
            ("15.1.2024", "20.4.2024", "31.12.2023", "17.1.2024"),
            ("1/15/2024", "4/20/2024", "12/31/2023", "1/17/2024"),
            ("Jan 15 2024", "Apr 20 2024", "Dec 31 2023", "Jan 17 2024"),
            ("15-JAN-24", "20-APR-24", "31-DEC-23", "17-JAN-24"),
            ("2024/01/15", "2024/04/20", "2023/12/31", "2024/01/17"),
        ],
    )
    def test_written_in_many_ways(self, days: tuple[str, ...], read: Any) -> None:
        assert column(read(table(when=list(days)), dates="days"), "when days") == [15, 111, 0, 17]

    def test_gaps_and_a_name_that_is_taken(self, read: Any) -> None:
        content = text_of({"when": ["2024-01-01", "", "2024-01-05"], "when days": [5, 1, 7]})
        data = read(content, dates="days", missing="mean")
        assert data.feature_names == ("when days", "when days'")
        assert column(data, "when days'") == [0, 2, 4]


class TestWords:
    def test_long_serials_are_row_ids(self, read: Any) -> None:
        data = read(table(serial=[90071992547409930000 + 7 * i for i in range(4)], a=[1, 5, 2, 7]))
        assert [(out.name, out.reason.split(" (")[0]) for out in data.left_out] == [
            ("serial", "looks like a row id")
        ]

    def test_a_column_that_varies_by_rounding_alone_is_left_out(self, read: Any) -> None:
        data = read(table(x=[1, 5, 2, 7], c=["0.30000000000000004", "0.3", "0.3", "0.3"]))
        assert data.feature_names == ("x",)
        assert data.left_out[0].reason == "constant up to rounding: 0.30000000000000004"

    def test_two_features_never_share_a_name(self, read: Any) -> None:
        colors = ["red", "blue", "red", "green"] * 2
        content = text_of({"color": colors, "color=blue": [1, 2, 3, 5, 8, 7, 9, 4]})
        names = read(content).feature_names
        assert names == ("color='blue'", "color=green", "color=blue")

    def test_a_target_that_is_fitted_too_well(self, read: Any) -> None:
        rng = np.random.default_rng(0)
        a, b, c = (rng.normal(size=40).round(3) for _ in range(3))
        exact = read(
            table(a=list(a), b=list(b), c=list(c), price=[round(float(v), 3) for v in a + b])
        )
        assert any(
            "fit the target exactly: a, b" in note or "exactly: b, a" in note
            for note in exact.notes
        )
        alone = read(
            table(a=list(a), b=list(b), price=[round(float(v), 6) for v in 2 * a + 1e-4 * c])
        )
        assert any("one column alone: a" in note for note in alone.notes)
        plain = read(
            table(a=list(a), b=list(b), price=[round(float(v), 6) for v in a + b + 0.1 * c])
        )
        assert plain.notes == ()

    def test_whole_numbers_of_few_kinds(self, read: Any) -> None:
        data = read(table(a=list(range(0, 60, 2)), price=[1 + i % 3 for i in range(30)]))
        assert "3 whole numbers (1, 2, 3) and is learned as a number" in said(data)

    def test_drop(self, read: Any, refused: Any) -> None:
        data = read(PLAIN, drop="rooms")
        assert data.feature_names == ("area",)
        assert data.left_out[0].reason == "dropped, as asked"
        assert "Did you mean 'rooms'" in refused(PLAIN, drop="room")
        assert "target" in refused(PLAIN, drop="price")
        assert "features" in refused(PLAIN, drop="area", features=["area"])


class TestClasses:
    def test_text_truth_values_and_whole_numbers(self, read: Any) -> None:
        for values, classes in (
            (["no", "yes", "no", "yes", "yes"], ("no", "yes")),
            (["true", "false", "false", "true", "true"], ("False", "True")),
            ([3, 1, 1, 3, 3], ("1", "3")),
            ([10, 9, 9, 10, 10], ("9", "10")),
        ):
            data = read(table(a=[1, 2, 3, 5, 4], price=values), target_kind="class")
            assert data.classes == classes
            assert data.class_counts == tuple(
                [
                    str(v).capitalize() if str(v) in ("true", "false") else str(v) for v in values
                ].count(c)
                for c in classes
            )
            assert data.y_train.dtype == np.int64
            assert [data.classes[code].casefold() for code in data.y_train] == [
                str(v) for v in values
            ]

    def test_what_leads_on(self, refused: Any) -> None:
        assert "2 kinds of text: no (2), yes (2)" in refused(
            table(a=[1, 2, 4, 3], price=["no", "yes", "no", "yes"])
        )
        for values, words in (
            (["no", "no", "no"], "at least 2 classes"),
            (["no", "yes", "no"], "1 of 'yes'"),
            ([1.5, 1.5, 2.5], "Got 1.5"),
        ):
            assert words in refused(table(a=[1, 2, 4], price=values), target_kind="class")

    def test_the_split_has_its_share_of_every_class(self, read: Any) -> None:
        kinds = ["a"] * 60 + ["b"] * 30 + ["c"] * 4
        data = read(
            table(x=[i * i % 101 for i in range(94)], price=kinds), target_kind="class", val=0.25
        )
        assert data.y_val is not None
        assert np.bincount(data.y_val).tolist() == [15, 8, 1]
        assert np.bincount(data.y_train).tolist() == [45, 22, 3]
