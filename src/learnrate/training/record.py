"""The record of a sweep so far: the curves, and the latest state of every lane."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.training.problem import Horizon
from learnrate.training.states import LaneStates

__all__ = ["Latest", "Record", "Work"]

Measure = Callable[[LaneStates], Mapping[str, Array]]
"""Measures states outside the engine: arrays of shape (K,) by name, added to those that the engine measured."""


class Latest(NamedTuple):
    """Lanes of one seed at the same point of the training: their numbers in the sweep, and their states."""

    lanes: Int[Array, " L"]
    states: LaneStates


class Work(NamedTuple):
    """Lanes of seed ``s`` that are not finished; ``start`` is None if they have not begun."""

    s: int
    lanes: Int[Array, " L"]
    start: LaneStates | None


class Record:
    """Curves and latest states of S × K lanes.

    Parameters
    ----------
    lrs : array, shape (K,)
        Learning rates.
    seeds : int
        Number of seeds, S.
    horizon : Horizon
        How long lanes are trained. A curve has ``horizon.points`` values.
    measure : callable, optional
        Given the states, returns further measurements: arrays of shape (K,) by name.
    best : sequence of str
        Kinds of arrays (the first word of their names) of which those at each lane's lowest loss so far are kept.

    Attributes
    ----------
    curves : dict from str to float64 arrays, shape (S, K, points)
        Measurements by name; NaN where a lane has not been measured yet.
    latest : list of lists of Latest, one list for each seed
        The latest states of all lanes that have begun.
    remarks : list of str
        Sentences for the user from the engine, each once.
    methods : list of str
        How lanes were trained, each phrase once.
    ended : array of str, shape (S, K)
        Why a lane was ended early by an error; empty where it was not.
    best : dict from (s, k) to arrays by name, first axis 1
        Those of the lane of seed ``s`` and rate ``k`` at its lowest finite loss so far.
    pruned : int array, shape (K,)
        The measurement after which the lanes of a rate were ended, since it can no longer be the best; −1 where they
        were not.
    """

    def __init__(
        self,
        lrs: Float[Array, " K"],
        seeds: int,
        horizon: Horizon,
        measure: Measure | None = None,
        best: Sequence[str] = (),
    ) -> None:
        self.lrs, self.horizon = lrs, horizon
        self.curves: dict[str, Float[Array, "S K points"]] = {}
        self.latest: list[list[Latest]] = [[] for _ in range(seeds)]
        self.remarks: list[str] = []
        self.methods: list[str] = []
        self.ended = np.full((seeds, len(lrs)), "", dtype=object)
        self.pruned = np.full(len(lrs), -1)
        self.best: dict[tuple[int, int], dict[str, Array]] = {}
        self._measure, self._kinds = measure, best

    @property
    def all_lanes(self) -> Int[Array, " K"]:
        """The numbers of all lanes of a seed."""
        return np.arange(len(self.lrs))

    def add(self, s: int, lanes: Int[Array, " L"], states: LaneStates) -> Int[Array, " M"]:
        """Add states of some lanes of seed ``s``.

        Parameters
        ----------
        s : int
            Number of the seed, from 0.
        lanes : int array, shape (L,)
            Numbers in the sweep of the lanes of the problem to which the states belong.
        states : LaneStates
            Of all these lanes, or of those in ``states.lanes``.

        Returns
        -------
        int array, shape (M,)
            Numbers in the sweep of the lanes of these states.
        """
        if states.lanes is not None:
            lanes = lanes[states.lanes]
        point = self.horizon.point(states)
        if point is not None and not states.between:
            more = {} if self._measure is None else self._measure(states)
            for name, values in {**states.measured, **more}.items():
                self.curve(name)[s, lanes, point] = values
            self._keep_the_best(s, lanes, point, states)
        kept: list[Latest] = []
        every = len(lanes) == len(self.lrs)  # all lanes: no earlier state is kept
        for latest in self.latest[s] if not every else ():
            others = ~np.isin(latest.lanes, lanes)
            if others.all():
                kept.append(latest)
            elif others.any():
                kept.append(Latest(latest.lanes[others], latest.states.take(others)))
        self.latest[s] = [*kept, Latest(lanes, states.numbered(None))]
        self.remarks += [remark for remark in states.remarks if remark not in self.remarks]
        if states.ended is not None:
            self.ended[s, lanes] = states.ended
        if states.method and states.method not in self.methods:
            self.methods.append(states.method)
        return lanes

    @property
    def compared(self) -> Float[Array, "S K points"]:
        """The curves by which rates are compared: the held-out losses where there are any."""
        return self.curves.get("val_loss", self.curves["loss"])

    def _keep_the_best(
        self, s: int, lanes: Int[Array, " L"], point: int, states: LaneStates
    ) -> None:
        """Keep the arrays of lanes whose loss is lower than all before; lanes that begin again have none before."""
        if not self._kinds:
            return
        losses = self.compared[s, lanes]
        before = np.where(np.isfinite(losses), losses, np.inf)[:, :point].min(
            axis=1, initial=np.inf
        )
        for i in np.flatnonzero(losses[:, point] < before):
            self.best[s, int(lanes[i])] = {
                name: array[i : i + 1].copy()
                for name, array in states.arrays.items()
                if name.split(" ")[0] in self._kinds
            }

    def curve(self, name: str) -> Float[Array, "S K points"]:
        """The curves of this name; a new name gets curves of NaN."""
        if name not in self.curves:
            shape = len(self.latest), len(self.lrs), self.horizon.points
            self.curves[name] = np.full(shape, np.nan)
        return self.curves[name]

    def work(self, until: int | None = None) -> Iterator[Work]:
        """Yield the lanes that are not finished: those at the same point together, those that have not begun last.

        Parameters
        ----------
        until : int, optional
            Only up to the measurement of this number.
        """
        until = self.horizon.points - 1 if until is None else until
        for s, begun in enumerate(self.latest):
            for lanes, states in begun:
                going = self.pruned[lanes] < 0
                if going.all() and self.horizon.passed(states) < until:
                    yield Work(s, lanes, states)
                elif going.any() and self.horizon.passed(states) < until:
                    yield Work(s, lanes[going], states.take(going))
            left = self.all_lanes
            if begun:
                left = np.setdiff1d(left, np.concatenate([group.lanes for group in begun]))
            if left.size:
                yield Work(s, left, None)

    def prune(self, lanes: Int[Array, " L"], point: int, *, free: bool) -> None:
        """End some rates, after the measurement of that number.

        Parameters
        ----------
        lanes : int array
            Their numbers.
        point : int
            The number of the measurement.
        free : bool
            Whether to forget what their training would continue from, which may be large.
        """
        self.pruned[lanes] = point
        for s, begun in enumerate(self.latest if free else ()):
            for k in lanes:
                self.best.pop((s, int(k)), None)
            left = []
            for numbers, states in begun:
                going = ~np.isin(numbers, lanes)
                if going.all():
                    left.append(Latest(numbers, states))
                    continue
                if going.any():
                    left.append(Latest(numbers[going], states.take(going)))
                rest = states.take(~going)
                left.append(Latest(numbers[~going], replace(rest, arrays={})))
            self.latest[s] = left

    @property
    def begun(self) -> bool:
        """Whether any lane has made a step."""
        return any(states.begun for latest in self.latest for _, states in latest)

    def points(self) -> Int[Array, "S K"]:
        """The number of each lane's latest measurement; 0 is before training."""
        done = np.zeros((len(self.latest), len(self.lrs)), dtype=np.int64)
        for s, begun in enumerate(self.latest):
            for lanes, states in begun:
                done[s, lanes] = self.horizon.passed(states)
        return done

    def finished(self) -> tuple[slice, Int[Array, " L"], int]:
        """Lanes that have reached the same measurement, for the result of an interrupted sweep.

        Take the first seed that has begun (on threads it need not be seed 0), its lanes that are furthest, and the
        seeds after it in which the same lanes are equally far.

        Returns
        -------
        seeds : slice
        lanes : int array
            Numbers of the lanes, for each of these seeds.
        point : int
            The number of their latest measurement.
        """
        points = self.points()
        begun = np.flatnonzero(points.any(axis=1))
        if not begun.size:
            return slice(0, 0), self.all_lanes[:0], 0
        first = int(begun[0])
        reached = int(points[first].max())
        lanes = np.flatnonzero(points[first] == reached)
        others = np.flatnonzero((points[first:, lanes] != reached).any(axis=1))
        stop = first + (int(others[0]) if others.size else len(points) - first)
        return slice(first, stop), lanes, reached

    def state(self, s: int, lanes: Int[Array, " L"]) -> LaneStates:
        """The latest states of some lanes of seed ``s``, in this order. All of them must have begun."""
        first, *others = self.latest[s]
        if not others and np.array_equal(first.lanes, lanes):
            return first.states
        where = {int(k): (group, i) for group in self.latest[s] for i, k in enumerate(group.lanes)}
        found = [where[int(k)] for k in lanes]
        if len(found) == 1:  # a view: it may be large
            group, i = found[0]
            return group.states.take(slice(i, i + 1))
        if all(group is found[0][0] for group, _ in found):
            return found[0][0].states.take(np.array([i for _, i in found]))
        return LaneStates.join(group.states.take(np.array([i])) for group, i in found)
