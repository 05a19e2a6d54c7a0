"""Many runs through the real graph, one after the other, with a rate of success.

    python -m lam_ros.run.many --first-seed 1000000 --count 20 [--fixtures] [key=value ...]

Each seed draws an instruction, and the scene that holds what it names.  It is the
evaluation in lockstep (`lam eval`) over again, in real time and through ROS.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from lam_ros import environment
from lam_ros.core.errors import LamError
from lam_ros.evaluation.stats import wilson_95
from lam_ros.run.report import RunReport, RunRequest
from lam_ros.run.run import run
from lam_sim.catalog import TASK_COLORS
from lam_sim.scenes import SceneConfig


@dataclass(frozen=True)
class Tally:
    """What came of all runs."""

    reports: tuple[RunReport, ...]

    def to_dict(self) -> dict[str, object]:
        """Return plain data for JSON."""
        count, done = len(self.reports), sum(report.success for report in self.reports)
        seconds = [report.seconds for report in self.reports if report.success]
        latency = [report.latency_ms for report in self.reports if report.latency_ms]
        return {
            "runs": count,
            "successes": done,
            "success_rate": done / count,
            "wilson_95": list(wilson_95(done, count)),
            "seconds_per_task": float(np.mean(seconds)) if seconds else None,
            "start_seconds": float(np.mean([report.start_seconds for report in self.reports])),
            "latency_ms": float(np.mean(latency)) if latency else None,
            "sight": self._sight(),
            "failures": [
                {"seed": r.seed, "instruction": r.instruction, "message": r.message}
                for r in self.reports
                if not r.success
            ],
        }

    def _sight(self) -> dict[str, float]:
        """Return the means over all runs of how well was seen."""
        found = [dict(report.sight) for report in self.reports if report.sight]
        return {
            name: round(float(np.mean([one[name] for one in found])), 4)
            for name in (found[0] if found else {})
        }


SAID_OF_FIXTURES = (
    "open the {} drawer",
    "press the {} button",
    "push the {} cube into the {} region",
    "sweep the {} pieces into the {} region",
)
_COLORS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"drawer": SceneConfig().drawer_colors, "pieces": SceneConfig().piece_colors}
)


def draw_instruction(seed: int, *, fixtures: bool = False) -> str:
    """Draw `put the ... cube in the ... bowl` or `... on the ... spot`; or one about a fixture."""
    rng = np.random.default_rng([seed, 0x1257])
    if fixtures:
        said = SAID_OF_FIXTURES[seed % len(SAID_OF_FIXTURES)]
        kind = said.split()[3]
        first = str(rng.choice(_COLORS.get(kind, TASK_COLORS)))
        second = str(rng.choice([color for color in TASK_COLORS if color != first]))
        return said.format(first, second)
    cube, target = (str(color) for color in rng.choice(TASK_COLORS, 2, replace=False))
    place = "in the {} bowl" if rng.random() < 0.5 else "on the {} spot"
    return f"put the {cube} cube {place.format(target)}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run all seeds, one line each on standard error, JSON at the end."""
    parser = argparse.ArgumentParser(prog="python -m lam_ros.run.many")
    parser.add_argument("--first-seed", type=int, default=1_000_000)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--out", default="", metavar="DIR", help="folder of the runs' folders")
    parser.add_argument(
        "--fixtures", action="store_true", help="of drawers, buttons, regions and pieces, in turn"
    )
    parser.add_argument("--video", action="store_true", help="make the film of each run")
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    options = parser.parse_args(argv)
    environment.ensure()
    began = time.strftime("%Y%m%d-%H%M%S")
    reports = []
    for seed in range(options.first_seed, options.first_seed + options.count):
        request = RunRequest(
            instruction=draw_instruction(seed, fixtures=options.fixtures),
            seed=seed,
            out=Path(options.out or f"runs/many-{began}") / str(seed),
            video=options.video,
            show=False,
            overrides=tuple(options.overrides),
        )
        try:
            report = run(request)
        except LamError as error:
            print(f"{error}", file=sys.stderr)
            return int(error.exit_code)
        reports.append(report)
        mark = "✓" if report.success else "✗"
        print(f"{mark} {seed} {request.instruction} ({report.seconds:.1f} s) {report.message}",
              file=sys.stderr)  # fmt: skip
    print(json.dumps(Tally(tuple(reports)).to_dict()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
