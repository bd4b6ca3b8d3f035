from __future__ import annotations

import re
from dataclasses import fields
from string import Formatter

import pytest

from learnrate.book.steps.messages import Messages, messages_in, prose
from learnrate.errors import OptionError

ENGLISH, CHINESE = messages_in("en"), messages_in("zh")


@pytest.mark.parametrize("name", [field.name for field in fields(Messages)])
def test_both_languages_fill_in_the_same_values_and_name_the_same_code(name: str) -> None:
    def parts(text: str) -> tuple[set[str | None], set[str]]:
        values = {value for _, value, _, _ in Formatter().parse(text)}
        return values - {None}, set(re.findall("`(.*?)`", text))

    english, chinese = getattr(ENGLISH, name), getattr(CHINESE, name)
    assert parts(english) == parts(chinese)
    assert english.count("`") % 2 == 0


def test_chinese_is_chinese() -> None:
    same = {
        f.name for f in fields(Messages) if getattr(ENGLISH, f.name) == getattr(CHINESE, f.name)
    }
    assert same == set()


def test_prose_marks_code_and_leaves_backquotes_in_values_alone() -> None:
    assert prose("`w` is {name}.", name="`x`") == (("w", "code"), (" is `x`.", "text"))
    assert prose("$a + b$: {cost}", cost="$3") == (("a + b", "math"), (": $3", "text"))


def test_another_language_is_refused() -> None:
    with pytest.raises(OptionError, match="en, zh"):
        messages_in("fr")
