from __future__ import annotations

import pytest

from learnrate.theory import Judgement, Kind, Quantity, Theory, Verdict, analyse
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
        (0.9, NONE, exact(2.0), Verdict.UNKNOWN),
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
        "0.03 is safe: below 1.4, the mean-square limit for batch size 10."
    )
    diverges = theory.verdict(2.0).sentence
    assert diverges.startswith("2 diverges: it is above 1.77, the limit of a typical run for batch")
    assert "the largest curvature, λmax = 1.14, allows 1.75 for full batches" in diverges
    assert "batch noise adds 1.2 % of that" in diverges
    borderline = theory.verdict(1.72, 30).sentence
    assert borderline.startswith("1.72 is borderline: above 1.4, the mean-square limit")
    assert "safe for most runs, but about 1 in " in borderline
    assert "should have diverged after 30 epochs." in borderline
    assert "fewer than 1 in 1000" in theory.verdict(1.45, 1).sentence
    assert theory.verdict(1.45, 1).sentence.endswith("after 1 epoch.")
    assert theory.verdict(1.45).sentence.endswith("safe for most runs.")


def test_the_words(theory: Theory) -> None:
    assert [verdict.word for verdict in Verdict] == ["safe", "borderline", "diverges", "not known"]
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
    assert lines[5].startswith("typical-run limit = 1.77")
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


def test_with_slow_directions_a_share_is_the_least_to_expect() -> None:
    given = {"diverged_share": 0.05, "epochs": 3}
    borderline = made(Verdict.BORDERLINE, exact(0.4), exact(1.0), **given)
    assert "but about 1 in 20 should" in borderline.sentence
    slow = made(Verdict.BORDERLINE, exact(0.4), exact(1.0), **given, slow=True)
    assert "but at least 1 in 20 should" in slow.sentence
    given["diverged_share"] = 1e-5
    none = made(Verdict.BORDERLINE, exact(0.4), exact(1.0), **given, slow=True)
    assert none.sentence.endswith("safe for most runs.")
    X, y, B = DATA["diabetes"]()
    assert not analyse(X, y, B).verdict(0.45, 3).slow
    theory = analyse(X, y, B)
    theory.limit = Quantity(0.42, Kind.BOUND)  # of wide examples: no tail comes with it
    assert theory.verdict(0.45, 3).slow
    assert not theory.verdict(0.45).slow
    assert not theory.verdict(0.1, 3).slow
    X, y, B = DATA["heavy-tailed"]()
    theory = analyse(X, y, B)
    theory.limit = Quantity(0.43, Kind.BOUND)
    assert not theory.verdict(0.5, 3).slow


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
        "below 1, a safe bound of the mean-square limit"
        in made(Verdict.SAFE, bound, exact(2.0)).sentence
    )


def test_what_is_not_available_says_why() -> None:
    judgement = made(Verdict.UNKNOWN, NONE, exact(2.0))
    assert "not judged" in judgement.sentence
    assert "no closed form" in judgement.sentence
    assert any("not available (no closed form)" in line for line in judgement.arithmetic)


def test_half_of_the_runs_and_more() -> None:
    judgement = made(Verdict.BORDERLINE, exact(0.4), exact(1.0), diverged_share=0.6, epochs=2)
    assert "about 60 % are above their start" in judgement.sentence


@pytest.mark.parametrize(
    ("limit", "text"),
    [(1.5, "takes 25 %"), (2.0, "less than 0.1 %"), (2.2, "adds 10 %")],
)
def test_batch_noise(limit: float, text: str) -> None:
    judgement = made(Verdict.DIVERGES, exact(0.1), exact(limit))
    assert text in judgement.sentence


def test_quantities_show_what_they_are_worth() -> None:
    assert str(exact(1.23456)) == "1.235 (exact)"
    assert str(Quantity(1.5, Kind.ESTIMATE, 0.0123)) == "1.5 ± 0.012 (estimate)"
    assert str(NONE) == "not available (no closed form)"
