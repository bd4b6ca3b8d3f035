"""The words of a page in each language, from the catalogue of its folder: ``texts.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from itertools import chain
from pathlib import Path

__all__ = ["Texts", "catalogue", "note_texts", "texts"]


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

    def sentences(self, *said: str) -> str:
        """Sentences after one another: Chinese ones stand without a space between."""
        return ("" if self.lang == "zh" else " ").join(said)


@cache
def catalogue(folder: str) -> dict[str, dict[str, str]]:
    """Every text of the page in a folder of ``book/``: key to language to words."""
    path = Path(__file__).parent.parent / folder / "texts.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def texts(lang: str, *folders: str) -> Texts:
    """The words of ``"zh"`` or ``"en"``, from one folder of ``book/`` or several."""
    found = [catalogue(folder).items() for folder in folders]
    return Texts(lang, {key: _joined(words[lang].strip()) for key, words in chain(*found)})


def note_texts(lang: str, name: str) -> Texts:
    """The words of one note, with those that all have in common."""
    return texts(lang, "note", f"note/{name}")


def _joined(text: str) -> str:
    """A line that ends in Chinese goes on in the next without a space."""
    return re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef”])\n(?=[^\n|#$*-])", "", text)
