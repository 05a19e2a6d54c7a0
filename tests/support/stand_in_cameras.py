"""Stand-ins for cameras: a video file, and a network camera that can be unplugged."""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import yaml

from lam_ros.config import load_group


def painted(count: int, width: int = 64, height: int = 48, red: int = 220) -> np.ndarray:
    """Return a bgr picture that differs with `count`: red, with a bar that moves."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 2] = red
    image[:, (3 * count) % width] = 255 if red else 0
    return image


def robot_files(network: NetworkCamera, folder: Path, **device: object) -> dict[str, str]:
    """Write a robot with one small camera, and what that camera is; return both paths."""
    robot = load_group("robot", "so101")
    robot["cameras"] = {"front": robot["cameras"]["front"] | {"width_px": 64, "height_px": 48}}
    front = {"type": "opencv", "device": network.url, "fovy_deg": 40.0, **device}
    paths = {}
    for name, data in (("robot", robot), ("cameras", {"front": front})):
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(data), encoding="utf-8")
        paths[name] = str(path)
    return paths


def write_video(path: Path, pictures: list[np.ndarray], rate_hz: float = 25.0) -> Path:
    """Write an AVI of JPEG pictures."""
    height, width = pictures[0].shape[:2]
    fourcc = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), fourcc, rate_hz, (width, height))
    for picture in pictures:
        writer.write(picture)
    writer.release()
    return path


class NetworkCamera:
    """An MJPEG camera on a port of this machine; `unplug` and `plug` it as often as wished.

    Attributes:
        url: where it is, whether plugged in or not.
        paint: makes the picture from its number; may be replaced while it runs.
    """

    def __init__(self, rate_hz: float = 25.0) -> None:
        self.paint = painted
        self._period_s = 1.0 / rate_hz
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}/stream.mjpg"
        self._server: ThreadingHTTPServer | None = None
        self._unplugged = threading.Event()
        self.plug()

    def plug(self) -> None:
        """Be there."""
        camera, gone = self, threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                count = 0
                while not gone.is_set():
                    data = cv2.imencode(".jpg", camera.paint(count))[1].tobytes()
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                    try:
                        self.wfile.write(head.encode() + data + b"\r\n")
                    except OSError:
                        return
                    count += 1
                    time.sleep(camera._period_s)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._unplugged = gone
        self._server = Server(("127.0.0.1", self._port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def unplug(self) -> None:
        """Be gone, in the middle of a picture stream."""
        self._unplugged.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
