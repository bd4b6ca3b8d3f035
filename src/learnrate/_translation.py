"""Translation into Chinese: a catalogue of English sentences, applied to text just before it is shown.

Code and results use English. A command with ``--lang zh`` passes each line through `translator`, which looks it up in
``chinese.toml``. A key of the catalogue is an English sentence with placeholders:

- ``{name}``: any text;
- ``{name#}``: a single word, such as a number;
- ``{name@}``: a number of epochs or steps, such as "30 epochs";
- ``{name*}``: a text that is translated too, if it is in the catalogue;
- ``{name!}``: a text that must be in the catalogue;
- ``{name,}``: a list of texts that are translated one by one.

A name that begins with ``_`` is left out in the Chinese sentence.

Text without an entry, such as the user's, stays as it is.
"""

from __future__ import annotations

import locale
import os
import re
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from learnrate.errors import not_one_of, option

__all__ = ["LANGUAGES", "Say", "as_it_is", "as_language", "translator"]

Say = Callable[[str], str]
"""Translates an English sentence into the language of the user."""

_PATTERNS = {"#": r"[^\s,;]+?", "@": r"[\d,]+ (?:epoch|step)s?"}
_ITEMS = re.compile(r", (?![^(]*\))")
_SENTENCES = re.compile(r"(?<=[.;]) (?=[A-Z…0-9])")


_ABRIDGED = (
    (re.compile(r"… \(([\d,]+) in all\)"), r"……（共 \1 个）"),
    (re.compile(r"… and ([\d,]+) more \(all are in --json\)"), r"……另有 \1 个（--json 中有全部）"),
)
"""How a list ends that was cut, in any sentence."""

LANGUAGES = {"中文": "zh", "English": "en"}
"""The names of the languages, and their codes."""


def as_it_is(text: str) -> str:
    """Return the text unchanged, for English."""
    return text


def translator(lang: str) -> Say:
    """The function that translates English text into a language, ``en`` or ``zh``."""
    return _cut_lists_too if lang == "zh" else as_it_is


def _cut_lists_too(text: str) -> str:
    """`_into_chinese`, with the ends of lists that were cut, which stand among the user's names."""
    said = _into_chinese(text)
    for english, chinese in _ABRIDGED:
        said = english.sub(chinese, said)
    return said


class _Entry:
    """A sentence of the catalogue with placeholders, and its translation."""

    def __init__(self, english: str, chinese: str) -> None:
        parts = re.split(r"\{(\w+)([*!,#@]?)\}", english)
        self.kinds = dict(zip(parts[1::3], parts[2::3], strict=True))
        pattern = re.escape(parts[0])
        for name, text in zip(parts[1::3], parts[3::3], strict=True):
            value = _PATTERNS.get(self.kinds[name], ".+?")
            pattern += f"(?P<{name}>{value}){re.escape(text)}"
        self.first, self.last, self.pattern = parts[0], parts[-1], pattern
        self.literal = sum(len(text) for text in parts[0::3])
        self.chinese = chinese

    def applied(self, text: str) -> str | None:
        if not (text.startswith(self.first) and text.endswith(self.last)):
            return None  # most entries, whose patterns are then never compiled
        match = re.compile(self.pattern, re.DOTALL).fullmatch(text)
        if match is None:
            return None
        values = match.groupdict()
        for name, kind in self.kinds.items():
            if kind == ",":
                values[name] = "，".join(map(_into_chinese, _ITEMS.split(values[name])))
            elif kind in ("*", "!", "@"):
                found = _into_chinese(values[name])
                if kind == "!" and found == values[name]:
                    return None
                values[name] = found
        return self.chinese.format(**values)


@cache
def _catalogue() -> tuple[dict[str, str], list[_Entry]]:
    """Sentences without placeholders, and those with placeholders, the ones with the most fixed text first."""
    path = Path(__file__).with_name("chinese.toml")
    groups = tomllib.loads(path.read_text(encoding="utf-8"))
    entries = {english: text for group in groups.values() for english, text in group.items()}
    fixed = {english: text for english, text in entries.items() if "{" not in english}
    others = [_Entry(english, text) for english, text in entries.items() if "{" in english]
    return fixed, sorted(others, key=lambda entry: -entry.literal)


def _into_chinese(text: str) -> str:
    fixed, entries = _catalogue()
    if text in fixed:
        return fixed[text]
    for entry in entries:
        found = entry.applied(text)
        if found is not None:
            return found
    first, *others = _SENTENCES.split(text)
    if not others:
        return text
    said = _into_chinese(first)
    for piece in map(_into_chinese, others):
        said += piece if said[-1] in "。；：" else f" {piece}"
    return said


def as_language(lang: str | None = None) -> str:
    """The code of a language, ``"en"`` or ``"zh"``: ``lang``, by default that of the system.

    Raises
    ------
    OptionError
        If ``lang`` is another language.
    """
    if lang is None:
        named = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), None)
        words = named or locale.getlocale()[0] or ""
        return "zh" if words.lower().startswith(("zh", "chinese")) else "en"
    known = sorted(LANGUAGES.values())
    if lang not in known:
        raise not_one_of(option("lang"), lang, known)
    return lang
