"""What a training leaves behind: the surrogate with what its validation cases tell of its errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ..results.confidence.calibrating import COVERAGE, case_errors, fitted
from ..results.confidence.conformal import least_count
from ..results.confidence.latent_code import latent_code
from ..results.confidence.latent_distance import LatentCloud
from ..results.surrogate import Surrogate
from .preparing import TrainingData


def calibrated(plain: Surrogate, data: TrainingData, prepared: Sequence[Any]) -> Surrogate:
    """A trained surrogate with expected errors, and with a calibration where there are validation cases enough.

    Args:
        plain: as it was trained.
        data: what it was trained and validated on.
        prepared: what its model prepared of the training cases.
    """
    records = [case_errors(plain, case) for case in data.validation_cases]
    expected = {q.name: float(np.quantile([record.errors[q.name] for record in records], COVERAGE)) for q in data.quantities}
    if len(records) < least_count(COVERAGE):
        return replace(plain, expected_errors=expected)
    with torch.no_grad():
        codes = [latent_code(plain.model.encode(item, sample.inputs)) for item, sample in zip(prepared, data.train, strict=True)]
    source = {"dataset": data.dataset.name, "dataset_hash": data.dataset.hash, "split": "val"}
    latent = LatentCloud.fit(codes, cases=len(data.dataset.splits["train"]))
    return replace(plain, expected_errors=expected, calibration=fitted(records, latent, coverage=COVERAGE, source=source))
