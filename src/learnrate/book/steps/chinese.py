"""The text of an explanation in Chinese, in the terms of 《动手学深度学习》."""

from __future__ import annotations

from learnrate.book.steps.messages import Messages

__all__ = ["CHINESE"]

CHINESE = Messages(
    html_lang="zh-CN",
    title="一步训练，逐个数字看明白",
    subtitle_squared="线性回归，用小批量随机梯度下降训练",
    subtitle_logistic="逻辑回归，用小批量随机梯度下降训练",
    subtitle_softmax="softmax 回归，用小批量随机梯度下降训练",
    examples="样本数",
    features="特征数",
    target="预测",
    lr="学习率 η",
    batch_size="批量大小 |B|",
    seed="随机种子",
    step="训练进度",
    place="第 {step:,} 步（第 {epoch:,} 个迭代周期，第 {minibatch:,} / {minibatches:,} 个小批量）",
    diverged="有些数已经不是有限值：在这个学习率下，训练发散了。",
    left_out="未采用的列：{columns}。",
    attach_title="attach_grad()：为梯度申请内存",
    attach=(
        "`attach_grad()` 在训练开始前调用一次，为参数申请存放梯度的内存 `.grad`，形状和数据类型与参数相同，初值全是 0。"
        "它同时给参数做了标记：从此在 `record()` 里面，由这个参数算出来的一切都会被记录。"
        "这时还没有求任何导数。"
    ),
    attach_after="`grad_req` 是 `write`：每次调用 `backward()`，`.grad` 里的旧值都会被新的梯度覆盖。",
    minibatch_title="读取小批量",
    minibatch=(
        "训练按打乱后的顺序读取样本，每次 {batch_size:,} 个。这一步读到的是下面这些："
        "`X` 是它们的特征，`y` 是它们的标签。"
    ),
    class_numbers="类别用编号表示：{classes}。",
    standardized=(
        "特征已经标准化：每个特征都经过平移和缩放，均值为 0，标准差为 1，所以与原表中的数不同。"
    ),
    short_batch=(
        "一个迭代周期的最后一个小批量只有剩下的 {rows:,} 个样本。"
        "更新时仍然除以 |B| = {batch_size:,}，所以这一步的分量较轻。"
    ),
    forward_title="正向传播：记录计算图",
    model_squared="模型的预测是 $ŷ = Xw + b$，单个样本的损失是 $½(ŷ − y)²$。",
    model_logistic=(
        "模型先算 $z = Xw + b$，类别 1 的概率是 $σ(z) = 1 / (1 + exp(−z))$。单个样本的损失是它所属类别的概率的负对数，"
        "即 $log(1 + exp(s·z))$，其中 $s = 1 − 2y$：类别 1 时为 −1，类别 0 时为 1；`softrelu` 就是 $log(1 + exp(x))$。"
    ),
    model_softmax=(
        "模型为每个类别算出一个输出 $o = Xw + b$，各类别的概率是 $ŷ = exp(o) / Σ exp(o)$，即 softmax。"
        "单个样本的损失是交叉熵，也就是它所属类别的概率的负对数：−log ŷ[y]。"
        "softmax 与取对数合成一次运算，因为分两步算时 exp 可能溢出。"
    ),
    forward=(
        "在 `record()` 里面，"
        "对带标记的数组每做一次运算，就记下一个节点：做的是什么运算，输入是什么，结果是什么。"
        "表中先列出输入，再按计算的先后列出各个节点。"
    ),
    backward_title="backward()：沿计算图反向传播",
    backward=(
        "`backward()` 从损失出发，按相反的顺序走过各个节点，一直走到参数。"
        "起点处每个样本的梯度都是 1，因为它求的是各样本损失之和的导数。"
        "每到一个节点，就把传到这里的梯度乘以这一个运算的导数，再往回传，这就是链式法则。"
        "例如 grad({node}) 是传到 {node} 的梯度：{node} 变动时，损失之和随之变动多少。"
        "走到 `w` 和 `b` 便是终点，结果写进它们的 `.grad`。`X` 和 `y` 没有标记，不为它们求梯度。"
    ),
    backward_after=(
        "`b` 加到了每一行上，所以各行的梯度要加起来：Σ。`w` 与每一行的特征相乘，"
        "所以各行的梯度先乘以该行的特征再加起来：Xᵀ · grad(Xw)。"
        "二者都是对小批量中的样本求和，不是求平均。"
    ),
    update_title="更新参数",
    update=(
        "每个参数朝梯度的反方向走一步：新值 = 旧值 − η/|B| × 梯度，"
        "其中 η/|B| = {lr}\u00a0/\u00a0{batch_size:,}\u00a0=\u00a0{rate}。除以 |B|，就把梯度之和变成了平均值。"
    ),
    update_after="这个小批量的平均损失：更新前 {before}，更新后 {after}。",
    check_title="梯度算对了吗？",
    check_by_hand="用另外两种方法算，应当得到同样的数。第一种是手工推导：",
    by_hand_squared=(
        "$Σ ½(x·w + b − y)²$ 对 $w_j$ 的导数是 $Σ x_j (x·w + b − y)$。记 $r = x·w + b − y$，"
    ),
    by_hand_logistic=(
        "单个样本的损失对 z 的导数是 $σ(z) − y$，所以损失之和对 $w_j$ 的导数是 $Σ x_j (σ(z) − y)$。记 $r = σ(z) − y$，"
    ),
    by_hand_softmax=(
        "−log ŷ[y] 对 o 的导数是 ŷ，只在样本所属的类别处再减 1，所以损失之和对某一类别的权重 $w_j$ 的导数是 $Σ x_j · r$："
        "属于该类别的样本 r 是 $ŷ − 1$，其余样本 r 就是 ŷ。"
    ),
    check_terms=(
        "下表每一行是一个样本：r 就是 b 的那一项，$x_j · r$ 是 $w_j$ 的那一项；最后一行是它们的和。"
    ),
    check_difference=(
        "第二种是中心差分：把某一个参数加上、减去 h = {h}，各算一次损失之和 L，"
        "再取 $(L(θ + h) − L(θ − h)) / (2h)$，完全不用求导。"
    ),
    check_some="参数共 {parameters:,} 个，只对其中最前和最后的 {checked:,} 个算了差分。",
    check_after="三种结果之间最大相差 {disagreement}，而最大的梯度是 {largest}。",
    check_diverged="其中有些数不是有限值，三种结果无法比较。",
    rounded="为便于阅读，数值都经过舍入；完整的位数见 `--json`。",
    saved="已保存 {path}",
    parameter="参数",
    shape="形状",
    dtype="数据类型",
    example="样本",
    node="节点",
    computed_as="算式",
    operator="运算",
    data="数据",
    value="值",
    features_above="上面的特征",
    order="顺序",
    gradient="梯度",
    gradient_rule="梯度的算法",
    old="旧值",
    change="η/|B| × 梯度",
    new="新值",
    total="总和",
    by_hand="手工推导",
    finite_difference="中心差分",
    graph_title="记录下来的计算图：值与梯度",
    forward_arrow="正向：值",
    backward_arrow="反向：梯度",
    order_mark="backward() 经过的顺序",
    starts_here="从这里开始：{rule}",
    script_title="一次 backward()，逐个数字看明白",
    script_subtitle="脚本记录了什么，传回了什么梯度，参数变成了什么",
    script="脚本",
    backward_number="第 {number:,} 次",
    line="调用位置",
    parameters="参数个数",
    differentiated="被求导的量",
    diverged_script="有些数已经不是有限值：训练发散了。",
    attach_script=(
        "`attach_grad()` 为参数申请存放梯度的内存 `.grad`，形状和数据类型与参数相同，并给参数做上标记："
        "在 `record()` 里面，由它算出来的一切都会被记录。用 Gluon 时，由 `initialize()` 来调用它。"
        "下面是这次 `backward()` 之前 `.grad` 里的数。"
    ),
    attach_script_after="`grad_req` 是 `write` 时，`backward()` 覆盖 `.grad` 里的旧值；是 `add` 时，加到旧值上。",
    forward_script=(
        "在 `record()` 里面，对带标记的数组每做一次运算，就记下一个节点：做的是什么运算，输入是什么，结果是什么。"
        "表中先列出输入，再按计算的先后列出各个节点。名字就是脚本里的变量名；没有变量名的中间结果叫 h1、h2……，"
        "不求梯度的数组叫 c1、c2……；如果只含 0 和 1（丢弃法的掩码就是这样），则叫 mask1、mask2……。"
    ),
    backward_script=(
        "`backward()` 按相反的顺序走过各个节点。起点处的梯度是 1，因为一个数对自己的导数是 1；"
        "如果起点有多个元素，求的就是它们之和的导数。每到一个节点，就把传到这里的梯度乘以这一个运算的导数，再往回传，这就是链式法则。"
        "grad(z) 是传到 z 的梯度：z 变动时，结果随之变动多少。× 是逐元素相乘，· 是矩阵乘法，Σ 是求和，"
        "[ ] 里的条件成立时为 1，否则为 0。走到带标记的数组便是终点，梯度写进它的 `.grad`。"
    ),
    update_none="到下一次 `backward()` 或脚本结束为止，没有参数改变。",
    update_rule=(
        "优化器逐个元素地更新 {names}：grad 是 `backward()` 留在 `.grad` 里的梯度，w 是参数，"
        "每一行都用到上面各行的结果。"
    ),
    update_letters="这里 {letters}。",
    update_rate="脚本更新了 {names}。每个元素都朝梯度的反方向走一步，k = {rate}：",
    update_own="到下一次 `backward()` 为止，脚本按自己的算法更新了 {names}。",
    worked="以 {element} 为例，代入数字：",
    largest_shown="每个参数只列出梯度最大的几个元素。",
    check_script=(
        "中心差分应当得到同样的数：把某一个元素加上、减去 h = {h}（元素的绝对值大于 1 时再乘以它），"
        "用 float64 把记录下来的运算各重算一遍。L 是被求导的量。这完全不用求导："
    ),
    check_largest="共 {parameters:,} 个元素，检验了其中 {checked:,} 个，即每个参数梯度最大的几个。",
    check_script_after=(
        "最大相差 {disagreement}，而最大的梯度是 {largest}。用 float32 计算的脚本，第七位以后是舍入误差；"
        "差分如果跨过了折点（例如 relu 在 0 处），就不等于导数。"
    ),
    element="元素",
    before="{letter}（旧）",
    after="{letter}（新）",
    change_of_value="变化",
    more_operations="… 另有 {count:,} 个运算 …",
    more_rows="… 另有 {count:,} 行",
    more_columns="… 另有 {count:,} 列",
    more_values="… 另有 {count:,} 个 …",
)
