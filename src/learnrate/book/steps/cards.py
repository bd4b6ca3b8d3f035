"""The card of one node in the drawing of a graph: its name, its shape, and its numbers row by row.

The width of text is that of a monospaced font, because the font of the reader is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from learnrate._shapes import Array
from learnrate.book.steps.abridging import Omitted, Shown, shown
from learnrate.book.steps.formats import clean, clip, format_shape, formats_together
from learnrate.book.steps.messages import Messages
from learnrate.book.steps.opened import GraphNode, Opened

__all__ = ["Card", "Cell", "as_table", "card_of", "reminder_of", "text_width"]

_CHARACTER = 7.3
"""Width of one column of text, 12 px; captions and headings are a little smaller."""
_TITLE = 8.5
"""Width of one column of a title, 14 px."""
_LINE = 18.0
_HEAD = 46.0
_PADDING = 10.0
_GAP = 16.0
_BADGE = 26.0
_REMINDER = 32.0

_ROWS = 5
_COLUMNS = 4
_NAME_WIDTH = 10
_HEADING_WIDTH = 16
_TITLE_WIDTH = 36


@dataclass(frozen=True)
class Cell:
    """A piece of text in a card.

    Attributes
    ----------
    x, y : float
        Position of its end, start or middle, by ``anchor``, from the upper left corner of the card.
    anchor : str
        ``start``, ``middle`` or ``end``.
    kind : str
        ``title``, ``caption``, ``heading``, ``label``, ``value`` or ``gradient``.
    text : str
        The text.
    """

    x: float
    y: float
    anchor: str
    kind: str
    text: str


@dataclass(frozen=True)
class Card:
    """A node with its text.

    Attributes
    ----------
    node : GraphNode
        The node.
    title, caption : str
        Such as ``ŷ = Xw + b`` and ``add 3 × 1``.
    columns : tuple of (str, str)
        Heading and kind of each column; the first column has the labels of the rows.
    rows : tuple of (tuple of str, or str)
        The cells; a str in place of a row says how many rows are left out.
    """

    node: GraphNode
    title: str
    caption: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...] | str, ...]

    @property
    def height(self) -> float:
        """Height of the text."""
        return _HEAD + _LINE * len(self.rows) + _PADDING if self.columns else _REMINDER

    @property
    def width(self) -> float:
        """Width of the text."""
        head = text_width(self.title, _TITLE) + _GAP + text_width(self.caption) + _BADGE
        body = sum(self._widths()) + _GAP * max(len(self.columns) - 1, 0)
        return max(head, body) + 2 * _PADDING

    def cells(self, width: float) -> Iterator[Cell]:
        """Yield the pieces of text for a card of this width: labels at the left, numbers at the right."""
        inside = width - _PADDING
        yield Cell(_PADDING, 20, "start", "title", self.title)
        end = inside - (_BADGE if self.node.visited else 0)
        if self.caption:
            yield Cell(end, 20, "end", "caption", self.caption)
        if not self.columns:  # a reminder
            return
        ends = self._ends(inside)
        for (heading, kind), x in zip(self.columns[1:], ends, strict=True):
            yield Cell(x, 40, "end", f"heading {kind}", heading)
        for i, row in enumerate(self.rows):
            y = _HEAD + _LINE * (i + 1) - 5
            if isinstance(row, str):
                yield Cell(width / 2, y, "middle", "label", row)
                continue
            yield Cell(_PADDING, y, "start", "label", row[0])
            for (_, kind), x, text in zip(self.columns[1:], ends, row[1:], strict=True):
                yield Cell(x, y, "end", kind, text)

    def _ends(self, inside: float) -> list[float]:
        """The right end of each column of numbers; that of the last is ``inside``."""
        ends = [inside]
        for width in reversed(self._widths()[2:]):
            ends.insert(0, ends[0] - width - _GAP)
        return ends

    def _widths(self) -> list[float]:
        """Width of each column."""
        full = [row for row in self.rows if not isinstance(row, str)]
        return [
            max(text_width(text) for text in (heading, *(row[k] for row in full)))
            for k, (heading, _) in enumerate(self.columns)
        ]


def card_of(node: GraphNode, e: Opened, m: Messages) -> Card:
    """The card of a node: one row for each example, or for each weight."""
    source = {"data": m.data, "parameter": m.parameter}.get(node.kind, node.operator)
    values, gradient = as_table(node.values), node.gradient
    part = shown(len(values), _ROWS)
    columns = _numbers(node, values, part, e.column_labels, m.value, "value")
    if gradient is not None:
        heading = f"{node.name}.grad" if node.kind == "parameter" else m.gradient
        heading = clip(clean(heading), _HEADING_WIDTH)
        columns += _numbers(node, as_table(gradient), part, e.column_labels, heading, "gradient")
    labels = map(_short, e.row_labels(node, part.kept))
    rows = part.with_gap(zip(labels, *(texts for _, _, texts in columns), strict=True))
    title = f"{node.name} = {node.expression}" if node.expression else node.name
    return Card(
        node=node,
        title=clip(clean(title), _TITLE_WIDTH),
        caption=f"{source} {format_shape(node.shape)}",
        columns=(("", "label"), *((heading, kind) for heading, kind, _ in columns)),
        rows=tuple(
            m.more_rows.format(count=row) if isinstance(row, Omitted) else row for row in rows
        ),
    )


def reminder_of(node: GraphNode) -> Card:
    """A small card with the name of an array whose card is elsewhere."""
    return Card(replace(node, visited=None), clip(clean(node.name), _TITLE_WIDTH), "", (), ())


def as_table(values: Array) -> Array:
    """The values as a matrix: a vector is one column, and all axes after the first are flattened."""
    if values.ndim == 1:
        return values[:, None]
    return values.reshape(len(values), -1)


def _numbers(
    node: GraphNode,
    table: Array,
    part: Shown,
    names: Callable[[GraphNode, list[int]], list[str]],
    heading: str,
    kind: str,
) -> list[tuple[str, str, list[str]]]:
    """Columns of numbers, each as heading, kind and texts."""
    columns = shown(table.shape[1], _COLUMNS)
    known = names(node, columns.kept)
    if known:
        headings = [_short(name) for name in known]
    elif table.shape[1] == 1:
        headings = [heading]
    else:
        headings = [f"{heading} [0]", *(f"[{j}]" for j in columns.kept[1:])]
    texts = formats_together(*(table[part.kept, j] for j in columns.kept))
    if known:  # features have units of their own
        texts = [formats_together(table[part.kept, j])[0] for j in columns.kept]
    found = [(head, kind, column) for head, column in zip(headings, texts, strict=True)]
    if columns.hidden:
        found.insert(columns.before, ("…", "label", ["…"] * len(part.kept)))
    return found


def _short(name: str) -> str:
    return clip(clean(name), _NAME_WIDTH)


def text_width(text: str, character: float = _CHARACTER) -> float:
    """Width of a line of text, by default in the font of numbers."""
    from rich.cells import cell_len

    return cell_len(text) * character
