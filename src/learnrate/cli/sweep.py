"""``learnrate sweep``: train under many learning rates, and recommend one."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from learnrate.cli.tables import with_table_options
from learnrate.errors import OptionError

__all__ = ["sweep"]


@with_table_options
def sweep(
    context: typer.Context,
    data: Annotated[
        str | None,
        typer.Argument(
            help="A table (csv, tsv, txt, xlsx, parquet, feather, arrow, json, jsonl, npy, npz, each also packed), a glob "
            "of them, file.db::table, - for standard input, or diabetes or houses (which ship with learnrate). "
            "Nothing: the note's own 1,000 examples.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="Column to predict.", show_default=False)
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(help="Columns to predict from, a,b,c. All that can serve, unless given."),
    ] = None,
    lrs: Annotated[
        str | None,
        typer.Option(
            help="Learning rates: 0.01,0.02 or start:stop:step (stop excluded) or "
            "log:min:max:num or auto. The note's 0.01:0.05:0.01 on its own data, else auto.",
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option("--batch-size", "-b", help="Examples per step. 10 unless given."),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", "-e", help="Passes over the examples. 3 unless given."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Start, order and split follow from it.")] = 0,
    seeds: Annotated[
        int, typer.Option(help="Repeats with other seeds: a band, a mean and an interval.")
    ] = 1,
    val: Annotated[
        float,
        typer.Option(help="Fraction of examples held out, for their loss and R² or accuracy."),
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
            help="Let the rate grow first, over a share of the run (0.05) or a number of steps (100).",
            show_default=False,
        ),
    ] = None,
    missing: Annotated[
        str, typer.Option(help="Missing values: error, drop (the rows) or mean (fill it in).")
    ] = "error",
    standardize: Annotated[
        bool,
        typer.Option(
            help="Train on features with mean 0 and deviation 1 (tables only); with --model and mse, on such a "
            "target too."
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
            help="squared, huber or poisson (of numbers), logistic or softmax (of two, or more, classes). Unless given "
            "squared, or for a target of words a loss of classes. With --model: mse (unless given), cross-entropy or bce.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="With --model: cpu (unless given), cuda, or auto.")
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
            help="Threads; the curves do not depend on it. 1 unless given.", show_default=False
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
            help="What workers share out: lanes (each goes through all examples) or data (they make Gram "
            "matrices, in parallel). The quicker one unless given."
        ),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            help="A budget such as 2GB, for tables larger than memory: prepared once, into a cache on "
            "disk, and trained on in blocks.",
            show_default=False,
        ),
    ] = None,
    block_size: Annotated[
        int | None,
        typer.Option(
            help="Visit the examples in blocks of so many rows. With --memory what fits it, unless given.",
            show_default=False,
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="With --memory: the folder for caches. The user's own unless given.",
            show_default=False,
        ),
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(
            help="Also suggest a rate for a run of so many epochs (with --steps: steps), longer than this one.",
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
            help="A folder to save finished epochs in; the same command then goes on from there.",
            show_default=False,
        ),
    ] = None,
    checkpoint_every: Annotated[
        float | None,
        typer.Option(
            help="With --checkpoint: seconds at least between one saved epoch and the next. 30 unless given.",
            show_default=False,
        ),
    ] = None,
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
    linear: Annotated[
        bool, typer.Option("--linear", help="Linear loss axis, the note's look.")
    ] = False,
    why: Annotated[
        float | None, typer.Option(help="Work out the verdict on this rate in full.")
    ] = None,
    lang: Annotated[
        str | None,
        typer.Option(help="en or zh. That of the system, unless given.", show_default=False),
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
    from learnrate._translation import check_language, translator
    from learnrate.book.language import default_language
    from learnrate.cli.models import sweep_model
    from learnrate.cli.options import (
        machines_of,
        parse_options,
        refuse_with_model,
        refuse_without_model,
    )
    from learnrate.cli.output import print_result
    from learnrate.cli.progress import EpochProgress
    from learnrate.sweeps.options import OutOfCore
    from learnrate.sweeps.rates import check_rates
    from learnrate.sweeps.result import SweepResult
    from learnrate.sweeps.run import sweep as run_sweep
    from learnrate.sweeps.saving import check_sweep_output
    from learnrate.training.checkpoint import Checkpoint
    from learnrate.training.monitor import Monitor, SweepInterrupted
    from learnrate.training.schedules import Schedule

    language = default_language() if lang is None else check_language(lang)
    if why is not None:
        check_rates([why])
    trained = epochs if steps is None else steps
    if horizon is not None and trained is not None and eval_every is None and horizon < trained:
        unit = "epochs" if steps is None else "steps"
        raise OptionError(
            f"--horizon must be {trained} {unit}, the length of this run, or more. Got {horizon} instead."
        )
    pictures = [(path, "curves") for path in save or ()] + [(p, "rates") for p in save_rates or ()]
    for path, picture in pictures:
        check_sweep_output(path, picture)
    machines = machines_of(cluster, cluster_split, model)
    own = data is None
    asked: dict[str, Any] = {
        "target": target,
        "features": None if features is None else [name.strip() for name in features.split(",")],
        "lrs": lrs if lrs is not None else "0.01:0.05:0.01" if own and model is None else "auto",
        "batch_size": batch_size,
        "epochs": 3 if epochs is None and steps is None else epochs,
        "seed": seed,
        "seeds": seeds,
        "val": val,
        "sampling": sampling,
        "loss": loss,
        "optimizer": optimizer,
        "optimizer_options": parse_options(optimizer_option or ()),
        "momentum": momentum,
        "weight_decay": weight_decay,
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
        refuse_without_model(of_model)
    else:
        refuse_with_model(
            {"memory": memory, "block_size": block_size, "cache": cache, "threads": threads}
        )
    if checkpoint is None and checkpoint_every is not None:
        raise OptionError(
            f"--checkpoint-every goes with --checkpoint. Got {checkpoint_every:g} without one; name a "
            "folder with --checkpoint, or leave it out."
        )
    kept = None
    if checkpoint is not None:
        kept = Checkpoint(checkpoint, 30.0 if checkpoint_every is None else checkpoint_every)
    in_blocks = memory is not None or block_size is not None
    result: SweepResult
    counted = "epochs" if steps is None and eval_every is None else "evaluations"
    shown = not (quiet or as_json)
    with EpochProgress(shown=shown, counted=counted, translate=translator(language)) as progress:
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
                    on_epoch=progress.update,
                )
            else:
                result = run_sweep(
                    examples,
                    **asked,
                    threads=1 if threads is None else threads,
                    cluster=machines,
                    memory=OutOfCore(memory, block_size, cache),
                    checkpoint=kept,
                    monitor=Monitor(
                        on_epoch=None if in_blocks else progress.update,
                        on_message=progress.say,
                        on_progress=progress.update_examples if in_blocks else None,
                    ),
                )
            code = 0
        except SweepInterrupted as interrupt:
            result, code = interrupt.result, 130
    if horizon is not None:
        result.suggestion(horizon)  # or an error, before anything is written
        result = replace(result, wanted=horizon)
    saved = [
        result.save(path, picture=picture, log=not linear, command=context.obj, lang=language)
        for path, picture in pictures
    ]
    if as_json:
        print(json.dumps(result.as_dict(), ensure_ascii=False))
    elif not quiet:
        print_result(
            result, saved, why=why, interrupted=code != 0, checkpoint=checkpoint, lang=language
        )
    return code
