"""A browser for the tests. Without one they skip with the reason; in CI a skip is a failure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
SHOTS = Path(__file__).parent.parent.parent / "build" / "screenshots"
"""Where pictures of the pages are kept, to be looked at."""


def no_browser(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; CI must have one")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        no_browser(f"no browser at {CHROMIUM} (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield running
        running.close()


@dataclass
class Visit:
    """A page, and what it complained about or asked for outside itself."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def shot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(SHOTS / f"{name}.png"), full_page=True)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Any]:
    """Open an address; at the end nothing may have been complained about."""
    contexts: list[Any] = []
    visits: list[Visit] = []

    def open_page(
        url: str, *, width: int = 1280, height: int = 850, theme: Any = "light", **options: Any
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, **options
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        opened = Visit(context.new_page())
        visits.append(opened)
        opened.page.on(
            "console",
            lambda message: (
                opened.complaints.append(f"{message.text} ({message.location.get('url')})")
                if message.type == "error"
                else None
            ),
        )
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.page.on("request", lambda request: opened.requests.append(request.url))
        opened.page.goto(url)
        return opened

    yield open_page
    for context in contexts:
        context.close()
    assert not [complaint for opened in visits for complaint in opened.complaints]
