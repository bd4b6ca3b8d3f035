"""What stands on the card of one node: its name, its shape, and its numbers row by row.

Text is measured in columns of a monospaced font, since no font is at hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from learnrate._shapes import Array
from learnrate.steps.abridging import Omitted, Shown, abridge, shown
from learnrate.steps.explanation import Explanation, GraphNode
from learnrate.steps.formats import clean, clip, format_shape, formats_together
from learnrate.steps.messages import Messages

__all__ = ["Card", "Cell", "card_of", "text_width"]

_CHARACTER = 7.3
"""Width of one column of text, 12 px; captions and headings are a little smaller."""
_TITLE = 8.5
"""Width of one column of a title, 14 px."""
_LINE = 18.0
_HEAD = 46.0
_PADDING = 10.0
_GAP = 16.0
_BADGE = 26.0

_ROWS = 5
_FEATURES = 4
_NAME_WIDTH = 10


@dataclass(frozen=True)
class Cell:
    """A piece of text in a card.

    Attributes
    ----------
    x, y : float
        Where it ends (``end``), starts (``start``) or has its middle, from the card's upper left corner.
    anchor : str
        ``start``, ``middle`` or ``end``.
    kind : str
        ``title``, ``caption``, ``heading``, ``label``, ``value`` or ``gradient``.
    text : str
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
    title, caption : str
        ``ŷ = Xw + b`` and ``add 3 × 1``.
    columns : tuple of (str, str)
        Heading and kind of each column; the first holds the rows' labels.
    rows : tuple of (tuple of str, or str)
        The cells; a lone text says how many rows are left out there.
    """

    node: GraphNode
    title: str
    caption: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...] | str, ...]

    @property
    def height(self) -> float:
        """Height that the text takes."""
        return _HEAD + _LINE * len(self.rows) + _PADDING

    @property
    def width(self) -> float:
        """Width that the text takes."""
        head = text_width(self.title, _TITLE) + _GAP + text_width(self.caption) + _BADGE
        body = sum(self._widths()) + _GAP * (len(self.columns) - 1)
        return max(head, body) + 2 * _PADDING

    def cells(self, width: float) -> Iterator[Cell]:
        """The text laid out in a card of some width: labels at the left, numbers at the right."""
        inside = width - _PADDING
        yield Cell(_PADDING, 20, "start", "title", self.title)
        end = inside - (_BADGE if self.node.visited else 0)
        yield Cell(end, 20, "end", "caption", self.caption)
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
        """Where each column of numbers ends, the last of them at ``inside``."""
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


def card_of(node: GraphNode, e: Explanation, m: Messages) -> Card:
    """The card of a node: one row for each example, or for each weight."""
    source = {"data": m.data, "parameter": m.parameter}.get(node.kind, node.operator)
    part = shown(len(node.values), _ROWS)
    columns = _numbers(node, part, e, m)
    rows = part.with_gap(
        zip(_labels(node, part, e), *(texts for _, _, texts in columns), strict=True)
    )
    return Card(
        node=node,
        title=f"{node.name} = {node.expression}" if node.expression else node.name,
        caption=f"{source} {format_shape(node.shape)}",
        columns=(("", "label"), *((heading, kind) for heading, kind, _ in columns)),
        rows=tuple(
            m.more_rows.format(count=row) if isinstance(row, Omitted) else row for row in rows
        ),
    )


def _labels(node: GraphNode, part: Shown, e: Explanation) -> list[str]:
    if node.name == "w":
        return [_short(e.feature_names[i]) for i in part.kept]
    if node.kind == "parameter":
        return [""] * len(part.kept)
    return [f"#{index + 1}" for index in e.indices[part.kept]]


def _numbers(
    node: GraphNode, part: Shown, e: Explanation, m: Messages
) -> list[tuple[str, str, list[str]]]:
    """Columns of numbers: heading, kind, texts."""
    if node.name == "X":
        return [
            ("…", "label", ["…"] * len(part.kept))
            if isinstance(j, Omitted)
            else (_short(e.feature_names[j]), "value", _texts(node.values[:, j], part))
            for j in abridge(range(len(e.feature_names)), _FEATURES)
        ]
    columns = [(m.value, "value", _texts(node.values, part))]
    if node.gradient is not None:
        heading = f"{node.name}.grad" if node.kind == "parameter" else m.gradient
        columns.append((heading, "gradient", _texts(node.gradient, part)))
    return columns


def _texts(values: Array, part: Shown) -> list[str]:
    return formats_together(values[part.kept])[0]


def _short(name: str) -> str:
    return clip(clean(name), _NAME_WIDTH)


def text_width(text: str, character: float = _CHARACTER) -> float:
    """Width of a line of text, of numbers unless told otherwise."""
    from rich.cells import cell_len

    return cell_len(text) * character
