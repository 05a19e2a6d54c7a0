"""Checks of the machine: rendering, compute, disk, and what is plugged in."""

from __future__ import annotations

import grp
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from lam_ros.doctor.check import Check

DISK_FREE_BYTES = 2 * 10**9
RENDER_S = 60.0
# In a process of its own: a broken driver ends the process that calls it.
RENDER = """
import mujoco
from OpenGL import GL
scene = ('<mujoco><worldbody><light pos="0 0 2"/>'
         '<geom type="sphere" size=".3" rgba="1 0 0 1"/></worldbody></mujoco>')
model = mujoco.MjModel.from_xml_string(scene)
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
renderer = mujoco.Renderer(model, 64, 64)
renderer.update_scene(data)
picture = renderer.render()
name = GL.glGetString(GL.GL_RENDERER).decode()
renderer.close()
assert picture[..., 0].max() > 100, "the picture is black"
print(name)
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def rendering(env: Mapping[str, str], run: Run = subprocess.run) -> Check:
    """Check that MuJoCo renders a picture without a screen."""
    backend = env.get("MUJOCO_GL", "")
    try:
        done = run(
            [sys.executable, "-c", RENDER],
            env=dict(env),
            capture_output=True,
            text=True,
            timeout=RENDER_S,
        )
    except subprocess.TimeoutExpired:
        return Check(
            "rendering", False, f"no picture in {RENDER_S:.0f} s with MUJOCO_GL={backend}", _EGL
        )
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines() or [
        "no message"
    ]
    if done.returncode:
        return Check("rendering", False, f"MUJOCO_GL={backend}: {lines[-1]}", _EGL)
    return Check("rendering", True, f"{backend}, {lines[-1]}")


_EGL = "apt-get install libegl1 libgl1, and leave MUJOCO_GL unset or 'egl'"


def gpu(run: Run = subprocess.run) -> Check:
    """Say which GPU there is; none is needed."""
    if shutil.which("nvidia-smi") is None:
        return Check("gpu", True, "none; the CPU does")
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        done = run(query, capture_output=True, text=True, timeout=20.0)
    except subprocess.TimeoutExpired:
        return Check("gpu", True, "nvidia-smi does not answer", "look at the driver; the CPU does")
    names = ", ".join(done.stdout.split("\n")).strip(", ")
    return Check("gpu", True, names if done.returncode == 0 and names else "none; the CPU does")


def threads(cores: int, env: Mapping[str, str]) -> Check:
    """Check that torch is not told to take more threads than there are cores."""
    wanted = env.get("OMP_NUM_THREADS", "")
    found = f"{cores} cores, OMP_NUM_THREADS={wanted or 'not set'}"
    if wanted.isdigit() and int(wanted) > cores:
        return Check("threads", False, found, "unset OMP_NUM_THREADS; nodes set their own")
    if cores < 2:
        remedy = "the policy and the command stream share it: expect jitter"
        return Check("threads", True, found, remedy)
    return Check("threads", True, found)


def rhythm(period_ms: float, seen: Mapping[str, Any]) -> Check:
    """Say whether the command stream may come first, and how late the machine wakes a bare loop.

    Args:
        period_ms: of the loop.
        seen: what `lam_ros.witness` saw.
    """
    found = f"{seen['granted']}; {seen['longest_ms']:g} ms between two of {period_ms:g} at most"
    if not str(seen["granted"]).startswith("SCHED_FIFO"):
        return Check("rhythm", True, found, _REAL_TIME)
    if seen["missed"]:
        remedy = (
            f"{seen['missed']} of {seen['beats']} came late: end what keeps disk and memory busy"
        )
        return Check("rhythm", True, found, remedy)
    return Check("rhythm", True, found)


_REAL_TIME = (
    "for a real arm: 'USER - rtprio 20' and 'USER - memlock unlimited' as two lines of "
    "/etc/security/limits.d/lam.conf, then log in again"
)


def disk(free_bytes: int, folder: Path) -> Check:
    """Check that there is room for recordings and checkpoints."""
    found = f"{free_bytes / 1e9:.1f} GB free at {folder}"
    if free_bytes >= DISK_FREE_BYTES:
        return Check("disk", True, found)
    return Check("disk", False, found, f"make room: {DISK_FREE_BYTES / 1e9:.0f} GB are needed")


def may_use(device: Path) -> bool:
    """Return whether this user may read and write a device."""
    return os.access(device, os.R_OK | os.W_OK)


def cameras(devices: Iterable[Path], usable: Callable[[Path], bool] = may_use) -> Check:
    """Say which cameras there are; simulation needs none."""
    return _devices("cameras", devices, "video", usable, called=camera_called)


def camera_called(device: Path, names: Path = Path("/sys/class/video4linux")) -> str:
    """Return a camera's device with the name that it gives itself."""
    try:
        return f"{device} ({(names / device.name / 'name').read_text().strip()})"
    except OSError:
        return str(device)


def serial_ports(devices: Iterable[Path], usable: Callable[[Path], bool] = may_use) -> Check:
    """Say which serial ports there are and whether we may use them; simulation needs none."""
    return _devices("serial ports", devices, "dialout", usable)


def _devices(
    name: str,
    devices: Iterable[Path],
    group: str,
    usable: Callable[[Path], bool],
    called: Callable[[Path], str] = str,
) -> Check:
    found = sorted(devices)
    if not found:
        return Check(name, True, "none")
    closed = [str(path) for path in found if not usable(path)]
    names = ", ".join(map(called, found))
    if not closed:
        return Check(name, True, names)
    remedy = f"sudo usermod -aG {_group_of(closed[0], group)} $USER, then log in again"
    return Check(name, False, f"no permission for {', '.join(closed)}", remedy)


def _group_of(path: str, default: str) -> str:
    try:
        return grp.getgrgid(os.stat(path).st_gid).gr_name
    except (OSError, KeyError):
        return default
