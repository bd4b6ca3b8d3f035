r"""What an explanation says, in the languages it says it in.

In a message ``{name}`` is filled in, `backquotes` mark code, ``$…$`` a formula, and no line breaks at ``\u00a0``. A language
is one file with one `Messages`; no text can be left out, the type checker sees to that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from learnrate.errors import OptionError, did_you_mean

__all__ = ["Language", "Messages", "Prose", "messages_in", "prose"]

Language = Literal["en", "zh"]

Kind = Literal["text", "code", "math"]

Prose = tuple[tuple[str, Kind], ...]
"""A paragraph in pieces: what is said, and what kind of text that is."""


@dataclass(frozen=True)
class Messages:
    """All text of an explanation in one language."""

    html_lang: str
    title: str
    subtitle_squared: str
    subtitle_logistic: str
    subtitle_softmax: str

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
    class_numbers: str
    standardized: str
    short_batch: str
    forward_title: str
    model_squared: str
    model_logistic: str
    model_softmax: str
    forward: str
    backward_title: str
    backward: str
    backward_after: str
    update_title: str
    update: str
    update_after: str
    check_title: str
    check_by_hand: str
    by_hand_squared: str
    by_hand_logistic: str
    by_hand_softmax: str
    check_terms: str
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

    # A script's backward()
    script_title: str
    script_subtitle: str
    script: str
    backward_number: str
    line: str
    parameters: str
    differentiated: str
    diverged_script: str
    attach_script: str
    attach_script_after: str
    forward_script: str
    backward_script: str
    update_none: str
    update_rule: str
    update_letters: str
    update_rate: str
    update_own: str
    worked: str
    largest_shown: str
    check_script: str
    check_largest: str
    check_script_after: str
    element: str
    before: str
    after: str
    change_of_value: str

    # What is left out in the middle of long lists
    more_operations: str
    more_rows: str
    more_columns: str
    more_values: str

    def of(self, name: str, loss: str) -> str:
        """The text that is about one loss: ``subtitle``, ``model`` or ``by_hand``."""
        text: str = getattr(self, f"{name}_{loss}")
        return text


def messages_in(lang: str) -> Messages:
    """The messages of a language.

    Raises
    ------
    OptionError
        If there are none.
    """
    if lang == "en":
        from learnrate.book.steps.english import ENGLISH

        return ENGLISH
    if lang == "zh":
        from learnrate.book.steps.chinese import CHINESE

        return CHINESE
    known = get_args(Language)
    raise OptionError(
        f"lang must be one of {', '.join(known)}. Got {lang!r} instead." + did_you_mean(lang, known)
    )


def prose(message: str, **values: object) -> Prose:
    """Fill in a message; a backquote or a dollar in a value stays what it is."""
    kinds: dict[str, Kind] = {"`": "code", "$": "math"}
    pieces = re.findall(r"`[^`]*`|\$[^$]*\$|[^`$]+", message)
    return tuple(
        (piece.strip("`$").format(**values), kinds.get(piece[0], "text")) for piece in pieces
    )
