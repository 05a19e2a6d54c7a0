"""LAM in simulation: arm and scenes in MuJoCo, tasks, the scripted expert and its data.

Rendering needs no display: unless told otherwise, MuJoCo draws through EGL.
"""

import os

os.environ.setdefault("MUJOCO_GL", "egl")
