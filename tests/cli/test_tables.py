"""Tables through the whole command: the options that settle how they are read, and errors that lead on."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

QUICK = ["--lrs", "0.01", "--epochs", "1"]
ROWS = "".join(f"{50 + i}.5;{i % 7};{100 + 3 * i}\n" for i in range(20))


@pytest.mark.parametrize(
    ("content", "first", "advised"),
    [
        (ROWS, "--no-header", ["--no-header", "--target", "column_3"]),
        ("a;b;price\n" + ROWS.replace(".5", ".375"), "--decimal .", ["--decimal", "."]),
        (
            "when;price\n" + "".join(f"2024-01-{i + 1:02d};{i}\n" for i in range(20)),
            "--dates parts",
            ["--dates", "parts"],
        ),
        (
            "when;price\n" + "".join(f"2024-01-{i + 1:02d};{i}\n" for i in range(20)),
            "--dates days",
            ["--dates", "days"],
        ),
        ("a;b;price\n" + ROWS + "7;;5\n", "--missing drop", ["--missing", "drop"]),
        ("a;b;price\n" + ROWS + "7;;5\n", "--missing mean", ["--missing", "mean"]),
        ("a;b;price\n" + ROWS + "7;1;\n", "--missing drop", ["--missing", "drop"]),
        ("a;b;price\n" + ROWS + "7;;\n8;;9\n", "--missing mean", ["--missing", "mean"]),
        ("a;b;price\n" + ROWS + "inf;1;5\n", "--drop", ["--drop", "a"]),
        ("a;b;price\n" + ROWS + "$7;1;5\n", "--drop", ["--drop", "a"]),
        (
            "only one\n" + ROWS,
            "--skip-lines 1 --no-header",
            ["--skip-lines", "1", "--no-header", "--target", "column_3"],
        ),
    ],
)
def test_each_piece_of_advice_works(
    content: str, first: str, advised: list[str], tmp_path: Path, learnrate: Run
) -> None:
    (tmp_path / "t.csv").write_text(content)
    target = [] if "--target" in advised else ["--target", "price"]
    refused = learnrate("sweep", "t.csv", *(target or ["--target", "price"]), *QUICK)
    assert refused.code == 2
    assert len(refused.err.splitlines()) == 1
    assert first in refused.err
    done = learnrate("sweep", "t.csv", *target, *advised, *QUICK)
    assert done.code == 0, done.err


def test_what_was_judged_is_printed(tmp_path: Path, learnrate: Run) -> None:
    (tmp_path / "t.csv").write_text(
        "# logger\na;price\n" + "".join(f"$1,{i:03d}.50;{i}\n" for i in range(20))
    )
    done = learnrate("sweep", "t.csv", "--target", "price", *QUICK)
    assert done.code == 0, done.err
    words = " ".join(done.out.split())
    for said in ("separated by semicolons", "begin with '#'", "a ('$1,000.50' as 1000.5)"):
        assert said in words


def test_houses_ships(tmp_path: Path, learnrate: Run) -> None:
    words = ["sweep", "houses.csv", "--target", "price", "--missing", "mean", *QUICK, "--json"]
    done = learnrate(*words)
    assert done.code == 0, done.err
    assert any("ships with learnrate" in note for note in json.loads(done.out)["data"]["notes"])
    (tmp_path / "houses.csv").write_text("a,price\n1,2\n2,4\n5,7\n")
    done = learnrate(*words)
    assert json.loads(done.out)["data"]["notes"] == []
    for data in ("houses", "houses.csv"):
        assert learnrate("explain", data, "--target", "price", "--missing", "mean", "-q").code == 0


def test_options_reach_explain_and_models(tmp_path: Path, learnrate: Run) -> None:
    (tmp_path / "t.csv").write_text("a;b;price\n" + ROWS.replace(".5", ".375"))
    done = learnrate("explain", "t.csv", "--target", "price", "--decimal", ",", "--drop", "b")
    assert done.code == 0, done.err
    done = learnrate("explain", "t.csv", "--target", "price", "--sheet", "1")
    assert done.code == 2
    assert "sheet" in done.err


def test_names_with_commas(tmp_path: Path, learnrate: Run) -> None:
    head = '"area, m2","the ""big"" one",rooms,price\n'
    (tmp_path / "t.csv").write_text(
        head + "".join(f"{i},{i * i % 7},{i % 3},{i}\n" for i in range(9))
    )
    wanted = ["sweep", "t.csv", "--target", "price", "--json", *QUICK]
    done = learnrate(*wanted, "--features", 'rooms, "area, m2"')
    assert json.loads(done.out)["data"]["features"] == ["rooms", "area, m2"]
    done = learnrate(*wanted, "--drop", '"area, m2",the "big" one')
    assert json.loads(done.out)["data"]["features"] == ["rooms"]
    done = learnrate(*wanted, "--features", "area, m2")
    assert done.code == 2
    assert 'Known: "area, m2", the "big" one, rooms.' in done.err  # as it is to be written


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no paths of open files here")
def test_a_pipe_is_read_once(learnrate: Run) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"a,y\n" + b"".join(b"%d,%d\n" % (i, 2 * i) for i in range(30)))
    os.close(writing)
    pipe = f"/dev/fd/{reading}"  # as a shell writes <(command)
    done = learnrate("sweep", pipe, "--memory", "1GB", *QUICK)
    assert done.code == 2
    assert f"Got the pipe {pipe!r} instead" in done.err
    done = learnrate("sweep", pipe, *QUICK)
    os.close(reading)
    assert (done.code, done.err) == (0, "")
    assert "30 examples" in done.out


@pytest.mark.parametrize("command", ["sweep", "explain"])
def test_names_do_not_steer_the_terminal(tmp_path: Path, learnrate: Run, command: str) -> None:
    rows = "".join(f"{i},\x1b[2J{'ab'[i % 2]},{'pq'[i % 2]}\x9b\n" for i in range(12))
    (tmp_path / "t.csv").write_text("\x1b[31mred,kind,\x1b]0;me\x07\n" + rows, encoding="utf-8")
    done = learnrate(command, "t.csv", "--target", "\x1b]0;me\x07")
    assert done.code == 0, done.err
    assert "�[31mred" in done.out
    refused = learnrate(command, "t.csv", "--target", "red")
    assert "�[31mred" in refused.err
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", done.out + refused.err)


def test_texts_that_differ_in_capitals_are_named(tmp_path: Path, learnrate: Run) -> None:
    kinds, towns = ("yes", "Yes", "no"), ("New York", "Newyork", "Rome", "rome")
    rows = "".join(f"{towns[i % 4]},{i},{kinds[i % 3]}\n" for i in range(36))
    (tmp_path / "t.csv").write_text("town,a,kind\n" + rows)
    done = learnrate("sweep", "t.csv", "--target", "kind", "--json", *QUICK)
    assert json.loads(done.out)["data"]["notes"] == [
        f"Texts of {column} that differ only in capitals or blanks are learned as different ones: {texts}."
        for column, texts in (
            ("'kind'", "'Yes' / 'yes'"),
            ("'town'", "'New York' / 'Newyork', 'Rome' / 'rome'"),
        )
    ]


def test_a_database_names_its_tables(tmp_path: Path, learnrate: Run) -> None:
    with closing(sqlite3.connect(tmp_path / "t.sqlite")) as connection:
        connection.execute("CREATE TABLE houses (a REAL, price REAL)")
        connection.executemany("INSERT INTO houses VALUES (?, ?)", [(i, 2 * i) for i in range(9)])
        connection.commit()
    done = learnrate("sweep", "t.sqlite", "--target", "price", *QUICK)
    assert done.code == 2
    assert "which holds houses; write 't.sqlite::houses'" in done.err
    assert learnrate("sweep", "t.sqlite::houses", "--target", "price", *QUICK).code == 0


def test_an_unknown_column_of_a_guessed_encoding(tmp_path: Path, learnrate: Run) -> None:
    (tmp_path / "t.csv").write_bytes("größe,preis\n1,2\n3,4\n".encode("latin-1"))
    done = learnrate("sweep", "t.csv", "--target", "kosten", *QUICK)
    assert "--encoding chooses another" in done.err
    (tmp_path / "t.csv").write_text("größe,preis\n1,2\n3,4\n", encoding="utf-8")
    assert "encoding" not in learnrate("sweep", "t.csv", "--target", "kosten", *QUICK).err


def test_an_option_that_cannot_be_used(learnrate: Run) -> None:
    for words, said in (
        (["--decimal", "x"], "decimal must be one of"),
        (["--dates", "months"], "dates must be one of"),
        (["--encoding", "klingon"], "encoding"),
        (["--sep", "ab"], "sep must be one character"),
        (["--drop", "zzz"], "drop must name columns"),
    ):
        done = learnrate("sweep", "diabetes", *words, *QUICK)
        assert done.code == 2
        assert said in done.err
    for words, said in (
        (["--drop", "x1"], "--drop must come with a table. Got the examples of the note"),
        (["--target", "y"], "--target and --features must name columns of a table"),
        (["diabetes", "--cache", "c"], "--cache must come with --memory"),
        (["diabetes", "--optimizer-option", "ep=1"], "An option of the optimizer sgd must be"),
        (["diabetes", "--horizon", "2"], "--horizon must be 3 epochs"),
    ):
        done = learnrate("sweep", *words)
        assert done.code == 2
        assert said in done.err
