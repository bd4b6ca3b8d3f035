r"""What an explanation says, in the languages it says it in.

In a message ``{name}`` is filled in, `backquotes` mark code, and no line breaks at ``\u00a0``. A language
is one file with one `Messages`; no text can be left out, the type checker sees to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from learnrate.errors import OptionError, did_you_mean

__all__ = ["Language", "Messages", "Prose", "messages_in", "prose"]

Language = Literal["en", "zh"]

Prose = tuple[tuple[str, bool], ...]
"""A paragraph in pieces: (text, whether it is code)."""


@dataclass(frozen=True)
class Messages:
    """All text of an explanation in one language."""

    html_lang: str
    title: str
    subtitle: str

    # The facts at the top
    examples: str
    features: str
    target: str
    lr: str
    batch_size: str
    seed: str
    step: str
    place: str
    diverged: str
    left_out: str

    # Sections: title, and the paragraphs before and after the table
    attach_title: str
    attach: str
    attach_after: str
    minibatch_title: str
    minibatch: str
    standardized: str
    short_batch: str
    forward_title: str
    forward: str
    backward_title: str
    backward: str
    backward_after: str
    update_title: str
    update: str
    update_after: str
    check_title: str
    check_by_hand: str
    check_difference: str
    check_some: str
    check_after: str
    check_diverged: str
    rounded: str
    saved: str

    # Headings of tables
    parameter: str
    shape: str
    dtype: str
    example: str
    node: str
    computed_as: str
    operator: str
    data: str
    value: str
    features_above: str
    order: str
    gradient: str
    gradient_rule: str
    old: str
    change: str
    new: str
    total: str
    by_hand: str
    finite_difference: str

    # The graph
    graph_title: str
    forward_arrow: str
    backward_arrow: str
    order_mark: str
    starts_here: str

    # What is left out in the middle of long lists
    more_rows: str
    more_columns: str
    more_values: str


def messages_in(lang: str) -> Messages:
    """The messages of a language.

    Raises
    ------
    OptionError
        If there are none.
    """
    if lang == "en":
        from learnrate.steps.english import ENGLISH

        return ENGLISH
    if lang == "zh":
        from learnrate.steps.chinese import CHINESE

        return CHINESE
    known = get_args(Language)
    raise OptionError(
        f"lang must be one of {', '.join(known)}. Got {lang!r} instead." + did_you_mean(lang, known)
    )


def prose(message: str, **values: object) -> Prose:
    """Fill in a message; a backquote in a value stays a backquote."""
    pieces = message.split("`")
    return tuple((piece.format(**values), i % 2 == 1) for i, piece in enumerate(pieces) if piece)
