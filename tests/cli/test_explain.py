from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.book.steps.scripts import MOMENTUM, PERCEPTRON, SOFTMAX
from tests.cli.conftest import Done

Run = Callable[..., Done]

HOUSES = "area,street,price\n" + "".join(
    f"{50 + 7 * i % 200},{'ABC'[i % 3]},{150 + 21 * i % 600 + 10 * (i % 3)}\n" for i in range(120)
)


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_GB.UTF-8")


@pytest.fixture
def houses(tmp_path: Path) -> Path:
    path = tmp_path / "houses.csv"
    path.write_text(HOUSES)
    return path


def test_the_note_s_first_step(learnrate: Run) -> None:
    done = learnrate("explain")
    assert done.code == 0, done.err
    assert done.err == ""
    titles = [
        line for line in done.out.splitlines() if line[:3].strip().isdigit() and line[1] == " "
    ]
    assert [title[0] for title in titles] == list("123456")
    for word in ("145", "Xᵀ · grad(Xw)", "[-19.18, 17.19]", "28.85 before the update"):
        assert word in done.out


def test_a_table(learnrate: Run, houses: Path) -> None:
    done = learnrate("explain", houses, "--target", "price", "--lr", "0.03", "--batch-size", "3")
    assert done.code == 0, done.err
    for word in ("area", "street=B", "predicting price", "standardised", "batch size |B| 3"):
        assert word in done.out
    raw = learnrate("explain", houses, "-t", "price", "--features", "area", "--no-standardize")
    assert "standardised" not in raw.out
    assert "features 1" in raw.out


def test_files_and_where_they_went(learnrate: Run) -> None:
    names = ("a.html", "a.svg", "a.mmd", "a.json")
    done = learnrate("explain", *(word for name in names for word in ("--save", name)))
    assert done.code == 0, done.err
    for name in names:
        assert f"Saved {name}" in done.out
        assert Path(name).stat().st_size > 500
    assert sorted(path.name for path in Path.cwd().iterdir()) == sorted(names)
    assert json.loads(Path("a.json").read_text()) == json.loads(learnrate("explain", "--json").out)


def test_json_is_the_only_output_and_quiet_is_none(learnrate: Run) -> None:
    found = json.loads(learnrate("explain", "--step", "7", "--seed", "3", "--json").out)
    assert (found["step"], found["seed"], found["batch_size"]) == (7, 3, 3)
    w, b = found["updates"]
    for update in (w, b):
        np.testing.assert_allclose(
            np.array(update["old"]) - np.array(update["change"]), update["new"], rtol=1e-12
        )
    assert learnrate("explain", "--quiet", "--save", "a.svg").out == ""


@pytest.mark.parametrize(
    ("variables", "title"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "一步训练"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "de_DE.UTF-8"}, "One training step"),
        ({"LANG": "C", "LC_MESSAGES": "zh_TW"}, "一步训练"),
        ({"LANG": "C"}, "One training step"),
    ],
)
def test_the_language_is_that_of_the_system(
    learnrate: Run, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], title: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert learnrate("explain").out.startswith(title)


def test_the_language_can_be_chosen(learnrate: Run) -> None:
    done = learnrate("explain", "--lang", "zh", "--save", "a.html")
    assert "已保存 a.html" in done.out
    assert '<html lang="zh-CN">' in Path("a.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--lang", "fr"], ["'fr'", "en, zh"]),
        (["--lr", "0"], ["--lr", "above 0"]),
        (["--lr", "nan"], ["nan"]),
        (["--step", "0"], ["--step", "1 or more"]),
        (["--step", "100001"], ["--step", "at most 100,000", "100,001"]),
        (["-b", "5000", "--step", "20001"], ["at most 20,000 at batch size 5,000"]),
        (["-b", "0"], ["--batch-size"]),
        (["-b", "1001"], ["1000", "1001"]),
        (["--save", "a.png"], [".png", ".svg"]),
        (["--save", "nowhere/a.svg"], ["nowhere"]),
        (["nowhere.csv", "-t", "y"], ["nowhere.csv"]),
        (["houses.csv", "-t", "prize"], ["'price'"]),
        (["--target", "y"], ["table"]),
        (["--missing", "guess"], ["guess"]),
        (["--no-such-option"], ["--no-such-option", "learnrate explain --help"]),
    ],
    ids=lambda value: " ".join(value)[:30],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    learnrate: Run, houses: Path, arguments: list[str], words: list[str]
) -> None:
    save = [] if "--save" in arguments else ["--save", "out.html"]
    done = learnrate("explain", *arguments, *save)
    assert done.code == 2
    assert done.out == ""
    assert done.err.count("\n") == 1
    for word in words:
        assert word in done.err
    assert [path.name for path in houses.parent.iterdir()] == ["houses.csv"]


@pytest.fixture
def scripts(tmp_path: Path) -> None:
    (tmp_path / "softmax.py").write_text(SOFTMAX)
    (tmp_path / "perceptron.py").write_text(PERCEPTRON)
    (tmp_path / "momentum.py").write_text(MOMENTUM)
    (tmp_path / "none.py").write_text("print('hello')\n")
    (tmp_path / "fails.py").write_text(SOFTMAX.replace("range(3)", "(1, 1 / 0)"))
    (tmp_path / "late.py").write_text(SOFTMAX + "\n1 / 0\n")
    (tmp_path / "missing.py").write_text("from mxnet import nd\nnd.Pooling()\n")
    (tmp_path / "args.py").write_text(
        "import sys\nfrom mxnet import autograd, nd\nx = nd.array([float(sys.argv[2])])\n"
        "x.attach_grad()\nwith autograd.record():\n    y = x * x\ny.backward()\n"
    )


@pytest.mark.usefixtures("scripts")
def test_a_script(learnrate: Run) -> None:
    done = learnrate("explain", "perceptron.py", "--backward", 2)
    assert done.code == 0, done.err
    assert [line.split()[0] for line in done.err.splitlines()] == ["epoch", "epoch"]
    for word in (
        "One backward(), number by number",
        "script perceptron.py · backward() number 2 · called in perceptron.py:15",
        "with autograd.record():",
        "relu(",
        "mask1",
        "grad(l)",
        "η_t ← η·√(1 − β₂^t) / (1 − β₁^t)",
        "m before",
        "Largest disagreement",
    ):
        assert word in done.out
    assert sorted(path.suffix for path in Path.cwd().iterdir()) == [".py"] * 8


@pytest.mark.usefixtures("scripts")
def test_a_scripts_numbers_and_its_page(learnrate: Run) -> None:
    found = [
        json.loads(learnrate("explain", "momentum.py", "--backward", n, "--json").out)["updates"]
        for n in (1, 2)
    ]
    (first,), (second,) = ([step for u in updates for step in u["parameters"]] for updates in found)
    assert first["new"] == second["old"]
    v = 0.9 * np.array(second["kept"]["v"][0]) - 0.1 * np.array(second["gradient"]) / 2
    np.testing.assert_allclose(second["kept"]["v"][1], v, rtol=1e-5)

    names = ("a.html", "a.svg", "a.mmd")
    saves = [word for name in names for word in ("--save", name)]
    done = learnrate("explain", "softmax.py", "--backward", 3, "--lang", "zh", "-q", *saves)
    assert (done.code, done.out, done.err) == (0, "", "")
    page = Path("a.html").read_text(encoding="utf-8")
    for word in ("<math>", "<mfrac>", "第 3 次", "被求导的量", "y_hat", "</svg>"):
        assert word in page
    for name in names[1:]:
        assert "y_hat" in Path(name).read_text(encoding="utf-8").replace("#95;", "_")


@pytest.mark.usefixtures("scripts")
def test_a_scripts_own_arguments(learnrate: Run) -> None:
    done = learnrate("explain", "args.py", "--json", "--", "--x", "-1.5")
    assert done.code == 0, done.err
    assert json.loads(done.out)["loss"] == 2.25


@pytest.mark.usefixtures("scripts")
def test_a_script_that_fails_after_it_was_opened(learnrate: Run) -> None:
    done = learnrate("explain", "late.py", "--backward", 3)
    assert done.code == 1
    assert done.err.endswith("ZeroDivisionError: division by zero\n")
    assert "number 3" in done.out
    assert learnrate("explain", "late.py", "--backward", 2).code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.py"], ["none.py must call backward()", "never did"]),
        (["softmax.py", "--backward", "4"], ["--backward must be at most 3", "3 times", "Got 4"]),
        (["softmax.py", "--backward", "0"], ["--backward"]),
        (["late.py", "--backward", "4"], ["number 4", "failed", "3 times"]),
        (["fails.py"], ["number 1", "failed", "before it called"]),
        (["missing.py"], ["missing.py, line 2: nd.Pooling is not part"]),
        (["nowhere.py"], ["'nowhere.py' instead"]),
        (["softmax.py", "--lr", "0.1"], ["--lr", "examples"]),
        (["softmax.py", "--no-standardize"], ["--standardize", "examples"]),
        (["softmax.py", "--sep", ","], ["--sep", "examples"]),
        (["--backward", "2"], ["--backward", ".py"]),
        (["diabetes", "more"], ["'more'", ".py"]),
    ],
    ids=lambda value: " ".join(value)[:40],
)
@pytest.mark.usefixtures("scripts")
def test_scripts_that_cannot_be_opened(
    learnrate: Run, arguments: list[str], words: list[str]
) -> None:
    done = learnrate("explain", *arguments, "--save", "a.html")
    assert done.code == 2
    assert done.out == ""
    line = done.err.splitlines()[-1]
    assert line.startswith("learnrate: ")
    for word in words:
        assert word in line
    shown = [line for line in done.err.splitlines()[:-1] if line != "hello"]
    assert not shown or shown[0].startswith("Traceback")
    assert not Path("a.html").exists()


def test_help_shows_an_example(learnrate: Run) -> None:
    assert "Example:  learnrate explain diabetes" in learnrate("explain", "--help").out


def test_help_loads_nothing_heavy() -> None:
    code = "from learnrate.cli import app; import sys; print(*sorted(sys.modules))"
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": str(source)},
    )
    assert "typer" in done.stdout.split(), done.stderr
    assert not {"jinja2", "polars", "numpy", "scipy"} & set(done.stdout.split())
