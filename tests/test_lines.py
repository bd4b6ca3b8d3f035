from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from learnrate._lines import line_breaks


def wrapped(text: str, width: int) -> list[str]:
    ends = [*line_breaks(text, width), len(text)]
    return [text[start:end].rstrip() for start, end in zip([0, *ends], ends, strict=False)]


def test_english_breaks_at_spaces() -> None:
    assert wrapped("the chain rule", 9) == ["the chain", "rule"]


def test_chinese_breaks_between_characters_and_never_before_punctuation() -> None:
    assert wrapped("梯度求和，不是平均。", 8) == ["梯度求", "和，不是", "平均。"]
    assert wrapped("调用 backward() 之后", 16) == ["调用 backward()", "之后"]


@given(st.text("梯度ab ，（）。", max_size=60), st.integers(8, 30))
def test_lines_fit_and_nothing_is_lost(text: str, width: int) -> None:
    breaks = line_breaks(text, width)
    assert breaks == sorted(set(breaks))
    lines = wrapped(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        longest = max((cell_len(word) for word in line.split()), default=0)
        assert cell_len(line) <= max(width, longest)
