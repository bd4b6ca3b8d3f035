# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""The living note: what the learning rate does, on one page. Run it with: learnrate note."""

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
    from learnrate.book.note.landscape import Landscape
    from learnrate.book.note.linear.exercises import answers
    from learnrate.book.note.plot import Dot, Line
    from learnrate.book.play import page as explorer

    return Dot, Landscape, Line, answers, explorer, learnrate, mo, note_texts, np, page


@app.cell
def _(page):
    language = page.language_switch()
    page.head(language)
    return (language,)


@app.cell
def _(language, mo, note_texts):
    t = note_texts(language.value, "linear")
    mo.md(f"# {t('title')}\n\n{t('intro')}")
    return (t,)


@app.cell
def _(learnrate):
    X, y = learnrate.note_data()
    return X, y


@app.cell
def _(learnrate, mo, page, t):
    mo.vstack(
        [
            page.section(t, "model", "model"),
            page.code(learnrate.scratch.linreg),
            mo.md(t("model_drag")),
        ]
    )
    return


@app.cell
def _(mo, t):
    x1 = mo.ui.slider(-3, 3, 0.1, value=1.0, label="x₁", show_value=True)
    x2 = mo.ui.slider(-3, 3, 0.1, value=-0.5, label="x₂", show_value=True)
    w1 = mo.ui.slider(-5, 5, 0.1, value=2.0, label="w₁", show_value=True)
    w2 = mo.ui.slider(-5, 5, 0.1, value=-3.4, label="w₂", show_value=True)
    bias = mo.ui.slider(-5, 5, 0.1, value=4.2, label=t("bias"), show_value=True)
    mo.hstack([mo.vstack([x1, x2]), mo.vstack([w1, w2]), bias], justify="start", gap=2, wrap=True)
    return bias, w1, w2, x1, x2


@app.cell
def _(bias, learnrate, mo, w1, w2, x1, x2):
    row = learnrate.nd.array([[x1.value, x2.value]])
    weights = learnrate.nd.array([[w1.value], [w2.value]])
    y_hat = learnrate.scratch.linreg(row, weights, learnrate.nd.array([bias.value]))
    mo.md(
        rf"$$\hat y = {x1.value:g}\cdot({w1.value:g}) + ({x2.value:g})\cdot({w2.value:g})"
        rf" + ({bias.value:g}) = \mathbf{{{float(y_hat.asnumpy()[0, 0]):.4g}}}$$"
    )
    return


@app.cell
def _(learnrate, mo, page, t):
    mo.vstack(
        [
            page.section(t, "loss", "loss_section"),
            page.code(learnrate.scratch.squared_loss),
            mo.md(f"{t('why_half')}\n\n{t('loss_drag')}"),
        ]
    )
    return


@app.cell
def _(mo):
    v1 = mo.ui.slider(-1, 5, 0.1, value=0.0, label="w₁", show_value=True)
    v2 = mo.ui.slider(-6, 1, 0.1, value=0.0, label="w₂", show_value=True)
    mo.hstack([v1, v2], justify="start", gap=2, wrap=True)
    return v1, v2


@app.cell
def _(Dot, Landscape, X, mo, np, page, t, v1, v2, y):
    land = Landscape.of(X, y)
    corners = [np.array([-1, -6]), np.array([5, 1])]
    chosen = Dot(v1.value, v2.value, "chosen", t("you"))
    optimum = Dot(*land.best, "good", "w*", ring=True)
    axes = land.axes(("w₁", "w₂"), keep=corners)
    here = t(
        "loss_here",
        w1=f"{v1.value:g}",
        w2=f"{v2.value:g}",
        loss=f"{land.loss((v1.value, v2.value)):.4g}",
        lowest=f"{land.lowest:.2g}",
        b1=f"{land.best[0]:.4g}",
        b2=f"{land.best[1]:.4g}",
    )
    surface = land.plot("surface", t("contour_alt"), axes, [chosen, optimum])
    mo.vstack([mo.md(here), page.drawn(surface)])
    return (land,)


@app.cell
def _(mo, page, t):
    which = mo.ui.slider(1, 300, 1, value=1, label=t("which_step"), show_value=True)
    step_rate = mo.ui.slider(
        steps=[0.01, 0.03, 0.1, 0.3, 1, 1.5, 2], value=0.3, label=t("step_rate"), show_value=True
    )
    mo.vstack(
        [
            page.section(t, "step", "step"),
            mo.hstack([which, step_rate], justify="start", gap=2, wrap=True),
        ]
    )
    return step_rate, which


@app.cell
def _(learnrate, step_rate, which):
    step = learnrate.explain("note", lr=step_rate.value, batch_size=3, step=which.value)
    return (step,)


@app.cell
def _(Dot, Line, land, mo, np, page, step, t):
    columns = [
        np.concatenate([np.ravel(getattr(u, part)) for u in step.updates])
        for part in ("old", "gradient", "change", "new")
    ]
    words = t(
        "step_numbers",
        rows=len(step.y),
        batch=step.batch_size,
        table=page.rows(["w₁", "w₂", "b"], columns),
        before=f"{step.loss_before:.4g}",
        after=f"{step.loss_after:.4g}",
    )
    before, after = columns[0][:2], columns[3][:2]
    moved = [
        Line([before[0], after[0]], [before[1], after[1]], "chosen", width=2.5),
        Dot(*before, "ink", t("old")),
        Dot(*after, "chosen", t("new")),
        Dot(*land.best, "good", "w*", ring=True),
    ]
    around = land.axes(("w₁", "w₂"), keep=[before, after, np.zeros(2)])
    stepped = land.plot("step", t("step_alt"), around, moved)
    mo.vstack([page.text(words), page.drawn(stepped)])
    return


@app.cell
def _(mo, page, t):
    forward = page.next_button(t)
    mo.vstack([mo.md(f"{t('attach')}\n\n{t('attach_press')}"), forward])
    return (forward,)


@app.cell
def _(forward, page, step, t):
    page.walk(step, forward.value, t)
    return


@app.cell
def _(explorer, mo, page, t):
    mo.vstack(
        [
            page.section(t, "rates", "rates"),
            mo.iframe(explorer(lang=t.lang, embedded=True), height="900px"),
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
