"""The languages of the pages, and the language of the system."""

from __future__ import annotations

import locale
import os

__all__ = ["LANGUAGES", "default_language"]

LANGUAGES = {"中文": "zh", "English": "en"}
"""The names of the languages, and their codes."""


def default_language() -> str:
    """``"zh"`` if the system's locale is Chinese, else ``"en"``."""
    named = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), None)
    words = named or locale.getlocale()[0] or ""
    return "zh" if words.lower().startswith(("zh", "chinese")) else "en"
