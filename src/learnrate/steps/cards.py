"""What stands on the card of one node: its name, its shape, and its numbers row by row.

Text is measured in columns of a monospaced font, since no font is at hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from learnrate.steps.explanation import Explanation, GraphNode
from learnrate.steps.formats import Omitted, abridge, clean, clip, format_shape, formats_together
from learnrate.steps.messages import Messages

__all__ = ["Card", "Cell", "card_of"]

_CHARACTER = 7.3
"""Width of one column of text, 12 px; captions and headings are a little smaller."""
_TITLE = 8.5
"""Width of one column of a title, 14 px."""
_LINE = 18
_HEAD = 46
_PADDING = 10
_GAP = 16
_BADGE = 26

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
        head = _columns(self.title) * _TITLE + _GAP + _columns(self.caption) * _CHARACTER + _BADGE
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
            _CHARACTER * max(_columns(text) for text in (heading, *(row[k] for row in full)))
            for k, (heading, _) in enumerate(self.columns)
        ]


def card_of(node: GraphNode, e: Explanation, m: Messages) -> Card:
    """The card of a node: one row for each example, or for each weight."""
    source = {"data": m.data, "parameter": m.parameter}.get(node.kind, node.operator)
    labels, columns = _labels(node, e), _numbers(node, e, m)
    rows = list(zip(labels, *(texts for _, _, texts in columns), strict=True))
    return Card(
        node=node,
        title=f"{node.name} = {node.expression}" if node.expression else node.name,
        caption=f"{source} {format_shape(node.shape)}",
        columns=(("", "label"), *((heading, kind) for heading, kind, _ in columns)),
        rows=tuple(
            m.more_rows.format(count=row) if isinstance(row, Omitted) else row
            for row in abridge(rows, _ROWS)
        ),
    )


def _labels(node: GraphNode, e: Explanation) -> list[str]:
    if node.name == "w":
        return [_short(name) for name in e.feature_names]
    if node.kind == "parameter":
        return [""] * node.values.size
    return [f"#{index + 1}" for index in e.indices]


def _numbers(node: GraphNode, e: Explanation, m: Messages) -> list[tuple[str, str, list[str]]]:
    """Columns of numbers: heading, kind, texts."""
    if node.values.ndim == 2 and node.values.shape[1] == len(e.feature_names) > 1:
        features = [
            (_short(name), "value", formats_together(node.values[:, j])[0])
            for j, name in enumerate(e.feature_names)
        ]
        return [
            ("…", "label", ["…"] * len(node.values)) if isinstance(column, Omitted) else column
            for column in abridge(features, _FEATURES)
        ]
    columns = [(m.value, "value", formats_together(node.values)[0])]
    if node.gradient is not None:
        heading = f"{node.name}.grad" if node.kind == "parameter" else m.gradient
        columns.append((heading, "gradient", formats_together(node.gradient)[0]))
    return columns


def _short(name: str) -> str:
    return clip(clean(name), _NAME_WIDTH)


def _columns(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)
