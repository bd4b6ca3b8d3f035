"""``learnrate sweep``: the main job."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from learnrate.errors import OptionError

__all__ = ["sweep"]


def sweep(
    context: typer.Context,
    data: Annotated[
        str | None,
        typer.Argument(
            help="A table (csv, tsv, parquet, feather, arrow, jsonl, npy, npz), a glob of them, "
            "- for CSV on standard input, or diabetes (442 patients, ships with learnrate). "
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
    epochs: Annotated[int, typer.Option("--epochs", "-e", help="Passes over the examples.")] = 3,
    seed: Annotated[int, typer.Option(help="Start, order and split follow from it.")] = 0,
    seeds: Annotated[
        int, typer.Option(help="Repeats with other seeds: a band, a mean and an interval.")
    ] = 1,
    val: Annotated[
        float, typer.Option(help="Fraction of examples held out, for their loss and R².")
    ] = 0.0,
    sampling: Annotated[
        str, typer.Option(help="shuffle (a permutation per epoch) or independent.")
    ] = "shuffle",
    momentum: Annotated[float, typer.Option(help="Momentum μ in [0, 1).")] = 0.0,
    weight_decay: Annotated[float, typer.Option(help="L2 penalty α on the weights.")] = 0.0,
    schedule: Annotated[
        str, typer.Option(help="constant, step, cosine or inverse-time.")
    ] = "constant",
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
    engine: Annotated[str, typer.Option(help="auto, gram, fused, torch or reference.")] = "auto",
    model: Annotated[
        str | None,
        typer.Option(
            help="Train a PyTorch model instead of the linear one: package.module:function, a callable "
            "that returns an nn.Module; it is given the number of features if it takes an argument.",
            show_default=False,
        ),
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            help="With --model: sgd (unless given), momentum, nesterov, adam, adamw, rmsprop, adagrad."
        ),
    ] = None,
    loss: Annotated[
        str | None, typer.Option(help="With --model: mse (unless given), cross-entropy or bce.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="With --model: cpu (unless given), cuda, or auto.")
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads; the curves do not depend on it.")] = 1,
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
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="A folder to save finished epochs in; the same command then goes on from there.",
            show_default=False,
        ),
    ] = None,
    checkpoint_every: Annotated[
        float, typer.Option(help="Seconds at least between one saved epoch and the next.")
    ] = 30.0,
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
    linear: Annotated[
        bool, typer.Option("--linear", help="Linear loss axis, the note's look.")
    ] = False,
    why: Annotated[
        float | None, typer.Option(help="Work out the verdict on this rate in full.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document and nothing else.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False,
) -> int:
    """Train under many learning rates side by side, draw every curve, recommend one.

    \b
    Example:  learnrate sweep diabetes --lrs auto --epochs 20 --save sweep.png
    """
    from learnrate.cli.models import refuse_with_model, refuse_without_model, sweep_model
    from learnrate.cli.output import print_result
    from learnrate.cli.progress import EpochProgress
    from learnrate.errors import OptionError
    from learnrate.sweeps.interruption import SweepInterrupted
    from learnrate.sweeps.rates import check_rates
    from learnrate.sweeps.result import SweepResult
    from learnrate.sweeps.run import sweep as run_sweep
    from learnrate.sweeps.saving import check_sweep_output

    if why is not None:
        check_rates([why])
    for path in save or ():
        check_sweep_output(path)
    machines = _cluster(cluster, cluster_split, model)
    own = data is None
    asked: dict[str, Any] = {
        "target": target,
        "features": None if features is None else [name.strip() for name in features.split(",")],
        "lrs": lrs if lrs is not None else "0.01:0.05:0.01" if own and model is None else "auto",
        "batch_size": batch_size,
        "epochs": epochs,
        "seed": seed,
        "seeds": seeds,
        "val": val,
        "sampling": sampling,
        "momentum": momentum,
        "weight_decay": weight_decay,
        "schedule": schedule,
        "missing": missing,
        "standardize": None if standardize else False,
        "dtype": dtype,
        "engine": engine,
    }
    of_model: dict[str, Any] = {"optimizer": optimizer, "loss": loss, "device": device}
    if model is None:
        refuse_without_model(of_model)
    else:
        refuse_with_model({"memory": memory, "block_size": block_size, "cache": cache})
        if checkpoint is not None:
            raise OptionError(
                "checkpoint must be left out with a PyTorch model. Got both; only sweeps of the linear model "
                "are saved as they run."
            )
    in_blocks = memory is not None or block_size is not None
    result: SweepResult
    with EpochProgress(shown=not (quiet or as_json)) as progress:
        try:
            table = "note" if own else sys.stdin.buffer if data == "-" else data
            if model is not None:
                result = sweep_model(model, table, **asked, **of_model, on_epoch=progress.update)
            else:
                result = run_sweep(
                    table,
                    **asked,
                    threads=threads,
                    cluster=machines,
                    memory=memory,
                    block_size=block_size,
                    cache=cache,
                    checkpoint=checkpoint,
                    checkpoint_every=checkpoint_every,
                    on_epoch=None if in_blocks else progress.update,
                    on_message=progress.say,
                    on_progress=progress.update_examples if in_blocks else None,
                )
            code = 0
        except SweepInterrupted as interrupt:
            result, code = interrupt.result, 130
    saved = [result.save(path, log=not linear, command=context.obj) for path in save or ()]
    if as_json:
        print(json.dumps(result.as_dict(), ensure_ascii=False))
    elif not quiet:
        print_result(result, saved, why=why, interrupted=code != 0, checkpoint=checkpoint)
    return code


def _cluster(address: str | None, split: str | None, model: str | None) -> Any:
    """The machines to sweep on, or None for this one; refused where they cannot be used."""
    if address is None:
        if split is not None:
            raise OptionError(
                f"--cluster-split goes with --cluster. Got {split!r} without one; add --cluster local, "
                "or leave it out."
            )
        return None
    if model is not None:
        raise OptionError(
            f"--cluster is for the linear model. Got {address!r} with --model; leave one of them out."
        )
    from learnrate.cluster.ray import RayCluster

    return RayCluster(address, split=split)
