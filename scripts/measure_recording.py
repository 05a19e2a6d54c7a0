"""Measure what recording two cameras costs: core-seconds a second, by form of the pictures.

    .venv/bin/python scripts/measure_recording.py [PICTURE.png]

Two cameras of 640x480 at 30 Hz and joints at 50 Hz are written for ten seconds in real
time.  JPEG includes the encoding.  Then one picture goes through each encoder and decoder
that is installed.  The figures in docs/recording.md are from here.
"""

from __future__ import annotations

import io
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from PIL import Image

from lam_ros.config import load_robot
from lam_ros.recording import jpeg
from lam_ros.recording.cdr import compressed_image
from lam_ros.recording.definitions import installed_types
from lam_ros.recording.format import EpisodeMeta, Outcome
from lam_ros.recording.writer import EpisodeWriter

WIDTH_PX, HEIGHT_PX = 640, 480
SECONDS, RATE_HZ = 10, 30
CAMERAS = ("/camera/front/image_raw", "/camera/wrist/image_raw")
ROUNDS = 100
DEFAULT_PICTURE = Path(__file__).parent.parent / "docs" / "images" / "demo.png"


def pictures(path: Path) -> list[Any]:
    """Return some pictures with the noise of a real sensor, each shape (480, 640, 3)."""
    found = cv2.resize(
        cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), (WIDTH_PX, HEIGHT_PX)
    )
    rng = np.random.default_rng(0)
    noisy = found + rng.normal(0, 3, (10, *found.shape))
    return list(np.clip(noisy, 0, 255).astype(np.uint8))


def raw_image(picture: Any, stamp_ns: int) -> bytes:
    """Return a serialised sensor_msgs/Image."""
    types = installed_types()
    stamp = types.types["builtin_interfaces/msg/Time"](*divmod(stamp_ns, 10**9))
    header = types.types["std_msgs/msg/Header"](stamp, "camera")
    kind = "sensor_msgs/msg/Image"
    message = types.types[kind](
        header, HEIGHT_PX, WIDTH_PX, "rgb8", 0, 3 * WIDTH_PX, picture.reshape(-1)
    )
    return bytes(types.serialize_cdr(message, kind))


def cpu_s() -> float:
    """Return the processor time of this process, all threads [s]."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def record(root: Path, name: str, type_name: str, make: Callable[[int, int], bytes]) -> None:
    """Write in real time, and print what it took; `make` gives frame n with a stamp."""
    meta = EpisodeMeta.begin("", load_robot("so101"), started_ns=time.time_ns())
    slowest_s, begin_cpu_s, begin_s = 0.0, cpu_s(), time.monotonic()
    with EpisodeWriter(root / name, meta) as writer:
        for topic in CAMERAS:
            writer.add_channel(topic, type_name)
        for frame in range(SECONDS * RATE_HZ):
            stamp_ns = time.time_ns()
            for topic in CAMERAS:
                data = make(frame, stamp_ns)
                at_s = time.monotonic()
                writer.write(topic, data, stamp_ns, stamp_ns)
                slowest_s = max(slowest_s, time.monotonic() - at_s)
            time.sleep(max(0.0, begin_s + (frame + 1) / RATE_HZ - time.monotonic()))
        at_s = time.monotonic()
        writer.close(Outcome.KEPT, "")
        close_s = time.monotonic() - at_s
    spent = (cpu_s() - begin_cpu_s) / SECONDS
    size_mb = sum(path.stat().st_size for path in (root / name).iterdir()) / 1e6
    print(
        f"{name:>22}: {spent:.3f} core-s/s, {size_mb / SECONDS:5.1f} MB/s, slowest write "
        f"{slowest_s * 1e3:.1f} ms, close {close_s * 1e3:.0f} ms"
    )


def av_jpeg(picture: Any) -> bytes:
    """Encode through FFmpeg."""
    codec = av.CodecContext.create("mjpeg", "w")
    codec.width, codec.height, codec.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuvj420p"
    codec.time_base, codec.thread_count, codec.qmin, codec.qmax = Fraction(1, 30), 1, 3, 3
    frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuvj420p")
    return b"".join(bytes(packet) for packet in (*codec.encode(frame), *codec.encode(None)))


def pillow_jpeg(picture: Any) -> bytes:
    """Encode through Pillow."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=jpeg.DEFAULT_QUALITY)
    return stream.getvalue()


def timed(name: str, action: Callable[[Any], Any], values: list[Any]) -> None:
    """Print the processor time of one call."""
    action(values[0])
    begin_s = cpu_s()
    for index in range(ROUNDS):
        result = action(values[index % len(values)])
    print(f"{name:>22}: {(cpu_s() - begin_s) / ROUNDS * 1e3:.2f} ms, {len(result)} out")


def main() -> None:
    """Measure everything."""
    cv2.setNumThreads(1)
    found = pictures(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_PICTURE)
    raw = [raw_image(picture, 1) for picture in found]
    coded = [jpeg.encode(picture) for picture in found]
    packed = [compressed_image(1, "camera", data) for data in coded]
    image, compressed = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"

    def encode(frame: int, stamp_ns: int) -> bytes:
        return compressed_image(stamp_ns, "camera", jpeg.encode(found[frame % 10]))

    with tempfile.TemporaryDirectory(dir=os.environ.get("MEASURE_DIR")) as folder:
        root = Path(folder)
        record(root, "raw", image, lambda frame, _: raw[frame % 10])
        record(root, "JPEG that came as such", compressed, lambda frame, _: packed[frame % 10])
        record(root, "JPEG encoded here", compressed, encode)
    timed("encode, OpenCV", jpeg.encode, found)
    timed("encode, PyAV", av_jpeg, found)
    timed("encode, Pillow", pillow_jpeg, found)
    timed("decode, OpenCV", jpeg.decode, coded)


if __name__ == "__main__":
    main()
