"""``learnrate sweep --lang zh``: text, figures, report and complaints, with nothing left in English."""

from __future__ import annotations

import html
import re
import sqlite3
import tomllib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure

import learnrate as lr
from learnrate import _translation
from learnrate._translation import as_it_is, translator
from learnrate.compat import datasets
from learnrate.errors import LearnrateWarning, OptionError
from learnrate.report import static
from learnrate.sweeps import saving
from tests.cli.conftest import Done

Run = Callable[..., Done]

CATALOGUE = Path(_translation.__file__).with_name("chinese.toml")
ENTRIES = [
    pair
    for group in tomllib.loads(CATALOGUE.read_text(encoding="utf-8")).values()
    for pair in group.items()
]

# Names, symbols and what is typed: these are the same in every language.
SAME = """
    gram reference fused rows torch sgd adam momentum float progression age sex bmi bp area rooms built district centre harbour
    north south garden fast yes no price sold Date parts houses csv diabetes png html json lr SGD learnrate sweep lang
    epochs seeds val save quiet Python NumPy Plotly dev shuffle float64 cosine missing mean auto dates loss seed target help
    prize drop softmax squared huber logistic poisson log first data row option FILE why λmax nonsense nowhere pdf svg
    parquet arXiv kinds kind note when Huber features standardize lrs prune model steps ten eps horizon blank ragged words engine Gram
    TensorBoard Poisson Hessian cache memory encoding Yes yes counts apart diag
"""
ENGLISH = re.compile(r"[A-Za-zλ]{3,}")


def left(text: str) -> set[str]:
    """English words that are no names."""
    return set(ENGLISH.findall(text)) - set(SAME.split())


TABLES = {
    "blank.csv": "\n\n",
    "ragged.csv": "a,b\n1,2\n3,4,5\n6,7\n",
    "counts.csv": "a;b;k\n" + "".join(f"{i % 7};{i % 5};{i * i % 4}\n" for i in range(90)),
    "apart.csv": "a,k\n" + "".join(f"{i},{'no' if i < 20 else 'yes'}\n" for i in range(40)),
    "wide.csv": ",".join([*(f"f{i}" for i in range(20)), "y"])
    + "\n"
    + "".join(",".join(f"{(i + 1) * (j + 2) % 23}" for j in range(21)) + "\n" for i in range(40)),
    "spelt.csv": "a,kind\n" + "".join(f"{i},{('yes', 'Yes ', 'no')[i % 3]}\n" for i in range(30)),
    "texts.csv": "a,b\n" + "".join(f"{i},t{i}\n" for i in range(6)),
    "words.csv": "a,b\n1,x\n2,y\n3,z\n4,x\n5,y\n6,z\n",
}
COMMANDS = [
    [],
    ["--lrs", "0.03,1.6,2", "--why", "2"],
    ["--lrs", "2,3"],
    ["--lrs", "0.04", "--seeds", "3"],
    ["diabetes", "--epochs", "20", "--val", "0.2", "--seeds", "3"],
    ["diabetes", "--lrs", "0.01,0.02", "--optimizer", "adam"],
    ["diabetes", "--epochs", "40", "--prune", "--horizon", "300"],
    [
        "diabetes",
        "--epochs",
        "20",
        "--optimizer",
        "adam",
        "--lrs",
        "log:1e-3:3:13",
        "--horizon",
        "300",
    ],
    ["wide.csv", "--lrs", "0.01"],
    ["spelt.csv", "-t", "kind", "--lrs", "0.01"],
    ["diabetes", "--lrs", "0.01", "--schedule", "cosine", "--why", "3"],
    ["houses.csv", "-t", "price", "--missing", "mean", "--epochs", "5"],
    ["diabetes", "--momentum", "0.9", "--lrs", "0.01,1"],
    ["diabetes", "--loss", "huber", "--epochs", "4"],
    ["kinds.csv", "-t", "kind", "--epochs", "5"],
    ["houses.csv", "-t", "fast", "--missing", "mean", "--epochs", "10", "--val", "0.2"],
    ["diabetes", "--loss", "huber", "--lrs", "0.01,1", "--why", "1"],
    ["counts.csv", "-t", "k", "--loss", "poisson", "--why", "0.1", "--epochs", "2"],
    ["diabetes", "--momentum", "0.5", "--weight-decay", "0.1", "--lrs", "0.01,0.5", "--why", "0.5"],
    ["apart.csv", "-t", "k", "--epochs", "3", "--lrs", "0.01,0.1", "--why", "3"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_nothing_is_left_in_english(learnrate: Run, arguments: list[str]) -> None:
    days = [f"2020-01-{i % 28 + 1:02d}" for i in range(90)]
    rows = [f"{i + 1},{i % 3 + i % 7},{days[i]},t{i},{'xyz'[i % 3]}" for i in range(90)]
    Path("kinds.csv").write_text("\n".join(["id,a,when,note,kind", *rows]) + "\n")
    if arguments and (text := TABLES.get(arguments[0])):
        Path(arguments[0]).write_text(text)
    english = learnrate("sweep", *arguments)
    done = learnrate("sweep", *arguments, "--lang", "zh")
    assert (done.code, done.err) == (0, "")
    assert left(done.out) == set()
    # The same numbers, in the same rows.
    lanes = re.compile(r"^ *([\d.e-]+) +([\d.e+-]+) ", re.MULTILINE)
    assert lanes.findall(done.out) == lanes.findall(english.out)
    assert lanes.findall(done.out)
    assert max(map(len, done.out.splitlines())) <= 120


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["kinds.db", "-t", "kind"], ["两个冒号之后", "kinds.db::t"]),
        (["latin.csv", "-t", "c"], ["编码是猜出来的", "--encoding"]),
        (["words.csv", "-t", "a", "--cache", "c"], ["--cache 要与 --memory"]),
        (["texts.csv", "-t", "b"], ["6 种值，其中 6 种只出现一次"]),
        (["--dates", "parts"], ["--dates 要与表一起用"]),
        (["wide.csv", "-t", "q"], ["（共 21 个）"]),
        (["diabetes", "--memory", "1MB"], ["--memory 必须是不小于 16MB"]),
        (["nowhere.csv"], ["必须是存在的文件", "'nowhere.csv'"]),
        (["houses.csv"], ["--target", "'price'"]),
        (["houses.csv", "-t", "prize"], ["是不是想写 'price'"]),
        (["houses.csv", "-t", "price"], ["--missing mean", "garden", "183"]),
        (["--lrs", "0"], ["大于 0"]),
        (["--nonsense"], ["没有这个选项", "learnrate sweep --help"]),
        (["--epochs", "0"], ["--epochs 必须是不小于 1 的整数"]),
        (["--loss", "x"], ["--loss 必须是", "huber"]),
        (["--seed", "ten"], ["'--seed' 必须是整数", "'ten'"]),
        (["--prune=1"], ["'--prune' 后面不能有值"]),
        (["houses.csv", "price"], ["多出的参数：price"]),
        (["diabetes", "--momentum", "2"], ["--momentum 必须在 [0, 1) 之内"]),
        (["diabetes", "--steps", "3"], ["--steps 要与 --model 一起用"]),
        (["blank.csv"], ["实际只有空行"]),
        (["ragged.csv", "-t", "b"], ["第 3 行有 3 个"]),
        (["words.csv", "-t", "b", "--loss", "squared"], ["必须是数", "请用 --loss softmax"]),
        (["words.csv", "-t", "a", "--features", "b,c"], ["--features 必须是表中的列"]),
        (["diabetes", "--engine", "gram", "--loss", "huber"], ["Gram 矩阵", "huber"]),
        (["--lrs", "a,b"], ["写法：0.01,0.02，或", "auto"]),
        (["diabetes", "--optimizer", "adam", "--optimizer-option", "eps=-1"], ["不小于 0 的数"]),
        (["diabetes", "-e", "5", "--horizon", "2"], ["不短于这次训练的长度"]),
    ],
    ids=lambda value: " ".join(value)[:30],
)
def test_complaints_are_chinese(learnrate: Run, arguments: list[str], words: list[str]) -> None:
    if text := TABLES.get(arguments[0]):
        Path(arguments[0]).write_text(text)
    if arguments[0] == "latin.csv":
        Path("latin.csv").write_bytes("größe,b\n1,2\n3,4\n".encode("latin-1"))
    if arguments[0] == "kinds.db":
        with closing(sqlite3.connect("kinds.db")) as connection:
            connection.execute("CREATE TABLE t (a, kind)")
    done = learnrate("sweep", *arguments, "--lang", "zh")
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert left(done.err) == set()
    for word in words:
        assert word in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "缺少参数 'SCRIPT'。参见：learnrate run --help"),
        (["sweep", "--lrs"], "选项 '--lrs' 后面要有值。参见：learnrate sweep --help"),
        (["swep"], "没有命令 'swep'。是不是想写 'sweep'？"),
        (["note", "--port", "99999"], "'--port' 必须不大于 65535"),
        (["explain", "--backward", "0"], "'--backward' 必须不小于 1"),
        (["explain", "--backward", "2"], "--backward 只用于脚本"),
        (["explain", "nowhere.py"], "脚本必须是可以读取的文件"),
        (["play", "--save", "a.html", "--no-browser"], "同时给出时不起作用"),
        (["sweep", "--lang", "fr"], "lang 必须是 en, zh 之一，实际给的是 'fr'。"),
        (["run", "rnn.py"], "rnn.py 第 1 行：learnrate 没有 mxnet.gluon.rnn："),
        (["run", "slip.py"], "slip.py 第 3 行：learnrate 没有 nd.zeross。是不是想写 'zeros'？"),
    ],
)
def test_complaints_of_all_commands_are_chinese(
    learnrate: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    Path("rnn.py").write_text("from mxnet.gluon import rnn\n")
    Path("slip.py").write_text("from mxnet import nd\n\nnd.zeross(2)\n")
    done = learnrate(*arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err


def test_what_a_script_is_told_is_chinese(
    learnrate: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(datasets, "_reported", set())
    Path("a.py").write_text(
        "import d2lzh as d2l\nd2l.get_data_ch7()\nd2l.load_data_fashion_mnist(9)\n"
    )
    err = learnrate("run", "a.py").err
    assert "airfoil_self_noise.dat：没有找到文件" in err
    assert "fashion-mnist：没有找到文件" in err


def test_the_language_is_that_of_the_system(
    learnrate: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "建议的学习率" in learnrate("sweep").out
    assert "没有这个选项" in learnrate("sweep", "--nonsense").err
    assert "Suggested" in learnrate("sweep", "--lang", "en").out
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    assert "Suggested" in learnrate("sweep").out
    assert "lang must be one of en, zh" in learnrate("sweep", "--lang", "fr").err


@pytest.mark.parametrize(
    "words",
    ["diabetes --val 0.2", "houses -t fast --missing mean --optimizer adam --seeds 2"],
)
def test_the_report_is_chinese(learnrate: Run, words: str) -> None:
    pytest.importorskip("plotly")
    assert (
        learnrate("sweep", "--lang", "en", "-q", "-o", "english.html").code == 0
    )  # it leaves nothing behind
    done = learnrate("sweep", *words.split(), "--epochs", "5", "--lang", "zh", "-q", "-o", "a.html")
    assert (done.code, done.out, done.err) == (0, "", "")
    page = Path("a.html").read_text(encoding="utf-8")
    assert '<html lang="zh-CN">' in page
    drawing = re.findall(r'"(?:name|text|hovertemplate)": "([^"]*)"', page)
    code = r"<script.*?</script>|<style.*?</style>|<pre.*?</pre>"
    shown = re.sub(code, "", page, flags=re.DOTALL)
    labels = re.findall(r'aria-label="([^"]*)"', shown)
    text = html.unescape(re.sub(r"<[^>]+>", " ", shown))
    assert left(text) == set()
    assert left(" ".join(labels)) == set()
    assert drawing
    assert left(" ".join(drawing).encode().decode("unicode_escape")) <= {"customdata", "extra"}


def sweep() -> lr.SweepResult:
    return lr.sweep("diabetes", lrs=[0.01, 0.02, 0.6], epochs=3)


def test_figures_are_chinese_where_there_is_a_font(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    curves = replace(sweep().curves(), say=translator("zh"))
    for draw in (static.draw_curves, static.draw_rates):
        ax = draw(curves, Figure().add_subplot())
        legend = ax.get_legend()
        assert legend is not None
        texts = [ax.get_xlabel(), ax.get_ylabel(), legend.get_title().get_text()]
        texts += [text.get_text() for text in legend.get_texts()]
        assert left(" ".join(texts)) == set()
    used = []
    monkeypatch.setattr(saving, "chinese_font", lambda: "DejaVu Sans Mono")
    monkeypatch.setattr(saving, "save_figure", lambda path, draw, font: used.append(font))
    sweep().save(tmp_path / "a.png", lang="zh")
    assert used == ["DejaVu Sans Mono"]


def test_without_a_font_figures_are_english_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "chinese_font", lambda: None)
    result = sweep()
    with pytest.warns(LearnrateWarning, match="no font with Chinese"):
        result.save(tmp_path / "a.svg", lang="zh")
    result.save(tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    with pytest.raises(OptionError, match="lang must be one of"):
        result.save(tmp_path / "c.svg", lang="fr")


def test_a_font_that_was_installed_later_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Matplotlib keeps its list of fonts, so that one installed after a first run is not in it."""
    fonts = font_manager.fontManager.ttflist[:]
    path = font_manager.findfont("DejaVu Sans Mono")
    monkeypatch.setattr(static, "_CHINESE", "No Such Font, DejaVu Sans Mono")
    assert static.chinese_font() == "DejaVu Sans Mono"
    older = [font for font in fonts if font.name != "DejaVu Sans Mono"]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", older)
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    assert static.chinese_font() is None
    broken = Path("broken.ttf").resolve()
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(broken), path])
    assert static.chinese_font() == "DejaVu Sans Mono"


@pytest.mark.parametrize(("english", "chinese"), ENTRIES, ids=lambda text: text[:40])
def test_an_entry_says_all_that_the_english_says(english: str, chinese: str) -> None:
    names = set(re.findall(r"\{(\w+)[*!,#@]?\}", english))
    told = set(re.findall(r"\{(\w+)\}", chinese))
    unsaid = {"reason"} if "shown" in names else {name for name in names if name[0] == "_"}
    assert told == names - unsaid
    assert re.search(r"[\u4e00-\u9fff。]|^zh-CN$|^\{|^lr=", chinese)
    bare = re.sub(r"\{\w+\}", "一", chinese)
    assert not re.search(r"(?<=[\u4e00-\u9fff])[,;] |(?<! )[,;] (?=[\u4e00-\u9fff])|[^.]\.$", bare)


def test_no_entry_stands_twice() -> None:
    keys = [english for english, _ in ENTRIES]
    assert len(set(keys)) == len(keys)


def test_what_users_wrote_stays() -> None:
    say = translator("zh")
    for text in ("safe rooms", "[loss]", "rate; Rates from here. So", "的"):
        assert say(text) == text
    assert say("10 examples with 2 features, predicting safe") == "10 个样本，2 个特征，预测 safe"
    assert say("Left out: loss (constant: safe), {x} (wholly missing)") == (
        "未采用的列：loss（只有一个值：safe），{x}（全部缺失）"
    )
    assert say("row to row to row") == "row to row to row"
    assert say(
        "Left out: id (counts the rows (1, 2, …, 9); name it among the features to keep it)"
    ) == ("未采用的列：id（是行的编号（1, 2, …, 9）；要保留就在 --features 中写明）")
    assert as_it_is("safe") == translator("en")("safe") == "safe"
