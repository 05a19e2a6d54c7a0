"""What every bench returns, and how it is printed."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class BenchReport:
    """Figures of one bench.

    Attributes:
        bench: its name.
        metrics: name -> number, or percentiles of times [ms].
        ratios: name -> ours over the peer's or the limit's, measured in the same run.
        machine: what it ran on.
    """

    bench: str
    metrics: Mapping[str, Any]
    ratios: Mapping[str, float]
    machine: Mapping[str, Any]

    def to_json(self) -> str:
        """Return one line of JSON; keys as DESIGN fixes them."""
        return json.dumps(asdict(self))

    def print(self, console: Console) -> None:
        """Print a table for people."""
        table = Table(title=f"bench {self.bench}")
        table.add_column("figure")
        table.add_column("value", justify="right")
        for name, value in [*self.metrics.items(), *self.ratios.items()]:
            shown = (
                "  ".join(f"{k} {v}" for k, v in value.items())
                if isinstance(value, Mapping)
                else value
            )
            table.add_row(name, str(shown))
        console.print(table)
        console.print(", ".join(f"{name}: {value}" for name, value in self.machine.items()))


def machine() -> dict[str, Any]:
    """Return what a figure depends on: processor, cores, memory, load, versions."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_1min": round(os.getloadavg()[0], 2),
        "os": platform.platform(terse=True),
        "python": platform.python_version(),
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
