"""The recorded graph as a Mermaid flowchart."""

from __future__ import annotations

from learnrate.book.steps.cards import card_of
from learnrate.book.steps.messages import Messages, messages_in
from learnrate.book.steps.opened import GraphNode, Opened
from learnrate.book.steps.tables import vector

__all__ = ["render_mermaid"]

_VALUES = 4
_PLAIN = " .,:()[]+-−=×·/…"

_SETTINGS = '%%{init: {"flowchart": {"wrappingWidth": 400}}}%%'

_STYLES = """\
    classDef data fill:#f8fafc,stroke:#94a3b8,stroke-dasharray:5 3,color:#1e293b
    classDef parameter fill:#eff6ff,stroke:#2563eb,stroke-width:2px,color:#1e293b
    classDef operation fill:#ffffff,stroke:#94a3b8,color:#1e293b
"""


def render_mermaid(e: Opened, *, lang: str = "en") -> str:
    """The flowchart. Arrows point down, with the values; their labels are the rules of the gradients."""
    m = messages_in(lang)
    lines = [_SETTINGS, "flowchart TB"]
    lines += [f'    {node.id}["{_label(node, e, m)}"]:::{node.kind}' for node in e.nodes]
    by_id = {node.id: node for node in e.nodes}
    for node in e.nodes:
        for parent in node.parents:
            rule = by_id[parent].rule
            arrow = f'-->|"↑ {_escape(rule)}"|' if rule else "-->"
            lines.append(f"    {parent} {arrow} {node.id}")
    return "\n".join(lines) + "\n" + _STYLES


def _label(node: GraphNode, e: Opened, m: Messages) -> str:
    card = card_of(node, e, m)
    lines = [card.title, card.caption]
    if not e.is_told(node):
        lines.append(f"{m.value}: {vector(node.values, m, _VALUES)}")
    if node.gradient is not None:
        lines.append(f"{m.gradient} ({node.visited}): {vector(node.gradient, m, _VALUES)}")
    return "<br/>".join(_escape(line) for line in lines)


def _escape(text: str) -> str:
    """Replace all but letters, digits and plain signs by Mermaid's ``#code;``, so that nothing is read as markup."""
    return "".join(c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in text)
