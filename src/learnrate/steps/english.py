"""The text of an explanation in English."""

from __future__ import annotations

from learnrate.steps.messages import Messages

__all__ = ["ENGLISH"]

ENGLISH = Messages(
    html_lang="en",
    title="One training step, number by number",
    subtitle="Linear regression, trained by minibatch stochastic gradient descent",
    examples="examples",
    features="features",
    target="predicting",
    lr="learning rate η",
    batch_size="batch size |B|",
    seed="seed",
    step="step",
    place="{step:,} (epoch {epoch:,}, minibatch {minibatch:,} of {minibatches:,})",
    diverged="Some numbers are no longer finite: at this learning rate training diverges.",
    left_out="Left out: {columns}.",
    attach_title="attach_grad(): a place for each gradient",
    attach=(
        "`attach_grad()`, called once before training, allocates `.grad`, the memory that a gradient will be kept in: zeros, with the "
        "shape and dtype of the parameter. It also marks the parameter: from now on, everything "
        "computed from it inside `record()` is recorded. No derivative is computed yet."
    ),
    attach_after="`grad_req` is `write`: each `backward()` replaces what `.grad` holds.",
    minibatch_title="The minibatch",
    minibatch=(
        "Training visits the examples in a shuffled order, {batch_size:,} at a time. These are the "
        "ones of this step: `X` holds their features, `y` their labels."
    ),
    standardized=(
        "The features are standardised: each was shifted and scaled to mean 0 and standard deviation "
        "1, so these are not the numbers in the table that you gave."
    ),
    short_batch=(
        "The last minibatch of an epoch takes what is left, here {rows:,}. The update still divides by "
        "|B| = {batch_size:,}, so this step weighs less."
    ),
    forward_title="Forward: the graph is recorded",
    forward=(
        "The model predicts ŷ = Xw + b, and the loss of one example is ½(ŷ − y)². Inside `record()`, every "
        "operation on something marked leaves a node: which operator it was, what went in, what came "
        "out. The table lists the inputs, then the nodes in the order in which they were computed."
    ),
    backward_title="backward(): the same graph in reverse",
    backward=(
        "`backward()` walks the nodes in reverse order, from the loss to the parameters. It starts with "
        "1 for every example, because what it differentiates is the sum of their losses. At each node, "
        "the gradient that arrived is multiplied by the derivative of that one operation and handed "
        "on: the chain rule. grad(r), say, is the gradient that reached r: how much the summed loss "
        "changes when r changes. Where the walk ends, at `w` and `b`, it is written to `.grad`. `X` and `y` are not "
        "marked, so nothing is computed for them."
    ),
    backward_after=(
        "`b` was added to every row, so its gradient is the sum of the rows' gradients: Σ. `w` was "
        "multiplied by each row's features, so each row's gradient is multiplied by them before it is "
        "added: Xᵀ · grad(Xw). Both are sums over the minibatch, not means."
    ),
    update_title="The update",
    update=(
        "Each parameter takes a step against its gradient: new = old − η/|B| × gradient, with "
        "η/|B| = {lr}\u00a0/\u00a0{batch_size:,}\u00a0=\u00a0{rate}. Dividing by |B| turns the sum into a mean."
    ),
    update_after="Mean loss over this minibatch: {before} before the update, {after} after it.",
    check_title="Is the gradient right?",
    check_by_hand=(
        "Two other ways must give the same numbers. By hand: the derivative of "
        "Σ ½(x·w + b − y)² with respect to w_j is Σ x_j (x·w + b − y). With r = x·w + b − y, each row below "
        "holds one example's r, which is the term for b, and its terms x_j · r; the last row holds their sums."
    ),
    check_difference=(
        "By a central finite difference: move one parameter up and down by h = {h}, compute the summed "
        "loss L both times, and take (L(θ + h) − L(θ − h)) / 2h. No derivative is needed for that."
    ),
    check_some=(
        "Finite differences were computed for {checked:,} of the {parameters:,} parameters, the first and the last."
    ),
    check_after=(
        "Largest disagreement between the three: {disagreement}, beside a largest gradient of {largest}."
    ),
    check_diverged="The three cannot be compared: some of their numbers are not finite.",
    rounded="Numbers are rounded for reading; `--json` has all their digits.",
    saved="Saved {path}",
    parameter="parameter",
    shape="shape",
    dtype="dtype",
    example="example",
    node="node",
    computed_as="computed as",
    operator="operator",
    data="data",
    value="value",
    features_above="the features above",
    order="order",
    gradient="gradient",
    gradient_rule="gradient computed as",
    old="old value",
    change="η/|B| × gradient",
    new="new value",
    total="sum",
    by_hand="by hand",
    finite_difference="finite difference",
    graph_title="The recorded graph: values and gradients",
    forward_arrow="forward: values",
    backward_arrow="backward: gradients",
    order_mark="order of backward()",
    starts_here="starts here: 1 for each example",
    more_rows="… {count:,} more rows",
    more_columns="… {count:,} more",
    more_values="… {count:,} more …",
)
