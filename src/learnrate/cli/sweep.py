"""``learnrate sweep``: train under many learning rates, and recommend one."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from learnrate.cli.tables import (
    Features,
    Missing,
    Target,
    data_argument,
    names_in,
    with_table_options,
)
from learnrate.errors import OptionError

__all__ = ["sweep"]


@with_table_options
def sweep(
    context: typer.Context,
    data: Annotated[str | None, data_argument("Without it, the note's own 1,000 examples.")] = None,
    target: Target = None,
    features: Features = None,
    lrs: Annotated[
        str | None,
        typer.Option(
            help="Learning rates: 0.01,0.02 or start:stop:step (stop excluded) or "
            "log:min:max:num or auto. By default auto, or 0.01:0.05:0.01 for the note's own data.",
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option("--batch-size", "-b", help="Examples per step. By default 10."),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", "-e", help="Passes over the examples. By default 3."),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Seed of the initial weights, the order and the split.")
    ] = 0,
    seeds: Annotated[
        int,
        typer.Option(
            help="Number of seeds; curves then have a band, losses a mean and an interval."
        ),
    ] = 1,
    val: Annotated[
        float,
        typer.Option(
            help="Fraction of the examples that is held out, for their loss and R² or accuracy."
        ),
    ] = 0.0,
    sampling: Annotated[
        str, typer.Option(help="shuffle (a permutation per epoch) or independent.")
    ] = "shuffle",
    momentum: Annotated[float, typer.Option(help="Momentum μ in [0, 1).")] = 0.0,
    weight_decay: Annotated[float, typer.Option(help="L2 penalty α on the weights.")] = 0.0,
    schedule: Annotated[
        str,
        typer.Option(
            help="constant, step, cosine, inverse-time, linear, wsd, 1-sqrt or one-cycle."
        ),
    ] = "constant",
    warmup: Annotated[
        float | None,
        typer.Option(
            help="Increase the rate linearly first, over a share of the run (0.05) or a number of steps (100).",
            show_default=False,
        ),
    ] = None,
    missing: Missing = "error",
    standardize: Annotated[
        bool,
        typer.Option(
            help="Scale features to mean 0 and standard deviation 1 (tables only); with --model and mse, the target "
            "too."
        ),
    ] = True,
    dtype: Annotated[str, typer.Option(help="float64 or float32.")] = "float64",
    engine: Annotated[
        str, typer.Option(help="auto, gram, fused, rows, torch or reference.")
    ] = "auto",
    model: Annotated[
        str | None,
        typer.Option(
            help="Train a PyTorch model instead of the linear one: package.module:function, a callable "
            "that returns an nn.Module; it is given the number of features if it takes an argument.",
            show_default=False,
        ),
    ] = None,
    optimizer: Annotated[
        str,
        typer.Option(
            help="sgd, momentum, nesterov, adam, adamw, nadam, radam, adamax, rmsprop, adagrad or lion."
        ),
    ] = "sgd",
    optimizer_option: Annotated[
        list[str] | None,
        typer.Option(
            help="An option of the optimizer, as NAME=VALUE: eps=1e-6, amsgrad=true, betas=0.9,0.99. Repeatable.",
            show_default=False,
        ),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            help="squared, huber or poisson (for numbers), logistic or softmax (for two, or more, classes). By default "
            "squared, or for a target of words a loss for classes. With --model: mse (the default), cross-entropy or bce.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="With --model: cpu (the default), cuda, or auto.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            help="With --model: steps in place of --epochs; measured after 1, 2, 4, … steps unless --eval-every is given.",
            show_default=False,
        ),
    ] = None,
    eval_every: Annotated[
        int | None,
        typer.Option(
            help="With --model: steps from one measurement to the next.", show_default=False
        ),
    ] = None,
    step: Annotated[
        str | None,
        typer.Option(
            help="With --model, in place of --loss: package.module:function, a function of the model and a minibatch (x, y) "
            "that returns the loss, or the loss and metrics by name.",
            show_default=False,
        ),
    ] = None,
    clip: Annotated[
        float | None,
        typer.Option(help="With --model: the largest norm of a gradient.", show_default=False),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="With --model: compute in bf16 or fp16, by autocast.", show_default=False
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            help="Number of threads, on which the curves do not depend. By default 1.",
            show_default=False,
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Train on a Ray cluster, with the same numbers: local (workers on this machine's CPUs), "
            "auto (the cluster that runs here) or the host:port of its head.",
            show_default=False,
        ),
    ] = None,
    cluster_split: Annotated[
        str | None,
        typer.Option(
            help="How work is divided: lanes (each worker goes through all examples) or data (workers compute Gram "
            "matrices in parallel). By default the faster one."
        ),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            help="A memory budget such as 2GB, for tables larger than memory: the table is prepared once, stored in a "
            "cache on disk, and trained on in blocks.",
            show_default=False,
        ),
    ] = None,
    block_size: Annotated[
        int | None,
        typer.Option(
            help="Visit the examples in blocks of this many rows. By default, with --memory, as many as fit.",
            show_default=False,
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="With --memory: the folder for caches. By default the user's cache folder.",
            show_default=False,
        ),
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(
            help="Also suggest a rate for a longer run of this many epochs (with --steps: steps).",
            show_default=False,
        ),
    ] = None,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="End rates early that can no longer be the best."),
    ] = False,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="A folder in which the sweep is saved as it runs; the same command then continues from there.",
            show_default=False,
        ),
    ] = None,
    checkpoint_every: Annotated[
        float | None,
        typer.Option(
            help="With --checkpoint: the least number of seconds between two saved epochs. By default 30.",
            show_default=False,
        ),
    ] = None,
    checkpoint_required: Annotated[
        bool, typer.Option("--checkpoint-required", help="End the sweep if it cannot be saved.")
    ] = False,
    save: Annotated[
        list[str] | None,
        typer.Option(
            "--save",
            "-o",
            help="Write png, svg, pdf (the picture), html (an interactive report), csv, parquet or json "
            "(the numbers), or runs for TensorBoard (a folder: runs/). Repeatable.",
            show_default=False,
        ),
    ] = None,
    save_rates: Annotated[
        list[str] | None,
        typer.Option(
            help="Write a picture (png, svg, pdf) of the final loss against the learning rate, with its limits. "
            "Repeatable.",
            show_default=False,
        ),
    ] = None,
    live: Annotated[
        Path | None,
        typer.Option(help="A folder: write the curves there for TensorBoard as they come."),
    ] = None,
    linear: Annotated[
        bool, typer.Option("--linear", help="Linear loss axis, as in the note.")
    ] = False,
    why: Annotated[
        float | None,
        typer.Option(help="Print the computation that leads to the verdict on this rate."),
    ] = None,
    lang: Annotated[
        str | None,
        typer.Option(help="en or zh. By default the system's language.", show_default=False),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document and nothing else.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False,
    *,
    table: Any,  # a learnrate.data.options.Table
) -> int:
    """Train under many learning rates side by side, draw every curve, recommend one.

    \b
    Example:  learnrate sweep diabetes --lrs auto --epochs 20 --save sweep.png
    """
    from learnrate._translation import as_language, translator
    from learnrate.cli import options
    from learnrate.cli.models import sweep_model
    from learnrate.cli.output import print_result, print_where_to_go_on
    from learnrate.cli.progress import SweepView
    from learnrate.sweeps.live import TensorBoard
    from learnrate.sweeps.options import Optimizer, OutOfCore
    from learnrate.sweeps.rates import check_rates
    from learnrate.sweeps.result import SweepResult
    from learnrate.sweeps.run import sweep as run_sweep
    from learnrate.sweeps.saving import check_sweep_output
    from learnrate.training.monitor import Monitor, SweepInterrupted
    from learnrate.training.schedules import Schedule

    language = as_language(lang)
    if why is not None:
        check_rates([why])
    epochs = 3 if epochs is None and steps is None else epochs
    trained = epochs if steps is None else steps
    if horizon is not None and trained is not None and eval_every is None and horizon < trained:
        unit = "epochs" if steps is None else "steps"
        raise OptionError(
            f"--horizon must be {trained} {unit}, the length of this run, or more. Got {horizon} instead."
        )
    pictures = [(path, "curves") for path in save or ()] + [(p, "rates") for p in save_rates or ()]
    for path, picture in pictures:
        check_sweep_output(path, picture)
    machines = options.machines_of(cluster, cluster_split, model)
    own = data is None
    optimizer_options = options.parse_options(optimizer_option or ())
    asked: dict[str, Any] = {
        "target": target,
        "features": names_in(features),
        "lrs": lrs if lrs is not None else "0.01:0.05:0.01" if own and model is None else "auto",
        "batch_size": batch_size,
        "epochs": epochs,
        "seed": seed,
        "seeds": seeds,
        "val": val,
        "sampling": sampling,
        "loss": loss,
        "optimizer": Optimizer(optimizer, optimizer_options, momentum, weight_decay),
        "schedule": schedule if warmup is None else Schedule(schedule, warmup),
        "missing": missing,
        "table": table,
        "standardize": None if standardize else False,
        "dtype": dtype,
        "engine": engine,
        "prune": prune,
    }
    of_model: dict[str, Any] = {
        "device": device,
        "steps": steps,
        "eval_every": eval_every,
        "step": step,
        "clip": clip,
        "precision": precision,
    }
    if model is None:
        options.refuse_without_model(of_model)
    else:
        options.refuse_with_model(
            {"memory": memory, "block_size": block_size, "cache": cache, "threads": threads}
        )
    kept = options.checkpoint_of(checkpoint, checkpoint_every, checkpoint_required)
    result: SweepResult
    board = TensorBoard(live) if live else None
    with SweepView(
        shown=not (quiet or as_json), translate=translator(language), also=board
    ) as view:
        try:
            examples = "note" if own else sys.stdin.buffer if data == "-" else data
            if model is not None:
                result = sweep_model(
                    model,
                    examples,
                    **asked,
                    **of_model,
                    cluster=machines,
                    checkpoint=kept,
                    on_progress=view.update,
                )
            else:
                result = run_sweep(
                    examples,
                    **asked,
                    threads=1 if threads is None else threads,
                    cluster=machines,
                    memory=OutOfCore(memory, block_size, cache),
                    checkpoint=kept,
                    monitor=Monitor(on_message=view.say, on_progress=view.update),
                )
            code = 0
        except SweepInterrupted as interrupt:
            result, code = interrupt.result, 130
        except KeyboardInterrupt:
            if not quiet:
                print_where_to_go_on(checkpoint, language)
            raise
    if horizon is not None:
        result.suggestion(horizon)  # or an error, before anything is written
        result = replace(result, wanted=horizon)
    saved = [
        result.save(path, picture=picture, log=not linear, command=context.obj.typed, lang=language)
        for path, picture in pictures
    ]
    saved += [] if board is None or board.place is None else [board.place]
    if as_json:
        print(json.dumps(result.as_dict(), ensure_ascii=False))
    elif not quiet:
        print_result(
            result, saved, why=why, interrupted=code != 0, checkpoint=checkpoint, lang=language
        )
    return code
