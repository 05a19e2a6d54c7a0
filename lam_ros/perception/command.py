"""What `lam calibrate table` does."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import cv2
import numpy as np

from lam_ros.core.errors import ExitCode
from lam_ros.core.types import ImageArray
from lam_ros.perception.calibration import Board, Calibration, CalibrationError, calibrate

_DPI = 300


def run(arguments: argparse.Namespace) -> int:
    """Print a board, calibrate, or both.

    Raises:
        CalibrationError: if there is nothing to do, or it cannot be done.
    """
    board = _board(arguments)
    if not arguments.print_to and not arguments.image:
        raise CalibrationError("lam calibrate: give --print PNG for a board, or --image FILE")
    if arguments.print_to:
        _print(board, Path(arguments.print_to))
    if arguments.image:
        fovy_rad = math.radians(arguments.fovy) if arguments.fovy else None
        images = [_read(Path(name)) for name in arguments.image]
        _tell(calibrate(images, board, fovy_rad), Path(arguments.out), arguments.json)
    return int(ExitCode.DONE)


def _board(arguments: argparse.Namespace) -> Board:
    if not 0 < arguments.square < 500:
        raise CalibrationError(f"--square: {arguments.square:g} mm came, 0 to 500 is allowed")
    x, y = arguments.board_at
    square_m = arguments.square / 1000
    return Board(
        square_m=square_m,
        marker_m=0.75 * square_m,
        corner_m=(x, y),
        yaw_rad=math.radians(arguments.board_yaw),
    )


def _print(board: Board, path: Path) -> None:
    """Write the board with a white margin."""
    picture = cv2.copyMakeBorder(board.draw(_DPI), *[_DPI // 4] * 4, cv2.BORDER_CONSTANT, value=255)
    if not cv2.imwrite(str(path), picture):
        raise CalibrationError(f"--print: '{path}' cannot be written; a .png or .jpg is needed")
    print(f"{path}: print at {_DPI} dpi; a square must then measure {board.square_m * 1000:g} mm")


def _read(path: Path) -> ImageArray:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise CalibrationError(f"--image: '{path}' is no picture that can be read")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _tell(found: Calibration, out: Path, as_json: bool) -> None:
    found.save(out)
    x, y, z = (round(float(value), 4) for value in found.camera.position_m)
    if as_json:
        row = {"file": str(out), "error_px": round(found.error_px, 3), "position_m": [x, y, z]}
        print(json.dumps(row))
    else:
        print(f"{out}: camera at ({x}, {y}, {z}) m, error {found.error_px:.2f} px")
