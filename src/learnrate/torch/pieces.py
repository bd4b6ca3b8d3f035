"""What lanes visit without being measured, and where each of them is in it: so that a sweep can be saved at any step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from learnrate._shapes import Array, Float, Int
from learnrate.torch.examples import Examples
from learnrate.torch.randomness import Stream, moved_since, put_back, random_states
from learnrate.torch.states import AHEAD

__all__ = ["Piece", "Place"]


@dataclass(frozen=True, eq=False)
class Piece:
    """Minibatches of one epoch, with no measurement between them.

    Attributes
    ----------
    examples : Examples
        What they are made of.
    device, seed
        Decide, with the place, what is drawn at random.
    epoch, step : int
        Where it begins, both from 0: random draws are those of that place.
    batches : sequence of Tensor
        The numbers of each minibatch's examples.
    scales : sequence of float
        ``s_t`` of each step.
    accumulate : int
        Minibatches of a step; the last one may have fewer.
    ahead : int
        Steps from the last measurement to where it begins.
    """

    examples: Examples
    device: torch.device
    seed: int
    epoch: int
    step: int
    batches: Sequence[Tensor]
    scales: Sequence[float]
    accumulate: int
    ahead: int

    @property
    def steps(self) -> int:
        """How many there are."""
        return len(self.scales)

    @property
    def end(self) -> int:
        """Steps from the last measurement to where it ends."""
        return self.ahead + self.steps

    def renew(self) -> None:
        """Put all random generators to where it begins."""
        self.examples.renew(self.device, self.seed, Stream.TRAINING, self.epoch, self.step)


class Place:
    """How far each of K lanes has come since the last measurement.

    Attributes
    ----------
    steps : int array, shape (K,)
        Steps of each lane since then.
    losses : float64 array, shape (K,)
        The sum of the losses of its minibatches.
    random : list of str
        What its random generators were moved to since the piece began, for a lane that was saved inside of one.
    """

    def __init__(self, K: int) -> None:
        self.steps: Int[Array, " K"] = np.zeros(K, dtype=np.int64)
        self.losses: Float[Array, " K"] = np.zeros(K)
        self.random = [""] * K

    def measured(self) -> None:
        """Begin anew: all lanes have been measured."""
        self.steps[:], self.losses[:] = 0, 0.0

    def of(self, piece: Piece, k: int) -> int:
        """How many steps of a piece lane ``k`` has made."""
        return min(max(int(self.steps[k]) - piece.ahead, 0), piece.steps)

    def go_on(self, piece: Piece, k: int) -> None:
        """Put the random generators, which are where the piece begins, to where lane ``k`` was saved."""
        text, self.random[k] = self.random[k], ""
        put_back(text, piece.device, piece.examples.generators)

    def arrays(
        self, piece: Piece, draws_of: Callable[[int], object] | None = None
    ) -> dict[str, Array]:
        """The attributes as arrays with one row for each lane.

        Parameters
        ----------
        piece : Piece
            Where they are.
        draws_of : callable, optional
            Puts the global random generators to where a lane's are; they are there already unless given.
        """
        own = piece.examples.generators
        now = random_states(piece.device, own)
        piece.renew()
        start, found = random_states(piece.device, own), [""] * len(self.steps)
        inside = [k for k in range(len(self.steps)) if 0 < self.of(piece, k) < piece.steps]
        for k in inside:
            if draws_of is not None:
                draws_of(k)
                found[k] = moved_since(start, random_states(piece.device, own))
            else:
                found[k] = found[inside[0]] or moved_since(start, now)
        put_back(moved_since({}, now), piece.device, own)
        width = max(map(len, found))
        rows = [np.frombuffer(text.ljust(width).encode("ascii"), np.uint8) for text in found]
        return {
            f"{AHEAD} steps": self.steps.copy(),
            f"{AHEAD} losses": self.losses.copy(),
            f"{AHEAD} random": np.stack(rows),
        }

    def load(self, arrays: Mapping[str, Array]) -> None:
        """Go to where lanes were; all go to where a single one was."""
        self.steps[:], self.losses[:] = arrays["steps"], arrays["losses"]
        texts = [row.tobytes().decode("ascii").strip() for row in arrays["random"]]
        self.random = list(np.resize(np.array(texts, dtype=object), len(self.steps)))
