"""What else finds a rate for a run of T steps: tuners that end trials early, rate finders, and optimizers without a rate.

On the tasks of `benchmarks.horizon_tasks` that were put aside, at 10 and 30 times the sweep's length. Optuna's pruners see
the curves that `benchmarks.horizon_quality` recorded, interpolated between the rates in ``ln η``. What a finder suggests, and
optimizers that need no rate, are trained. Regret is the share of ``start − best`` that is lost, best checkpoints so far, where
the best is that of the 25 rates with the task's own optimizer: less than 0 is better than all of these::

    ENV/bin/python -m benchmarks.horizon_peers                    # what is missing in results/horizon_peers.jsonl
    ENV/bin/python -m benchmarks.horizon_peers --report --update  # the table in docs/

``benchmarks/requirements/horizon_peers.txt`` says how to make ENV.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import torch

from benchmarks import suggestion_quality as finders
from benchmarks.horizon_quality import (
    COARSE,
    HORIZONS,
    SEEDS,
    Long,
    Pruned,
    everyone,
    loss_of,
    lowest,
    ours,
    runs,
    trained,
)
from benchmarks.horizon_tasks import ASIDE, TASKS, Task, build, load
from benchmarks.pages import print_table

RESULTS = Path(__file__).parent / "results" / "horizon_peers.jsonl"


# Tuners, on recorded curves -------------------------------------------------------------------------


def tuned(run: Long, pruner: Any, *, budget: float | None, seed: int) -> Pruned:
    """Optuna with a pruner and its usual sampler (TPE): 13 trials, or as many as a budget of lane-steps allows.

    The winner is the trial with the lowest loss so far; if it was pruned it is trained to the end, which is counted.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed)
    # Hyperband gives a trial its bracket by a hash of the name.
    study = optuna.create_study(sampler=sampler, pruner=pruner, study_name=str(seed))
    steps = run.long_steps
    curves = np.stack([lowest(run.long[:, : point + 1]) for point in range(len(steps))], axis=1)
    at, T = np.log(run.lrs), int(run.long_steps[-1])
    reached: list[tuple[float, float, int]] = []  # loss, rate, steps
    spent = 0
    while len(reached) < len(run.lrs[COARSE]) if budget is None else spent < budget * T:
        trial = study.ask()
        lr = trial.suggest_float("lr", run.lrs[0], run.lrs[-1], log=True)
        for point in range(1, len(steps)):
            values = np.where(np.isfinite(curves[:, point]), curves[:, point], curves[:, 0])
            loss = float(np.interp(np.log(lr), at, values))
            trial.report(loss, int(steps[point]))
            over = budget is not None and spent + int(steps[point]) >= budget * T
            if trial.should_prune() or over:
                break
        pruned = point < len(steps) - 1
        state = optuna.trial.TrialState.PRUNED if pruned else optuna.trial.TrialState.COMPLETE
        study.tell(trial, None if pruned else loss, state=state)
        spent += int(steps[point])
        reached.append((loss, lr, int(steps[point])))
    _, lr, trained = min(reached)
    return Pruned((spent + T - trained) / T, 100 * run.regret(lr))


def asha(run: Long, budget: float | None, seed: int) -> Pruned:
    """`SuccessiveHalvingPruner`, which is asynchronous: with factor 3 from 1/27 of the run on."""
    import optuna

    least = max(1, int(run.long_steps[-1]) // 27)
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=least, reduction_factor=3)
    return tuned(run, pruner, budget=budget, seed=seed)


def hyperband(run: Long, budget: float | None, seed: int) -> Pruned:
    """`HyperbandPruner` with factor 3 from 1/27 of the run on."""
    import optuna

    T = int(run.long_steps[-1])
    pruner = optuna.pruners.HyperbandPruner(
        min_resource=max(1, T // 27), max_resource=T, reduction_factor=3
    )
    return tuned(run, pruner, budget=budget, seed=seed)


def tuned_at_once(run: Long, factor: int, grace: float, seed: int) -> Pruned:
    """Ray Tune's `ASHAScheduler` with 13 trials side by side, which report in a random order; the winner is trained to the end."""
    from ray.tune.schedulers import ASHAScheduler
    from ray.tune.schedulers.trial_scheduler import TrialScheduler

    lrs, steps, rng = run.lrs[COARSE], run.long_steps, np.random.default_rng(seed)
    curves = [lowest(run.long[COARSE][:, : point + 1]) for point in range(len(steps))]
    T, trials = int(steps[-1]), [SimpleNamespace(trial_id=str(k)) for k in range(len(lrs))]
    scheduler: Any = ASHAScheduler(
        *("t", "loss", "min"), max_t=T, grace_period=max(1, int(grace * T)), reduction_factor=factor
    )
    for trial in trials:
        scheduler.on_trial_add(None, trial)
    reached, going = np.zeros(len(lrs), dtype=int), list(range(len(lrs)))
    for point in range(1, len(steps)):
        for k in rng.permutation(going):
            reached[k] = point
            loss = float(np.nan_to_num(curves[point][k], nan=1e30, posinf=1e30))
            report = {"t": int(steps[point]), "loss": loss}
            if scheduler.on_trial_result(None, trials[k], report) == TrialScheduler.STOP:
                going.remove(k)
    best = min(range(len(lrs)), key=lambda k: (curves[reached[k]][k], -reached[k]))
    spent = int(steps[reached].sum()) + T - int(steps[reached[best]])
    return Pruned(spent / T, 100 * run.regret(float(lrs[best])))


# Finders and optimizers without a rate, trained ------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """A task as the finders of `benchmarks.suggestion_quality` take it."""

    task: Task

    @property
    def optimizer(self) -> str:
        """Name of the optimizer."""
        return self.task.optimizer

    @property
    def loss(self) -> str:
        """Name of the loss."""
        return loss_of(self.task)

    @property
    def train(self) -> Any:
        """Examples to train on."""
        return load(self.task.data)[0]

    def build(self, seed: int) -> torch.nn.Module:
        """A fresh model; finders give 100 times the seed."""
        return build(self.task, seed // 100)


def prodigy(model: torch.nn.Module, lr: float) -> Any:
    """Prodigy of the package prodigyopt."""
    from prodigyopt import Prodigy

    return Prodigy(model.parameters(), lr=lr)


def schedule_free(model: torch.nn.Module, lr: float) -> Any:
    """AdamWScheduleFree of the package schedulefree."""
    from schedulefree import AdamWScheduleFree

    return AdamWScheduleFree(model.parameters(), lr=lr)


def d_adaptation(model: torch.nn.Module, lr: float) -> Any:
    """DAdaptAdam of the package dadaptation."""
    from dadaptation import DAdaptAdam

    return DAdaptAdam(model.parameters(), lr=lr)


FINDERS = ("fastai valley", "lightning", "torch-lr-finder")
WITHOUT: dict[str, tuple[Callable[[torch.nn.Module, float], Any], float]] = {
    "Prodigy": (prodigy, 1.0),
    "D-Adaptation (Adam)": (d_adaptation, 1.0),
    "Schedule-Free AdamW": (schedule_free, 0.0025),
}
"""With the rate that each takes where none is given."""


def curve_of(task: Task, seed: int, M: int, optimizer: Any, lr: float, schedule: str) -> Any:
    """Held-out losses of one rate, trained for M·T0 steps as in `benchmarks.horizon_quality`."""
    result = trained(task, seed, M, lrs=[lr], optimizer=optimizer, schedule=schedule)
    return np.asarray(result.val_losses)[0, 0]


@cache
def suggested(task: Task, tool: str, seed: int) -> float | None:
    """A finder's rate, which is the same for every length."""
    lr, _ = finders.TOOLS[tool](Found(task), seed, seed)  # type: ignore[arg-type]
    return lr


def of_tool(run: Long, task: Task, tool: str, seed: int) -> dict[str, float]:
    """Its regret, in percent, and the rate, where it has one."""
    if tool in FINDERS:
        lr = suggested(task, tool, seed)
        if lr is None:
            return {"regret": 100.0}
        if run.lrs[0] <= lr <= run.lrs[-1]:
            return {"regret": 100 * run.regret(lr), "lr": lr}
        curve = curve_of(task, seed, run.M, task.optimizer, lr, task.schedule)
        return {"regret": _regret(run, curve), "lr": lr}
    optimizer, rate = WITHOUT[tool]
    schedule = "constant" if tool.startswith("Schedule") else task.schedule
    return {"regret": _regret(run, curve_of(task, seed, run.M, optimizer, rate, schedule))}


def _regret(run: Long, curve: Any) -> float:
    start, best = float(run.long[:, 0].mean()), float(lowest(run.long).min())
    end = np.nanmin(curve) if np.isfinite(curve[-1]) else start
    return float(100 * (min(end, start) - best) / (start - best))


# Results ---------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """A line of the table."""

    name: str
    cost: float
    regrets: list[float]


def read() -> dict[tuple[str, str, int, int], dict[str, Any]]:
    """What has been trained."""
    if not RESULTS.exists():
        return {}
    lines = map(json.loads, RESULTS.read_text(encoding="utf-8").splitlines())
    return {(line["task"], line["tool"], line["seed"], line["M"]): line for line in lines}


def aside() -> list[tuple[Task, int, Long]]:
    """All runs of the tasks that were put aside, with their seeds: those of the first seed first."""
    tasks = {task.name: task for task in TASKS if task.name in ASIDE}
    found = []
    for M in HORIZONS[1:]:
        for number, (name, run) in enumerate(runs(M, True)):
            found.append((tasks[name], number % SEEDS, run))
    return sorted(found, key=lambda of: of[1])


def train_missing() -> None:
    """All finders and optimizers on all runs."""
    torch.set_num_threads(1)
    os.environ["TQDM_DISABLE"] = "1"
    warnings.simplefilter("ignore")
    done = read()
    for (task, seed, run), tool in product(aside(), (*FINDERS, *WITHOUT)):
        if (task.name, tool, seed, run.M) in done:
            continue
        line: dict[str, Any] = {"task": task.name, "tool": tool, "seed": seed, "M": run.M}
        try:
            line |= of_tool(run, task, tool, seed)
        except Exception as error:  # a tool that fails has found nothing
            line |= {"regret": 100.0, "error": repr(error)[:200]}
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line)[:200], flush=True)


def rows() -> list[Row]:
    """The table's lines."""
    all_runs, done = aside(), read()
    mine = [ours(run) for *_, run in all_runs]
    found = [
        Row("all 13 rates", 13.0, [everyone(run).regret for *_, run in all_runs]),
        Row("`prune=True`", float(np.mean([p.cost for p in mine])), [p.regret for p in mine]),
    ]
    for name, tuner in (("ASHA", asha), ("Hyperband", hyperband)):
        for trials, words in ((None, "13 trials"), (True, "as many steps as `prune=True`")):
            pruned = [
                tuner(run, None if trials is None else own.cost, seed)
                for (_, seed, run), own in zip(all_runs, mine, strict=True)
            ]
            cost = float(np.mean([p.cost for p in pruned]))
            found.append(Row(f"Optuna, {name}, {words}", cost, [p.regret for p in pruned]))
    for factor, part in ((3, 27), (4, 128)):
        pruned = [tuned_at_once(run, factor, 1 / part, seed) for _, seed, run in all_runs]
        name = f"Ray Tune, ASHA, 13 rates at once, factor {factor} from T/{part}"
        cost = float(np.mean([p.cost for p in pruned]))
        found.append(Row(name, cost, [p.regret for p in pruned]))
    for tool in (*FINDERS, *WITHOUT):
        there = [
            (done[key]["regret"], int(run.long_steps[-1]))
            for task, seed, run in all_runs
            if (key := (task.name, tool, seed, run.M)) in done
        ]
        if there:
            # A finder's ramp is about 100 steps.
            costs = [1 + 100 / T * (tool in FINDERS) for _, T in there]
            found.append(Row(tool, float(np.mean(costs)), [regret for regret, _ in there]))
    return found


def report() -> list[str]:
    """The table."""
    lines = [
        "| way | runs | cost, in trainings | regret: median | mean | worst | more than 1 % lost |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, cost, regrets in rows():
        of = np.array(regrets)
        lines.append(
            f"| {name} | {len(of)} | {cost:.2f} | {np.median(of):.2f} % | {of.mean():.2f} % | {of.max():.1f} % | {np.mean(of > 1):.0%} |"
        )
    return lines


def main() -> None:
    """Train what is missing, or report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--report", action="store_true", help="the table of what is there")
    parser.add_argument("--update", action="store_true", help="put it into docs/")
    if not parser.parse_args().report:
        train_missing()
        return
    warnings.simplefilter("ignore")
    print_table("peers", report(), "suggestion-quality")


if __name__ == "__main__":
    main()
