"""Tables and chart of what `benchmarks.suggestion_quality` found.

From the repository's root, in the same environment::

    python -m benchmarks.suggestion_report             # print the tables
    python -m benchmarks.suggestion_report --update    # and put all into docs/
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pages import DOCS, STYLE, put, save_svg
from benchmarks.suggestion_quality import BESIDE, GRID, RESULTS, TASKS, TOOLS, Line, read

WORST = 10.0
"""The regret of a run that diverges, or of a tool that suggests nothing; no regret counts for more."""

LEGEND = {
    "suggestion-quality.md": """
tool, runs, median regret, 90th percentile, worse than the start, no rate, same on a rerun, spread over seeds, steps, seconds
task, best rate""",
    "suggestion-quality.zh-CN.md": """
工具, 次数, 遗憾的中位数, 第 90 百分位, 比起点更差, 没有建议, 重跑时相同, 种子之间的差距, 步数, 秒
任务, 最佳学习率""",
}
"""The headings of both tables; in the second, the tools follow."""


CALLS = {
    "learnrate": 'learnrate.torch.sweep(model, loader, loss="cross-entropy", optimizer="adam", epochs=3)',
    "learnrate.lightning": "learnrate.lightning.sweep(module, loader, epochs=3)",
    "lightning": "Tuner(trainer).lr_find(module, loader)",
    "fastai valley": "learner.lr_find()",
    "torch-lr-finder": "finder.range_test(loader, end_lr=100, num_iter=100)",
}
SIDE_BY_SIDE = {
    "from-lr-find.md": "call, suggestion (over 5 seeds), loss at that rate, steps, seconds",
    "from-lr-find.zh-CN.md": "调用, 建议（5 个种子）, 用它训练的损失, 步数, 秒",
}


class Results:
    """Lines by tool, and what each lost."""

    def __init__(self, path: Path) -> None:
        self.grids: dict[tuple[str, int], Line] = {}
        self.lines: dict[str, list[Line]] = defaultdict(list)
        done = read(path)
        for (task, tool, seed), line in done.items():
            if tool == "grid":
                self.grids[task, seed] = line
            elif (task, "grid", seed) in done:
                self.lines[tool].append(line)
        self.tools = [tool for tool in TOOLS if tool in self.lines]

    def regret(self, line: Line, *, same_rate: bool = False) -> float:
        """``(loss − best) / (start − best)``, from 0 to `WORST`.

        ``best`` is that seed's least loss on the grid; with ``same_rate`` the loss at the one rate of the grid
        whose mean over seeds is least.
        """
        grid = self.grids[line["task"], line["seed"]]
        best = grid["losses"][self.best(line["task"])] if same_rate else grid["best"]
        if line["loss"] is None:
            return WORST
        return float(np.clip((line["loss"] - best) / (grid["start"] - best), 0, WORST))

    def best(self, task: str) -> int:
        """The place on the grid with the least mean loss over seeds."""
        losses = [grid["losses"] for (name, _), grid in self.grids.items() if name == task]
        return int(np.nan_to_num(np.array(losses, float), nan=np.inf).mean(axis=0).argmin())


def overall(results: Results) -> list[list[str]]:
    """A row for each tool."""
    rows = []
    for tool in results.tools:
        lines = results.lines[tool]
        regrets = [results.regret(line) for line in lines]
        without = sum(line["lr"] is None for line in lines)
        worse = sum(regret >= 1 for regret in regrets) - without
        again = [line["again"] == line["lr"] for line in lines if "again" in line]
        rows.append(
            [
                tool,
                f"{len(lines)}",
                f"{np.median(regrets):.3f}",
                f"{np.quantile(regrets, 0.9):.2f}",
                f"{worse / len(lines):.0%}",
                f"{without / len(lines):.0%}",
                f"{sum(again)} / {len(again)}",
                f"×{spread(lines):.1f}",
                f"{statistics.median(line['steps'] for line in lines):,.0f}",
                f"{statistics.median(line['seconds'] for line in lines):.1f}",
            ]
        )
    return rows


def spread(lines: list[Line]) -> float:
    """Largest over smallest rate that a tool suggests for a task, the median over tasks."""
    rates: dict[str, list[float]] = defaultdict(list)
    for line in lines:
        if line["lr"]:
            rates[line["task"]].append(line["lr"])
    return statistics.median(max(of_task) / min(of_task) for of_task in rates.values())


def by_task(results: Results) -> list[list[str]]:
    """A row for each task: the best rate, and each tool's median regret."""
    rows = []
    for task in (task.name for task in TASKS):
        row = [task, f"{GRID[results.best(task)]:.2g}"]
        for tool in results.tools:
            regrets = [results.regret(line) for line in results.lines[tool] if line["task"] == task]
            row.append(f"{statistics.median(regrets):.3f}" if regrets else "–")
        rows.append(row)
    return rows


def beside(results: Results, task: str) -> list[list[str]]:
    """A row for each tool on one task: its call, what it suggests and costs, and the loss of a run at that rate."""
    rows = []
    for tool, call in CALLS.items():
        lines = [line for line in results.lines[tool] if line["task"] == task]
        if not lines:  # not measured
            continue
        rates = sorted(line["lr"] for line in lines if line["lr"])
        losses = [math.inf if line["loss"] is None else line["loss"] for line in lines]
        rows.append(
            [
                f"`{call}`",
                f"{statistics.median(rates):.2g} ({rates[0]:.2g} – {rates[-1]:.2g})",
                f"{statistics.median(losses):.3g}",
                f"{statistics.median(line['steps'] for line in lines):,.0f}",
                f"{statistics.median(line['seconds'] for line in lines):.2f}",
            ]
        )
    grids = [grid for (name, _), grid in results.grids.items() if name == task]
    best = results.best(task)
    least = statistics.median(grid["losses"][best] for grid in grids)
    return [*rows, ["the best of 41 rates", f"{GRID[best]:.2g}", f"{least:.3g}", "–", "–"]]


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """A table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def chart(results: Results, save: Path) -> None:
    """Draw the distribution of regrets, a line per tool."""
    from matplotlib.figure import Figure

    least = 1e-3
    figure = Figure(figsize=(7.2, 4.6), layout="constrained")
    ax: Any = figure.add_subplot()
    for tool in results.tools:
        values = sorted(max(results.regret(line), least) for line in results.lines[tool])
        ours = tool.startswith("learnrate")
        style = "-" if ours else "--" if tool == "default" else "-."
        ax.plot(
            [least, *values],
            [0, *np.arange(1, len(values) + 1) / len(values)],
            drawstyle="steps-post",
            label=tool,
            linewidth=2.4 if ours else 1.3,
            linestyle=style,
        )
    ax.axvline(1, color="0.6", linewidth=0.8)
    ax.annotate(
        "no better than the start", (1, 0.02), (3, 0), textcoords="offset points", fontsize=8
    )
    ax.set_xscale("log")
    ax.set_xlim(least, WORST)
    ax.set_ylim(0, 1.01)
    ax.set_xlabel("regret: (loss − best) / (start − best), on examples that no tool has seen")
    ax.set_ylabel("share of runs with at most this regret")
    ax.grid(visible=True, alpha=0.3)
    figure.legend(fontsize=8, ncols=4, loc="outside lower center")
    save_svg(figure, save)


def main() -> None:
    """Print the tables, and put them and the chart into docs/ if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--update", action="store_true", help="put all into docs/")
    given = parser.parse_args()
    results = Results(given.out)
    tools, tasks = overall(results), by_task(results)
    for page, headings in LEGEND.items():
        header, first = headings.strip().splitlines()
        tables = (
            markdown(header.split(", "), tools),
            markdown([*first.split(", "), *results.tools], tasks),
        )
        if given.update:
            put(DOCS / page, "tools", tables[0])
            put(DOCS / page, "tasks", tables[1])
        elif page.count(".") == 1:
            print(*tables, sep="\n")
    for page, header in SIDE_BY_SIDE.items():
        table = markdown(header.split(", "), beside(results, BESIDE))
        if given.update:
            put(DOCS / page, "beside", table)
        elif page.count(".") == 1:
            print(table)
    for tool in results.tools:
        values = [results.regret(line, same_rate=True) for line in results.lines[tool]]
        print(f"{tool}: median {np.median(values):.4f} against the one best rate of each task")
    if given.update:
        import matplotlib as mpl

        with mpl.rc_context(STYLE):
            chart(results, DOCS / "figures" / "suggestion_quality.svg")


if __name__ == "__main__":
    main()
