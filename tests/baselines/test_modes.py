from __future__ import annotations

import numpy as np
import pytest

from geoop.baselines.modes import Modes


def test_modes_are_orthonormal_and_lose_no_more_than_said() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(30, 8)) @ (rng.normal(size=(8, 50)) * np.logspace(0, -5, 8)[:, None]) + 3.0
    full = Modes.fit(rows, lost=0.0)
    assert np.allclose(full.basis @ full.basis.T, np.eye(len(full.basis)), atol=1e-9)
    assert np.allclose(full.decode(full.encode(rows)), rows, atol=1e-9)
    assert np.allclose(full.encode(rows).std(axis=0), 1.0, rtol=1e-6)
    few = Modes.fit(rows, lost=1e-4)
    lost = ((few.decode(few.encode(rows)) - rows) ** 2).sum() / ((rows - rows.mean(axis=0)) ** 2).sum()
    assert len(few.deviation) < 8 and lost <= 1e-4
    assert len(Modes.fit(rows, lost=0.0, most=3).deviation) == 3


def test_columns_are_scaled_and_arrays_round_trip() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(10, 4)) * [1e6, 1e6, 1.0, 1.0]
    modes = Modes.fit(rows, np.array([1e6, 1e6, 1.0, 1.0]), lost=0.0)
    assert np.allclose(modes.decode(modes.encode(rows)), rows)
    assert np.array_equal(Modes.from_arrays(modes.arrays()).encode(rows), modes.encode(rows))


def test_equal_rows_have_no_modes() -> None:
    modes = Modes.fit(np.tile([1.0, 2.0, 3.0], (5, 1)))
    assert modes.encode(np.array([[1.0, 2.0, 4.0]])).shape == (1, 0)
    assert modes.decode(np.zeros((1, 0))) == pytest.approx(np.array([[1.0, 2.0, 3.0]]))
