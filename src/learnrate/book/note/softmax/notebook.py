# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""Softmax regression, from scores to the learning rate. Run it with: learnrate note softmax."""

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
    from learnrate.book.note.softmax import drawings, model
    from learnrate.book.note.softmax.exercises import answers

    return answers, drawings, learnrate, mo, model, note_texts, np, page


@app.cell
def _(page):
    language = page.language_switch()
    page.head(language)
    return (language,)


@app.cell
def _(language, mo, note_texts):
    t = note_texts(language.value, "softmax")
    mo.md(f"# {t('title')}\n\n{t('intro')}")
    return (t,)


@app.cell
def _(model, np):
    X, y = model.points()
    labels = np.array(model.CLASSES)[y]
    return X, labels, y


@app.cell
def _(mo, model, page, t):
    mo.vstack([page.section(t, "model", "model"), page.code(model.softmax), mo.md(t("model_drag"))])
    return


@app.cell
def _(mo, model, t):
    scores = mo.ui.array(
        [
            mo.ui.slider(-6, 6, 0.1, value=value, label=f"$o_{name}$", show_value=True)
            for name, value in zip(model.CLASSES, (2.0, 0.5, -1.0), strict=True)
        ]
    )
    right = mo.ui.radio(model.CLASSES, value="A", label=t("right_class"), inline=True)
    mo.hstack([*scores.elements, right], justify="start", gap=2, wrap=True)
    return right, scores


@app.cell
def _(mo, model, np, page, right, scores, t):
    _label = model.CLASSES.index(right.value)
    _p, _gradient, _loss, _ = model.scores_loss(scores.value, _label)
    _one_hot = np.eye(len(_p))[_label]
    _rows = page.rows(model.CLASSES, [scores.value, _p, _one_hot, _p - _one_hot, _gradient])
    page.text(
        t(
            "scores",
            table=_rows,
            p=f"{_p[_label]:.4g}",
            loss=f"{_loss:.4g}",
            sum=f"{_p.sum():.4g}",
            zero=f"{abs(_gradient.sum()):.1g}",
        )
    )
    return


@app.cell
def _(mo, model, np, page, t):
    _thirds = np.full(150, 1 / 3)
    mo.vstack(
        [
            page.section(t, "loss", "loss_section"),
            page.code(model.cross_entropy),
            mo.md(t("why_log")),
            mo.md(
                t(
                    "why_numbers",
                    product=f"{_thirds.prod():.2g}",
                    single=f"{_thirds.astype(np.float32).prod():g}",
                    log=f"{np.log(_thirds).sum():.1f}",
                )
            ),
        ]
    )
    return


@app.cell
def _(mo, t):
    score = mo.ui.slider(-8, 8, 0.1, value=-5.0, label=t("score"), show_value=True)
    score
    return (score,)


@app.cell
def _(drawings, mo, model, page, score, t):
    _p, _gradient, _, _squared = model.scores_loss([score.value, 0.0, 0.0], 0)
    _here = t(
        "score_here",
        score=f"{score.value:g}",
        p=f"{_p[0]:.4g}",
        entropy=f"{_gradient[0]:.4g}",
        squared=f"{_squared:.2g}",
    )
    mo.vstack([page.drawn(*drawings.losses_of_score(score.value, t)), mo.md(_here)])
    return


@app.cell
def _(mo, page, t):
    which = mo.ui.slider(1, 100, 1, value=1, label=t("which_step"), show_value=True)
    step_rate = mo.ui.slider(
        steps=[0.03, 0.1, 0.3, 1, 3, 10], value=0.3, label=t("step_rate"), show_value=True
    )
    mo.vstack(
        [
            page.section(t, "step", "step"),
            mo.hstack([which, step_rate], justify="start", gap=2, wrap=True),
        ]
    )
    return step_rate, which


@app.cell
def _(X, labels, learnrate, step_rate, which):
    step = learnrate.explain(X, labels, lr=step_rate.value, batch_size=3, step=which.value)
    return (step,)


@app.cell
def _(mo, model, np, page, step, t):
    _log_p = next(node for node in step.nodes if node.name == "log ŷ")
    _errors = step.check.residuals
    _examples = [
        [f"#{row + 1}", *(f"{v:.3g}" for v in x), model.CLASSES[int(c)]]
        + [f"{v:.3g}" for v in (*np.exp(log_p), *error)]
        for row, x, c, log_p, error in zip(
            step.indices, step.X, step.y, _log_p.values, _errors, strict=True
        )
    ]
    _columns = [
        np.concatenate([np.ravel(getattr(u, part)) for u in step.updates])
        for part in ("old", "gradient", "change", "new")
    ]
    _names = [f"{p} ({c})" for p in ("w₁", "w₂", "b") for c in model.CLASSES]
    page.text(
        t(
            "step_numbers",
            examples="\n".join(f"| {' | '.join(cells)} |" for cells in _examples),
            table=page.rows(_names, _columns),
            before=f"{step.loss_before:.4g}",
            after=f"{step.loss_after:.4g}",
        )
    )
    return


@app.cell
def _(mo, page, t):
    forward = page.next_button(t)
    mo.vstack([mo.md(t("backward")), forward])
    return (forward,)


@app.cell
def _(forward, page, step, t):
    page.walk(step, forward.value, t)
    return


@app.cell
def _(np):
    EPOCHS = 20
    RATES = [float(f"{lr:.2g}") for lr in np.geomspace(0.01, 100, 41)]
    return EPOCHS, RATES


@app.cell
def _(RATES, mo, page, t):
    rate = mo.ui.slider(
        steps=RATES, value=page.nearest(RATES, 0.3), label=t("eta"), show_value=True
    )
    batch_size = mo.ui.slider(
        steps=[2, 5, 10, 50, 150], value=10, label=t("batch_size"), show_value=True
    )
    mo.vstack(
        [
            page.section(t, "rates", "rates"),
            mo.hstack([rate, batch_size], justify="start", gap=2, wrap=True),
        ]
    )
    return batch_size, rate


@app.cell
def _(EPOCHS, RATES, X, batch_size, labels, learnrate):
    swept = learnrate.sweep(X, labels, lrs=RATES, batch_size=batch_size.value, epochs=EPOCHS)
    return (swept,)


@app.cell
def _(EPOCHS, RATES, X, drawings, mo, page, rate, swept, t, y):
    _k = RATES.index(rate.value)
    _track = drawings.track(swept, _k, t)
    _end, _floor, _least = swept.losses[0, _k, -1], swept.floors[_k], swept.floors.min()
    _said = t(
        f"sentence_{_track.zone().name}",
        epochs=EPOCHS,
        end=f"{_end:.4g}",
        floor=f"{_floor:.4g}",
        least=f"{_least:.4g}",
        above=f"{100 * (_floor / _least - 1):.2g}",
        limit=f"{swept.limit:.3g}",
    )
    _plane = drawings.plane(X, y, swept.W[0, _k], swept.b[0, _k], t)
    _right = t("accuracy", accuracy=f"{100 * swept.score[1][0, _k]:.1f}")
    mo.vstack(
        [
            page.drawn(_track),
            mo.md(t.sentences(_said, _right)),
            page.drawn(_plane, drawings.curve(swept, _k, t)),
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
    frame, trouble = page.table_of(source.value, lambda: learnrate.data.read_table("houses"), t)
    mo.stop(frame is None, trouble)
    wanted = page.wanted(frame, t, target="fast", missing="mean")
    train = mo.ui.run_button(label=t("train"))
    page.laid_out(frame, wanted, train, t)
    return frame, train, wanted


@app.cell
def _(frame, mo, page, t, train, wanted):
    mo.stop(not train.value, mo.md(f"*{t('press_train')}*"))
    own, outcome = page.trained(frame, wanted.value, t)
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
