"""Where a camera is: from a printed ChArUco board that lies on the table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import yaml

from lam_ros.core.errors import LamError
from lam_ros.core.types import FloatArray, ImageArray
from lam_ros.perception.camera import TableCamera

_DICTIONARY = cv2.aruco.DICT_4X4_50
_LEAST_CORNERS = 8
_WORST_ERROR_PX = 2.0
_MM_PER_INCH = 25.4
_MANY_PICTURES = 5


class CalibrationError(LamError):
    """A camera cannot be calibrated by what came, or a calibration cannot be read."""


@dataclass(frozen=True)
class Board:
    """A ChArUco board and where it lies.

    Attributes:
        columns, rows: number of squares.
        square_m, marker_m: edges of a square and of the marker in it.
        corner_m: where the board's first corner lies, (x, y) in the base frame.
        yaw_rad: turn of its longer side (columns) from the base's x axis.
    """

    columns: int = 7
    rows: int = 5
    square_m: float = 0.036
    marker_m: float = 0.027
    corner_m: tuple[float, float] = (0.10, 0.09)
    yaw_rad: float = -math.pi / 2

    def charuco(self) -> cv2.aruco.CharucoBoard:
        """Return OpenCV's board."""
        dictionary = cv2.aruco.getPredefinedDictionary(_DICTIONARY)
        size = (self.columns, self.rows)
        return cv2.aruco.CharucoBoard(size, self.square_m, self.marker_m, dictionary)

    def draw(self, dots_per_inch: int = 300) -> ImageArray:
        """Return the board to print, grey, at its true size, shape (H, W)."""
        per_square = self.square_m * 1000 / _MM_PER_INCH * dots_per_inch
        size = (round(self.columns * per_square), round(self.rows * per_square))
        image: ImageArray = np.asarray(self.charuco().generateImage(size), dtype=np.uint8)
        return image

    def on_table(self, points_m: FloatArray) -> FloatArray:
        """Return points of the board, (x, y, 0) with y down its picture, in the base frame."""
        # Seen from above the board's y axis runs clockwise of its x axis.
        x, y = points_m[:, 0], -points_m[:, 1]
        cosine, sine = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        return np.column_stack(
            [
                self.corner_m[0] + cosine * x - sine * y,
                self.corner_m[1] + sine * x + cosine * y,
                np.zeros(len(x)),
            ]
        )


@dataclass(frozen=True, eq=False)
class Calibration:
    """A camera over the table.

    Attributes:
        camera: its pose and, without distortion, its intrinsics.
        distortion: OpenCV's k1, k2, p1, p2, k3.
        error_px: root mean square distance of the corners from where they should be.
    """

    camera: TableCamera
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    error_px: float = 0.0

    def rectified(self, image: ImageArray) -> ImageArray:
        """Return a picture without the lens's distortion."""
        if not any(self.distortion):
            return image
        height, width = image.shape[:2]
        matrix = self.camera.resized(width, height).matrix_px
        flat: ImageArray = np.asarray(
            cv2.undistort(image, matrix, np.array(self.distortion)), dtype=np.uint8
        )
        return flat

    def save(self, path: Path) -> None:
        """Write it as YAML."""
        camera = self.camera
        data = {
            "width_px": camera.width_px,
            "height_px": camera.height_px,
            "matrix_px": camera.matrix_px.tolist(),
            "rotation_base_camera": camera.rotation_base_camera.tolist(),
            "position_m": camera.position_m.tolist(),
            "distortion": list(self.distortion),
            "error_px": self.error_px,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")


def load_calibration(path: Path) -> Calibration:
    """Read what `Calibration.save` wrote.

    Raises:
        CalibrationError: if there is no such file, or it is no calibration.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        camera = TableCamera(
            int(data["width_px"]),
            int(data["height_px"]),
            np.array(data["matrix_px"], dtype=np.float64),
            np.array(data["rotation_base_camera"], dtype=np.float64),
            np.array(data["position_m"], dtype=np.float64),
        )
        k1, k2, p1, p2, k3 = (float(value) for value in data["distortion"])
        return Calibration(camera, (k1, k2, p1, p2, k3), float(data["error_px"]))
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        what = " ".join(str(error).split())
        raise CalibrationError(
            f"calibration '{path}': {type(error).__name__}: {what}; make one with "
            "`lam calibrate table`"
        ) from None


def calibrate(
    images: Sequence[ImageArray], board: Board, fovy_rad: float | None = None
) -> Calibration:
    """Return where the camera of some pictures is, by the board in them.

    In the first picture the board lies on the table where `board` says; in the others it may
    be held anywhere, which makes the lens known better.

    Args:
        images: rgb8 pictures of one size, shape (H, W, 3).
        board: the board and where it lies.
        fovy_rad: vertical field of view, if known; found from the pictures if None.

    Raises:
        CalibrationError: if the board is not found in a picture, or does not fit.
    """
    if not images:
        raise CalibrationError("calibration: no picture came; at least one is needed")
    height, width = images[0].shape[:2]
    found = [_corners(image, board, number) for number, image in enumerate(images)]
    points, pixels = [item[0] for item in found], [item[1] for item in found]
    matrix, distortion = _lens(points, pixels, (width, height), fovy_rad)
    on_table = board.on_table(points[0])
    ok, turn, offset = cv2.solvePnP(on_table, pixels[0], matrix, distortion)
    again, _ = cv2.projectPoints(on_table, turn, offset, matrix, distortion)
    gaps = np.linalg.norm(again[:, 0] - pixels[0], axis=1)
    error_px = float(np.sqrt((gaps**2).mean()))
    if not ok or error_px > _WORST_ERROR_PX:
        raise CalibrationError(
            f"calibration: the board's corners are {error_px:.1f} px from where they should be, "
            f"{_WORST_ERROR_PX:g} is allowed; lay it flat, and check its size and the pictures"
        )
    rotation = cv2.Rodrigues(turn)[0].T
    camera = TableCamera(width, height, matrix, rotation, (-rotation @ offset)[:, 0])
    k1, k2, p1, p2, k3 = (float(value) for value in distortion)
    return Calibration(camera, (k1, k2, p1, p2, k3), error_px)


def _corners(image: ImageArray, board: Board, number: int) -> tuple[FloatArray, FloatArray]:
    """Return the board's inner corners that are seen: on the board (N, 3) [m], pixels (N, 2)."""
    charuco = board.charuco()
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    corners, ids, _, _ = cv2.aruco.CharucoDetector(charuco).detectBoard(grey)
    count = 0 if ids is None else len(ids)
    if count < _LEAST_CORNERS:
        raise CalibrationError(
            f"calibration: picture {number + 1} shows {count} corners of the board, "
            f"{_LEAST_CORNERS} are needed; more light, less glare, or nearer to the camera"
        )
    points = np.asarray(charuco.getChessboardCorners())[np.asarray(ids).ravel()]
    return points.astype(np.float64), np.asarray(corners, dtype=np.float64).reshape(-1, 2)


def _lens(
    points: Sequence[FloatArray],
    pixels: Sequence[FloatArray],
    size: tuple[int, int],
    fovy_rad: float | None,
) -> tuple[FloatArray, FloatArray]:
    """Return intrinsics (3, 3) and distortion (5,); the lens is bent only by many pictures."""
    width, height = size
    focal = height / 2 / math.tan((fovy_rad or math.radians(45)) / 2)
    matrix = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1.0]])
    if fovy_rad is not None:
        return matrix, np.zeros(5)
    flags = cv2.CALIB_USE_INTRINSIC_GUESS | cv2.CALIB_FIX_ASPECT_RATIO
    flags |= cv2.CALIB_ZERO_TANGENT_DIST | cv2.CALIB_FIX_K3
    if len(points) < _MANY_PICTURES:
        flags |= cv2.CALIB_FIX_PRINCIPAL_POINT | cv2.CALIB_FIX_K1 | cv2.CALIB_FIX_K2
    _, matrix, distortion, _, _ = cv2.calibrateCamera(
        [item.astype(np.float32) for item in points],
        [item.astype(np.float32) for item in pixels],
        size,
        matrix,
        np.zeros(5),
        flags=flags,
    )
    return np.asarray(matrix, dtype=np.float64), np.asarray(distortion).ravel()[:5]
