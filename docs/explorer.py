"""Photographs `learnrate play` for the README and docs/note.md, into docs/figures/play.png and play.zh-CN.png.

From the repository's root: ``python -m docs.explorer``. It needs Chromium and Playwright.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from learnrate.book.play import save_page

FIGURES = Path(__file__).parent / "figures"
PICTURES = {"en": "play.png", "zh": "play.zh-CN.png"}
CHROMIUM = "/usr/bin/chromium"
SIZE = {"width": 1080, "height": 880}
SHOWN = {"rate": 0.075, "stretch": 4.0, "batch": 20, "epochs": 5}
"""What the pictures show: a valley in which the path zigzags."""


def photograph(browser: Any, lang: str, path: Path) -> None:
    """The page in one language, after its run, as a PNG file."""
    context = browser.new_context(viewport=SIZE, reduced_motion="reduce")
    try:
        page = context.new_page()
        with tempfile.TemporaryDirectory() as folder:
            page.goto(save_page(Path(folder) / "play.html", lang=lang).as_uri())
        page.evaluate(
            """async ({ rate, stretch, batch, epochs }) => {
              const first = (list, value) => list.findIndex((other) => other >= value);
              Object.assign(state, {
                rate: first(RATES, rate), stretch: first(STRETCHES, stretch), batch: first(BATCHES, batch),
                epochs: first(EPOCHS, epochs), at: Infinity,
              });
              show();
              while (theory.typical === null) await new Promise((go) => setTimeout(go, 5));
            }""",
            SHOWN,
        )
        page.screenshot(path=str(path))
    finally:
        context.close()


def main() -> None:
    """Both pictures."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for lang, name in PICTURES.items():
            photograph(browser, lang, FIGURES / name)
        browser.close()


if __name__ == "__main__":
    main()
