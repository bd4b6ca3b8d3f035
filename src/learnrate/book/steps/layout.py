"""Where the graph's cards and arrows go on a drawing.

The operations stand one below the other on the left, in the order in which they were computed, with the input that the first of
them begins with on top. What else joins them (w, b, y) stands at the right of the first operation that it goes into, and as a
reminder at later ones. A result that is used further down than on the next line gets there around the left side.
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
"""Room for the two arrows of a detour."""
_APART = 9.0
"""Half the distance between the arrow of the values and the arrow of the gradients."""
_LEGEND_TEXT = 38.0
"""Where the texts of the legend start, right of its arrows."""
_LEGEND_HEIGHT = 76.0
_MOST = 40
"""Of more operations the first and the last are drawn."""
_RULE_WIDTH = 34
"""Longer rules are cut on the drawing; the table has them whole."""

_Row = GraphNode | Omitted


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

    @property
    def bottom(self) -> float:
        """Where it ends."""
        return self.y + self.height


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
class Detour:
    """A line through several points."""

    kind: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Note:
    """A text between the rows, with its middle at x."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Drawing:
    """All that is on the drawing, and where a legend has room."""

    width: float
    height: float
    places: tuple[Place, ...]
    arrows: tuple[Arrow, ...]
    detours: tuple[Detour, ...]
    notes: tuple[Note, ...]
    legend: tuple[float, float]


def lay_out(e: Opened, m: Messages) -> Drawing:
    """Place the recorded graph; of very many operations the first and the last."""
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
    """What stands on the left, from top to bottom."""
    operations = [node for node in e.nodes if node.kind == "operation"]
    if not operations:
        return [node for node in e.nodes if node.rule]
    first = operations[0].parents[:1]
    return [*(by_id[parent] for parent in first), *abridge(operations, _MOST)]


def _sides(
    spine: Sequence[_Row], by_id: dict[str, GraphNode], e: Opened, m: Messages
) -> list[list[Card]]:
    """What stands at the right of each row: the inputs, whole where they first go in."""
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
    """Results used further down than on the next row: from, to, and which channel is free there."""
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
    """How the parent's gradient comes from the child's; several ways, where it went in twice, are added."""
    pairs = zip(child.parents, child.parent_rules, strict=True)
    return _cut(" + ".join(rule for name, rule in pairs if name == parent.id and rule))


def _cut(rule: str) -> str:
    return clip(clean(rule), _RULE_WIDTH)


def _downward(parent: Place, child: Place, rule: str) -> list[Arrow]:
    """The value goes down into the operation below, its gradient comes up again."""
    x = parent.center[0]
    top, bottom = parent.bottom, child.y
    value = Arrow("value", x - _APART, top, x - _APART, bottom)
    if not rule:
        return [value]
    label = (rule, x + _APART + 8, (top + bottom) / 2 + 4)
    return [value, Arrow("gradient", x + _APART, bottom, x + _APART, top, *label)]


def _start(head: Place, text: str) -> Arrow:
    """Where the gradients begin."""
    x = head.x + 30
    return Arrow("gradient", x, head.bottom + 32, x, head.bottom, text, x + 10, head.bottom + 26)


def _leftward(parent: Place, child: Place, rule: str) -> list[Arrow]:
    """The value goes left into the operation, its gradient comes back to the right."""
    y = parent.center[1]
    inside = min(max(y, child.y + 2 * _APART), child.bottom - 2 * _APART)
    start, end = parent.x, child.x + child.width
    value = Arrow("value", start, y - _APART, end, inside - _APART)
    if not rule:
        return [value]
    label = (rule, (start + end) / 2, (y + inside) / 2 + _APART + 17, "middle")
    return [value, Arrow("gradient", end, inside + _APART, start, y + _APART, *label)]


def _around(parent: Place, child: Place, x: float, rule: str) -> list[Detour]:
    """The value goes around what is between, its gradient comes back inside of that."""
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
