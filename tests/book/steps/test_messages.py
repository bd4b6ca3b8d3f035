from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from learnrate.book import steps
from learnrate.book.note.catalogue import catalogue
from learnrate.book.steps.messages import messages_in, prose
from learnrate.errors import OptionError

LOSSES = ("squared", "logistic", "softmax")
ENGLISH, CHINESE = messages_in("en"), messages_in("zh")


@pytest.mark.parametrize("name", catalogue("steps"))
def test_both_languages_fill_in_the_same_values_and_name_the_same_code(name: str) -> None:
    def parts(text: str) -> tuple[set[str | None], set[str]]:
        values = {value for _, value, _, _ in Formatter().parse(text)}
        return values - {None}, set(re.findall("`(.*?)`", text))

    english, chinese = getattr(ENGLISH, name), getattr(CHINESE, name)
    assert parts(english) == parts(chinese)
    assert english.count("`") % 2 == 0


def test_chinese_is_chinese() -> None:
    assert [name for name, text in catalogue("steps").items() if text["en"] == text["zh"]] == []


def test_the_code_uses_every_text_and_no_other() -> None:
    folder = Path(steps.__file__).parent
    files = [*folder.rglob("*.py"), *folder.rglob("*.html"), *folder.rglob("*.svg")]
    code = "".join(file.read_text(encoding="utf-8") for file in files)
    used = set(re.findall(r"\bm\.(\w+)", code)) - {"of", "lastgroup"}
    of_losses = {
        f"{name}_{loss}" for name in re.findall(r'm\.of\("(\w+)"', code) for loss in LOSSES
    }
    assert used | of_losses | {"saved"} == set(catalogue("steps"))


def test_prose_marks_code_and_leaves_backquotes_in_values_alone() -> None:
    assert prose("`w` is {name}.", name="`x`") == (("w", "code"), (" is `x`.", "text"))
    assert prose("$a + b$: {cost}", cost="$3") == (("a + b", "math"), (": $3", "text"))


def test_another_language_is_refused() -> None:
    with pytest.raises(OptionError, match="en, zh"):
        messages_in("fr")
