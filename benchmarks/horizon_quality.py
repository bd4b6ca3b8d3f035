"""Which rate for a longer run, and which lanes may be ended early: measured on small tasks, trained to 30 times a sweep.

Every task is trained under 25 rates for M·T0 steps, M = 1, 10 and 30, with three seeds. From the curves up to T0 a
rule says which rate to use at M·T0; from the curves on the way a rule says which lanes to end. What that costs is seen in
the curves to the end. Curves are kept in ``results/horizon_quality.npz``; what is there is not trained again::

    python -m benchmarks.horizon_quality                  # all that is missing; about an hour on one core
    python -m benchmarks.horizon_quality --report         # the tables of the tasks that rules were chosen by
    python -m benchmarks.horizon_quality --report --aside # and those of the tasks that were put aside until the end

The tasks in `ASIDE` were trained after the rules had been chosen; see `benchmarks.horizon_tasks`.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

import learnrate.torch
from benchmarks.horizon_tasks import ASIDE, TASKS, Task, build, load
from benchmarks.pages import DOCS, put
from learnrate.sweeps.longer import Swept, best_rate, longer_run, suggest_longer
from learnrate.torch.result import TorchSweepResult
from learnrate.training.problem import Horizon
from learnrate.training.pruning import Halving, lowest_so_far
from learnrate.training.schedules import Schedule, warmed

RESULTS = Path(__file__).parent / "results" / "horizon_quality.npz"
PAGES = [DOCS / "suggestion-quality.md", DOCS / "suggestion-quality.zh-CN.md"]
HORIZONS = (1, 10, 30)
SEEDS = 3
WARM_UPS = (0.03, 0.1)
"""Shares of the run; these runs are of one seed, and not of text, which takes long."""
COARSE = slice(0, None, 2)
"""The 13 rates of a usual sweep, out of the 25 that are trained to judge by."""


class Curves(NamedTuple):
    """Held-out losses of all rates on a run of some steps: (S, K, points), and where they were measured, in steps."""

    losses: Any
    steps: Any


def loss_of(task: Task) -> str:
    """Name of the loss."""
    return "cross-entropy" if load(task.data)[0][1].dtype == torch.int64 else "mse"


def trained(
    task: Task, seed: int, M: int, *, lrs: Any, optimizer: Any, schedule: str | Schedule
) -> TorchSweepResult:
    """A sweep of M·T0 steps from one seed, measured on held-out examples alone."""
    data, held = load(task.data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return learnrate.torch.sweep(
            build(task, seed),
            data,
            loss=loss_of(task),
            lrs=lrs,
            optimizer=optimizer,
            schedule=schedule,
            batch_size=min(task.batch_size, len(data[0])),
            steps=M * task.T0,
            eval_train=False,
            val_data=held,
            seed=seed,
            keep="none",
        )


def train(task: Task, M: int, warm_up: float = 0.0) -> Curves:
    """All rates for M·T0 steps."""
    schedule = Schedule(task.schedule, warmup=warm_up) if warm_up else task.schedule
    own = {"lrs": task.lrs, "optimizer": task.optimizer, "schedule": schedule}
    results = [trained(task, seed, M, **own) for seed in range(1 if warm_up else SEEDS)]
    losses = np.concatenate([np.asarray(result.val_losses) for result in results])
    return Curves(losses, results[-1].positions)


def known() -> dict[str, Any]:
    """What has been trained so far."""
    if not RESULTS.exists():
        return {}
    with np.load(RESULTS) as kept:
        return dict(kept)


def named(task: Task, M: int, warm_up: float = 0.0) -> str:
    """As its curves are called in the file."""
    return f"{task.name} {M}" + (f" warm-up {warm_up:g}" if warm_up else "")


def run(names: list[str]) -> None:
    """Train what is missing."""
    torch.set_num_threads(1)
    plain = [(M, 0.0) for M in HORIZONS]
    warm = [(M, warm_up) for M in HORIZONS[1:] for warm_up in WARM_UPS]
    for task in TASKS:
        for M, warm_up in plain if task.data == "text" else plain + warm:
            key = named(task, M, warm_up)
            if (names and task.name not in names) or f"{key} losses" in known():
                continue
            curves = train(task, M, warm_up)
            kept = {**known(), f"{key} losses": curves.losses, f"{key} steps": curves.steps}
            RESULTS.parent.mkdir(exist_ok=True)
            np.savez_compressed(RESULTS, **kept)
            print(
                key,
                "best rate",
                [f"{task.lrs[np.nanargmin(seed[:, -1])]:.3g}" for seed in curves.losses],
                flush=True,
            )


# Rules ---------------------------------------------------------------------------------------------


class Long(NamedTuple):
    """One seed of a task: all 25 rates, trained for T0 and for M times as long."""

    lrs: Any
    short: Any
    short_steps: Any
    long: Any
    long_steps: Any
    M: int

    def regret(self, lr: float) -> float:
        """What a rate loses at the long run, as a share of what the best one gains; best checkpoints so far.

        Between the rates that were trained it is interpolated in ``ln η``.
        """
        final = lowest(self.long)
        start = self.long[:, 0]
        share = (np.minimum(final, start) - final.min()) / (start.mean() - final.min())
        return float(np.interp(np.log(lr), np.log(self.lrs), share))


def lowest(curves: Any) -> Any:
    """Of one seed: (K, points)."""
    return lowest_so_far(curves[None])


def runs(M: int, aside: bool, warm_up: float = 0.0) -> Iterator[tuple[str, Long]]:
    """All seeds of the tasks that were put aside, or of the others."""
    found = known()
    for task in TASKS:
        keys = named(task, 1), named(task, M, warm_up)
        if (task.name in ASIDE) != aside or not all(f"{key} losses" in found for key in keys):
            continue
        short, long = (found[f"{key} losses"] for key in keys)
        steps = [found[f"{key} steps"] for key in keys]
        for s in range(len(long)):
            yield task.name, Long(task.lrs, short[s], steps[0], long[s], steps[1], M)


def _now(run: Long) -> float:
    return best_rate(run.lrs[COARSE], lowest(run.short[COARSE]))


RULES: dict[str, Callable[[Long], float]] = {
    "the best rate of the sweep": _now,
    "`suggestion(horizon=)`: × M^−0.32": lambda run: longer_run(_now(run), run.M).lr,
    "× M^−½": lambda run: _now(run) * run.M**-0.5,
    "× M^−¼": lambda run: _now(run) * run.M**-0.25,
    "× M^−0.2": lambda run: _now(run) * run.M**-0.2,
}


def answered(M: int, aside: bool) -> list[tuple[str, Long]]:
    """The runs that `suggestion(horizon=)` gives a rate for: the sweep's best rate is neither the smallest nor the largest."""
    found = []
    for name, run in runs(M, aside):
        if 0 < int(np.argmin(lowest(run.short[COARSE]))) < len(run.lrs[COARSE]) - 1:
            found.append((name, run))
    return found


def horizon_table(aside: bool) -> str:
    """Regret and coverage of every rule."""
    kept = {M: answered(M, aside) for M in HORIZONS[1:]}
    rows = [
        "| rule | 10 ×: mean | worst | 30 ×: mean | worst |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, rule in RULES.items():
        cells = []
        for M in HORIZONS[1:]:
            per_task: dict[str, list[float]] = {}
            for task, run in kept[M]:
                per_task.setdefault(task, []).append(100 * run.regret(rule(run)))
            means = [np.mean(values) for values in per_task.values()]
            cells += [f"{np.mean(means):.2f} %", f"{np.max(means):.2f} %"]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    covered = []
    for M in HORIZONS[1:]:
        inside = []
        for _, run in kept[M]:
            found = longer_run(_now(run), M)
            best = best_rate(run.lrs, lowest(run.long))
            inside.append(found.low <= best <= found.high)
        width = longer_run(1.0, M).high / longer_run(1.0, M).lr
        covered.append(f"{np.mean(inside):.0%} at {M} × (width ×/÷{width:.2g}, {len(inside)} runs)")
    swept = list(runs(HORIZONS[1], aside))
    said = (
        f"The interval held the best rate in {', '.join(covered)}. Left out were "
        f"{len(swept) - len(kept[HORIZONS[1]])} of {len(swept)} sweeps."
    )
    return "\n".join([*rows, "", said])


def short_sweeps() -> str:
    """What the suggestion loses at 10 × on all tasks, where it says that the sweep was short and elsewhere."""
    lost: dict[bool, list[float]] = {True: [], False: []}
    for _, run in (*answered(10, False), *answered(10, True)):
        swept = Swept(run.lrs[COARSE], run.short[COARSE][None], run.short_steps, "step", "loss")
        found = suggest_longer(swept, 10 * swept.length)
        assert found.lr is not None
        lost["it is short for this model" in found.reason].append(100 * run.regret(found.lr))
    parts = [f"{len(lost[short])} sweeps {np.mean(lost[short]):.1f} %" for short in (True, False)]
    return f"Lost at 10 ×: where the sweep is said to be short, {parts[0]}; elsewhere, {parts[1]}."


class Pruned(NamedTuple):
    """What was trained, in lane-steps over those of one training, and what the winner loses in percent."""

    cost: float
    regret: float


def halving(run: Long, rungs: Sequence[tuple[float, int]], *, foreseen: bool = False) -> Pruned:
    """Lanes are ended after parts of the run, at the nearest measurement, each time but so many of the best so far.

    If ``foreseen``, the last choice is by the losses at the end: no rule can do better with these lanes.
    """
    lrs, curves, steps = run.lrs[COARSE], run.long[COARSE], run.long_steps
    T, going, cost, before = int(steps[-1]), np.arange(len(lrs)), 0.0, 0
    for part, left in (*rungs, (1.0, 1)):
        point = 1 + int(np.argmin(np.abs(np.log(steps[1:] / (part * T)))))
        cost += len(going) * (int(steps[point]) - before)
        before = int(steps[point])
        seen = len(steps) if foreseen and left == 1 else point + 1
        going = going[np.argsort(lowest(curves[going, :seen]), kind="stable")[:left]]
    return Pruned(cost / T, 100 * run.regret(float(lrs[going[0]])))


def ours(run: Long, after: float = 0.0) -> Pruned:
    """As `learnrate.training.pruning.Halving` does it."""
    rungs = Halving(after=after).points(
        Horizon(steps=int(run.long_steps[-1])), len(run.lrs[COARSE])
    )
    parts = [(run.long_steps[point] / run.long_steps[-1], left) for point, left in rungs]
    return halving(run, parts)


def band(run: Long) -> Pruned:
    """A band of rates about the best so far, and one lane from a tenth of the run on: the rule of an earlier study."""
    lrs, curves, steps = run.lrs[COARSE], run.long[COARSE], run.long_steps
    T, going, cost, before = int(steps[-1]), np.arange(len(lrs)), 0.0, 0
    half = np.diff(np.log(lrs)).mean() / 2
    for point in range(1, len(steps)):
        t = int(steps[point])
        cost += len(going) * (t - before)
        before = t
        low, at, left = lowest(curves[going, : point + 1]), np.log(lrs[going]), np.log(T / t)
        if t < max(20, T / 200) or t == T or not np.isfinite(low).any():
            continue
        apart = at - at[np.argmin(low)]
        if t >= T / 10:
            going = going[[np.argmin(np.abs(apart + 0.3 * left))]]
        else:
            going = going[(apart >= -0.7 * left - half) & (apart <= 0.25 * left + half)]
    final = lowest(curves)[going]
    return Pruned(cost / T, 100 * run.regret(float(lrs[going[np.argmin(final)]])))


def everyone(run: Long) -> Pruned:
    """All 13, to the end."""
    lrs, final = run.lrs[COARSE], lowest(run.long[COARSE])
    return Pruned(len(lrs), 100 * run.regret(float(lrs[np.argmin(final)])))


CHEAPER = ((1 / 256, 8), (1 / 128, 6), (1 / 64, 5), (1 / 32, 4), (1 / 8, 1))
PRUNERS: dict[str, Callable[[Long], Pruned]] = {
    "all 13 rates": everyone,
    "successive halving, 13-4-2-1 at T/27, T/9, T/3": lambda run: halving(
        run, ((1 / 27, 4), (1 / 9, 2), (1 / 3, 1))
    ),
    "a band about the best so far": band,
    "13-5-3-1 at T/32, T/8, T/4": lambda run: halving(run, ((1 / 32, 5), (1 / 8, 3), (1 / 4, 1))),
    "13-6-4-2-1 at T/64, T/32, T/16, T/8": lambda run: halving(
        run, ((1 / 64, 6), (1 / 32, 4), (1 / 16, 2), (1 / 8, 1))
    ),
    "13-8-6-5-4-1 at T/256, T/128, T/64, T/32, T/8": lambda run: halving(run, CHEAPER),
    "the same, if it were known which of the last four will be best": lambda run: halving(
        run, CHEAPER, foreseen=True
    ),
    "`prune=True`: 13-7-4-2-1 at T/128, T/32, T/8, T/4": ours,
}


def pruning_table(aside: bool) -> str:
    """Cost and regret of every way."""
    rows = [
        "| way | cost, in trainings | regret: mean | worst | more than 1 % lost |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, pruner in PRUNERS.items():
        found = [pruner(run) for M in HORIZONS[1:] for _, run in runs(M, aside)]
        cost, regret = (np.array(values) for values in zip(*found, strict=True))
        rows.append(
            f"| {name} | {cost.mean():.2f} | {regret.mean():.2f} % | {regret.max():.2f} % | {np.mean(regret > 1):.0%} |"
        )
    return "\n".join(rows)


def warm_up_table() -> str:
    """What `ours` costs and loses on all tasks where the rate warms up, its parts counted from there or from the start."""
    rows = [
        "| warm-up | parts of the run count | cost, in trainings | regret: mean | worst | more than 1 % lost |",
        "| ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for share in WARM_UPS:
        for way in ("from half of the warm-up", "from the start"):
            found = []
            for M in HORIZONS[1:]:
                for _, run in (*runs(M, False, share), *runs(M, True, share)):
                    schedule = Schedule(warmup=share).multipliers(int(run.long_steps[-1]))
                    found.append(ours(run, warmed(schedule) if "half" in way else 0.0))
            cost, regret = (np.array(values) for values in zip(*found, strict=True))
            rows.append(
                f"| {share:.0%} | {way} | {cost.mean():.2f} | {regret.mean():.2f} % | {regret.max():.2f} % | "
                f"{np.mean(regret > 1):.0%} |"
            )
    return "\n".join(rows)


def main() -> None:
    """Train what is missing, or report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="*", default=[], help="some of them")
    parser.add_argument("--report", action="store_true", help="the tables of what is there")
    parser.add_argument("--aside", action="store_true", help="of the tasks that were put aside")
    given = parser.parse_args()
    if not given.report:
        run(given.tasks)
        return
    tasks = sorted({task for task, _ in runs(HORIZONS[-1], given.aside)})
    tables = {"longer": horizon_table(given.aside), "pruning": pruning_table(given.aside)}
    if given.aside:
        tables["warm-up"] = warm_up_table()
    print(f"{len(tasks)} tasks: {', '.join(tasks)}", *tables.values(), short_sweeps(), sep="\n\n")
    if given.aside:
        for page in PAGES:
            for name, table in tables.items():
                put(page, name, table)


if __name__ == "__main__":
    main()
