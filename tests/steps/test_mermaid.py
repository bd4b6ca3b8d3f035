from __future__ import annotations

import re

import pytest

from learnrate.steps import Explanation
from learnrate.steps.mermaid import render_mermaid

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
    assert "[-14.66, 14.83]" in labels
    assert "(7)" in labels


def test_no_text_is_markup(hostile: Explanation) -> None:
    for line in render_mermaid(hostile).splitlines():
        for text in re.findall(r'"([^"]*)"', line.replace("<br/>", "")):
            assert not set("<>&`|{}\\") & set(text)
            assert re.sub(r"#\d+;", "", text).count("#") == 0
