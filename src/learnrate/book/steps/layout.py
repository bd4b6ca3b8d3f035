"""The positions of cards and arrows in the drawing of a graph.

The operations are on the left, one below the other in the order in which they were computed, with the first input of the
first one on top. Other inputs (w, b, y) are at the right of the first operation that uses them, and a small card at the
right of later ones repeats the name. A result that is used further down than in the next row is drawn with an arrow
around the left side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from learnrate.book.steps.abridging import Omitted, abridge
from learnrate.book.steps.cards import Card, card_of, reminder_of, text_width
from learnrate.book.steps.formats import clean, clip
from learnrate.book.steps.messages import Messages
from learnrate.book.steps.opened import GraphNode, Opened

__all__ = ["Arrow", "Detour", "Drawing", "Note", "Place", "lay_out"]

_MARGIN = 12.0
_BETWEEN_ROWS = 40.0
_BETWEEN_SIDES = 14.0
_BETWEEN_COLUMNS = 122.0
_CHANNEL = 26.0
"""Width for the two arrows of a detour."""
_APART = 9.0
"""Half the distance between the arrow of the values and the arrow of the gradients."""
_LEGEND_TEXT = 38.0
"""Horizontal start of the texts of the legend, at the right of its arrows."""
_LEGEND_HEIGHT = 76.0
_MOST = 40
"""If there are more operations, the first and the last ones are drawn."""
_RULE_WIDTH = 34
"""Longer rules are cut in the drawing, but not in the table."""

_Row = GraphNode | Omitted


@dataclass(frozen=True)
class Place:
    """A card and its rectangle."""

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

    @property
    def bottom(self) -> float:
        """Bottom of the rectangle."""
        return self.y + self.height


@dataclass(frozen=True)
class Arrow:
    """A line from (x1, y1) to (x2, y2).

    Attributes
    ----------
    kind : str
        ``value`` for the forward direction, ``gradient`` for the backward direction.
    label : str
        The rule of the gradient, at (label_x, label_y) with this anchor.
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
class Detour:
    """A line through several points."""

    kind: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Note:
    """A text between the rows, centred at x."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Drawing:
    """The whole drawing, and the position of the legend."""

    width: float
    height: float
    places: tuple[Place, ...]
    arrows: tuple[Arrow, ...]
    detours: tuple[Detour, ...]
    notes: tuple[Note, ...]
    legend: tuple[float, float]


def lay_out(e: Opened, m: Messages) -> Drawing:
    """Lay out the recorded graph; if there are very many operations, the first and the last ones."""
    by_id = {node.id: node for node in e.nodes}
    spine = _spine(e, by_id)
    drawn = [node for node in spine if not isinstance(node, Omitted)]
    cards = {node.id: card_of(node, e, m) for node in drawn}
    rows = _sides(spine, by_id, e, m)
    jumps = _jumps(spine)
    channels = max((channel for *_, channel in jumps), default=-1) + 1

    left_x = _MARGIN + _CHANNEL * channels
    left = max((card.width for card in cards.values()), default=0.0)
    rules = [text_width(_cut(rule)) + 20 for node in drawn for rule in node.parent_rules]
    right_x = left_x + left + max(_BETWEEN_COLUMNS, *rules, 0.0)
    texts = (m.forward_arrow, m.backward_arrow, m.order_mark)
    legend = _LEGEND_TEXT + max(text_width(text) for text in texts)
    right = max([legend, *(side.width for sides in rows for side in sides)])

    places: dict[str, Place] = {}
    beside: list[Place] = []
    arrows: list[Arrow] = []
    notes: list[Note] = []
    above: _Row = Omitted(0)
    y = _MARGIN + (_LEGEND_HEIGHT if rows and rows[0] else 0.0)
    for node, sides in zip(spine, rows, strict=True):
        if isinstance(node, Omitted):
            text = m.more_operations.format(count=node)
            notes.append(Note(left_x + left / 2, y + _BETWEEN_ROWS / 2, text))
            y += 2 * _BETWEEN_ROWS
        else:
            stacked = sum(s.height for s in sides) + _BETWEEN_SIDES * max(len(sides) - 1, 0)
            card = cards[node.id]
            height = max(card.height, stacked)
            place = Place(card, left_x, y + (height - card.height) / 2, left)
            places[node.id] = place
            if not isinstance(above, Omitted) and above.id in node.parents:
                arrows += _downward(places[above.id], place, _rule(above, node))
            side_y = y + (height - stacked) / 2
            for side in sides:
                other = Place(side, right_x, side_y, right if side.columns else side.width)
                beside.append(other)
                arrows += _leftward(other, place, _rule(side.node, node))
                side_y += side.height + _BETWEEN_SIDES
            y += height + _BETWEEN_ROWS
        above = node
    detours = [
        detour
        for start, end, channel in jumps
        for detour in _around(
            places[start.id], places[end.id], left_x - _CHANNEL * (channel + 1), _rule(start, end)
        )
    ]
    arrows += [
        _start(places[node.id], m.starts_here.format(rule=rule))
        for node in drawn
        if (rule := node.rule.split(" + ")[0]) in ("1", "out_grad")
    ]
    ends = [a.label_x + text_width(a.label) for a in arrows if a.anchor == "start"]
    return Drawing(
        width=max([right_x + right, *ends]) + _MARGIN,
        height=y + _MARGIN,
        places=(*places.values(), *beside),
        arrows=tuple(arrows),
        detours=tuple(detours),
        notes=tuple(notes),
        legend=(right_x, _MARGIN),
    )


def _spine(e: Opened, by_id: dict[str, GraphNode]) -> list[_Row]:
    """The nodes on the left, from top to bottom."""
    operations = [node for node in e.nodes if node.kind == "operation"]
    if not operations:
        return [node for node in e.nodes if node.rule]
    first = operations[0].parents[:1]
    return [*(by_id[parent] for parent in first), *abridge(operations, _MOST)]


def _sides(
    spine: Sequence[_Row], by_id: dict[str, GraphNode], e: Opened, m: Messages
) -> list[list[Card]]:
    """The cards at the right of each row: inputs, with numbers where they are first used."""
    on_spine = {node.id for node in spine if not isinstance(node, Omitted)}
    seen: set[str] = set()
    above = ""
    rows: list[list[Card]] = []
    for node in spine:
        cards = []
        for parent in () if isinstance(node, Omitted) else dict.fromkeys(node.parents):
            source = by_id[parent]
            if parent == above or (parent in on_spine and source.kind == "operation"):
                continue
            known = parent in seen or parent in on_spine or source.kind == "operation"
            cards.append(reminder_of(source) if known else card_of(source, e, m))
            seen.add(parent)
        rows.append(cards)
        above = "" if isinstance(node, Omitted) else node.id
    return rows


def _jumps(spine: Sequence[_Row]) -> list[tuple[GraphNode, GraphNode, int]]:
    """Results that are used further down than in the next row: from, to, and the channel of the arrow."""
    at = {node.id: i for i, node in enumerate(spine) if not isinstance(node, Omitted)}
    found = []
    for i, node in enumerate(spine):
        for parent in () if isinstance(node, Omitted) else dict.fromkeys(node.parents):
            source = spine[at[parent]] if parent in at else Omitted(0)
            if (
                not isinstance(source, Omitted)
                and source.kind == "operation"
                and at[parent] < i - 1
            ):
                found.append((at[parent], i))
    channels: list[list[tuple[int, int]]] = []
    jumps = []
    for start, end in sorted(found, key=lambda jump: jump[1] - jump[0]):
        free = (
            k
            for k, taken in enumerate(channels)
            if all(end <= first or last <= start for first, last in taken)
        )
        k = next(free, len(channels))
        if k == len(channels):
            channels.append([])
        channels[k].append((start, end))
        source, target = spine[start], spine[end]
        assert not isinstance(source, Omitted)
        assert not isinstance(target, Omitted)
        jumps.append((source, target, k))
    return jumps


def _rule(parent: GraphNode, child: GraphNode) -> str:
    """The rule for the parent's gradient; if it is an input of the child twice, the sum of two rules."""
    pairs = zip(child.parents, child.parent_rules, strict=True)
    return _cut(" + ".join(rule for name, rule in pairs if name == parent.id and rule))


def _cut(rule: str) -> str:
    return clip(clean(rule), _RULE_WIDTH)


def _downward(parent: Place, child: Place, rule: str) -> list[Arrow]:
    """The arrow of the value down to the operation below, and the arrow of its gradient up."""
    x = parent.center[0]
    top, bottom = parent.bottom, child.y
    value = Arrow("value", x - _APART, top, x - _APART, bottom)
    if not rule:
        return [value]
    label = (rule, x + _APART + 8, (top + bottom) / 2 + 4)
    return [value, Arrow("gradient", x + _APART, bottom, x + _APART, top, *label)]


def _start(head: Place, text: str) -> Arrow:
    """The arrow at the node where the backward pass starts."""
    x = head.x + 30
    return Arrow("gradient", x, head.bottom + 32, x, head.bottom, text, x + 10, head.bottom + 26)


def _leftward(parent: Place, child: Place, rule: str) -> list[Arrow]:
    """The arrow of the value to the operation at the left, and the arrow of its gradient to the right."""
    y = parent.center[1]
    inside = min(max(y, child.y + 2 * _APART), child.bottom - 2 * _APART)
    start, end = parent.x, child.x + child.width
    value = Arrow("value", start, y - _APART, end, inside - _APART)
    if not rule:
        return [value]
    label = (rule, (start + end) / 2, (y + inside) / 2 + _APART + 17, "middle")
    return [value, Arrow("gradient", end, inside + _APART, start, y + _APART, *label)]


def _around(parent: Place, child: Place, x: float, rule: str) -> list[Detour]:
    """The arrow of the value around the rows between, and the arrow of its gradient inside it."""
    outer = (parent.bottom - 26, child.y + 26)
    inner = (parent.bottom - 14, child.y + 14)
    value = Detour(
        "value",
        ((parent.x, outer[0]), (x + 4, outer[0]), (x + 4, outer[1]), (child.x, outer[1])),
    )
    if not rule:
        return [value]
    back = ((child.x, inner[1]), (x + 14, inner[1]), (x + 14, inner[0]), (parent.x, inner[0]))
    return [value, Detour("gradient", back)]
