"""Print constraints.txt: the exact version of every package that pip put in this environment.

.venv/bin/python scripts/lock.py > constraints.txt
"""

from importlib.metadata import distributions

HEADER = """\
# Every package of the environment that LAM was tested in, also those that only others need.
# Reasons for pins stand in requirements.txt and requirements-ros.txt.
# Made by: .venv/bin/python scripts/lock.py > constraints.txt"""
OURS = {"lam-ros", "lam_ros", "lerobot_policy_lam", "lerobot_env_lam", "lerobot_robot_lam", "pip"}

pins = {
    f"{found.name}=={found.version}"
    for found in distributions()
    if found.read_text("INSTALLER") == "pip\n" and found.name not in OURS
}
print("\n".join([HEADER, *sorted(pins, key=str.lower)]))
