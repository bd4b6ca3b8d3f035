"""Checks a built site without a network: ``python docs/check_site.py FOLDER``.

Every link leads to a file of the site and to an anchor that is there; no page loads anything from elsewhere
(links that a reader may follow to other sites are not followed); every page says its language, and the theme speaks it.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
_THEME = {"Next", "Previous", "Home", "On this page", "Back to top"}


class Page(HTMLParser):
    """What a page links to, loads, and can be linked at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = {""}
        self.language: str | None = None
        self.english: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what one element says."""
        values = dict(attrs)
        self.anchors |= {str(values[key]) for key in ("id", "name") if values.get(key)}
        if tag == "html":
            self.language = values.get("lang")
        if tag == "a" and values.get("href"):
            self.links.append(str(values["href"]))
        if values.get(_LOADING.get(tag, "")):
            self.loaded.append(str(values[_LOADING[tag]]))

    def handle_data(self, data: str) -> None:
        """Note what the theme says in English."""
        self.english |= {data.strip()} & _THEME


def complaints(folder: Path) -> list[str]:
    """What is wrong with the site, a line each."""
    pages = {
        path.resolve(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.html"))
        if "_static" not in path.parts
    }
    found = [] if pages else [f"{folder} holds no page"]
    for path, page in pages.items():
        here = path.relative_to(folder.resolve())
        expected = "zh-CN" if here.parts[0] == "zh-CN" else "en"
        if page.language != expected:
            found.append(f"{here} says lang={page.language!r}, not {expected!r}")
        if expected == "zh-CN" and page.english:
            found.append(f"{here} says {', '.join(sorted(page.english))} in English")
        found += [
            f"{here} loads {url} from elsewhere"
            for url in page.loaded
            if urlsplit(url).scheme not in ("", "data") or urlsplit(url).netloc
        ]
        for url in {*page.links, *page.loaded}:
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                found.append(f"{here} links to {url}: no such file")
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{here} links to {url}: no such place on that page")
    return found


if __name__ == "__main__":
    root = Path(sys.argv[1])
    problems = complaints(root)
    print(*problems, sep="\n", end="\n" if problems else "")
    print(f"{len(list(root.rglob('*.html')))} pages, {len(problems)} broken links")
    sys.exit(1 if problems else 0)
