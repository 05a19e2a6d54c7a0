"""The camera is found from a board on the table."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from lam_ros.cli import main
from lam_ros.perception.calibration import (
    Board,
    CalibrationError,
    calibrate,
    load_calibration,
)

BOARD = Board()


def with_board(image: np.ndarray, camera, board: Board = BOARD) -> np.ndarray:
    """Return a picture in which the printed board lies on the table."""
    print_ = board.draw(100)
    height, width = print_.shape
    long_m, short_m = board.columns * board.square_m, board.rows * board.square_m
    corners = np.array([(0, 0, 0), (long_m, 0, 0), (long_m, short_m, 0), (0, short_m, 0)])
    pixels = camera.project(board.on_table(corners)).astype(np.float32)
    source = np.array(
        [(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float32
    ) - np.float32(0.5)
    warp = cv2.getPerspectiveTransform(source, pixels)
    size = (camera.width_px, camera.height_px)
    flat = cv2.warpPerspective(print_, warp, size, flags=cv2.INTER_AREA, borderValue=0)
    covered = cv2.warpPerspective(np.full_like(print_, 255), warp, size)
    return np.where(covered[..., None] > 127, flat[..., None], image).astype(np.uint8)


@pytest.mark.parametrize("seed", [1_000_000, 1_000_003])
def test_a_shifted_camera_is_found_within_millimetres_on_the_table(stage, seed: int) -> None:
    image, true = stage.set(seed)
    found = calibrate([with_board(image, true)], BOARD).camera
    grid = np.array([(x, y, 0) for x in (0.1, 0.2, 0.3) for y in (-0.2, 0.0, 0.2)])
    again = found.on_plane(true.project(grid))
    assert np.linalg.norm(again - grid[:, :2], axis=1).max() < 0.003


def test_a_known_field_of_view_gives_the_cameras_place(stage) -> None:
    image, true = stage.set(1_000_001)
    fovy_rad = 2 * math.atan(true.height_px / 2 / true.focal_px)
    found = calibrate([with_board(image, true)], BOARD, fovy_rad).camera
    assert np.linalg.norm(found.position_m - true.position_m) < 0.005


def test_the_table_homography_agrees_with_the_projection(stage) -> None:
    _, camera = stage.set(1_000_001)
    point = np.array([0.2, -0.1, 1.0])
    u, v, w = camera.table_homography() @ point
    assert np.allclose([u / w, v / w], camera.project([(0.2, -0.1, 0.0)])[0])


def test_a_picture_without_the_board_is_refused_with_the_remedy(stage) -> None:
    image, _ = stage.set(1_000_001)
    with pytest.raises(CalibrationError, match=r"picture 1 shows 0 corners .* light"):
        calibrate([image], BOARD)


def test_the_command_prints_a_board_and_writes_what_the_node_reads(
    stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, true = stage.set(1_000_002)
    board, photo, out = tmp_path / "board.png", tmp_path / "front.png", tmp_path / "front.yaml"
    cv2.imwrite(str(photo), with_board(image, true)[..., ::-1])
    code = main(
        ["calibrate", "table", "--print", str(board), "--image", str(photo), "--out", str(out),
         "--json"]
    )  # fmt: skip
    assert code == 0
    assert cv2.imread(str(board), cv2.IMREAD_GRAYSCALE).shape[1] > 2900
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    found = load_calibration(out)
    assert told["error_px"] < 0.5
    assert np.allclose(found.camera.position_m, told["position_m"], atol=1e-3)


def test_a_file_that_is_no_calibration_is_refused_by_name(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("position_m: [1, 2]", encoding="utf-8")
    for path in (bad, tmp_path / "absent.yaml"):
        with pytest.raises(CalibrationError, match=rf"{path.name}.*lam calibrate table"):
            load_calibration(path)


def test_nothing_to_do_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "table"]) == 2
    assert "--print" in capsys.readouterr().err
