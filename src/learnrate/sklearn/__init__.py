"""scikit-learn estimators: linear models trained by SGD, which choose their own learning rate."""

from __future__ import annotations

from learnrate._extras import require

require("sklearn", extra="sklearn", purpose="the scikit-learn estimator")

from learnrate.sklearn.classifier import SweptSGDClassifier  # noqa: E402
from learnrate.sklearn.regressor import SweptSGDRegressor  # noqa: E402

__all__ = ["SweptSGDClassifier", "SweptSGDRegressor"]
