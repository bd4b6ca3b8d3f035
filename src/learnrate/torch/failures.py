"""What a model, a loss or a Dataset of the caller's own raises, in one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from learnrate.errors import LearnrateError, OptionError
from learnrate.torch.memory import is_out_of_memory

__all__ = ["GRADIENTS", "SHARED", "in_one_line", "refuse_own", "short", "why_not_stacked"]

SHARED = "it changes a tensor in place that all lanes share"
_AGAIN = "it computes activations again in the backward pass, as torch.utils.checkpoint does"
GRADIENTS = "it takes gradients inside of a step"
_COMPLAINTS = {
    "calling .item() on a Tensor": "a value decides what is done (an if, or .item()), and lanes differ in it",
    "data-dependent control flow": "a value decides what is done (an if, or .item()), and lanes differ in it",
    "output dynamic shape": "values decide how large a result is (a mask, nonzero), and lanes differ in it",
    "Tensor.requires_grad_()": GRADIENTS,
    "does not require grad": GRADIENTS,
    "more elements than `self`": SHARED,
    "doesn't match the broadcast shape": SHARED,
    "randomness with a batched tensor input": "it draws at random from what lanes compute, which differs",
    "torch.utils.checkpoint": _AGAIN,
    "escaped from inside a function": _AGAIN,
}
"""Words in what `vmap` complains of, which goes on for half a page, and what they mean."""


@contextmanager
def in_one_line(must: str) -> Iterator[None]:
    """Raise `OptionError` for whatever is raised inside; what says that memory ran out passes.

    Parameters
    ----------
    must : str
        What must hold: a sentence.
    """
    try:
        yield
    except LearnrateError:
        raise
    except Exception as error:  # the caller's code can raise anything
        if is_out_of_memory(error):
            raise
        raise OptionError(f"{must} Got {type(error).__name__} instead: {short(error)}") from error


def refuse_own(options: Mapping[str, Any], names: Iterable[str], holder: str) -> None:
    """Refuse options of a sweep of which what is swept, such as a Trainer, has its own."""
    for name in names:
        if name in options:
            raise OptionError(
                f"{name} must be left out: the {holder} has its own. Got it; change the {holder}, or use learnrate.torch.sweep."
            )


def short(error: BaseException, length: int = 300) -> str:
    """The text of an error in one line of at most that many characters."""
    text = " ".join(str(error).split())
    return text if len(text) <= length else text[: length - 1] + "…"


def why_not_stacked(error: Exception, part: str) -> str:
    """What `vmap` complains of in a part of a training: a phrase."""
    text = str(error)
    reason = next((reason for words, reason in _COMPLAINTS.items() if words in text), None)
    if reason is None:
        reason = short(error, 150).removeprefix("vmap: ").split(". ")[0].rstrip(".")
    return f"vmap cannot stack {part}: {reason}"
