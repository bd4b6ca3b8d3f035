# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""A perceptron with one hidden layer, watched. Run it with: learnrate note perceptron."""

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
    from learnrate.book.note.perceptron import drawings, model
    from learnrate.book.note.perceptron.exercises import answers
    from learnrate.book.note.perceptron.own_data import HELD_OUT, beside_linear

    STEPS = 400
    RATES = [float(f"{lr:.2g}") for lr in np.geomspace(0.003, 3, 31)]
    X, y = model.examples()
    return (
        HELD_OUT,
        RATES,
        STEPS,
        X,
        answers,
        beside_linear,
        drawings,
        learnrate,
        mo,
        model,
        note_texts,
        np,
        page,
        y,
    )


@app.cell
def _(page):
    language = page.language_switch()
    page.head(language)
    return (language,)


@app.cell
def _(language, mo, note_texts):
    t = note_texts(language.value, "perceptron")
    mo.md(f"# {t('title')}\n\n{t('intro')}")
    return (t,)


@app.cell
def _(mo, model, page, t):
    mo.vstack(
        [page.section(t, "model", "model"), page.code(model.perceptron), mo.md(t("model_drag"))]
    )
    return


@app.cell
def _(mo):
    w = mo.ui.slider(-3, 3, 0.1, value=1.5, label="w", show_value=True)
    b = mo.ui.slider(-5, 5, 0.1, value=-1.0, label="b", show_value=True)
    v = mo.ui.slider(-3, 3, 0.1, value=1.0, label="v", show_value=True)
    mo.hstack([w, b, v], justify="start", gap=2, wrap=True)
    return b, v, w


@app.cell
def _(b, drawings, page, t, v, w):
    page.drawn(drawings.unit(w.value, b.value, v.value, t))
    return


@app.cell
def _(RATES, STEPS, mo, page, t):
    rate = mo.ui.slider(
        steps=RATES, value=page.nearest(RATES, 0.1), label=t("eta"), show_value=True
    )
    units = mo.ui.slider(1, 16, 1, value=8, label=t("units_slider"), show_value=True)
    seed = mo.ui.slider(0, 9, 1, value=0, label=t("seed"), show_value=True)
    mo.vstack(
        [
            page.section(t, "rates"),
            mo.md(t("rates", steps=STEPS)),
            mo.hstack([rate, units, seed], justify="start", gap=2, wrap=True),
        ]
    )
    return rate, seed, units


@app.cell
def _(RATES, STEPS, X, model, seed, units, y):
    training = model.trained(model.start(units.value, seed.value), X, y, RATES, STEPS)
    return (training,)


@app.cell
def _(RATES, STEPS, X, drawings, mo, np, page, rate, t, training, units, y):
    _k = RATES.index(rate.value)
    _track = drawings.track(training, _k, X, y, t)
    _net, _losses = training.nets[-1].one(_k), training.losses[_k]
    _dead = [
        int((net.one(_k).alive(X) == 0).sum()) for net in (training.nets[0], training.nets[-1])
    ]
    _said = t(
        f"sentence_{_track.zone().name}",
        steps=STEPS,
        first=f"{_losses[0]:.3g}",
        end=page.number(_losses[-1]),
        lowest=f"{np.min(training.losses[:, -1]):.3g}",
        dead0=_dead[0],
        dead=_dead[1],
    )
    _numbers = t(
        "alive",
        dead=_dead[1],
        units=units.value,
        sharp=f"{_net.sharpness(X, y):.3g}",
        edge=f"{2 / rate.value:.3g}",
    )
    mo.vstack(
        [
            page.drawn(_track),
            mo.md(_said if "diverges" in _track.zone().name else t.sentences(_said, _numbers)),
            page.drawn(
                drawings.fit("fit", _net, X, y, t),
                drawings.curve("loss-curve", training, _k, t),
                drawings.sharpness(training, _k, X, y, t),
            ),
        ]
    )
    return


@app.cell
def _(mo, model, page, t):
    step_bias = mo.ui.slider(-6, 2, 0.5, value=0, label=t("bias"), show_value=True)
    kinds = {t(f"kind_{kind}"): kind for kind in model.STARTS}
    step_kind = mo.ui.radio(kinds, value=t("kind_random"), label=t("kind"), inline=True)
    mo.vstack(
        [
            page.section(t, "step", "step", "step_drag"),
            mo.hstack([step_bias, step_kind], justify="start", gap=2, wrap=True),
        ]
    )
    return kinds, step_bias, step_kind


@app.cell
def _(X, model, step_bias, step_kind, y):
    STEP_RATE, _rows = 0.1, [10, 30, 50]
    net = model.start(4, kind=step_kind.value, bias=step_bias.value)
    step = model.opened(net, X[_rows], y[_rows], STEP_RATE)
    return STEP_RATE, step


@app.cell
def _(STEP_RATE, mo, np, page, step, t):
    _by_name = {node.name: node for node in step.nodes}
    _open = (_by_name["z"].values > 0).sum(axis=0)
    _old = np.ravel(_by_name["W1"].values)
    _gradients = [np.ravel(_by_name[name].gradient) for name in ("W1", "b1", "W2")]
    _columns = [_open, _old, *_gradients, _old - STEP_RATE * _gradients[0] / 3]
    _names = [str(j + 1) for j in range(len(_open))]
    page.text(t("step_numbers", table=page.rows(_names, _columns), eta=STEP_RATE))
    return


@app.cell
def _(page, t):
    forward = page.next_button(t)
    forward
    return (forward,)


@app.cell
def _(forward, page, step, t):
    page.walk(step, forward.value, t)
    return


@app.cell
def _(RATES, kinds, mo, page, t):
    dying_bias = mo.ui.slider(-6, 2, 0.5, value=-2, label=t("bias"), show_value=True)
    dying_kind = mo.ui.radio(kinds, value=t("kind_random"), label=t("kind"), inline=True)
    dying_rate = mo.ui.slider(
        steps=RATES, value=page.nearest(RATES, 0.1), label=t("eta"), show_value=True
    )
    mo.vstack(
        [
            page.section(t, "dying", "dying"),
            mo.hstack([dying_bias, dying_kind, dying_rate], justify="start", gap=2, wrap=True),
        ]
    )
    return dying_bias, dying_kind, dying_rate


@app.cell
def _(STEPS, X, drawings, dying_bias, dying_kind, dying_rate, mo, model, np, page, t, y):
    _start = model.start(8, kind=dying_kind.value, bias=dying_bias.value)
    _run = model.trained(_start, X, y, [dying_rate.value], STEPS)
    _end = _run.nets[-1]
    _units = np.round(np.concatenate([_end.W1[0], _end.b1, _end.W2]), 9)
    with np.errstate(all="ignore"):
        _bends = -_end.b1[0] / _end.W1[0, 0]
    _columns = [_start.W1[0, 0], _end.W1[0, 0], _bends, _end.alive(X)[0]]
    _words = t(
        "dying_numbers",
        steps=STEPS,
        eta=dying_rate.value,
        first=f"{_run.losses[0, 0]:.3g}",
        end=page.number(_run.losses[0, -1]),
        units=8,
        dead=int((_end.alive(X) == 0).sum()),
        distinct=np.unique(_units, axis=1).shape[1],
        table=page.rows([str(j + 1) for j in range(8)], _columns),
    )
    mo.vstack(
        [
            page.drawn(
                drawings.fit("dying-fit", _end, X, y, t),
                drawings.curve("dying-curve", _run, 0, t),
            ),
            page.text(_words),
        ]
    )
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
    wanted = page.wanted(frame, t)
    train = mo.ui.run_button(label=t("train"))
    page.laid_out(frame, wanted, train, t)
    return frame, train, wanted


@app.cell
def _(HELD_OUT, beside_linear, frame, mo, page, t, train, wanted):
    mo.stop(not train.value, mo.md(f"*{t('press_train')}*"))
    _, outcome = page.trained(
        frame, wanted.value, t, shown=beside_linear, loss="squared", val=HELD_OUT
    )
    outcome
    return


@app.cell
def _(answers, page, t):
    page.exercises(answers(t), t)
    return


if __name__ == "__main__":
    app.run()
