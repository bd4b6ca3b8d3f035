from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from learnrate.cli.groups import GROUPS
from tests.cli.conftest import Done

Run = Callable[..., Done]


@pytest.fixture
def houses(tmp_path: Path) -> Path:
    """A small table with a text column, an id and a date; price = 3 area + 10 [street=B] + noise."""
    rng = np.random.default_rng(0)
    area, street = rng.uniform(50, 250, 200), rng.choice(["A", "B"], 200)
    frame = pl.DataFrame(
        {
            "Id": np.arange(1, 201),
            "area": area,
            "street": street,
            "sold": pl.Series(["2020-01-01"] * 200).str.to_date(),
            "price": 3 * area + 10 * (street == "B") + rng.normal(0, 1, 200),
        }
    )
    path = tmp_path / "houses.csv"
    frame.write_csv(path)
    return path


def test_the_notes_experiment(learnrate: Run) -> None:
    done = learnrate("sweep", "--save", "sweep.png")
    assert done.code == 0, done.err
    assert done.err == ""
    for rate in ("0.01", "0.02", "0.03", "0.04"):
        assert any(line.strip().startswith(rate) for line in done.out.splitlines())
    assert "1,000 examples with 2 features" in done.out
    assert "Saved sweep.png" in done.out
    assert Path("sweep.png").read_bytes().startswith(b"\x89PNG")


def test_it_lands_where_mxnet_landed(learnrate: Run) -> None:
    """MXNet 1.9.1 printed about 0.044, 0.000165, 0.000051, 0.000051 after epoch 3."""
    document = json.loads(learnrate("sweep", "--json").out)
    final = [lane["losses"][-1] for lane in document["lanes"]]
    assert [lane["lr"] for lane in document["lanes"]] == [0.01, 0.02, 0.03, 0.04]
    assert 0.02 < final[0] < 0.09
    assert 0.00008 < final[1] < 0.0005
    assert final[2] == pytest.approx(5e-5, rel=0.15)
    assert final[3] == pytest.approx(5e-5, rel=0.15)


def test_json_is_one_document_and_nothing_else(learnrate: Run) -> None:
    done = learnrate("sweep", "--lrs", "0.1,5", "--json")
    document = json.loads(done.out)
    assert done.err == ""
    assert document["lanes"][1]["outcome"] in ("diverged", "rising")
    assert document["data"]["features"] == ["x1", "x2"]
    assert "NaN" not in done.out
    assert "Infinity" not in done.out


def test_quiet_prints_nothing(learnrate: Run) -> None:
    done = learnrate("sweep", "--quiet", "--save", "sweep.csv")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert pl.read_csv("sweep.csv").columns[:4] == ["lr", "seed", "epoch", "loss"]


def test_a_table_of_ones_own(learnrate: Run, houses: Path) -> None:
    done = learnrate("sweep", houses, "--target", "price", "--lrs", "0.01,0.1", "--epochs", "30")
    assert done.code == 0, done.err
    out = " ".join(done.out.split())
    assert "Id" in out
    assert "sold" in out
    assert "street=" in out
    assert "area = 3" in out or "area = 2.99" in out
    assert "predicting price" in out


def test_weights_are_in_the_users_units(learnrate: Run, houses: Path) -> None:
    done = learnrate(
        "sweep", houses, "-t", "price", "--lrs", "0.05", "--epochs", "60", "--json", "--val", "0.2"
    )
    document = json.loads(done.out)
    names = document["data"]["features"]
    weights = dict(zip(names, document["lanes"][0]["weights"], strict=True))
    assert weights["area"] == pytest.approx(3, rel=0.01)
    street = next(name for name in names if name.startswith("street="))
    assert weights[street] == pytest.approx(10 if street == "street=B" else -10, rel=0.1)
    assert document["lanes"][0]["r2"] > 0.999
    assert len(document["lanes"][0]["val_losses"]) == 61


@pytest.mark.parametrize("suffix", ["tsv", "parquet", "arrow", "jsonl", "npz"])
def test_other_formats(learnrate: Run, houses: Path, suffix: str) -> None:
    frame, path = pl.read_csv(houses).select("area", "price"), houses.with_suffix(f".{suffix}")
    if suffix == "tsv":
        frame.write_csv(path, separator="\t")
    elif suffix == "parquet":
        frame.write_parquet(path)
    elif suffix == "arrow":
        frame.write_ipc(path)
    elif suffix == "jsonl":
        frame.write_ndjson(path)
    else:
        np.savez(path, X=frame.select("area").to_numpy(), y=frame["price"].to_numpy())
    target = ["--target", "price"] if suffix != "npz" else []
    done = learnrate("sweep", path, *target, "--lrs", "0.1", "--json")
    assert done.code == 0, done.err
    csv = learnrate("sweep", houses, "-t", "price", "--features", "area", "--lrs", "0.1", "--json")
    ours, theirs = (json.loads(d.out)["lanes"][0]["losses"] for d in (done, csv))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_diabetes_ships(learnrate: Run) -> None:
    done = learnrate("sweep", "diabetes", "--lrs", "auto", "--epochs", "20")
    assert done.code == 0, done.err
    assert "442 examples with 10 features, predicting progression" in done.out
    assert "Suggested learning rate" in done.out


def test_seeds_give_a_mean_and_an_interval(learnrate: Run) -> None:
    done = learnrate("sweep", "--seeds", "4", "--save", "a.parquet", "--save", "a.svg")
    assert "95 % interval" in done.out
    assert "seeds 0 to 3" in done.out
    frame = pl.read_parquet("a.parquet")
    assert frame["seed"].unique().sort().to_list() == [0, 1, 2, 3]
    assert len(frame) == 4 * 4 * 4


def test_the_same_command_gives_the_same_numbers_and_files(learnrate: Run) -> None:
    first = learnrate("sweep", "--json", "-o", "a.svg", "-o", "a.pdf").out
    pictures = Path("a.svg").read_bytes(), Path("a.pdf").read_bytes()
    assert learnrate("sweep", "--json", "-o", "a.svg", "-o", "a.pdf").out == first
    assert (Path("a.svg").read_bytes(), Path("a.pdf").read_bytes()) == pictures


@pytest.mark.parametrize("command", [["--help"], ["sweep", "--help"]])
def test_help_shows_an_example(learnrate: Run, command: list[str]) -> None:
    done = learnrate(*command)
    assert done.code == 0
    assert "learnrate sweep diabetes --lrs auto --epochs 20 --save sweep.png" in done.out


def test_version(learnrate: Run) -> None:
    from learnrate import __version__

    assert learnrate("--version").out == f"learnrate {__version__}\n"


def test_why_works_out_a_verdict_in_full(learnrate: Run) -> None:
    out = learnrate("sweep", "--lrs", "0.02,2", "--why", "2").out
    assert "λmax = " in out
    assert "(n − B)/(B(n − 1)) = (1000 − 10)/(10·999)" in out
    assert "2 diverges: above" in out
    assert "for most single runs" in out


def test_why_says_why_there_is_no_verdict(learnrate: Run) -> None:
    out = " ".join(learnrate("sweep", "--why", "2", "--schedule", "cosine").out.split())
    assert "2 is not judged: limits are worked out for a constant rate, and here a schedule" in out


def test_a_second_picture_by_name(learnrate: Run) -> None:
    learnrate("sweep", "--lrs", "auto", "-o", "sweep.svg", "--save-rates", "rates.svg", "-q")
    assert Path("rates.svg").read_bytes() != Path("sweep.svg").read_bytes()


@pytest.mark.extra
def test_a_name_that_ends_in_a_slash_is_for_tensorboard(
    learnrate: Callable[..., Done], tmp_path: Path
) -> None:
    done = learnrate("sweep", "--save", "runs/", "--save", "sweep.csv")
    assert done.code == 0
    assert "Saved runs/sweep-1" in done.out
    runs = {run.name for run in (tmp_path / "runs" / "sweep-1").iterdir()}
    assert runs == {"lr=0.01", "lr=0.02", "lr=0.03", "lr=0.04"}
    assert "Saved runs/sweep-2" in learnrate("sweep", "--save", "runs").out
    refused = learnrate("sweep", "--save", "sweep.csv/")
    assert (refused.code, refused.out) == (2, "")
    assert "must be a folder" in refused.err
    for name in ("elsewhere", ""):
        assert "or in / for TensorBoard" in learnrate("sweep", "--save", name).err


def test_a_loss_that_is_infinite_from_the_start_is_printed(learnrate: Run) -> None:
    np.save("huge.npy", np.column_stack([np.arange(20.0), np.arange(20.0)[::-1] * 1e200]))
    done = learnrate("sweep", "huge.npy", "--target", "1", "--lrs", "0.1", "--epochs", "1")
    assert done.code == 0
    assert done.err == ""


def test_every_option_has_its_group_in_the_help(learnrate: Callable[..., Done]) -> None:
    text = learnrate("sweep", "--help").out
    assert "More:" not in text
    places = [text.index(f"{heading}:") for heading in GROUPS]
    assert places == sorted(places)
    assert len(next(iter(GROUPS.values()))) <= 10


def test_a_rate_for_a_longer_run(learnrate: Run) -> None:
    done = learnrate("sweep", "diabetes", "--horizon", "300")
    assert done.code == 0, done.err
    assert "Smallest expected training loss after 300 epochs" in " ".join(done.out.split())
    said = json.loads(learnrate("sweep", "diabetes", "--horizon", "300", "--json").out)
    assert said["longer"]["horizon"] == 300
    short = learnrate("sweep", "diabetes", "--epochs", "5", "--horizon", "4")
    assert short.code == 2
    assert "--horizon must be 5 epochs, the length of this run, or more. Got 4" in short.err


@pytest.mark.extra
def test_a_report_says_the_rate_for_a_longer_run(learnrate: Run) -> None:
    done = learnrate("sweep", "diabetes", "--horizon", "300", "--save", "sweep.html")
    assert done.code == 0, done.err
    assert "after 300 epochs" in Path("sweep.html").read_text(encoding="utf-8")


def test_rates_that_are_ended_early(learnrate: Run) -> None:
    done = learnrate("sweep", "diabetes", "--epochs", "40", "--lrs", "log:1e-4:1:13", "--prune")
    assert done.code == 0, done.err
    assert "pruned after" in done.out
