"""The grid of learning rates for ``lrs="auto"``, by loss and optimizer."""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.prepared import Prepared
from learnrate.sweeps.config import SweepConfig
from learnrate.sweeps.curved import Curved, analyse_curved
from learnrate.sweeps.linear import theory_of
from learnrate.sweeps.rates import (
    auto_rates,
    rates_by_curvature,
    rates_by_local_limit,
    rates_of_optimizer,
)
from learnrate.theory import Theory
from learnrate.theory.curvature import largest_curvature
from learnrate.training.losses import Loss
from learnrate.training.optimizers import check_options, get_optimizer

__all__ = ["auto_grid"]


def auto_grid(
    data: Prepared, config: SweepConfig, loss: Loss
) -> tuple[Float[Array, " K"], Theory | Curved | None]:
    """Learning rates, and the theory from which they were computed, or None.

    For squared loss and SGD the grid follows from the limits; for other losses and SGD without momentum from the limit at
    the optimum, if there is one. Otherwise SGD with momentum μ is safe up to about ``2(1 − μ)/λ`` with the largest
    curvature λ; for counts, whose curvature has no bound, λ is that at ``e^z = y``. For another optimizer the rates are ten
    times its rates for networks, because weights of a linear model move further; for labels that are numbers they are
    multiplied by the standard deviation of the labels.
    """
    if config.plain:
        theory = theory_of(data, config)
        # A schedule only lowers the rate, so the grid for a constant rate is good for it too.
        return auto_rates(theory, config.epochs), theory
    curved = analyse_curved(data, config, loss) if config.schedule == "constant" else None
    if curved is not None and curved.limit is not None:
        return rates_by_local_limit(curved.limit), curved
    row = get_optimizer(config.optimizer)
    options = check_options(config.optimizer, config.optimizer_options)
    if row.equals == "SGD":
        momentum = config.momentum or options["momentum"]
        decay = config.weight_decay or options["weight_decay"]
        bound = data.y_train.astype(np.float64) if loss.curvature is None else loss.curvature
        safe = 2 * (1 - momentum) / largest_curvature(data.X_train, bound, decay)
        return rates_by_curvature(safe), curved
    scale = 10.0
    if loss.score == "R²":
        scale *= float(np.std(data.y_train, dtype=np.float64)) or 1.0
    return rates_of_optimizer(row.grid, scale), None
