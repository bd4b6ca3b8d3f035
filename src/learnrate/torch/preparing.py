"""What the lanes of a seed have in common, found out before any is trained."""

from __future__ import annotations

from collections.abc import Callable

import torch

from learnrate.errors import OptionError
from learnrate.torch.batches import copied
from learnrate.torch.copying import copy_of
from learnrate.torch.examples import Examples, TensorExamples
from learnrate.torch.fingerprints import checksum
from learnrate.torch.lanes import Task
from learnrate.torch.losses import check_targets
from learnrate.torch.measuring import means_over_examples
from learnrate.torch.outputs import check_outputs, in_one_line_on
from learnrate.torch.own import check_data, check_own_model
from learnrate.torch.pacing import multipliers_of
from learnrate.torch.probe import Probe, probe, probe_evaluation
from learnrate.torch.problem import Training
from learnrate.torch.randomness import Stream
from learnrate.torch.rules import held_by, needs_closure, rules_of
from learnrate.torch.states import Layout
from learnrate.torch.views import why_no_views
from learnrate.torch.whole import ByLoss, ByStep

__all__ = ["make_task"]

_EVALUATED = 16 << 20
"""Bytes of one lane's activations in one evaluation; larger blocks are hardly quicker."""
_EVALUATED_EXAMPLES = 4096


def make_task(training: Training, seed: int) -> Task:
    """Probe the model on the data, and gather what the lanes of a seed have in common.

    Raises
    ------
    OptionError, DataError
        If model, loss and data do not go together.
    """
    config, examples, held_out = training.config, training.examples, training.held_out
    whole = training.start(seed).train()
    B, device = config.batch_size, training.device

    def renew() -> None:
        examples.renew(device, seed, Stream.TRAINING)

    found: Probe | None = None
    batches = training.order.epoch(seed, 0)
    for batch_of in sorted(
        {len(J): J for J in reversed(batches)}.items()
    ):  # short ones first, then a whole one
        renew()
        batch = examples.batch(torch.sort(batch_of[1]).values)
        if isinstance(whole, ByLoss):
            check_outputs(whole, batch, _targets_of(training, examples, "data"))
        found = probe(whole, batch, training.model, renew)
    assert found is not None
    check_data(examples, batches[0], renew)
    if found.rewritten is None:
        check_own_model(training.model, whole, training.recipe, batch, renew)
    whole.eval()
    if isinstance(whole, ByStep):
        learner = copy_of(whole)
        assert isinstance(learner, ByStep)
        with in_one_line_on("The step", batch):
            learner.learn_names(copied(batch))
        whole.metric_names = learner.metric_names
        if found.warmed is not None:
            found.warmed.metric_names = learner.metric_names
    found = probe_evaluation(found, whole, batch, of="a minibatch of the data")
    if held_out is not None:
        held_out.renew(device, seed, Stream.EVALUATION)
        batch = held_out.batch(torch.arange(min(B, len(held_out))))
        if isinstance(whole, ByLoss):
            with torch.set_grad_enabled(found.evaluated_with_gradients):
                check = _targets_of(training, held_out, "val_data")
                check_outputs(whole, batch, check, of="val_data")
        found = probe_evaluation(found, whole, batch, of="val_data")
    at_once, measured = B, training.measured
    if measured is not None and means_over_examples(whole, measured, B, found, renew):
        per_example = max(1, found.activations // B)
        at_once = max(B, min(len(measured), _EVALUATED // per_example, _EVALUATED_EXAMPLES))
    like = copy_of(whole)
    built = training.chosen.build(like, training.chosen.tried[0])
    layout = Layout.of(whole, held_by(built, like))
    rules = rules_of(training.chosen, like, layout.names)
    multipliers, reason = training.multipliers, None
    if training.options.scheduler is not None:
        multipliers = multipliers_of(
            training.options.scheduler, training.chosen, like, training.stops[-1]
        )
        rules = None if multipliers is None else rules
    closed = rules is None and needs_closure(built)
    if training.options.scaled:
        reason = "its losses are scaled for gradients in float16"
        if closed:
            raise OptionError(
                "precision must be 'bf16' or left out for an optimizer that computes the loss again in a step. Got 'fp16' "
                f"with {type(built).__name__}."
            )
    elif rules is None:
        reason = why_no_views(built, closed)
    return Task(
        whole=whole.train(),
        seed=seed,
        chosen=training.chosen,
        layout=layout,
        rules=rules,
        closed=closed,
        reason=reason,
        options=training.options,
        multipliers=multipliers,
        probe=found,
        batch_size=B,
        evaluated_at_once=at_once,
        sum=checksum(found.fixed_in(whole)),
    )


def _targets_of(
    training: Training, examples: Examples, name: str
) -> Callable[[int | None], object]:
    def check(classes: int | None) -> None:
        if isinstance(examples, TensorExamples):
            check_targets(training.config.loss, examples.target, classes, name)

    return check
