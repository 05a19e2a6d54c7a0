"""Quaternions of the core agree with SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lam_ros.core.frames import quat_from_matrix

HALF_TURNS = [Rotation.from_rotvec(np.pi * axis) for axis in np.eye(3)]
CASES = [Rotation.identity(), *HALF_TURNS, *Rotation.random(40, random_state=7)]


@pytest.mark.parametrize("turn", CASES)
def test_a_rotation_matrix_becomes_its_quaternion_also_at_half_turns(turn: Rotation) -> None:
    quat = quat_from_matrix(turn.as_matrix())
    assert np.linalg.norm(quat) == pytest.approx(1.0)
    assert quat[3] >= 0.0
    np.testing.assert_allclose(Rotation.from_quat(quat).as_matrix(), turn.as_matrix(), atol=1e-12)
