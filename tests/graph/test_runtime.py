"""How a node runs: it says in one line why it cannot, and leaves nothing behind when it ends."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import pytest

NODE = """
import ctypes, os, sys, threading
from lam_ros.bridge import runtime
from lam_ros.bridge.realtime import calm_memory
from lam_ros.bridge.runtime import LamNode, run_node
from lam_ros.core.errors import LamError, MachineError


class Example(LamNode):
    def __init__(self):
        super().__init__("example")
        self.cycle = self

    def configure(self):
        calm_memory()
        if MODE == "cannot":
            raise MachineError("there is no such device; plug it in")
        if MODE == "bug":
            raise ValueError("a bug")

    def activate(self):
        print("ACTIVE", flush=True)
        if MODE == "fails later":
            self.create_timer(0.01, lambda: self.fail(MachineError("the device is gone")))
        if MODE == "bug later":
            self.create_timer(0.01, lambda: 1 / 0)

    def deactivate(self):
        print("AT REST", flush=True)

    def cleanup(self):
        print("CLEAN", flush=True)

    def __del__(self):
        if MODE == "the middleware hangs":
            ctypes.PyDLL(None).pause()  # for ever, and with the interpreter's lock


runtime.END_S = 1
code = run_node(Example)
names = [open(f"/proc/self/task/{task}/comm").read().strip() for task in os.listdir("/proc/self/task")]
print("THREADS", *names, flush=True)
sys.exit(code)
"""


def run(graph: Any, tmp_path: Path, mode: str, number: int | None = None) -> tuple[int, str]:
    process = graph.start_command([sys.executable, "-c", f"MODE = {mode!r}\n{NODE}"])
    log = tmp_path / "process-0.log"
    if number is not None:
        graph.spin_until(lambda: "ACTIVE" in log.read_text(), "the node to be active")
        process.send_signal(number)
    graph.spin_until(lambda: process.poll() is not None, "its end")
    return process.returncode, log.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_brings_it_to_rest_and_then_ends_it(graph, tmp_path, number):
    code, said = run(graph, tmp_path, "runs", number)
    assert code == 0
    assert said.splitlines()[:3] == ["ACTIVE", "AT REST", "CLEAN"]


def test_at_the_end_no_thread_of_the_middlewares_participant_is_left(graph, tmp_path):
    _, said = run(graph, tmp_path, "runs", signal.SIGTERM)
    threads = said.splitlines()[-1].removeprefix("THREADS ").split()
    assert set(threads) <= {"python", "python3", "dds.shm.wdog"}, threads


def test_a_middleware_that_never_lets_go_does_not_keep_the_process(graph, tmp_path):
    code, said = run(graph, tmp_path, "the middleware hangs", signal.SIGTERM)
    assert code == 0
    assert said.splitlines() == ["ACTIVE", "AT REST", "CLEAN"]


def test_what_it_cannot_do_is_one_line_and_its_exit_code(graph, tmp_path):
    code, said = run(graph, tmp_path, "cannot")
    assert code == 4
    fatal = [line for line in said.splitlines() if "FATAL" in line]
    assert len(fatal) == 1
    assert fatal[0].endswith("[example]: there is no such device; plug it in")
    assert "Traceback" not in said
    assert "ACTIVE" not in said


@pytest.mark.parametrize(
    ("mode", "expected", "words"),
    [
        ("fails later", 4, "the device is gone"),
        ("bug", 1, "ValueError: a bug"),
        ("bug later", 1, "ZeroDivisionError"),
    ],
)
def test_a_failure_ends_it_with_what_it_had_given_back(graph, tmp_path, mode, expected, words):
    code, said = run(graph, tmp_path, mode)
    assert code == expected
    assert words in said
    assert "CLEAN" in said
    if mode != "bug":
        assert said.index("AT REST") < said.index("CLEAN")


PROMPT = """
import os, threading
import rclpy
from lam_ros.bridge.realtime import be_prompt

rclpy.init()
node = rclpy.create_node("prompt")
granted = be_prompt()
found = {os.sched_getscheduler(int(name)) for name in os.listdir("/proc/self/task")}
print(len(os.listdir("/proc/self/task")) > 3, found == {os.SCHED_FIFO}, granted.startswith("SCHED_FIFO"))
"""


def test_the_middlewares_threads_are_first_in_line_as_well_so_that_none_holds_up_the_loop(
    graph: Any, tmp_path: Path
) -> None:
    process = graph.start_command([sys.executable, "-c", PROMPT])
    graph.spin_until(lambda: process.poll() is not None, "its end")
    many, all_first, is_granted = (tmp_path / "process-0.log").read_text().split()[-3:]
    assert many == "True"
    assert all_first == is_granted, "some threads only are first in line"
