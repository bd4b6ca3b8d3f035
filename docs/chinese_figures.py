"""The Chinese versions of the figures that benchmarks draw; `tests/site/test_chinese_figures.py` compares them.

From the repository's root, after a figure was drawn anew: ``python -m docs.chinese_figures``.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["FIGURES", "chinese", "chinese_name"]

FOLDER = Path(__file__).parent / "figures"
FIGURES = (
    *(FOLDER / f"theory-{name}.svg" for name in ("exponents", "floors", "rates")),
    FOLDER / "engines.svg",
    FOLDER / "suggestion_quality.svg",
)
"""Drawn with their text as text."""

TEXTS = {
    "seconds of a whole sweep, one thread": "一次扫描的秒数，单线程",
    "JAX, jit(vmap(scan))": "JAX，jit(vmap(scan))",
    "MXNet, one rate at a time": "MXNet，每次一个学习率",
    "PyTorch, one rate at a time": "PyTorch，每次一个学习率",
    "PyTorch, rates as columns": "PyTorch，学习率作为列",
    "learnrate, fused": "learnrate，fused",
    "learnrate, gram": "learnrate，gram",
    "learnrate, rows": "learnrate，rows",
    "scikit-learn, B = 1": "scikit-learn，B = 1",
    "default": "默认学习率",
    "fastai steep": "fastai steep",
    "fastai valley": "fastai valley",
    "learnrate": "learnrate",
    "learnrate, 3 seeds": "learnrate，3 个随机种子",
    "lightning": "lightning",
    "lightning, rule before 2.5.3": "lightning，2.5.3 之前的规则",
    "torch-lr-finder": "torch-lr-finder",
    "no better than the start": "不比起点好",
    "regret: (loss − best) / (start − best), on examples that no tool has seen": "遗憾：(损失 − 最低) / (起点 − 最低)，用各工具都没有见过的样本",
    "share of runs with at most this regret": "遗憾不超过该值的训练所占的比例",
    "full batches, log max|1 − ηλ|": "全批量，log max|1 − ηλ|",
    "learning rate η": "学习率 η",
    "log growth per step": "每步增长率的对数",
    "one run, Λ": "单次训练，Λ",
    "root of the mean square, ½ log ρ(T)": "均方根，½ log ρ(T)",
    "floor − L*": "噪声底 − L*",
    "independent minibatches": "独立抽取的小批量",
    "shuffled epochs": "打乱顺序的迭代周期",
    "100 runs: median, 5 % to 95 %": "100 次训练：中位数，5 % 到 95 %",
    "least loss L*": "最小损失 L*",
    "loss after 3 epochs": "3 个迭代周期后的损失",
    "predicted mean": "预测的平均值",
}
"""Every text that is not a number, a time or the name of a case."""

_TEXT = re.compile(r"(<text\b[^>]*>)([^<]*[a-z]{3}[^<]*)(?=</text>)")


def chinese(svg: str) -> str:
    """A figure with Chinese texts.

    Raises
    ------
    KeyError
        For a text that has no Chinese here.
    """
    return _TEXT.sub(lambda found: found[1] + TEXTS[found[2]], svg)


def chinese_name(path: Path) -> Path:
    """Where the Chinese version lies."""
    return path.with_name(f"{path.stem}.zh-CN.svg")


if __name__ == "__main__":
    for figure in FIGURES:
        text = chinese(figure.read_text(encoding="utf-8"))
        chinese_name(figure).write_text(text, encoding="utf-8")
