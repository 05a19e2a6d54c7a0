"""`lam bench faults`: from a fault to the last command that still moves the arm.

The control node and the policy node are real and run in processes of their own; the
policy's model is a swing that fails when it is told to (`fault_policy`), and the arm with
its cameras is in the bench (`fault_arm`).  In each trial the arm is moving when one thing
goes wrong at a random moment; the time counts until the last command that differs from
the one before it.  The limit is 100 ms, 50 ms for the e-stop; `ratios` has each p99 over it.

Each trial is written at once into the file `--into`, and a later call with the same file makes
only those that are missing, so that all can be measured in short quiet pieces; `trials_missing` in
the report says which faults of the file have fewer than 50 yet.

    policy_hung, policy_slow   counted from the end of the time that an inference may take
                               (`slow_after_s` of the policy node): until then there is no fault
    picture_frozen             pictures with new stamps that do not change: known only after the
                               arm has moved 0.025 rad: not before the next picture, 40 ms
    *_killed                   kill -9; a process must start again, which takes seconds
    planner_killed             a real planner's node, which alone has asked for the skill
    *_stopped                  SIGSTOP: a process that is there and silent, as behind a cut cable
"""

from __future__ import annotations

import json
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from lam_ros.benches.fault_rig import PROBES, Rig
from lam_ros.benches.report import BenchReport, machine
from lam_ros.benches.times import percentiles_ms
from lam_ros.bridge.runtime import ended_by_signal, ros
from lam_ros.core.errors import ConfigError, DataError, unknown_name
from lam_ros.graph import POLICY_NICE, cores
from lam_ros.locks import hold_domain
from lam_ros.supervisor import NodeSpec, Supervisor

TRIALS = 50
"""Of each fault."""

SECONDS_A_TRIAL = 1.2
"""About what one takes: to get going, and to see that nothing moves any more."""

LIMIT_MS, ESTOP_LIMIT_MS = 100.0, 50.0


def run(seconds: float, only: Sequence[str] = (), into: Path | None = None) -> BenchReport:
    """Measure all faults, or `only` some.

    Args:
        seconds: for all of it; fewer trials are made if 50 of each do not fit.
        only: names of faults.
        into: file of the trials, one a line, which are counted with those in it already.

    Raises:
        ConfigError: if there is no such fault.
        NodeDied: if a node could not be started.
    """
    for name in only:
        if name not in PROBES:
            raise ConfigError(unknown_name("fault", name, PROBES))
    chosen = {name: probe for name, probe in PROBES.items() if not only or name in only}
    trials = Trials(into)
    missing = trials.missing(chosen)
    chosen = {name: probe for name, probe in chosen.items() if name in missing}
    end = time.monotonic() + seconds
    with _bar(len(chosen)) as tell, ended_by_signal() as signals:
        for simulated_time in (False, True):
            part = {n: p for n, p in chosen.items() if p.simulated_time == simulated_time}
            if not part or signals:
                continue
            with rig_of_its_own(simulated_time) as rig:
                for name, probe in part.items():
                    left = list(chosen)[list(chosen).index(name) :]
                    share = (end - time.monotonic()) / len(left) / SECONDS_A_TRIAL
                    count = min(missing[name], max(3 if into is None else 1, math.floor(share)))
                    for done in range(count):
                        if signals or (into is not None and time.monotonic() > end):
                            break
                        trials.add(name, rig.trial(probe))
                        tell(name, (done + 1) / count)
    times = {name: trials.of(name) for name in PROBES if trials.of(name)}
    return _report(times, trials.missing(PROBES if into else only or PROBES))


class Trials:
    """Times of trials by fault [ms], in memory and, as they come, in a file."""

    def __init__(self, path: Path | None) -> None:
        """Read what the file has already.

        Raises:
            DataError: if it holds something else.
        """
        self._path = path
        self._times: dict[str, list[float]] = {}
        if path is None or not path.exists():
            return
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                row = json.loads(line)
                self._times.setdefault(row["fault"], []).append(float(row["ms"]))
            except (ValueError, KeyError, TypeError):
                raise DataError(
                    f"{path}, line {number}: no trial of `lam bench faults`; give another file"
                ) from None

    def of(self, fault: str) -> list[float]:
        """Return the times of a fault."""
        return self._times.get(fault, [])

    def missing(self, faults: Iterable[str]) -> dict[str, int]:
        """Return how many trials the faults lack that have not enough."""
        lacking = {fault: TRIALS - len(self.of(fault)) for fault in faults}
        return {fault: count for fault, count in lacking.items() if count > 0}

    def add(self, fault: str, time_ms: float) -> None:
        """Keep one."""
        self._times.setdefault(fault, []).append(time_ms)
        if self._path is not None:
            row = {"fault": fault, "ms": round(time_ms, 3), "load_1min": os.getloadavg()[0]}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")


@contextmanager
def rig_of_its_own(simulated_time: bool = False) -> Iterator[Rig]:
    """Run the nodes on a domain of their own while the block lasts."""
    domain_id, domain = hold_domain()
    with domain, tempfile.TemporaryDirectory(prefix="lam-faults-") as folder:
        os.environ["ROS_DOMAIN_ID"] = str(domain_id)
        specs = _graph(simulated_time)
        with Supervisor(specs, Path(folder), domain_id) as host, ros([]) as executor:
            rig = Rig(host, executor, simulated_time)
            try:
                yield rig
            finally:
                rig.close()


def _graph(simulated_time: bool) -> tuple[NodeSpec, ...]:
    on = {"use_sim_time": simulated_time}
    return (
        NodeSpec(
            "control",
            "lam_ros.nodes.control",
            "ControlNode",
            {"discovery_s": 0.0, **on},
            cpus=cores()[:1],
        ),
        NodeSpec(
            "policy",
            "lam_ros.benches.fault_policy",
            "FaultyPolicyNode",
            on,
            nice=POLICY_NICE,
            cpus=cores()[1:],
        ),
    )


def _report(times: dict[str, list[float]], missing: dict[str, int]) -> BenchReport:
    figures: dict[str, Any] = {f"{n}_ms": percentiles_ms(values) for n, values in times.items()}
    if missing:
        figures["trials_missing"] = missing
    ratios = {}
    for name, values in times.items():
        limit = ESTOP_LIMIT_MS if name == "estop" else LIMIT_MS
        p99 = percentiles_ms(values).get("p99", 0.0)
        ratios[f"{name}_p99_to_limit"] = round(p99 / limit, 3)
    return BenchReport("faults", figures, ratios, machine())


@contextmanager
def _bar(total: int) -> Iterator[Callable[[str, float], None]]:
    """Show how far it is; gives what takes a fault and the share of its trials that is done."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    done: dict[str, float] = {}

    def tell(name: str, share: float) -> None:
        done[name] = share
        bar.update(task, description=f"{name:20}", completed=sum(done.values()))

    with bar:
        task: Any = bar.add_task("starting", total=total)
        yield tell
