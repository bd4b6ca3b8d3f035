"""Builds the site, English and Chinese, into docs/_build/html. From the repository's root: ``make docs``.

Pages are written so that they read well where they lie, ``docs/theory.md`` beside ``docs/theory.zh-CN.md``.
Here they are copied into one folder per language under one name, ``theory.md``, with their links mended, and
Sphinx builds each folder, with warnings as errors. The explorer is a page of its own. Then every link of the built pages is checked.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from learnrate.book.play import save_page

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
BUILD = DOCS / "_build"

EXPLORER = DOCS / "play.html"
"""A page of its own, in both languages: `learnrate.book.play`."""

CHINESE = ".zh-CN"
LANGUAGES = {"en": "", "zh_CN": "zh-CN/"}
"""Sphinx's name of a language, and its place in the site."""

_LINK = re.compile(r"(?<=\]\()([^)#\s]+)")
_FENCE = re.compile(r"(^```.*?^```)", re.M | re.S)
_TOCTREE = re.compile(r"^```\{toctree\}.*?^```", re.M | re.S)

_CHINESE_BREAK = re.compile(
    r"(?<=[\u2014\u2026\u3001-\u9fff\uff00-\uffef])\n *(?=[\u4e00-\u9fff\uff08])"
)
"""A line's end between two Chinese characters, which a browser would show as a blank."""

Pages = dict[Path, tuple[str, str]]
"""Source of each page: its language and its name in the site."""


def pages() -> Pages:
    """All pages. Those at the repository's root that have no Chinese sister serve both languages."""
    found: Pages = {}
    for path in (*sorted(DOCS.glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"):
        language = "zh_CN" if CHINESE in path.name else "en"
        found[path] = language, path.name.lower().replace(CHINESE.lower(), "").removesuffix(".md")
    return found


def stage(language: str, all_pages: Pages) -> Path:
    """A folder with the pages of one language and what they show."""
    folder = BUILD / "source" / language
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DOCS / "figures", folder / "figures")
    for path, (its_language, name) in all_pages.items():
        if its_language == language:
            text = path.read_text(encoding="utf-8")
            text = with_known_entries(with_links_mended(text, path, all_pages), all_pages, language)
            text = outside_code(_CHINESE_BREAK, "", text)
            (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


def with_links_mended(text: str, path: Path, all_pages: Pages) -> str:
    """Links between files of the repository become links between pages of the site."""
    language, _ = all_pages[path]
    folder = BUILD / "source" / language

    def mended(match: re.Match[str]) -> str:
        if "://" in match[1]:
            return match[1]
        target = (path.parent / match[1]).resolve()
        if target in all_pages:
            other, name = all_pages[target]
            if other == language:
                return f"{name}.md"
            up = "../" if LANGUAGES[language] else ""
            return f"site:{up}{LANGUAGES[other]}{name}.html"
        if target == EXPLORER:
            return f"site:{EXPLORER.name}"
        if target.is_relative_to(DOCS / "figures"):
            return str(target.relative_to(DOCS))
        return os.path.relpath(target, folder)

    return outside_code(_LINK, mended, text)


def outside_code(
    pattern: re.Pattern[str], replacement: str | Callable[[re.Match[str]], str], text: str
) -> str:
    """Text with every match replaced, but for those in fenced code."""
    parts = _FENCE.split(text)
    parts[::2] = [pattern.sub(replacement, part) for part in parts[::2]]
    return "".join(parts)


def with_known_entries(text: str, all_pages: Pages, language: str) -> str:
    """Tables of contents without the pages that are not written yet.

    Nothing is lost by it: Sphinx complains of a page that is in no table of contents.
    """
    names = {name for its_language, name in all_pages.values() if its_language == language}

    def known(match: re.Match[str]) -> str:
        kept = []
        for line in match[0].splitlines():
            entry = line.strip().removesuffix(CHINESE).lower()
            if re.fullmatch(r"[a-z][a-z-]*", entry):
                if entry not in names:
                    print(f"No page {entry} in {language} yet: left out of the table of contents.")
                    continue
                line = entry
            kept.append(line)
        return "\n".join(kept)

    return _TOCTREE.sub(known, text)


def build(language: str, source: Path) -> None:
    """Sphinx, with warnings as errors."""
    command = ["-b", "html", "--fail-on-warning", "--keep-going", "--quiet", "--fresh-env"]
    command += ["-c", str(DOCS), "-d", str(BUILD / "doctrees" / language)]
    command += [str(source), str(BUILD / "html" / LANGUAGES[language])]
    environment = {**os.environ, "LEARNRATE_DOCS_LANGUAGE": language}
    environment["LEARNRATE_DOCS_CACHE"] = str(BUILD)
    print(f"Building the pages in {'Chinese' if LANGUAGES[language] else 'English'}.", flush=True)
    done = subprocess.run([sys.executable, "-m", "sphinx", *command], env=environment, check=False)
    if done.returncode:
        sys.exit("The site must build without a warning. Got those above; mend them.")


def main() -> int:
    """Stage, build, check."""
    shutil.rmtree(BUILD / "html", ignore_errors=True)
    all_pages = pages()
    for language in LANGUAGES:
        build(language, stage(language, all_pages))
    save_page(BUILD / "html" / EXPLORER.name)
    save_page(BUILD / "html" / LANGUAGES["zh_CN"] / EXPLORER.name, lang="zh")
    checked = subprocess.run([sys.executable, DOCS / "check_site.py", BUILD / "html"], check=False)
    print(f"The site is {(BUILD / 'html' / 'index.html').relative_to(ROOT)}.")
    return checked.returncode


if __name__ == "__main__":
    sys.exit(main())
