"""The table of chapters in docs/mxnet.md: which sections' scripts run, found out by running them.

The scripts in scripts/chapters make the calls of the book's sections in words of their own.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from learnrate.compat import matplotlib_backend
from learnrate.compat.script import run_script
from learnrate.errors import LearnrateError
from tests.compat.test_helpers import nowhere, put_images
from tests.compat.test_pages import PAGES

__all__ = ["nowhere"]  # a fixture

SCRIPTS = Path(__file__).parent / "scripts" / "chapters"

SECTIONS = {
    "2.2": ("data manipulation", "数据操作"),
    "2.3": ("automatic differentiation", "自动求梯度"),
    "2.4": ("documentation", "查阅文档"),
    "3.1": ("linear regression", "线性回归"),
    "3.2": ("linear regression from scratch", "线性回归的从零开始实现"),
    "3.3": ("linear regression with Gluon", "线性回归的简洁实现"),
    "3.5": ("Fashion-MNIST", "图像分类数据集（Fashion-MNIST）"),
    "3.6": ("softmax regression from scratch", "softmax回归的从零开始实现"),
    "3.7": ("softmax regression with Gluon", "softmax回归的简洁实现"),
    "3.8": ("multilayer perceptrons", "多层感知机"),
    "3.9": ("a perceptron from scratch", "多层感知机的从零开始实现"),
    "3.10": ("a perceptron with Gluon", "多层感知机的简洁实现"),
    "3.11": ("underfitting and overfitting", "模型选择、欠拟合和过拟合"),
    "3.12": ("weight decay", "权重衰减"),
    "3.13": ("dropout", "丢弃法"),
    "3.16": (
        "house prices (Kaggle's files in `../data`)",
        "房价预测（Kaggle 的文件放在 `../data`）",
    ),
    "4.1": ("blocks", "模型构造"),
    "4.2": ("parameters", "模型参数的访问、初始化和共享"),
    "4.3": ("deferred initialisation", "模型参数的延后初始化"),
    "4.4": ("custom layers", "自定义层"),
    "4.5": ("reading and writing", "读取和存储"),
    "4.6": ("GPU computing", "GPU计算"),
    "5.1": ("chapter 5: convolutional networks", "第 5 章：卷积神经网络"),
    "6.5": ("chapter 6: recurrent networks", "第 6 章：循环神经网络"),
    "7.1": ("optimisation and deep learning", "优化与深度学习"),
    "7.2": ("gradient descent", "梯度下降和随机梯度下降"),
    "7.3": ("minibatches", "小批量随机梯度下降"),
    "7.4": ("momentum", "动量法"),
    "7.5": ("AdaGrad", "AdaGrad算法"),
    "7.6": ("RMSProp", "RMSProp算法"),
    "7.7": ("AdaDelta", "AdaDelta算法"),
    "7.8": ("Adam", "Adam算法"),
}
RUNS = ("runs", "能运行")
REFUSED = ("refused: {}", "拒绝：{}")


def script(section: str) -> Path:
    chapter, _, number = section.partition(".")
    return SCRIPTS / f"s{int(chapter):02}_{number}.py"


def outcome(section: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what learnrate says, without the place; nothing if the script runs to its end."""
    try:
        code = run_script(script(section))
    except LearnrateError as error:  # as the command ends with 2
        return re.sub(r"^.*, line \d+: ", "", str(error))
    err = capsys.readouterr().err
    if code:
        assert "learnrate.errors." in err.splitlines()[-1], err
        return err.splitlines()[-1].partition(": ")[2]
    return ""


def houses(path: Path, n: int, priced: bool) -> None:
    """A table like Kaggle's: numbers, text, gaps."""
    rng = np.random.default_rng(n)
    lines = ["Id,Area,Street,Alley" + (",SalePrice" if priced else "")]
    for i in range(n):
        area = int(rng.integers(50, 300))
        street = ("Pave", "Grvl")[int(rng.integers(2))]
        gap = ("", "Pave")[int(rng.integers(2))]
        lines.append(
            f"{i},{area if i % 7 else ''},{street},{gap}" + (f",{500 * area}" if priced else "")
        )
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small data sets in the usual places, and small pictures."""
    monkeypatch.setattr(matplotlib_backend, "_DPI", 20)
    put_images(Path("../data/fashion-mnist"), n=400)
    houses(Path("../data/kaggle_house_pred_train.csv"), 60, True)
    houses(Path("../data/kaggle_house_pred_test.csv"), 20, False)
    rng = np.random.default_rng(0)
    np.savetxt("../data/airfoil_self_noise.dat", rng.normal(size=(303, 6)), delimiter="\t")


@pytest.mark.usefixtures("data")
def test_the_table_of_chapters_says_what_runs(capsys: pytest.CaptureFixture[str]) -> None:
    rows: tuple[list[str], list[str]] = ([], [])
    for section, names in SECTIONS.items():
        refusal = outcome(section, capsys)
        for language, name in enumerate(names):
            said = REFUSED[language].format(refusal) if refusal else RUNS[language]
            label = name if section in ("5.1", "6.5") else f"{section} {name}"
            rows[language].append(f"| {label} | {said} |")
    for page, wanted in zip(PAGES, rows, strict=True):
        text = page.read_text(encoding="utf-8")
        assert "\n".join(wanted) in text, f"{page.name} must have:\n" + "\n".join(wanted)


def test_every_script_is_in_the_table() -> None:
    assert sorted(SCRIPTS.glob("*.py")) == sorted(map(script, SECTIONS))
