"""The engine that trains the lanes of a PyTorch model: as many at once as fit, stacked where that is right."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.errors import LearnrateError
from learnrate.torch.check import Check, Differs, MeasuredOtherwise, SharedChanged
from learnrate.torch.course import Course
from learnrate.torch.failures import in_one_line, why_not_stacked
from learnrate.torch.lanes import Lanes, Task
from learnrate.torch.measuring import check_start
from learnrate.torch.memory import is_out_of_memory
from learnrate.torch.pieces import Piece
from learnrate.torch.prepared import ALONE, STACKED, Prepared, lanes_at_once, states_on_disk
from learnrate.torch.preparing import make_task
from learnrate.torch.problem import TorchProblem
from learnrate.torch.randomness import in_sweep_world, remembered, sweep_world
from learnrate.torch.separate import SeparateLanes
from learnrate.torch.sharpness import sharpness_of, sharpness_of_lanes
from learnrate.torch.stacked import StackedLanes
from learnrate.torch.states import LEARNED, Rows, held
from learnrate.torch.timing import is_small, is_too_short, stacked_is_slower
from learnrate.torch.whole import MODEL
from learnrate.training.problem import Engine
from learnrate.training.states import LaneStates

__all__ = ["TorchEngine"]

_COMPARED = 3
"""At most so many steps are compared with the real training at the start, unless there are random draws."""
_QUICKER = f"{ALONE}, which is quicker here"


class TorchEngine(Engine):
    """Train lanes with PyTorch; see this module.

    Parameters
    ----------
    on_message : callable, optional
        Told why lanes are trained one at a time.
    every : float, optional
        So many seconds apart it yields states between measurements too, to be saved.
    """

    name = "torch"

    def __init__(
        self, on_message: Callable[[str], object] | None = None, every: float | None = None
    ) -> None:
        self._on_message, self._every = on_message, every
        self._saved_at = time.monotonic()

    def listened_to(self, on_message: Callable[[str], object] | None) -> TorchEngine:
        """An engine that reports to another callback for messages, or to none."""
        return TorchEngine(on_message, self._every)

    def alone(self) -> TorchEngine:
        """An engine for a worker process, without a callback for messages."""
        return TorchEngine(every=self._every)

    def states(
        self, problem: TorchProblem, start: LaneStates | None = None
    ) -> Iterator[LaneStates]:
        """Train, yielding the state before training and then at each point of the horizon.

        Where not all lanes fit, those that do are trained to the end, then the next; the states say which.
        """
        training, K = problem.training, len(problem.lrs)
        if start is not None and start.method:
            training.methods[problem.seed] = start.method
        with sweep_world(training.device):
            prepared = self._prepare(problem)
        parts = deque([(np.arange(K), start)])
        while parts:
            lanes, begun = parts.popleft()
            at_once = lanes_at_once(prepared, training, len(lanes))
            if len(lanes) > at_once:
                later = slice(at_once, None)
                parts.appendleft((lanes[later], None if begun is None else begun.take(later)))
                lanes = lanes[:at_once]
                begun = None if begun is None else begun.take(slice(at_once))
            try:
                parts_of = self._train(problem.take(lanes), prepared, begun)
                for state in in_sweep_world(training.device, parts_of):
                    yield state.numbered(None if len(lanes) == K else lanes)
                    begun = state
            except Differs as error:
                # What has been trained is not to be trusted: all lanes begin again.
                if isinstance(error, MeasuredOtherwise):
                    B = training.config.batch_size
                    training.prepared[problem.seed] = None
                    with sweep_world(training.device):
                        prepared = self._prepare(problem, evaluated_at_once=B)
                elif isinstance(error, SharedChanged):
                    prepared = self._anew(problem, prepared, error)
                else:
                    self._one_at_a_time(prepared, str(error))
                    prepared.steps = None
                parts = deque([(np.arange(K), None)])
            except Exception as error:
                # The lanes go on from there, fewer at once or in another way.
                self._learn_from(error, prepared, len(lanes))
                parts.appendleft((lanes, begun))

    def settle(self, problem: TorchProblem) -> None:
        """Find out how the lanes of a problem are to be trained, before they are given to workers.

        Raises
        ------
        LearnrateError
            If model, loss and data do not go together.
        """
        with sweep_world(problem.training.device):
            self._prepare(problem)

    def _learn_from(self, error: Exception, prepared: Prepared, lanes: int) -> None:
        """Find another way after an error, or raise it."""
        if is_out_of_memory(error):
            if lanes == 1:
                raise error
            prepared.at_once = max(1, lanes // 2)
            self._remark(
                prepared,
                f"Memory ran out: from here on {prepared.at_once} lanes were trained at once.",
            )
        elif prepared.steps is not None and isinstance(error, _StepError):
            # Perhaps some lane's numbers are at fault. Alone, it can fail without the others.
            prepared.steps = None
            self._one_at_a_time(prepared, str(error))
        else:
            raise error

    def _remark(self, prepared: Prepared, remark: str) -> None:
        if remark not in prepared.remarks:
            prepared.remarks = (*prepared.remarks, remark)

    def _one_at_a_time(self, prepared: Prepared, reason: str) -> None:
        end = "" if reason.endswith("…") else "."
        remark = f"Lanes were trained one at a time: {reason}{end}"
        if remark not in prepared.remarks and self._on_message is not None:
            self._on_message(remark)
        self._remark(prepared, remark)

    def _anew(self, problem: TorchProblem, before: Prepared, error: Differs) -> Prepared:
        """What is known, from a new start: a lane has changed what all hold together, and lanes no longer share it."""
        training, seed = problem.training, problem.seed
        training.starts.pop(seed)
        training.prepared[seed] = None
        training.methods[seed] = before.alone
        with sweep_world(training.device):
            prepared = self._prepare(problem)
        prepared.share = False
        if before.steps is not None:
            self._one_at_a_time(prepared, str(error))
        return prepared

    def _prepare(self, problem: TorchProblem, evaluated_at_once: int | None = None) -> Prepared:
        """What is known of the seed, from the cache where it was found out before."""
        training, seed = problem.training, problem.seed
        known: Prepared | None = training.prepared.get(seed)
        if known is not None:
            return known
        task = make_task(training, seed)
        if evaluated_at_once is not None:
            task = replace(task, evaluated_at_once=evaluated_at_once)
        with in_one_line("Model and loss must take a minibatch of the data."):
            course = Course(training, task)
            first = course.batches(0)[: _COMPARED * task.options.accumulate]
            total = training.stops[-1]
            steps = min(_COMPARED, training.steps, total)
            check = Check(
                task,
                training.examples,
                first,
                training.scales(task.multipliers, 0, steps),
                training.stops,
                problem.lrs,
                training.measured,
            )
            on_disk = states_on_disk(task, problem.lanes * training.config.seeds)
            prepared = Prepared(task, course, check, None, on_disk)
            reason, settled = None, training.methods.get(seed)
            if settled not in (None, STACKED):
                prepared.alone = settled
            elif is_too_short(task, total) and settled is None:
                prepared.alone = _QUICKER
            elif problem.lanes > 1 and training.config.lanes_at_once != 1:
                K, coming = 2, 0
                if is_small(task) and task.rules is not None:  # all cost little more than two
                    K, coming = lanes_at_once(prepared, training, len(problem.lrs)), total
                reason, prepared.steps = check.at_the_start(max(2, K), coming)
            if prepared.steps is None:
                check.one_at_a_time()
        if reason is not None:
            self._one_at_a_time(prepared, reason)
        elif prepared.steps is not None and settled is None:
            K = lanes_at_once(prepared, training, problem.lanes)
            if stacked_is_slower(task, prepared.steps, training.examples, first[0], K):
                prepared.steps, prepared.alone = None, _QUICKER
        if training.sharpness:
            start = task.start_row()[None]
            prepared.sharpness = sharpness_of(task, start, [{}], training.examples)
        training.prepared[seed] = prepared
        training.methods[seed] = STACKED if prepared.steps is not None else prepared.alone
        return prepared

    def _train(
        self, problem: TorchProblem, prepared: Prepared, start: LaneStates | None
    ) -> Iterator[LaneStates]:
        """Train lanes that fit, from a state or from the start; in `sweep_world`."""
        training, task, course = problem.training, prepared.task, prepared.course
        lanes: Lanes
        if prepared.steps is None or problem.lanes == 1:
            share = prepared.may_share(None if start is None else start.arrays)
            lanes = SeparateLanes(task, problem.lrs, share=share)
        else:
            lanes = StackedLanes(task, problem.lrs, prepared.steps)
        done, replayed = 0, -1  # steps
        if start is not None:
            begun = start.epoch * training.steps + start.step
            if begun == training.stops[-1]:  # where nothing is held but what a result needs
                return
            if task.probe.keeps_state:
                # What a model keeps in attributes is in no array: it comes back by training again.
                replayed = begun
            else:
                done = begun
                ended = [""] * start.size if start.ended is None else start.ended.tolist()
                lanes.load(start.arrays, done, ended)
        last = len(training.stops) - 1 if problem.last is None else problem.last
        if isinstance(lanes, StackedLanes):
            lanes.expect(training.stops[last] - done, sum(s > done for s in training.stops[:last]))
        state = start
        for point, stop in enumerate(training.stops):
            if stop < done or (stop == done and start is not None):
                continue
            for piece in _steps(course, lanes, done, stop):
                if problem.on_steps is not None:
                    problem.on_steps(float(lanes.place.steps.sum()))
                if self._due(task) and state is not None:
                    _check_shared(task, lanes)
                    go_on = remembered(task.device)
                    yield replace(
                        state,
                        arrays={
                            **held(lanes.rows, on_disk=prepared.on_disk),
                            **lanes.where(piece),
                        },
                        ended=_ended(lanes),
                        between=True,
                    )
                    go_on()  # with the draws
                    self._saved_at = time.monotonic()
            losses = lanes.place.losses / course.visited(done, stop) if stop > done else None
            _check_shared(task, lanes)
            state = self._state(problem, prepared, lanes, point, losses)
            lanes.place.measured()
            done = stop
            if stop == training.stops[-1]:
                state = self._with_what_stood_still(state, prepared, lanes)
                compare = prepared.check.at_the_end(lanes, problem.lrs, state.measured["loss"])
                del lanes  # the comparison needs the room
                compare(course.last(stop))
            if stop > replayed:
                yield state
            if point == problem.last:
                return

    def _due(self, task: Task) -> bool:
        """Whether it is time to save lanes between two measurements."""
        if self._every is None or task.probe.keeps_state:
            return False
        return time.monotonic() - self._saved_at >= self._every

    def _state(
        self,
        problem: TorchProblem,
        prepared: Prepared,
        lanes: Lanes,
        point: int,
        losses: Float[Array, " K"] | None,
    ) -> LaneStates:
        """Measure the lanes."""
        training, task = problem.training, prepared.task
        measured: dict[str, Array] = {}
        with _careful(lanes):
            # What is measured on held-out examples is called so where it is the loss; metrics are theirs alone.
            names = task.whole.measures
            if training.eval_train:
                measured.update(zip(names, lanes.evaluate(training.examples), strict=True))
            elif losses is None:
                first = prepared.course.batches(0)[:1]
                measured["loss"] = lanes.evaluate(training.examples, first)[0]
            else:
                measured["loss"] = losses
            if training.held_out is not None:
                held_out = dict(zip(names, lanes.evaluate(training.held_out), strict=True))
                measured.update({**held_out, "loss": measured["loss"]}, val_loss=held_out["loss"])
        stop = training.stops[point]
        if stop == 0:
            check_start(measured)
        end = stop == training.stops[-1]
        arrays: Mapping[str, Array] = {}
        if training.keep or training.sharpness or not end:

            def rows() -> Iterator[tuple[str, Rows]]:
                of_result = (r for r in lanes.rows() if r[0].partition(" ")[0] in LEARNED)
                return of_result if end else lanes.rows()

            arrays = held(rows, on_disk=prepared.on_disk)
        if prepared.sharpness is not None and (stop == 0 or end):
            measured["sharpness"] = np.repeat(prepared.sharpness, len(problem.lrs))
            if end:
                measured["sharpness"] = sharpness_of_lanes(
                    task, arrays, len(problem.lrs), training.examples
                )
        epoch, step = divmod(stop, training.steps)
        return LaneStates(
            epoch=epoch,
            step=step,
            arrays=arrays if training.keep or not end else {},
            measured=measured,
            remarks=prepared.remarks,
            ended=_ended(lanes),
            method=STACKED if isinstance(lanes, StackedLanes) else prepared.alone,
        )

    def _with_what_stood_still(
        self, state: LaneStates, prepared: Prepared, lanes: Lanes
    ) -> LaneStates:
        """The states with a remark that names parameters without a gradient, or without an optimizer."""
        left = [name for name in prepared.task.left_out if not lanes.has_moved(name)]
        unmoved = lanes.unmoved()
        prepared.still = unmoved if prepared.still is None else prepared.still & unmoved
        names = [n for n in prepared.task.layout.names if n in prepared.still]
        remarks = list(state.remarks)
        if names and state.lanes is None:
            remarks.append(
                f"Parameters that were not trained, for no minibatch gave them a gradient: {_some(names)}."
            )
        if left:
            remarks.append(
                f"Parameters that were not trained, for the optimizer was not given them: {_some(left)}."
            )
        return replace(state, remarks=tuple(remarks))


def _some(names: list[str]) -> str:
    """The first few names."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(name.removeprefix(MODEL) for name in names[:3]) + more


def _steps(course: Course, lanes: Lanes, begin: int, end: int) -> Iterator[Piece]:
    """Train from a measurement to another; after each step it gives the piece in which it was."""
    for piece in course.pieces(begin, end):
        with _careful(lanes):
            for _ in lanes.train(piece):
                yield piece


def _ended(lanes: Lanes) -> Array | None:
    """What ended each lane before its time; None if nothing did."""
    return np.array(lanes.ended) if any(lanes.ended) else None


def _check_shared(task: Task, lanes: Lanes) -> None:
    if isinstance(lanes, SeparateLanes) and lanes.shared and task.fixed_changed(task.whole):
        raise SharedChanged("a fixed parameter or buffer has changed")


class _StepError(Exception):
    """A step of stacked lanes failed, for another reason than memory."""


@contextmanager
def _careful(lanes: Lanes) -> Iterator[None]:
    """Tell an error of the user's own code in one line; stacked lanes may have a way out of it."""
    if isinstance(lanes, SeparateLanes):
        with in_one_line("Model and loss must take every minibatch of the data."):
            yield
        return
    try:
        yield
    except LearnrateError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        if isinstance(error, RuntimeError):  # as vmap raises
            raise _StepError(why_not_stacked(error, "every step")) from error
        raise _StepError(f"stacked, a step raised {type(error).__name__}") from error
