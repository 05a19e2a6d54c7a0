"""Items of the walk refuse what is malformed and cannot be changed once made."""

from __future__ import annotations

import numpy as np
import pytest

from lam_ros.core.types import ActionChunk, CameraFrame, JointState, Observation

NAMES = ("a", "b")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_chunk_with_a_value_that_is_not_finite_cannot_be_made(bad: float) -> None:
    targets = np.zeros((4, 2))
    targets[2, 1] = bad
    with pytest.raises(ValueError, match="not finite"):
        ActionChunk(0, 1, NAMES, targets)


@pytest.mark.parametrize("shape", [(0, 2), (4, 3), (4, 1)])
def test_a_chunk_of_the_wrong_shape_cannot_be_made(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="is needed"):
        ActionChunk(0, 1, NAMES, np.zeros(shape))


def test_a_chunk_whose_time_stands_still_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="positive time"):
        ActionChunk(0, 0, NAMES, np.zeros((4, 2)))


def test_a_chunk_ends_one_step_after_its_last_row_begins() -> None:
    assert ActionChunk(100, 10, NAMES, np.zeros((4, 2))).end_ns == 140


def test_arrays_are_copied_and_read_only() -> None:
    source = np.zeros(2)
    state = JointState(0, source)
    source[0] = 1.0
    assert state.position_rad[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        state.position_rad[0] = 1.0


def test_velocity_must_be_as_long_as_position() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        JointState(0, np.zeros(2), np.zeros(3))


def test_a_picture_is_not_copied_but_read_only() -> None:
    image = np.zeros((4, 6, 3), np.uint8)
    frame = CameraFrame("front", 0, image)
    assert np.shares_memory(frame.image, image)
    with pytest.raises(ValueError, match="read-only"):
        frame.image[0, 0, 0] = 1


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 6), np.uint8), np.zeros((4, 6, 4), np.uint8), np.zeros((4, 6, 3), np.float32)],
)
def test_a_picture_of_another_shape_or_type_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"uint8 of shape \(H, W, 3\) is needed"):
        CameraFrame("front", 0, image)


def test_the_images_of_an_observation_cannot_be_exchanged() -> None:
    observation = Observation(0, np.zeros(2), {"front": np.zeros((2, 2, 3), np.uint8)})
    with pytest.raises(TypeError):
        observation.images["front"] = np.ones((2, 2, 3), np.uint8)  # type: ignore[index]
