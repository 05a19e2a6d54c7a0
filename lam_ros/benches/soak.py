"""`lam bench soak`: the whole graph at work for an hour, and what it has become by then.

Simulator, policy, control node and planner run as `lam run` starts them, each a process
of its own; instructions follow one another, each on a table set anew.  Samples are
written as they are taken, to `soak.jsonl` in the run's folder, with a plot at the end.

    growth                memory of a process's own (anonymous pages, [MiB]) at the end over
                          that at the beginning, medians of a tenth of the samples each; the
                          beginning is after the first tenth, when everything has been used once
    missed_commands       times between two commands longer than two control periods: the
                          arm would have waited
    missed_observations   first commands that were computed from a picture older than
                          the time between two inferences and two control periods
    machine               the same of a bare loop at the control node's rate, priority and core:
                          what is late in both, the machine made late
    restarts              processes that were another one at the end; a death ends the soak
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import rclpy
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from lam_interfaces import msg as lam_msg
from lam_interfaces.srv import ResetScene
from lam_ros.benches.report import BenchReport, machine
from lam_ros.benches.soak_plot import draw
from lam_ros.benches.times import percentiles_ms
from lam_ros.bridge import qos, topics
from lam_ros.bridge.messages import stamp_to_ns
from lam_ros.bridge.runtime import ended_by_signal, ros
from lam_ros.core.clock import NS_PER_MS, seconds_to_ns
from lam_ros.core.errors import MachineError
from lam_ros.graph import sim_graph
from lam_ros.locks import hold_domain, hold_run
from lam_ros.run.client import RunClient
from lam_ros.run.parameters import driver_of, graph_parameters
from lam_ros.run.settings import RunSettings, load_run_settings
from lam_ros.run.timeline import Timeline
from lam_ros.supervisor import NodeDied, Supervisor
from lam_ros.witness import witness

INSTRUCTIONS = (
    "put the red cube in the blue bowl",
    "put the green cube on the yellow spot",
    "put the blue cube in the red bowl, then put the green cube on the yellow spot",
)
SEED = 1_000_000
SAMPLE_S = 5.0
START_S = 120.0
HOME = "go home"
"""Before each table: it is set with the arm at home, and one that was last told to be elsewhere
would swing back there, through what stands on it."""

FRESH_S = 1.5
"""After each table: until what was seen of the one before is too old to be planned on."""

TABLES, ANOTHER = 3, 100_000
"""Tables that are tried, and how far the next one's seed is."""

LIMIT_S = 120.0
"""Longest time that an instruction may take."""

PLOT, SAMPLES = "soak.png", "soak.jsonl"


@dataclass
class Deadlines:
    """Judges each command by its report; `period_ns` and `chain_ns` are what is allowed."""

    period_ns: int
    chain_ns: int
    commands: int = 0
    missed_commands: int = 0
    missed_observations: int = 0
    longest_gap_ms: float = 0.0
    chains_ms: list[float] = field(default_factory=list)
    _last_ns: int = 0
    _last_obs_ns: int = 0

    def note(self, stamp_ns: int, obs_stamp_ns: int) -> None:
        """Take one command: when it was made, and the observation behind it (0 for none)."""
        self.commands += 1
        if self._last_ns:
            gap_ns = stamp_ns - self._last_ns
            self.longest_gap_ms = max(self.longest_gap_ms, gap_ns / NS_PER_MS)
            self.missed_commands += gap_ns > 2 * self.period_ns
        self._last_ns = stamp_ns
        if obs_stamp_ns > self._last_obs_ns:
            self._last_obs_ns = obs_stamp_ns
            self.chains_ms.append((stamp_ns - obs_stamp_ns) / NS_PER_MS)
            self.missed_observations += stamp_ns - obs_stamp_ns > self.chain_ns


@dataclass
class Record:
    """What a soak has seen; each sample is written at once."""

    file: TextIO
    samples: list[dict[str, Any]] = field(default_factory=list)
    instructions: int = 0
    succeeded: int = 0

    def sample(self, seconds: float, pids: dict[str, int], deadlines: Deadlines) -> None:
        """Note each process's memory and the deadlines missed so far."""
        row = {
            "seconds": round(seconds, 1),
            "own_mib": {name: memory_mib(pid, "RssAnon") for name, pid in pids.items()},
            "shared_mib": {name: memory_mib(pid, "RssShmem") for name, pid in pids.items()},
            "pids": pids,
            "instructions": self.instructions,
            "succeeded": self.succeeded,
            "commands": deadlines.commands,
            "missed_commands": deadlines.missed_commands,
            "missed_observations": deadlines.missed_observations,
            "load_1min": round(os.getloadavg()[0], 2),
        }
        self.samples.append(row)
        self.file.write(json.dumps(row) + "\n")
        self.file.flush()


def memory_mib(pid: int, kind: str) -> float:
    """Return a process's memory of one kind of /proc/PID/status [MiB]; 0 if it has gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    for line in text.splitlines():
        if line.startswith(f"{kind}:"):
            return round(int(line.split()[1]) / 1024, 2)
    return 0.0


def growth(values: Sequence[float]) -> float:
    """Return the end over the beginning, less one: medians of a tenth each, the first left out."""
    tenth = max(1, len(values) // 10)
    if len(values) < 3 * tenth:
        return 0.0
    first, last = np.median(values[tenth : 2 * tenth]), np.median(values[-tenth:])
    return round(float(last / first) - 1.0, 4) if first else 0.0


def run(seconds: float, overrides: Sequence[str] = ()) -> BenchReport:
    """Have the graph at work for about `seconds` [s].

    Raises:
        CheckpointError: if there is no policy to run.
        BusyError: if a run is in progress.
        NodeDied: if a node ended; the samples until then are kept.
    """
    folder = Path("runs") / f"soak-{time.strftime('%Y%m%d-%H%M%S')}"
    folder.mkdir(parents=True, exist_ok=True)
    settings = load_run_settings(overrides)
    driver = driver_of(settings)
    settings = settings.for_instruction(", then ".join(INSTRUCTIONS))
    parameters = graph_parameters(settings, driver, SEED, folder, video=False, single_process=False)
    domain_id, domain = hold_domain()
    with hold_run(), domain, (folder / SAMPLES).open("w", encoding="utf-8") as file:
        os.environ["ROS_DOMAIN_ID"] = str(domain_id)
        with (
            ended_by_signal() as signals,
            Supervisor(sim_graph(parameters), folder, domain_id) as host,
            witness(settings.robot.control_period_ns) as bare,
            ros([]) as executor,
            _bar(seconds) as tell,
        ):
            soak = _Soak(host, executor, settings, Record(file), signals)
            try:
                soak.start()
                soak.work(seconds, tell)
            finally:
                soak.close()
                draw(soak.record.samples, folder / PLOT)
    Console(stderr=True).print(f"samples and plot: {folder}")
    return _report(soak.record, soak.deadlines, bare.seen, folder)


def _report(
    record: Record, deadlines: Deadlines, bare: dict[str, Any], folder: Path
) -> BenchReport:
    first, last = record.samples[0], record.samples[-1]
    grown = {
        name: growth([sample["own_mib"].get(name, 0.0) for sample in record.samples])
        for name in first["pids"]
    }
    return BenchReport(
        bench="soak",
        metrics={
            "seconds": last["seconds"],
            "growth": grown,
            "own_mib_first": first["own_mib"],
            "own_mib_last": last["own_mib"],
            "commands": deadlines.commands,
            "missed_commands": deadlines.missed_commands,
            "longest_gap_ms": round(deadlines.longest_gap_ms, 2),
            "missed_observations": deadlines.missed_observations,
            "machine": bare,
            "camera_to_command_ms": percentiles_ms(deadlines.chains_ms),
            "restarts": sum(first["pids"][name] != last["pids"].get(name) for name in grown),
            "instructions": record.instructions,
            "succeeded": record.succeeded,
            "folder": str(folder),
        },
        ratios={"largest_growth": max(grown.values(), default=0.0)},
        machine=machine(),
    )


class _Soak:
    """A client that gives one instruction after another, and a listener to the reports."""

    def __init__(
        self,
        host: Supervisor,
        executor: Any,
        settings: RunSettings,
        record: Record,
        signals: list[int],
    ) -> None:
        self.record = record
        period_ns = settings.robot.control_period_ns
        self.deadlines = Deadlines(
            period_ns, seconds_to_ns(settings.replan_every_s) + 2 * period_ns
        )
        self._host, self._executor, self._signals = host, executor, signals
        self._node = rclpy.create_node("soak")
        executor.add_node(self._node)
        self._reset = self._node.create_client(ResetScene, topics.RESET_SCENE)
        self._client = RunClient(self._node, [spec.name for spec in host.specs])
        self._node.create_subscription(
            lam_msg.SafetyReport, topics.SAFETY_REPORT, self._on_report, qos.REPORT
        )

    def start(self) -> None:
        """Wait until all nodes are active."""
        end = time.monotonic() + START_S
        while not self._client.is_ready:
            if time.monotonic() > end:
                raise MachineError(f"the graph was not ready within {START_S:g} s")
            self._client.ask_states(time.monotonic())
            self._spin(0.1)

    def work(self, seconds: float, tell: Any) -> None:
        """Give instructions until the time is over or a signal comes."""
        self._began = time.monotonic()
        self.deadlines = Deadlines(self.deadlines.period_ns, self.deadlines.chain_ns)
        self._tell, self._sampled = tell, -SAMPLE_S
        while self._elapsed() < seconds and not self._signals:
            number = self.record.instructions
            self._do(HOME, seconds)
            self._set_table(SEED + number)
            self._carry_out(INSTRUCTIONS[number % len(INSTRUCTIONS)], seconds)
            self.record.instructions += 1
        self._sample()

    def close(self) -> None:
        """Go away; the supervisor ends the others."""
        self._executor.remove_node(self._node)
        self._node.destroy_node()

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _set_table(self, seed: int) -> None:
        """Set the table of a seed, or of another where all that it needs does not fit."""
        for other in range(TABLES):
            future = self._reset.call_async(ResetScene.Request(seed=seed + other * ANOTHER))
            self._wait(future.done, 10.0)
            if not future.done():
                self._reset.remove_pending_request(future)
            elif future.result().success:
                break
        self._wait(lambda: False, FRESH_S)

    def _do(self, instruction: str, seconds: float) -> bool:
        """Give an instruction; return whether it has come to an end in time."""
        client = self._client
        client.timeline, client.result, client.is_rejected = Timeline(), None, False
        client.send(instruction, "")
        limit_s = min(LIMIT_S, max(1.0, seconds - self._elapsed()))
        if self._wait(lambda: client.result is not None or client.is_rejected, limit_s):
            return True
        client.cancel()
        self._wait(lambda: client.result is not None, 5.0)
        return False

    def _carry_out(self, instruction: str, seconds: float) -> None:
        client = self._client
        if not self._do(instruction, seconds):
            return
        goal: list[str] = list(client.result.goal) if client.result is not None else []
        future = client.judge(goal)
        self._wait(future.done, 5.0)
        holds = future.result().holds if goal and future.done() else [False]
        self.record.succeeded += all(holds)

    def _wait(self, done: Any, limit_s: float) -> bool:
        end = time.monotonic() + limit_s
        while not done() and not self._signals:
            if time.monotonic() > end:
                return False
            self._spin(0.05)
            if self._elapsed() - self._sampled >= SAMPLE_S:
                self._sample()
        return bool(done())

    def _sample(self) -> None:
        self._sampled = self._elapsed()
        self.record.sample(self._sampled, self._host.pids(), self.deadlines)
        self._tell(self._sampled, f"{self.record.succeeded} of {self.record.instructions} done")

    def _spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)
        death = self._host.death()
        if death is not None:
            raise NodeDied(
                f"after {time.monotonic() - getattr(self, '_began', 0.0):.0f} s: {death}"
            )

    def _on_report(self, report: lam_msg.SafetyReport) -> None:
        self.deadlines.note(stamp_to_ns(report.header.stamp), stamp_to_ns(report.obs_stamp))


@contextmanager
def _bar(seconds: float) -> Iterator[Any]:
    """Show how far it is; gives what takes the time passed and a line."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("soak"),
        BarColumn(),
        TextColumn("{task.fields[line]}"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("soak", total=seconds, line="starting")
        yield lambda passed, line: bar.update(task, completed=passed, line=line)
