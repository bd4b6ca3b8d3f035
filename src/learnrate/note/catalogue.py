"""The note's words in each language, from one catalogue: ``texts.toml``."""

from __future__ import annotations

import locale
import os
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

__all__ = ["LANGUAGES", "Texts", "catalogue", "default_language", "texts"]

LANGUAGES = {"中文": "zh", "English": "en"}
"""What the languages call themselves, and their codes."""


class Texts:
    """The words of one language: ``t("key", name=value)`` puts the value where the text has ``[[name]]``."""

    def __init__(self, lang: str, words: Mapping[str, str]) -> None:
        self.lang = lang
        self._words = words

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, with the values put in."""
        text = self._words[key]
        for name, value in values.items():
            text = text.replace(f"[[{name}]]", str(value))
        return text


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Every text: key to language to words."""
    path = Path(__file__).with_name("texts.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def texts(lang: str) -> Texts:
    """The words of ``"zh"`` or ``"en"``."""
    return Texts(lang, {key: _joined(words[lang].strip()) for key, words in catalogue().items()})


def _joined(text: str) -> str:
    """A line that ends in Chinese goes on in the next without a space."""
    return re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef”])\n(?=[^\n|#$*-])", "", text)


def default_language() -> str:
    """Chinese where the system's locale says so, else English."""
    named = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), None)
    words = named or locale.getlocale()[0] or ""
    return "zh" if words.lower().startswith(("zh", "chinese")) else "en"
