"""``--help`` in both languages: complete, within the width, with nothing left in English."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from learnrate._lines import width_of
from learnrate.cli import help as help_texts
from learnrate.cli.app import COMMANDS
from tests.cli.conftest import Done
from tests.cli.test_languages import ENTRIES

Run = Callable[..., Done]
HELP = [["--help"], *([name, "--help"] for name in COMMANDS)]
CHINESE = dict(ENTRIES)
# What users type, and names: the same in every language.
TYPED = re.compile(
    r"--?[\w-]+|learnrate( \w+)?|\b[A-Z][A-Z0-9]*\b(-\d)?(\.png)?|[\w/.:-]+\.(csv|png|html|py|ipynb|json|db|table)\b\S*"
    r"|\w+\(\)|\w+=[\w.,-]+"
)


@pytest.mark.parametrize("words", HELP, ids=" ".join)
def test_every_sentence_of_the_help_has_its_chinese(
    learnrate: Run, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def say(text: str) -> str:
        said.append(text)
        return text

    monkeypatch.setattr(help_texts, "translator", lambda _: say)
    assert learnrate(*words).code == 0
    names = re.compile(r"\[?\w+\]?(\.\.\.)?|\[ARGS\]\.\.\.|")
    missing = {text for text in set(said) - CHINESE.keys() if not names.fullmatch(text)}
    assert missing == set()
    assert len(said) > 5


@pytest.mark.parametrize("words", HELP, ids=" ".join)
def test_the_chinese_help_shows_the_same_options_and_fits(
    learnrate: Run, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    english, chinese = learnrate(*words), learnrate("--lang", "zh", *words)
    assert (chinese.code, chinese.err) == (0, "")
    option = re.compile(r"^  (-.*?)(?: <|  |$)", re.MULTILINE)
    assert option.findall(chinese.out) == option.findall(english.out)
    for done in (english, chinese):
        assert max(map(width_of, done.out.splitlines())) <= 84  # an example is one line
    sentences = re.findall(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}", TYPED.sub("", chinese.out))
    assert sentences == []


def test_the_language_may_stand_before_the_command(learnrate: Run) -> None:
    assert learnrate("--lang", "zh", "sweep", "--help").out.startswith(
        "用法：learnrate sweep [选项]"
    )
    assert "建议的学习率" in learnrate("--lang", "zh", "sweep").out
    assert "Suggested" in learnrate("--lang", "zh", "sweep", "--lang", "en").out
    done = learnrate("--lang", "fr", "sweep")
    assert (done.code, done.out) == (2, "")
    assert "lang must be one of en, zh. Got 'fr' instead" in done.err


def test_the_language_of_the_help_is_that_of_the_system(
    learnrate: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert learnrate().out.startswith("用法：")
    assert learnrate("--lang", "en", "--help").out.startswith("Usage: ")


def test_the_chinese_help_loads_nothing_large() -> None:
    code = (
        "import sys\nfrom learnrate.cli import main\n"
        "try:\n    main(['sweep', '--help', '--lang', 'zh'])\nexcept SystemExit:\n    pass\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)
    assert not {"numpy", "polars", "jinja2", "matplotlib"} & set(done.stderr.decode().split())
