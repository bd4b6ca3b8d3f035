"""Linear regression by SGD that finds its own learning rate, as a scikit-learn estimator."""

from __future__ import annotations

from learnrate._extras import require

require("sklearn", extra="sklearn", purpose="the scikit-learn estimator")

from learnrate.sklearn.regressor import SweptSGDRegressor  # noqa: E402

__all__ = ["SweptSGDRegressor"]
