"""The text of an explanation in English."""

from __future__ import annotations

from learnrate.book.steps.messages import Messages

__all__ = ["ENGLISH"]

ENGLISH = Messages(
    html_lang="en",
    title="One training step, number by number",
    subtitle_squared="Linear regression, trained by minibatch stochastic gradient descent",
    subtitle_logistic="Logistic regression, trained by minibatch stochastic gradient descent",
    subtitle_softmax="Softmax regression, trained by minibatch stochastic gradient descent",
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
    class_numbers="A class goes by its number: {classes}.",
    standardized=(
        "The features are standardised: each was shifted and scaled to mean 0 and standard deviation "
        "1, so these are not the numbers in the table that you gave."
    ),
    short_batch=(
        "The last minibatch of an epoch takes what is left, here {rows:,}. The update still divides by "
        "|B| = {batch_size:,}, so this step weighs less."
    ),
    forward_title="Forward: the graph is recorded",
    model_squared="The model predicts $ŷ = Xw + b$, and the loss of one example is $½(ŷ − y)²$. ",
    model_logistic=(
        "The model computes $z = Xw + b$; its probability of class 1 is $σ(z) = 1 / (1 + exp(−z))$. The loss of one example is the "
        "negative logarithm of the probability of its own class: $log(1 + exp(s·z))$, with $s = 1 − 2y$, which is −1 for class 1 "
        "and 1 for class 0; `softrelu` is this $log(1 + exp(x))$. "
    ),
    model_softmax=(
        "The model computes an output for each class, $o = Xw + b$; its probabilities are $ŷ = exp(o) / Σ exp(o)$, the softmax. The "
        "loss of one example is the cross-entropy, the negative logarithm of the probability of its own class: −log ŷ[y]. The "
        "logarithm of the softmax is one operation, since in two of them exp could overflow. "
    ),
    forward=(
        "Inside `record()`, every operation on something marked leaves a node: which operator it was, what went in, what came "
        "out. The table lists the inputs, then the nodes in the order in which they were computed."
    ),
    backward_title="backward(): the same graph in reverse",
    backward=(
        "`backward()` walks the nodes in reverse order, from the loss to the parameters. It starts with "
        "1 for every example, because what it differentiates is the sum of their losses. At each node, "
        "the gradient that arrived is multiplied by the derivative of that one operation and handed "
        "on: the chain rule. grad({node}), say, is the gradient that reached {node}: how much the summed loss "
        "changes when {node} changes. Where the walk ends, at `w` and `b`, it is written to `.grad`. `X` and `y` are not "
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
    check_by_hand="Two other ways must give the same numbers. By hand: ",
    by_hand_squared=(
        "the derivative of $Σ ½(x·w + b − y)²$ with respect to $w_j$ is $Σ x_j (x·w + b − y)$. With $r = x·w + b − y$, each row below "
    ),
    by_hand_logistic=(
        "the derivative of the loss with respect to z is $σ(z) − y$, so that of the summed loss with respect to $w_j$ is "
        "$Σ x_j (σ(z) − y)$. With $r = σ(z) − y$, each row below "
    ),
    by_hand_softmax=(
        "the derivative of −log ŷ[y] with respect to o is ŷ, less 1 at the example's own class. So that of the summed loss with "
        "respect to the weights $w_j$ of a class is $Σ x_j · r$, where r is $ŷ − 1$ for examples of that class and ŷ for the "
        "others. Each row below "
    ),
    check_terms=(
        "holds one example's r, which is the term for b, and its terms $x_j · r$; the last row holds their sums."
    ),
    check_difference=(
        "By a central finite difference: move one parameter up and down by h = {h}, compute the summed "
        "loss L both times, and take $(L(θ + h) − L(θ − h)) / (2h)$. No derivative is needed for that."
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
    starts_here="starts here: {rule}",
    script_title="One backward(), number by number",
    script_subtitle="What the script recorded, what came back, and what became of the parameters",
    script="script",
    backward_number="number {number:,}",
    line="called in",
    parameters="parameters",
    differentiated="what is differentiated",
    diverged_script="Some numbers are no longer finite: training diverges.",
    attach_script=(
        "`attach_grad()` allocates `.grad`, the memory that a gradient is kept in, with the shape and dtype of the parameter, and "
        "marks the parameter: everything computed from it inside `record()` is recorded. In Gluon, `initialize()` calls "
        "it. This is what `.grad` held before this `backward()`."
    ),
    attach_script_after="Where `grad_req` is `write`, `backward()` replaces what `.grad` holds; where it is `add`, it adds to it.",
    forward_script=(
        "Inside `record()`, every operation on something marked leaves a node: which operator it was, what went in, what came "
        "out. The table lists the inputs, then the nodes in the order in which they were computed. Names are the script's "
        "variables; results without one are called h1, h2, …, arrays without a gradient c1, c2, …, or mask1, mask2, … if they "
        "hold only 0 and 1, as those of dropout do."
    ),
    backward_script=(
        "`backward()` walks the nodes in reverse order. It starts with 1, because the derivative of a number with respect to "
        "itself is 1; where it starts with more elements than one, what it differentiates is their sum. At each node, the gradient that arrived is "
        "multiplied by the derivative of that one operation and handed on: the chain rule. grad(z) is the gradient that reached z: how much "
        "the result changes when z changes. × goes element by element, · is the product of matrices, Σ a sum, [ ] is 1 "
        "where what it says is true and 0 elsewhere. Where the walk ends, at a marked array, the gradient is written to `.grad`."
    ),
    update_none="No parameter changed before the next `backward()` or the end of the script.",
    update_rule=(
        "The optimizer changes {names}, element by element: grad is what `backward()` left in `.grad`, w the parameter, and each "
        "line uses what the lines above it gave."
    ),
    update_letters="Here {letters}.",
    update_rate="The script changes {names}. Every element takes a step against its gradient, with k = {rate}:",
    update_own="Until the next `backward()` the script changes {names} by a rule of its own.",
    worked="In numbers, for {element}:",
    largest_shown="Of each parameter, the elements with the largest gradients are shown.",
    check_script=(
        "A central finite difference must give the same numbers. The recorded operations are computed again, in float64, with "
        "one element moved up and down by h = {h} (times its size, where that is above 1). L is what is differentiated. No derivative is needed for that:"
    ),
    check_largest="Checked are {checked:,} of {parameters:,} elements, those with the largest gradients of each parameter.",
    check_script_after=(
        "Largest disagreement: {disagreement}, beside a largest gradient of {largest}. A script that computes in float32 rounds after "
        "seven digits; and where a difference steps over a kink, as relu has at 0, it is not the derivative."
    ),
    element="element",
    before="{letter} before",
    after="{letter} after",
    change_of_value="change",
    more_operations="… {count:,} more operations …",
    more_rows="… {count:,} more rows",
    more_columns="… {count:,} more",
    more_values="… {count:,} more …",
)
