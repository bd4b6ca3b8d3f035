"""What a model, a loss or a Dataset of the caller's own raises, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from learnrate.errors import LearnrateError, OptionError
from learnrate.torch.memory import is_out_of_memory

__all__ = ["in_one_line", "short"]


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


def short(error: BaseException, length: int = 300) -> str:
    """The text of an error in one line of at most that many characters."""
    text = " ".join(str(error).split())
    return text if len(text) <= length else text[: length - 1] + "…"
