"""Real nodes: none runs open where security was asked for and cannot be had."""

from __future__ import annotations

import pytest

from lam_ros.environment import Installation


@pytest.mark.skipif(not Installation.here().from_wheels, reason="this ROS 2 may have DDS security")
@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        ("control", "ROS_SECURITY_ENABLE", "1"),
        ("control", "ROS_SECURITY_KEYSTORE", "/keys"),
        ("description", "ROS_SECURITY_STRATEGY", "Permissive"),
    ],
)
def test_a_node_that_could_only_run_open_does_not_run(
    graph, tmp_path, monkeypatch, module, name, value
) -> None:
    monkeypatch.setenv(name, value)
    process = graph.start(f"lam_ros.nodes.{module}")
    graph.spin_until(lambda: process.poll() is not None, "its end")
    said = (tmp_path / "process-0.log").read_text().strip()
    assert process.returncode == 4
    assert len(said.splitlines()) == 1
    assert f"security was asked for ({name}={value}) and cannot be had" in said
