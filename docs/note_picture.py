"""Photographs a part of `learnrate note momentum` for the README and docs/note.md, into docs/figures/note.png and note.zh-CN.png.

From the repository's root: ``python -m docs.note_picture``. It needs Chromium, Playwright and a font with Chinese characters.
"""

from __future__ import annotations

import io
import re
import socket
import subprocess
from typing import Any

from docs.explorer import CHROMIUM, FIGURES
from learnrate.book.note.launch import notebook, server_command

PICTURES = {"en": "note.png", "zh": "note.zh-CN.png"}
SIZE = {"width": 1020, "height": 4000}
COLOURS = 96
"""Of the picture: more would make the file larger, and nothing clearer."""


def photograph(browser: Any, url: str) -> bytes:
    """The sliders of the section on momentum, what they say, and both drawings, as PNG."""
    context = browser.new_context(viewport=SIZE)
    try:
        page = context.new_page()
        page.goto(url)
        page.locator("#momentum-curve").wait_for(timeout=60_000)
        page.wait_for_timeout(1500)
        top = page.locator("marimo-slider", has_text="μ").get_by_role("slider").bounding_box()["y"]
        drawing = page.locator("#momentum-path").bounding_box()
        left, bottom = drawing["x"] - 16, drawing["y"] + drawing["height"]
        clip = {
            "x": left,
            "y": top - 24,
            "width": SIZE["width"] - 2 * left,
            "height": bottom - top + 32,
        }
        return bytes(page.screenshot(clip=clip))
    finally:
        context.close()


def reduced(picture: bytes) -> Any:
    """The picture in few colours."""
    from PIL import Image

    return Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS)


def main() -> None:
    """Both pictures."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for lang, name in PICTURES.items():
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            command = server_command(
                notebook("momentum"), lang=lang, edit=False, port=port, browser=False
            )
            server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            try:
                assert server.stdout is not None
                found = (re.search(r"http://\S+access_token=\S+", line) for line in server.stdout)
                url = next(match[0] for match in found if match)
                reduced(photograph(browser, url)).save(FIGURES / name, optimize=True)
            finally:
                server.terminate()
                server.wait()
        browser.close()


if __name__ == "__main__":
    main()
