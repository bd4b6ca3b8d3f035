"""Where the graph's cards and arrows go on a drawing.

The chain from the features to the loss is the spine, drawn from top to bottom on the left; what joins it
on the way (w, b, y) stands at the right of the operation that it goes into.
"""

from __future__ import annotations

from dataclasses import dataclass

from learnrate.steps.cards import Card, card_of, text_width
from learnrate.steps.explanation import Explanation
from learnrate.steps.messages import Messages

__all__ = ["Arrow", "Drawing", "Place", "lay_out"]

_MARGIN = 12.0
_BETWEEN_ROWS = 40.0
_BETWEEN_COLUMNS = 122.0
_APART = 9.0
"""Half the distance between the arrow of the values and the arrow of the gradients."""
_LEGEND_TEXT = 38.0
"""Where the texts of the legend start, right of its arrows."""


@dataclass(frozen=True)
class Place:
    """A card and the rectangle it gets."""

    card: Card
    x: float
    y: float
    width: float

    @property
    def height(self) -> float:
        """Height of the rectangle."""
        return self.card.height

    @property
    def center(self) -> tuple[float, float]:
        """Middle of the rectangle."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class Arrow:
    """A line from (x1, y1) to (x2, y2).

    Attributes
    ----------
    kind : str
        ``value`` goes forward, ``gradient`` back.
    label : str
        The rule of the gradient, written at (label_x, label_y) with this anchor.
    """

    kind: str
    x1: float
    y1: float
    x2: float
    y2: float
    label: str = ""
    label_x: float = 0.0
    label_y: float = 0.0
    anchor: str = "start"


@dataclass(frozen=True)
class Drawing:
    """All that is on the drawing, and where a legend has room."""

    width: float
    height: float
    places: tuple[Place, ...]
    arrows: tuple[Arrow, ...]
    legend: tuple[float, float]


def lay_out(e: Explanation, m: Messages) -> Drawing:
    """Place the recorded graph."""
    cards = {node.id: card_of(node, e, m) for node in e.nodes}
    spine = [e.nodes[-1]]
    while spine[0].parents:
        spine.insert(0, next(node for node in e.nodes if node.id == spine[0].parents[0]))
    beside = {node.id: cards[node.parents[1]] for node in spine if len(node.parents) > 1}
    left = max(cards[node.id].width for node in spine)
    legend = (m.forward_arrow, m.backward_arrow, m.order_mark)
    right = max(card.width for card in beside.values())
    right = max(right, _LEGEND_TEXT + max(text_width(text) for text in legend))
    right_x = _MARGIN + left + _BETWEEN_COLUMNS

    places: list[Place] = []
    arrows: list[Arrow] = []
    above: Place | None = None
    y = _MARGIN
    for node in spine:
        card, side = cards[node.id], beside.get(node.id)
        height = max(card.height, side.height if side else 0.0)
        place = Place(card, _MARGIN, y + (height - card.height) / 2, left)
        places.append(place)
        if above:
            arrows += _downward(above, place)
        if side:
            other = Place(side, right_x, y + (height - side.height) / 2, right)
            places.append(other)
            arrows += _leftward(other, place)
        above = place
        y += height + _BETWEEN_ROWS
    arrows.append(_start(places[-1], m.starts_here))
    return Drawing(
        width=max(right_x + right, arrows[-1].label_x + text_width(m.starts_here)) + _MARGIN,
        height=y - _BETWEEN_ROWS + _MARGIN,
        places=tuple(places),
        arrows=tuple(arrows),
        legend=(right_x, _MARGIN),
    )


def _downward(parent: Place, child: Place) -> list[Arrow]:
    """The value goes down into the operation below, its gradient comes up again."""
    x = parent.center[0]
    top, bottom = parent.y + parent.height, child.y
    value = Arrow("value", x - _APART, top, x - _APART, bottom)
    rule = parent.card.node.rule
    if not rule:
        return [value]
    label = (rule, x + _APART + 8, (top + bottom) / 2 + 4)
    return [value, Arrow("gradient", x + _APART, bottom, x + _APART, top, *label)]


def _start(loss: Place, text: str) -> Arrow:
    """Where the gradients begin."""
    x, y = loss.x + loss.width, loss.center[1]
    return Arrow("gradient", x + 46, y, x, y, text, x + 54, y + 4)


def _leftward(parent: Place, child: Place) -> list[Arrow]:
    """The value goes left into the operation, its gradient comes back to the right."""
    y = child.center[1]
    start, end = parent.x, child.x + child.width
    value = Arrow("value", start, y - _APART, end, y - _APART)
    rule = parent.card.node.rule
    if not rule:
        return [value]
    label = (rule, (start + end) / 2, y + _APART + 17, "middle")
    return [value, Arrow("gradient", end, y + _APART, start, y + _APART, *label)]
