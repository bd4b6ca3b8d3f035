"""docs/curves.md says what its pictures show; ``python -m docs.gallery`` draws them anew."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import learnrate
from docs.gallery import EXHIBITS, FIGURES, Exhibit, chinese, draw, in_chinese

NUMBER = re.compile(r"-?\d+\.?\d*(?:e[+-]?\d+)?")
# An identifier that matplotlib makes of rounded numbers: the last digit of one number changes all of it.
IDENTIFIER = re.compile(r'(?<=id=")[mpC][0-9a-f]{10}\w*(?=")|(?<=#)[mpC][0-9a-f]{10}\w*(?=["\)])')
BY_NAME = {exhibit.name: exhibit for exhibit in EXHIBITS}


@cache
def result_of(name: str) -> learnrate.LinearSweepResult:
    return BY_NAME[name].sweep()


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda exhibit: exhibit.name)
def test_verdicts_and_outcomes(exhibit: Exhibit) -> None:
    result = result_of(exhibit.name)
    assert result.verdicts == exhibit.verdicts
    for sentence, outcome in zip(result.sentences, exhibit.outcomes, strict=True):
        assert sentence.split()[:2] == outcome.split()[:2]


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda exhibit: exhibit.name)
def test_the_picture_is_todays_drawing(exhibit: Exhibit, tmp_path: Path) -> None:
    """The same drawing, with points that differ by less than a reader can see."""
    draw(exhibit, result_of(exhibit.name), tmp_path / "now.svg")
    assert_same_drawing(tmp_path / "now.svg", FIGURES / f"curves-{exhibit.name}.svg")


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda exhibit: exhibit.name)
def test_the_chinese_pictures_are_the_english_ones(exhibit: Exhibit) -> None:
    path = FIGURES / f"curves-{exhibit.name}.svg"
    text = chinese(path).read_text(encoding="utf-8")
    assert text == in_chinese(path), "python -m docs.gallery draws them anew"
    labels = " ".join(re.findall(r"<text\b[^>]*>([^<]*)</text>", text))
    assert "迭代周期" in labels
    assert set(re.findall("[a-z]+", labels)) <= {"lr", "e", "y"}


def assert_same_drawing(now: Path, then: Path) -> None:
    """Two SVG files with the same elements, whose numbers differ by less than a reader can see."""
    texts = [IDENTIFIER.sub("", path.read_text(encoding="utf-8")) for path in (then, now)]
    shape_then, shape_now = [NUMBER.sub("#", text) for text in texts]
    assert shape_now == shape_then, __doc__
    then_at, now_at = (np.array([float(x) for x in NUMBER.findall(text)]) for text in texts)
    np.testing.assert_allclose(now_at, then_at, rtol=1e-3, atol=0.5)


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda exhibit: exhibit.name)
def test_the_last_digits_of_another_processor_leave_the_drawing_alone(
    exhibit: Exhibit, tmp_path: Path
) -> None:
    result = result_of(exhibit.name)
    rounding = 1 + 1e-11 * np.random.default_rng(0).standard_normal(result.losses.shape)
    draw(exhibit, replace(result, losses=result.losses * rounding), tmp_path / "now.svg")
    assert_same_drawing(tmp_path / "now.svg", FIGURES / f"curves-{exhibit.name}.svg")


def test_another_drawing_is_noticed(tmp_path: Path) -> None:
    exhibit = BY_NAME["floor"]
    result = result_of("floor")
    draw(exhibit, replace(result, losses=2 * result.losses), tmp_path / "now.svg")
    with pytest.raises(AssertionError):
        assert_same_drawing(tmp_path / "now.svg", FIGURES / "curves-floor.svg")


def test_slow_is_a_straight_line() -> None:
    losses = result_of("slow").losses[0, 0]
    np.testing.assert_allclose(losses[:-1] / losses[1:], 1.46, rtol=0.02)
    assert result_of("slow").limit == pytest.approx(700 * 0.002, rel=0.01)


def test_best_arrives_at_half_the_square_of_the_label_noise() -> None:
    losses = result_of("best").losses[0, 0]
    assert losses[0] / losses[2] > 1e5
    assert losses[-1] == pytest.approx(5e-5, rel=0.06)


def test_a_larger_rate_settles_higher() -> None:
    floors = result_of("floor").floors
    assert floors is not None
    np.testing.assert_allclose(floors, [0.523, 0.55, 0.77], rtol=0.01)
    settled = result_of("floor").losses[:, :, 3:]
    np.testing.assert_allclose(settled.mean(axis=(0, 2)), floors, rtol=0.05)
    assert (np.diff(settled.std(axis=(0, 2))) > 0).all()


def test_borderline_runs_come_down_and_jump() -> None:
    result = result_of("borderline")
    losses = result.losses[:, 0]
    assert result.predicted is not None
    assert (losses[:, -1] < losses[:, 0]).all()
    assert (losses[:, 1:].max(axis=1) / losses[:, 1:].min(axis=1)).min() > 10
    assert not result.predicted[0, -1] < result.predicted[0, 0]
    assert (result.limit, result.typical_limit) == pytest.approx((1.40, 1.77), rel=0.005)


def test_diverging_grows_by_the_factor_told() -> None:
    losses = result_of("diverging").losses[0, 1]
    assert np.log10(losses[-1] / losses[0]) / 12 == pytest.approx(17, abs=1)


def test_unscaled_features_leave_a_plateau_far_above_the_floor() -> None:
    result = result_of("unscaled")
    assert result.theory is not None
    assert result.floors is not None
    assert result.losses[0, 0, -1] == pytest.approx(1000, rel=0.02)
    assert result.floors[0] == pytest.approx(44.7, rel=0.002)
    assert result.theory.spectrum.eigenvalues[[0, -1]] == pytest.approx([0.0772, 17744], rel=1e-3)
    assert result.limit == pytest.approx(0.000108, rel=0.01)


def test_scaled_features_reach_it_in_an_epoch() -> None:
    result = result_of("scaled")
    assert result.theory is not None
    np.testing.assert_allclose(result.theory.spectrum.eigenvalues, 1, atol=0.01)
    assert result.limit == pytest.approx(1.59, rel=0.01)
    assert result.losses[0, 2, 1] == pytest.approx(45, rel=0.05)
