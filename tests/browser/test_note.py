"""The living note in a browser, served as a user serves it."""

from __future__ import annotations

import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from learnrate.book.note.catalogue import Texts, note_texts, texts

pytestmark = pytest.mark.slow

EVIL = "<img src=x onerror=alert(1)>"
_LIFE = 400.0
"""Seconds after which a server is ended whatever happens."""

_START = 60.0


def serve(folder: Path, lang: str, name: str) -> Iterator[str]:
    """Start ``learnrate note``, give its address, and end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "learnrate", "note", name, "--no-browser"]
    own = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config"), "PYTHONUNBUFFERED": "1"}
    log = folder / "log.txt"
    with log.open("w") as said:
        server = subprocess.Popen(
            [*command, "--lang", lang, "--port", str(port)],
            cwd=folder,
            env={**os.environ, **own},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    end = threading.Timer(_LIFE, server.kill)
    end.start()
    try:
        yield address_in(log, server)
    finally:
        end.cancel()
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def address_in(log: Path, server: subprocess.Popen[bytes]) -> str:
    """The address that the server prints, with its token."""
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline and server.poll() is None:
        found = re.search(r"http://[^/:]+(:\d+\S*access_token=\S+)", log.read_text())
        if found:
            return f"http://127.0.0.1{found[1]}"
        time.sleep(0.1)
    pytest.fail(f"The note did not start: {log.read_text()}")


@pytest.fixture(scope="module")
def served(tmp_path_factory: Any, browser: Any) -> Iterator[Any]:
    """Where the note is in a language. The browser is asked for first: without one nothing is served."""
    with ExitStack() as servers:
        start = contextmanager(serve)
        yield cache(
            lambda lang, name="linear": servers.enter_context(
                start(tmp_path_factory.mktemp("note"), lang, name)
            )
        )


@pytest.fixture(params=["zh", "en"])
def address(request: Any, served: Any) -> tuple[str, Texts]:
    """Where the note is, in both languages, with its words."""
    return served(request.param), note_texts(request.param, "linear")


@pytest.fixture
def english(served: Any) -> tuple[str, Texts]:
    """The same in English, for what does not depend on the language."""
    return served("en"), note_texts("en", "linear")


def open_note(visit: Any, address: tuple[str, Texts], **options: Any) -> Any:
    opened = visit(address[0], **options)
    opened.page.frame_locator("iframe").locator("#rate").wait_for()
    opened.page.get_by_role("button", name=address[1]("zero_question")).wait_for()
    return opened


def headings(page: Any) -> list[str]:
    return [heading.inner_text() for heading in page.locator("h1, h2").all()]


def test_it_opens_and_switches_language_on_the_page(visit: Any, address: tuple[str, Texts]) -> None:
    opened = open_note(visit, address)
    page, t = opened.page, address[1]
    other = note_texts("en" if t.lang == "zh" else "zh", "linear")
    sections = ["title", *(f"{s}_title" for s in ("model", "loss", "step", "rates", "data"))]
    assert headings(page)[:6] == [t(key) for key in sections]
    page.get_by_text("English" if t.lang == "zh" else "中文", exact=True).click()
    page.get_by_role("heading", name=other("title")).wait_for()
    page.get_by_role("heading", name=other("exercises_title")).wait_for()
    assert headings(page)[:6] == [other(key) for key in sections]
    outside = [url for url in opened.requests if url.startswith("http")]
    assert all(url.startswith("http://127.0.0.1:") for url in outside)


def test_nobody_without_the_token_gets_in(english: tuple[str, Texts]) -> None:
    bare = english[0].split("?")[0]
    with urllib.request.urlopen(bare, timeout=20) as page:
        assert "/auth/login" in page.geturl()
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        urllib.request.urlopen(f"{bare}/api/status", timeout=20)
    refused.value.close()


def test_dragging_eta_moves_numbers_and_curves_at_once(
    visit: Any, english: tuple[str, Texts]
) -> None:
    page = open_note(visit, english).page
    frame = page.frame_locator("iframe")
    slider = frame.locator("#eta")
    seen = set()
    for _ in range(5):
        slider.press("ArrowRight")
        found = [frame.locator(f"#{name}").text_content() for name in ("rate", "predicted-number")]
        drawn = [
            frame.locator(f"polyline.{name}").get_attribute("points")
            for name in ("predicted", "path")
        ]
        seen.add((*found, *drawn))
    assert len(seen) == 5
    times = slider.evaluate(
        """async (slider) => {
          const times = [];
          for (let i = 10; i < 70; i += 4) {
            const began = performance.now();
            slider.value = i;
            slider.dispatchEvent(new Event("input"));
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
            times.push(performance.now() - began);
          }
          return times;
        }"""
    )
    print(f"redraw after dragging η: median {statistics.median(times):.0f} ms")
    assert statistics.median(times) < 100
    slider.press("End")
    assert frame.locator("#verdict").get_attribute("class") == "diverges"
    assert frame.locator("#rate").inner_text() == "3"


def test_the_explorer_speaks_the_notes_language(visit: Any, address: tuple[str, Texts]) -> None:
    frame = open_note(visit, address).page.frame_locator("iframe")
    words = texts(address[1].lang, "play")
    assert frame.locator("label[for=eta] span").text_content() == words("eta")
    assert frame.locator("h1").count() == 0
    before = float(frame.locator("#limit-number").text_content())
    frame.locator("#batch").press("Home")
    assert float(frame.locator("#limit-number").text_content()) < 0.5 * before


def test_the_model_is_computed_from_the_sliders(visit: Any, english: tuple[str, Texts]) -> None:
    page = open_note(visit, english).page
    page.get_by_text("7.9", exact=False).first.wait_for()
    page.locator("marimo-slider", has_text="x₁").get_by_role("slider").press("ArrowRight")
    page.get_by_text("8.1", exact=False).first.wait_for()  # 1.1 · 2 + 0.5 · 3.4 + 4.2


def test_nodes_light_up_one_after_the_other(visit: Any, address: tuple[str, Texts]) -> None:
    page, t = open_note(visit, address).page, address[1]
    assert page.locator(".lr-graph .node.now").count() == 0
    order = []
    for number in range(1, 8):
        page.get_by_role("button", name=t("next")).click()
        page.get_by_role("img", name=t("graph_alt", lit=number, all=7)).wait_for()
        order.append(page.locator(".lr-graph .node.now text").first.text_content().split()[0])
        assert page.locator(".lr-graph .node.lit").count() == number - 1
    assert order == ["loss", "r²", "r", "ŷ", "Xw", "b", "w"]
    assert page.get_by_text("w.grad").first.is_visible()


VISIBLE = """() => {
  const found = [];
  const walk = (node) => {
    if (node.nodeType === 3 && node.textContent.trim() && node.parentElement) {
      const around = node.parentElement, style = getComputedStyle(around);
      if (around.checkVisibility({visibilityProperty: true}) && style.fontSize !== "0px" && !around.closest("pre, math, svg"))
        found.push(node.textContent.trim());
    }
    for (const child of [...(node.shadowRoot?.childNodes ?? []), ...node.childNodes]) walk(child);
  };
  walk(document.body);
  return found;
}"""
"""The texts that are shown, also in marimo's controls, without code and formulas."""


def english_in(page: Any) -> list[str]:
    """What is shown of marimo's own English."""
    said = re.compile(r"\b[A-Za-z]{2,} [a-z]{2,}\b|Select|Search|Upload|Next|Previous|\bfiles?\b")
    return [text for text in page.evaluate(VISIBLE) if said.search(text) and EVIL not in text]


def upload(page: Any, t: Texts, tmp_path: Path) -> None:
    """A table whose first column is called by a piece of HTML."""
    lines = [f'"{EVIL}",area,price']
    lines += [f"{i % 7},{i * i % 41},{3 * (i * i % 41) + i % 7 + 1}" for i in range(60)]
    table = tmp_path / "houses.csv"
    table.write_text("\n".join(lines))
    page.locator("input[type=file]").set_input_files(table)
    page.get_by_text(t("table_read", rows=60, columns=3)).wait_for()


def train(page: Any, t: Texts, shown: str) -> None:
    """Press the button and wait for what is shown; on a busy machine a second press may be needed."""
    from playwright.sync_api import TimeoutError as TooLate

    button = page.get_by_role("button", name=t("train"), exact=True)
    button.click()
    for seconds in (30, 90):
        try:
            page.locator(shown).first.wait_for(timeout=1_000 * seconds)
            return
        except TooLate:
            if page.get_by_text(t("press_train")).is_visible():
                button.click()
    pytest.fail(f"No {shown} on the page: {page.locator('body').inner_text()}")


def test_a_table_is_uploaded_trained_and_told(
    visit: Any, address: tuple[str, Texts], tmp_path: Path
) -> None:
    opened = open_note(visit, address)
    page, t = opened.page, address[1]
    upload(page, t, tmp_path)
    page.get_by_role("checkbox", name="area").check()
    train(page, t, "#own-curves")
    assert page.locator("marimo-checkbox").get_by_text(EVIL, exact=True).is_visible()
    if t.lang == "zh":
        assert english_in(page) == []
    assert page.get_by_text(t("suggested_rate", rate="")[:6]).first.is_visible()
    assert page.locator("img").count() == 0
    with page.expect_download() as download:
        page.get_by_text(t("save_table")).click()
    assert Path(download.value.path()).read_text().startswith("lr,seed,epoch,loss")
    opened.shot(f"note-{t.lang}-own-data")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", ["softmax", "perceptron", "momentum"])
def test_the_other_notes_train_on_the_readers_table(
    visit: Any, served: Any, name: str, lang: str, tmp_path: Path
) -> None:
    t = note_texts(lang, name)
    opened = visit(served(lang, name))
    page = opened.page
    page.get_by_role("heading", name=t("exercises_title")).wait_for(timeout=60_000)
    upload(page, t, tmp_path)
    train(page, t, ".lr-results")
    if lang == "zh":
        assert english_in(page) == []
    assert page.locator("img").count() == 0
    opened.shot(f"note-{name}-{lang}-own-data")


def test_a_broken_table_is_explained_and_the_page_lives(
    visit: Any, address: tuple[str, Texts], tmp_path: Path
) -> None:
    opened = open_note(visit, address)
    page, t = opened.page, address[1]
    broken = tmp_path / "broken.csv"
    broken.write_bytes(b'a,b\n1,"2\n\x00\xff\xfe3')
    page.locator("input[type=file]").set_input_files(broken)
    page.get_by_text(t("cannot_read")).wait_for()
    opened.shot(f"note-{t.lang}-broken")
    assert "Traceback" not in page.locator("body").inner_text()
    page.frame_locator("iframe").locator("#eta").press("ArrowRight")
    words = tmp_path / "words.csv"
    words.write_text(f'"{EVIL}",b\n1,red\n2,blue\n3,red\n')
    page.locator("input[type=file]").set_input_files(words)
    page.get_by_text(t("table_read", rows=3, columns=2)).wait_for()
    page.get_by_role("button", name=t("train")).click()
    page.get_by_text(t("cannot_read")).wait_for()
    assert page.locator("img").count() == 0


def test_the_theme_follows_the_system(visit: Any, english: tuple[str, Texts]) -> None:
    page = open_note(visit, english, theme="light").page
    colours = (
        "() => [getComputedStyle(document.body).backgroundColor,"
        " getComputedStyle(document.querySelector('#surface circle')).fill,"
        " getComputedStyle(document.querySelector('iframe').contentDocument"
        ".querySelector('polyline.measured')).stroke]"
    )
    light = page.evaluate(colours)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.body.classList.contains('dark')")
    dark = page.evaluate(colours)
    assert all(a != b for a, b in zip(light, dark, strict=True))


@pytest.mark.parametrize(
    ("lang", "theme", "size", "width"),
    [
        ("zh", "light", "phone", 390),
        ("en", "dark", "laptop", 1280),
    ],
)
def test_it_fits(visit: Any, served: Any, lang: str, theme: str, size: str, width: int) -> None:
    t = note_texts(lang, "linear")
    opened = open_note(visit, (served(lang), t), theme=theme, width=width)
    page = opened.page
    page.get_by_role("button", name=t("next")).click()
    page.get_by_role("button", name=t("scale_question")).click()
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for drawing in page.locator("svg[role=img]").all():
        assert drawing.get_attribute("aria-label")
        box = drawing.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    height = page.evaluate(
        "Math.max(...[...document.querySelectorAll('*')].map((part) => part.scrollHeight))"
    )
    page.set_viewport_size({"width": width, "height": height + 60})
    page.wait_for_timeout(500)
    opened.shot(f"note-{lang}-{theme}-{size}")


@pytest.mark.parametrize(
    ("name", "lang", "theme", "width", "slider", "drawing"),
    [
        ("softmax", "zh", "dark", 1280, "batch_size", "#plane"),
        ("perceptron", "en", "light", 390, "units_slider", "#fit"),
        ("momentum", "en", "dark", 1280, "mu", "#momentum-path"),
    ],
)
def test_the_other_notes_follow_their_sliders(
    visit: Any, served: Any, name: str, lang: str, theme: str, width: int, slider: str, drawing: str
) -> None:
    t = note_texts(lang, name)
    opened = visit(served(lang, name), theme=theme, width=width)
    page = opened.page
    page.get_by_role("heading", name=t("exercises_title")).wait_for(timeout=60_000)
    assert headings(page)[0] == t("title")
    panel = page.locator("marimo-slider", has_text=t(slider)).first.locator("xpath=ancestor::*[3]")
    rate = panel.locator("marimo-slider", has_text=t("eta")).get_by_role("slider")
    times = []
    lines = f"[...document.querySelectorAll('{drawing} polyline')].map((p) => p.outerHTML).join()"
    for _ in range(3):
        before, began = page.evaluate(lines), time.perf_counter()
        rate.press("ArrowLeft")
        page.wait_for_function(f"(before) => {lines} !== before", arg=before, polling=5)
        times.append(1000 * (time.perf_counter() - began))
    print(f"{name}: redraw after moving η: median {statistics.median(times):.0f} ms")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = [url for url in opened.requests if url.startswith("http")]
    assert all(url.startswith("http://127.0.0.1:") for url in outside)
    opened.shot(f"note-{name}-{lang}-{theme}-{width}")
