"""The doctor on the machine that runs the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from lam_ros.environment import node_environment

# The others depend on what is plugged in, or on the checkpoint.
NEEDED = {
    "python",
    "ros",
    "interfaces",
    "opencv",
    "dds profile",
    "shared memory",
    "messages",
    "dds segment",
    "rendering",
}


def look(domain_id, **changed):
    env = {**node_environment(domain_id=domain_id), **changed}
    command = [sys.executable, "-m", "lam_ros.doctor", "--json"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=110)
    return done, json.loads(done.stdout.splitlines()[-1])


def test_this_machine_has_what_the_simulation_needs(domain_id):
    done, answer = look(domain_id)

    found = {check["name"]: check for check in answer["checks"]}
    assert found.keys() >= NEEDED
    for name in NEEDED:
        assert found[name]["ok"], found[name]
    assert done.returncode == (0 if answer["ok"] else 4)


def test_a_profile_of_the_user_that_loses_pictures_is_found(domain_id, tmp_path):
    profile = tmp_path / "small.xml"
    profile.write_text("<profiles xmlns='http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles'/>")

    done, answer = look(domain_id, FASTRTPS_DEFAULT_PROFILES_FILE=str(profile))

    found = {check["name"]: check["ok"] for check in answer["checks"]}
    assert done.returncode == 4
    assert found["dds profile"] is False
    assert found["dds segment"] is False
    assert os.environ["FASTRTPS_DEFAULT_PROFILES_FILE"] != str(profile)
