from __future__ import annotations

import re
from dataclasses import replace

import pytest

from learnrate.book.steps import Explanation
from learnrate.book.steps.mermaid import render_mermaid

NODE = re.compile(r'    (n\d+)\["([^"]*)"\]:::(data|parameter|operation)')
ARROW = re.compile(r'    (n\d+) -->(?:\|"([^"]*)"\|)? (n\d+)')


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_line_is_a_node_an_arrow_or_a_style(note: Explanation, lang: str) -> None:
    settings, kind, *lines = render_mermaid(note, lang=lang).splitlines()
    assert settings.startswith("%%{init")
    assert kind == "flowchart TB"
    nodes = [match for line in lines if (match := NODE.fullmatch(line))]
    arrows = [match for line in lines if (match := ARROW.fullmatch(line))]
    styles = [line for line in lines if line.startswith("    classDef ")]
    assert len(nodes) + len(arrows) + len(styles) == len(lines)
    assert [match[1] for match in nodes] == [node.id for node in note.nodes]
    assert {(match[1], match[3]) for match in arrows} == {
        (parent, node.id) for node in note.nodes for parent in node.parents
    }
    labels = "".join(match[2] for match in nodes)
    assert "[-19.18, 17.19]" in labels
    assert "(7)" in labels


def test_no_text_is_markup(note: Explanation) -> None:
    """Names of columns do not get here, so a node is given a hostile name."""
    *others, loss = note.nodes
    hostile = replace(loss, name='"]; <b>`#59;`</b> {x} | 面积')
    text = render_mermaid(replace(note, nodes=(*others, hostile)))
    line = next(line for line in text.splitlines() if line.startswith("    n8["))
    match = NODE.fullmatch(line)
    assert match
    label = match[2].replace("<br/>", "")
    assert not set("<>&`|{}") & set(label)
    decoded = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), label)
    assert decoded.startswith(hostile.name)
