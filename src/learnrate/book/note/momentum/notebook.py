# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""Momentum and Adam on a bowl that the reader stretches. Run it with: learnrate note momentum."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="learnrate")


@app.cell
def _():
    import marimo as mo
    import numpy as np

    import learnrate
    from learnrate.book.note import page
    from learnrate.book.note.catalogue import note_texts
    from learnrate.book.note.momentum import drawings, rules
    from learnrate.book.note.momentum.bowl import Bowl, best_rates, factor
    from learnrate.book.note.momentum.exercises import answers

    STEPS = 100
    RATES = [float(f"{lr:.2g}") for lr in np.geomspace(0.01, 5, 55)]
    return (
        Bowl,
        RATES,
        STEPS,
        answers,
        best_rates,
        drawings,
        factor,
        learnrate,
        mo,
        note_texts,
        np,
        page,
        rules,
    )


@app.cell
def _(page):
    language = page.language_switch()
    page.head(language)
    return (language,)


@app.cell
def _(language, mo, note_texts):
    t = note_texts(language.value, "momentum")
    mo.md(f"# {t('title')}\n\n{t('intro')}")
    return (t,)


@app.cell
def _(mo, page, rules, t):
    mo.vstack([page.section(t, "bowl", "bowl"), page.code(rules.sgd), mo.md(t("bowl_drag"))])
    return


@app.cell
def _(RATES, mo, page, t):
    kappa = mo.ui.slider(
        steps=[1, 2, 3, 5, 7, 10, 20, 30, 50, 70, 100], value=20, label=t("kappa"), show_value=True
    )
    angle = mo.ui.slider(0, 90, 5, value=20, label=t("angle"), show_value=True)
    plain_rate = mo.ui.slider(
        steps=RATES, value=page.nearest(RATES, 1.0), label=t("eta"), show_value=True
    )
    start1 = mo.ui.slider(
        steps=[at for at in range(-12, 13) if at], value=-9, label=t("start_1"), show_value=True
    )
    start2 = mo.ui.slider(-6, 6, 0.5, value=3, label=t("start_2"), show_value=True)
    mo.hstack([kappa, angle, plain_rate, start1, start2], justify="start", gap=2, wrap=True)
    return angle, kappa, plain_rate, start1, start2


@app.cell
def _(Bowl, angle, kappa, start1, start2):
    bowl = Bowl(kappa.value, angle.value, (start1.value, start2.value))
    return (bowl,)


@app.cell
def _(RATES, STEPS, best_rates, bowl, drawings, factor, mo, page, plain_rate, t):
    eta = plain_rate.value
    descent = {t("label_sgd"): (bowl.sgd(eta, STEPS), "chosen")}
    rates = drawings.track("sgd-track", bowl, eta, 0.0, STEPS, t, (RATES[0], RATES[-1]))
    best = best_rates(bowl.kappa)[0]
    numbers = t(
        "bowl_numbers",
        long=f"{1 - eta / bowl.kappa:.3g}",
        short=f"{1 - eta:.3g}",
        best=f"{best:.3g}",
        rho=f"{factor(best, 0.0, bowl.eigenvalues):.3g}",
    )
    rho = float(factor(eta, 0.0, bowl.eigenvalues))
    mo.vstack(
        [
            page.drawn(rates),
            mo.md(drawings.sentence(rates, bowl, 0.0, STEPS, t)),
            page.drawn(
                drawings.paths("sgd-path", bowl, descent, t),
                drawings.curves("sgd-curve", descent, t, rho=rho),
            ),
            mo.md(numbers),
        ]
    )
    return


@app.cell
def _(best_rates, bowl, mo, page, rules, t):
    _, best_eta, best_mu = best_rates(bowl.kappa)
    drag = t("momentum_drag", mu=f"{best_mu:.2f}", eta=f"{best_eta:.2g}")
    mo.vstack([page.section(t, "momentum", "momentum"), page.code(rules.momentum), mo.md(drag)])
    return


@app.cell
def _(RATES, mo, page, t):
    mu = mo.ui.slider(0, 0.99, 0.01, value=0.7, label=t("mu"), show_value=True)
    rate = mo.ui.slider(
        steps=RATES, value=page.nearest(RATES, 0.5), label=t("eta"), show_value=True
    )
    mo.hstack([rate, mu], justify="start", gap=2, wrap=True)
    return mu, rate


@app.cell
def _(RATES, STEPS, bowl, drawings, factor, mo, mu, page, rate, t):
    heavy = bowl.momentum(rate.value, mu.value, STEPS)
    both = {
        t("label_sgd"): (bowl.sgd(rate.value, STEPS), "quiet"),
        t("label_momentum"): (heavy, "chosen"),
    }
    _track = drawings.track(
        "momentum-track", bowl, rate.value, mu.value, STEPS, t, (RATES[0], RATES[-1])
    )
    _rho = float(factor(rate.value, mu.value, bowl.eigenvalues))
    mo.vstack(
        [
            page.drawn(_track),
            mo.md(drawings.sentence(_track, bowl, mu.value, STEPS, t)),
            page.drawn(
                drawings.paths("momentum-path", bowl, both, t),
                drawings.curves("momentum-curve", both, t, rho=_rho),
            ),
        ]
    )
    return (heavy,)


@app.cell
def _(STEPS, mo, t):
    momentum_step = mo.ui.slider(1, STEPS, 1, value=2, label=t("which"), show_value=True)
    mo.vstack([mo.md(t("opened_title")), momentum_step])
    return (momentum_step,)


@app.cell
def _(heavy, mo, momentum_step, mu, page, rate, t):
    _k = momentum_step.value
    (_old, _v), (_new, _v_new) = heavy.states[_k - 1], heavy.states[_k]
    _g = heavy.gradients[_k - 1]
    _words = {"v": _v, "g": _g, "v_new": _v_new, "theta": _old, "theta_new": _new}
    page.text(
        t(
            "momentum_step",
            table=page.rows(["θ₁", "θ₂"], [_old, _g, _v, _v_new, _new]),
            mu=mu.value,
            eta=rate.value,
            **{name: f"{values[0]:.4g}" for name, values in _words.items()},
        )
    )
    return


@app.cell
def _(mo, page, rules, t):
    mo.vstack([page.section(t, "adam", "adam"), page.code(rules.adam), mo.md(t("adam_drag"))])
    return


@app.cell
def _(RATES, mo, page, t):
    adam_rate = mo.ui.slider(
        steps=RATES, value=page.nearest(RATES, 0.5), label=t("eta"), show_value=True
    )
    beta1 = mo.ui.slider(
        steps=[0, 0.5, 0.8, 0.9, 0.95, 0.99], value=0.9, label=t("beta1"), show_value=True
    )
    beta2 = mo.ui.slider(
        steps=[0.5, 0.9, 0.99, 0.999, 0.9999], value=0.999, label=t("beta2"), show_value=True
    )
    mo.hstack([adam_rate, beta1, beta2], justify="start", gap=2, wrap=True)
    return adam_rate, beta1, beta2


@app.cell
def _(STEPS, adam_rate, best_rates, beta1, beta2, bowl, drawings, mo, page, t):
    adaptive = bowl.adam(adam_rate.value, beta1.value, beta2.value, STEPS)
    plain = bowl.sgd(best_rates(bowl.kappa)[0], STEPS)
    compared = {t("label_sgd"): (plain, "quiet"), "Adam": (adaptive, "chosen")}
    reached = t(
        "adam_reached",
        shown=STEPS,
        adam=f"{adaptive.losses[-1]:.3g}",
        sgd=f"{plain.losses[-1]:.3g}",
    )
    mo.vstack(
        [
            page.drawn(
                drawings.paths("adam-path", bowl, compared, t),
                drawings.curves("adam-curve", compared, t),
            ),
            mo.md(reached),
        ]
    )
    return (adaptive,)


@app.cell
def _(STEPS, mo, t):
    adam_step = mo.ui.slider(1, STEPS, 1, value=1, label=t("which"), show_value=True)
    mo.vstack([mo.md(t("opened_title")), adam_step])
    return (adam_step,)


@app.cell
def _(adam_step, adaptive, beta1, beta2, mo, page, t):
    _k = adam_step.value
    _old, (_new, _m, _v) = adaptive.points[_k - 1], adaptive.states[_k]
    _m_hat, _v_hat = _m / (1 - beta1.value**_k), _v / (1 - beta2.value**_k)
    _columns = [_old, adaptive.gradients[_k - 1], _m, _v, _m_hat, _v_hat, _new - _old, _new]
    page.text(t("adam_step", table=page.rows(["θ₁", "θ₂"], _columns)))
    return


@app.cell
def _(mo, page, t):
    source = page.source(t)
    mo.vstack([page.section(t, "data", "data"), source])
    return (source,)


@app.cell
def _(learnrate, mo, page, source, t):
    frame, trouble = page.table_of(source.value, learnrate.data.load_diabetes, t)
    mo.stop(frame is None, trouble)
    methods = {
        t("label_sgd"): {},
        f"{t('label_momentum')} (μ = 0.9)": {"optimizer": learnrate.SGD(momentum=0.9)},
        "Adam": {"optimizer": "adam"},
    }
    wanted = page.wanted(
        frame, t, method=mo.ui.dropdown(methods, value=list(methods)[1], label=t("method"))
    )
    train = mo.ui.run_button(label=t("train"))
    page.laid_out(frame, wanted, train, t)
    return frame, train, wanted


@app.cell
def _(frame, mo, page, t, train, wanted):
    mo.stop(not train.value, mo.md(f"*{t('press_train')}*"))
    own, outcome = page.trained(frame, wanted.value, t, **wanted.value["method"])
    outcome
    return (own,)


@app.cell
def _(mo, own, page, t):
    mo.stop(own is None)
    page.downloads(own, t)
    return


@app.cell
def _(answers, page, t):
    page.exercises(answers(t), t)
    return


if __name__ == "__main__":
    app.run()
