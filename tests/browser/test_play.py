"""The rate's explorer in Chromium, from a file and without a network."""

from __future__ import annotations

import contextlib
import io
import statistics
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest

import learnrate
from docs.explorer import SIZE, photograph
from learnrate.book.note.catalogue import texts
from learnrate.book.play.document import MATHEMATICS, SCRIPTS, page
from learnrate.theory import Theory

RTOL = 1e-9
SETTINGS = [  # n, noise, scale of the first feature, batch size
    (1000, 0.01, 1.0, 10),
    (1000, 0.01, 4.0, 10),
    (1000, 1.0, 10.0, 50),
    (1000, 0.1, 1.0, 1),
    (1000, 0.3, 2.5, 1),
    (1000, 0.03, 1.3, 500),
    (1000, 0.01, 7.0, 1000),
    (200, 0.5, 0.4, 2),
    (60, 1.0, 3.0, 5),
]
EPOCHS = (1, 3, 20)
WEIGHTS = (-1.5, 0.7)


def some_slow(settings: list[Any], quick: int) -> list[Any]:
    """The first of them run in every suite."""
    slow = [pytest.param(one, marks=pytest.mark.slow) for one in settings[quick:]]
    return [*settings[:quick], *slow]


EVALUATE = """([n, noise, stretch, batchSize, shares, epochs, weights]) => {
  const theory = analyse(makeExamples({ n, noise, stretch }), batchSize);
  const search = typicalLimit(theory);
  for (;;) {
    const { done, value } = search.next();
    if (done) { theory.typical = value; break; }
  }
  const lrs = shares.map((share) => share * theory.limit);
  return {
    limit: theory.limit, full: theory.fullBatchLimit, typical: theory.typical.value, error: theory.typical.error, lrs,
    least: theory.modes.leastLoss, lambda: theory.modes.lambda, optimum: theory.modes.optimum,
    floors: lrs.map((lr) => floorOf(theory, lr)),
    curves: epochs.map((count) => lrs.map((lr) => predictedCurve(theory, lr, count))),
    known: lrs.map((lr) => predictedCurve({ ...theory, start: startMoments(theory.modes, weights) }, lr, 3)),
    zones: lrs.map((lr) => judge(theory, lr, 3)),
  };
}"""
SHARES = (1e-3, 0.02, 0.3, 0.9, 0.999, 1.02, 1.15, 1.3, 2.0)


def open_page(
    visit: Any, folder: Path, *, scripts: tuple[str, ...] = SCRIPTS, **options: Any
) -> Any:
    path = folder / "play.html"
    path.write_text(page(scripts=scripts), encoding="utf-8")
    opened = visit(path.as_uri(), offline=True, **options)
    assert opened.requests == [path.as_uri()]
    return opened


def python_theory(n: int, noise: float, stretch: float, batch_size: int) -> tuple[Any, Any, Theory]:
    X, y = learnrate.note_data(n, noise=noise)
    X = X * [stretch, 1]
    return X, y, learnrate.theory.analyse(X, y, batch_size)


@pytest.mark.parametrize("setting", some_slow(SETTINGS, 3), ids=str)
def test_limits_floors_and_curves_are_pythons(visit: Any, tmp_path: Path, setting: Any) -> None:
    opened = open_page(visit, tmp_path, scripts=MATHEMATICS)
    found = opened.page.evaluate(EVALUATE, [*setting, SHARES, EPOCHS, WEIGHTS])
    _, _, theory = python_theory(*setting)
    lrs = np.array(found["lrs"])
    typical = theory.typical_limit
    assert theory.limit.value == pytest.approx(found["limit"], rel=RTOL)
    assert theory.full_batch_limit.value == pytest.approx(found["full"], rel=RTOL)
    assert typical.value == (
        None if found["typical"] is None else pytest.approx(found["typical"], rel=RTOL)
    )
    assert typical.standard_error == (
        None if found["error"] is None else pytest.approx(found["error"], rel=1e-6)
    )
    assert theory.loss_at_optimum == pytest.approx(found["least"], rel=RTOL)
    np.testing.assert_allclose(theory.spectrum.eigenvalues, found["lambda"], rtol=RTOL)
    np.testing.assert_allclose(theory.optimum, found["optimum"], rtol=RTOL)
    np.testing.assert_allclose(theory.floor(lrs).losses, found["floors"], rtol=RTOL)
    for epochs, curves in zip(EPOCHS, found["curves"], strict=True):
        for lr, curve in zip(lrs, curves, strict=True):
            assert_losses(curve, theory.curve(np.array([lr]), epochs).losses[0])
    for lr, curve in zip(lrs, found["known"], strict=True):
        assert_losses(curve, theory.curve(np.array([lr]), 3, weights=np.array(WEIGHTS)).losses[0])
    words = {"slow": "safe", "good": "safe", "noisy": "safe", "unknown": "not known"}
    zones = [zone["zone"] for zone in found["zones"]]
    assert [words.get(zone, zone) for zone in zones] == [
        theory.verdict(lr).verdict.word for lr in lrs
    ]


def assert_losses(found: list[float], expected: Any) -> None:
    # A large whole number comes as an int, of any length.
    np.testing.assert_allclose([float(loss) for loss in found], expected, rtol=RTOL)


@pytest.mark.parametrize(("setting", "seed"), [(SETTINGS[0], 0), (SETTINGS[2], 3)], ids=str)
def test_a_run_is_that_of_the_sweep(visit: Any, tmp_path: Path, setting: Any, seed: int) -> None:
    n, noise, stretch, batch_size = setting
    opened = open_page(visit, tmp_path, scripts=MATHEMATICS)
    found = opened.page.evaluate(
        """([n, noise, stretch, batchSize, seed, epochs]) => {
          const run = new Run(makeExamples({ n, noise, stretch }), { lr: 0.01, batchSize, seed });
          run.advanceTo(epochs * run.stepsPerEpoch);
          return { losses: run.losses, theta: run.path.at(-1) };
        }""",
        [n, noise, stretch, batch_size, seed, 3],
    )
    X, y, _ = python_theory(*setting)
    result = learnrate.sweep(X, y, lrs=0.01, batch_size=batch_size, epochs=3, seed=seed)
    np.testing.assert_allclose(found["losses"], result.losses[0, 0], rtol=RTOL)
    np.testing.assert_allclose(found["theta"], [*result.W[0, 0], result.b[0, 0]], rtol=RTOL)


@pytest.mark.parametrize("lr", some_slow([0.003, 0.001, 0.01], 1))
def test_a_slow_rate_arrives_after_about_the_epochs_that_are_told(
    visit: Any, tmp_path: Path, lr: float
) -> None:
    opened = open_page(visit, tmp_path, scripts=MATHEMATICS)
    told = opened.page.evaluate(
        """(lr) => {
          const theory = analyse(makeExamples({ n: 1000, noise: 0.01, stretch: 2 }), 10);
          const { zone, floor } = judge(theory, lr, 3);
          return { zone, floor, arrives: epochsToArrive(theory, lr, floor) };
        }""",
        lr,
    )
    _, _, theory = python_theory(1000, 0.01, 2.0, 10)
    curve = theory.curve(np.array([lr]), 2 * round(told["arrives"])).losses[0]
    arrived = int(np.argmax(curve <= 1.05 * told["floor"]))
    assert told["zone"] == "slow"
    assert arrived == pytest.approx(told["arrives"], rel=0.05, abs=1)


def set_rate(page: Any, lr: float) -> None:
    page.evaluate("(lr) => { state.rate = RATES.indexOf(lr); show(); }", lr)


def wait_until(page: Any, condition: str) -> None:
    """Playwright's own way needs `eval`, which the page's policy forbids."""
    page.evaluate(
        f"async () => {{ while (!({condition})) await new Promise((go) => setTimeout(go, 5)); }}"
    )


def finish(page: Any) -> None:
    """Train to the end at once."""
    page.evaluate("() => { state.at = Infinity; pause(); }")
    wait_until(page, "theory.typical !== null")


@pytest.mark.parametrize("weights", ["null", "[-1, 2.5]"])
def test_the_page_shows_what_its_python_prints(visit: Any, tmp_path: Path, weights: str) -> None:
    page = open_page(visit, tmp_path).page
    page.evaluate(
        "() => { Object.assign(state, "
        f"{{ stretch: 20, noise: 2, batch: 4, epochs: 3, seed: 2, weights: {weights} }}); }}"
    )
    finish(page)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(page.locator("#python").text_content(), {})
    values = [
        float(word) for word in printed.getvalue().replace("[", " ").replace("]", " ").split()
    ]
    names = ("limit", "typical", "floor", "predicted", "measured")[: len(values)]
    for name, value in zip(names, values, strict=True):
        shown = page.locator(f"#{name}-number").text_content()
        assert float(shown.replace("×10⁻⁴", "e-4")) == pytest.approx(value, rel=6e-3)


def test_each_zone_has_its_own_sentence(visit: Any, tmp_path: Path) -> None:
    page = open_page(visit, tmp_path, reduced_motion="reduce").page
    finish(page)
    said = {}
    for lr, zone in (
        (0.001, "slow"),
        (0.04, "good"),
        (0.6, "noisy"),
        (1.6, "borderline"),
        (3, "diverges"),
    ):
        page.evaluate("(lr) => { state.rate = RATES.findIndex((rate) => rate >= lr); show(); }", lr)
        assert page.locator("#verdict").get_attribute("class") == zone
        said[zone] = page.locator("#sentence").text_content()
    assert len(set(said.values())) == 5
    assert "epochs more" in said["slow"]
    assert "[[" not in page.locator("body").inner_text()


def test_an_infinite_floor_beside_a_small_loss_is_explained(visit: Any, tmp_path: Path) -> None:
    page = open_page(visit, tmp_path, reduced_motion="reduce").page
    finish(page)
    assert not page.locator("#why").is_visible()
    page.evaluate(
        "() => { state.rate = RATES.findIndex((rate) => rate >= 1.5); state.epochs = 6; state.at = Infinity; show(); }"
    )
    assert "no contradiction" in page.locator("#why").text_content()


def test_the_loss_axis_follows_a_run_that_diverges(visit: Any, tmp_path: Path) -> None:
    page = open_page(visit, tmp_path, reduced_motion="reduce").page
    set_rate(page, 3)
    finish(page)
    assert float(page.evaluate("run.losses[3]")) > 1e30
    points = page.locator("polyline.measured").get_attribute("points").split()
    height = page.evaluate("document.getElementById('curves').viewBox.baseVal.height")
    heights = [float(point.split(",")[1]) for point in points]
    assert all(0 <= y <= height for y in heights)
    assert heights[0] > heights[-1]


def test_the_language_is_the_browsers_and_can_be_changed(visit: Any, tmp_path: Path) -> None:
    page = open_page(visit, tmp_path, locale="zh-TW").page
    heading = page.locator("h1")
    assert heading.text_content() == texts("zh", "play")("title")
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    page.get_by_role("button", name="English").click()
    assert heading.text_content() == page.title() == texts("en", "play")("title")


def test_everything_can_be_done_by_keyboard(visit: Any, tmp_path: Path) -> None:
    page = open_page(visit, tmp_path, reduced_motion="reduce").page
    reached = []
    for _ in range(16):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.id || document.activeElement.dataset.lang")
        )
    for name in (
        "zh",
        "eta",
        "handle",
        "run",
        "restart",
        "other",
        "stretch",
        "batch",
        "epochs",
        "noise",
    ):
        assert name in reached
    before = page.locator("#rate").text_content()
    page.locator("#eta").press("ArrowRight")
    assert float(page.locator("#rate").text_content()) > float(before)
    assert (
        page.locator("#eta").get_attribute("aria-valuetext") == page.locator("#rate").text_content()
    )
    page.locator("#restart").press("Enter")
    page.locator("#step").press("Enter")
    assert page.evaluate("state.at") == 1


def test_the_start_is_dragged_and_the_prediction_follows(visit: Any, tmp_path: Path) -> None:
    page = open_page(visit, tmp_path, reduced_motion="reduce").page
    finish(page)
    before = page.locator("polyline.predicted").get_attribute("points")
    box = page.locator("#handle").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y - 20)
    page.mouse.up()
    moved = page.evaluate("run.path[0]")
    assert moved[0] == pytest.approx(60 / page.evaluate("view.unit"), abs=0.02)
    assert page.locator("polyline.predicted").get_attribute("points") != before
    assert page.evaluate("run.losses.length") == 4  # a finished run stays finished
    page.locator("#handle").press("ArrowUp")
    assert page.evaluate("run.path[0]") == pytest.approx([moved[0], moved[1] + 0.1, 0])


@pytest.mark.slow
def test_pressing_run_trains_to_the_end(visit: Any, tmp_path: Path) -> None:
    page = open_page(visit, tmp_path, reduced_motion="reduce").page
    page.locator("#restart").click()
    assert page.locator("#measured-number").text_content() == "–"
    page.locator("#run").click()
    wait_until(page, "state.at === 300")
    assert float(page.locator("#measured-number").text_content().split("×")[0]) == pytest.approx(
        5.29
    )


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("size", "width"), [("laptop", 1280), ("phone", 390)])
def test_it_fits(visit: Any, tmp_path: Path, lang: str, theme: str, size: str, width: int) -> None:
    opened = open_page(
        visit, tmp_path, locale=lang, theme=theme, width=width, reduced_motion="reduce"
    )
    for name, change in (
        ("good", ""),
        ("stretched", "state.stretch = 36; state.rate = RATES.findIndex((rate) => rate >= 0.02);"),
        ("borderline", "state.rate = RATES.findIndex((rate) => rate >= 1.6); state.epochs = 5;"),
    ):
        opened.page.evaluate(f"() => {{ {change} }}")
        finish(opened.page)
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
        opened.shot(f"play-{lang}-{theme}-{size}-{name}")
        opened.page.evaluate("() => { state.stretch = 0; }")


@pytest.mark.slow
def test_the_readmes_picture_is_of_todays_page(browser: Any, tmp_path: Path) -> None:
    photograph(browser, "en", tmp_path / "play.png")
    image = matplotlib.image.imread(tmp_path / "play.png")
    assert image.shape[:2] == (SIZE["height"], SIZE["width"])
    assert image[:, :, :3].std() > 0.1


@pytest.mark.slow
def test_a_drag_is_redrawn_at_once(visit: Any, tmp_path: Path) -> None:
    """Printed, not judged: a loaded machine takes any time."""
    page = open_page(visit, tmp_path, reduced_motion="reduce").page
    finish(page)
    for name in ("eta", "stretch", "batch"):
        times = page.evaluate(
            """(name) => {
              const slider = find(name), times = [];
              for (let i = 0; i <= 40; i++) {
                slider.value = Math.round((i / 40) * slider.max);
                const began = performance.now();
                slider.dispatchEvent(new Event("input"));
                document.body.getBoundingClientRect();
                times.push(performance.now() - began);
              }
              return times;
            }""",
            name,
        )
        print(
            f"redraw after dragging {name}: median {statistics.median(times):.1f} ms, longest {max(times):.1f} ms"
        )
        assert len(times) == 41
