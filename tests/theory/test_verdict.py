from __future__ import annotations

from dataclasses import replace

import pytest

from learnrate.theory import Judgement, Kind, Quantity, Theory, Verdict, analyse
from learnrate.theory.quantity import rounded_down
from learnrate.theory.verdict import judge
from tests.theory.examples import DATA


def exact(value: float) -> Quantity:
    return Quantity(value, Kind.EXACT)


NONE = Quantity.unavailable("no closed form")


@pytest.mark.parametrize(
    ("lr", "limit", "typical", "want"),
    [
        (0.9, exact(1.0), exact(2.0), Verdict.SAFE),
        (1.0, exact(1.0), exact(2.0), Verdict.BORDERLINE),
        (2.0, exact(1.0), exact(2.0), Verdict.BORDERLINE),
        (2.1, exact(1.0), exact(2.0), Verdict.DIVERGES),
        (0.95, exact(1.0), exact(0.9), Verdict.SAFE),
        (0.9, NONE, exact(2.0), Verdict.TYPICAL),
        (2.1, NONE, exact(2.0), Verdict.DIVERGES),
        (0.9, exact(1.0), NONE, Verdict.SAFE),
        (1.1, exact(1.0), NONE, Verdict.UNKNOWN),
        (1.1, NONE, NONE, Verdict.UNKNOWN),
    ],
)
def test_judge(lr: float, limit: Quantity, typical: Quantity, want: Verdict) -> None:
    assert judge(lr, limit, typical) is want


@pytest.fixture(scope="module")
def theory() -> Theory:
    X, y, B = DATA["note"]()
    return analyse(X, y, B)


def test_sentences(theory: Theory) -> None:
    assert theory.verdict(0.03).sentence == (
        "0.03 is safe: below 1.4, the largest rate that is safe on average at batch size 10."
    )
    diverges = theory.verdict(2.0).sentence
    assert diverges == (
        "2 diverges: above 1.76, the largest rate for most single runs at batch size 10; full batches allow 1.75, by the "
        "largest curvature, λmax = 1.14."
    )
    borderline = theory.verdict(1.72, 30).sentence
    assert borderline.startswith("1.72 is borderline: above 1.4, the largest rate that is safe on")
    assert "below 1.76, the largest for most single runs; in the long run most" in borderline
    assert borderline.endswith(" simulated runs are above their start.")
    assert "; after 1 epoch 0 of 100 simulated" in theory.verdict(1.45, 1).sentence
    assert theory.verdict(1.45).sentence.endswith("a few blow up.")


def test_the_words(theory: Theory) -> None:
    words = ["safe", "borderline", "diverges", "mostly converges", "not known"]
    assert [verdict.word for verdict in Verdict] == words
    assert theory.verdict(0.1).verdict.value.endswith(".")


def test_the_arithmetic_leads_to_the_sentence(theory: Theory) -> None:
    judgement = theory.verdict(2.0)
    lines = judgement.arithmetic
    assert lines[0].startswith("λmax = 1.14")
    assert lines[1].startswith("full-batch limit = 2/λmax = 2/1.142")
    assert lines[1].endswith(" = 1.75 (exact)")
    assert "(1000 − 10)/(10·999) = 0.0990991" in lines[2]
    assert lines[3].startswith("mean-square limit = 1.403 (exact)")
    assert "batch noise takes 20 % of that" in lines[3]
    assert "drawn independently" in lines[4]
    assert lines[5].startswith("typical-run limit = 1.76")
    assert "±" in lines[5]
    assert lines[6] == judgement.sentence


def test_the_arithmetic_knows_momentum_and_weight_decay() -> None:
    X, y, B = DATA["diabetes"]()
    theory = analyse(X, y, B, momentum=0.9, weight_decay=0.3, sampling="independent")
    lines = theory.verdict(0.5).arithmetic
    assert "H = (1/n) Σ x̃ x̃ᵀ + 0.3·diag(1, …, 1, 0)" in lines[0]
    assert lines[1].startswith("full-batch limit = 2(1 + μ)/λmax = 2(1 + 0.9)/4.3")
    assert not any("drawn independently" in line for line in lines)
    assert "p = 0: there is one example" in analyse(X[:1], y[:1], 1).verdict(0.5).arithmetic


def test_several_rates_at_once_are_judged_as_each_alone(theory: Theory) -> None:
    lrs = [0.1, 1.6, 1.7, 2.0]
    together, alone = theory.verdicts(lrs, 30), [theory.verdict(lr, 30) for lr in lrs]
    for one, other in zip(together, alone, strict=True):
        assert one.verdict is other.verdict
        assert (one.diverged_share is None) is (one.verdict is not Verdict.BORDERLINE)
        if one.diverged_share is not None:
            assert one.diverged_share == pytest.approx(other.diverged_share, rel=1e-9)


def test_a_share_is_said_as_it_was_counted() -> None:
    given = {"diverged_share": 0.05, "epochs": 3}
    borderline = made(Verdict.BORDERLINE, exact(0.4), exact(1.0), **given)
    assert borderline.sentence.endswith(
        "a few blow up; after 3 epochs 5 of 100 simulated runs are above their start."
    )


def made(verdict: Verdict, limit: Quantity, typical: Quantity, **more: float) -> Judgement:
    return Judgement(
        lr=0.5,
        verdict=verdict,
        batch_size=4,
        n=10,
        batch_variance=0.1,
        largest_eigenvalue=1.0,
        full_batch_limit=exact(2.0),
        limit=limit,
        typical_limit=typical,
        **more,  # type: ignore[arg-type]
    )


def test_a_bound_is_called_a_bound() -> None:
    bound = Quantity(1.0, Kind.BOUND)
    assert (
        "below 1, the largest rate that is known to be safe on average"
        in made(Verdict.SAFE, bound, exact(2.0)).sentence
    )


def test_what_is_not_available_says_why() -> None:
    judgement = made(Verdict.UNKNOWN, NONE, exact(2.0))
    assert "not judged" in judgement.sentence
    assert "no closed form" in judgement.sentence
    assert any("not available (no closed form)" in line for line in judgement.arithmetic)


@pytest.mark.parametrize(
    ("limit", "text"),
    [(1.5, "takes 25 %"), (2.0, "less than 0.1 %"), (2.2, "adds 10 %")],
)
def test_batch_noise(limit: float, text: str) -> None:
    judgement = made(Verdict.DIVERGES, exact(0.1), exact(limit))
    assert text in judgement.arithmetic[4]


def test_quantities_show_what_they_are_worth() -> None:
    assert str(exact(1.23456)) == "1.234 (exact)"  # a rate set to it is below the limit
    assert str(Quantity(1.5, Kind.ESTIMATE, 0.0123)) == "1.5 ± 0.012 (estimate)"
    assert str(NONE) == "not available (no closed form)"


@pytest.mark.parametrize("value", [0.0141699, 1.4999999, 2.0, 123456.7, 9.9999e-11, 1.2e-5])
@pytest.mark.parametrize("digits", [1, 3, 4])
def test_rounding_down_never_goes_up_and_loses_less_than_a_unit(value: float, digits: int) -> None:
    text = rounded_down(value, digits)
    assert len(text.partition("e")[0].replace(".", "").strip("0")) <= max(digits, 6)
    assert float(text) <= value < float(text) * (1 + 10.0 ** (1 - digits)) * (1 + 1e-12)


def test_a_bound_is_called_one_in_every_sentence(theory: Theory) -> None:
    limit = Quantity(1.0, Kind.BOUND, note="a proof")
    for lr in (0.5, 1.2):
        verdict = judge(lr, limit, exact(2.0))
        said = replace(theory.verdict(0.5), lr=lr, verdict=verdict, limit=limit)
        assert "1, the largest rate that is known to be safe on average" in said.sentence


def test_with_momentum_what_is_known_is_said() -> None:
    X, y, B = DATA["note"]()
    said = analyse(X, y, B, momentum=0.9).verdict(0.05)
    assert said.verdict is Verdict.TYPICAL
    assert "for most single runs at batch size 10 with momentum 0.9" in said.sentence
    assert said.sentence.endswith("whether a few blow up is not known.")
