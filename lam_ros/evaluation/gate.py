"""The gate before a real arm: what a checkpoint must have shown, and whether it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lam_ros.config import build, load_group
from lam_ros.evaluation.signing import SignedReport, is_signed


@dataclass(frozen=True)
class Gate:
    """Thresholds; `config/eval/gate.yaml`.

    Attributes:
        least_episodes: a report of fewer counts for nothing.
        success: suite -> least share of successes.
        chains: suite -> least mean length.
        axes: axis of `axes_suite` -> most that it may cost.
        axes_suite: whose success on no axis theirs is held against.
    """

    least_episodes: int
    success: Mapping[str, float]
    axes_suite: str
    chains: Mapping[str, float] = field(default_factory=dict)
    axes: Mapping[str, float] = field(default_factory=dict)


def load_gate() -> Gate:
    """Read `config/eval/gate.yaml`.

    Raises:
        ConfigError: if a key or value is not allowed.
    """
    return build(Gate, load_group("eval", "gate"), "eval/gate")


@dataclass(frozen=True)
class Check:
    """One demand: what is needed, what was found, and whether that will do."""

    name: str
    needed: str
    found: str
    ok: bool


def check(
    gate: Gate, reports: Sequence[SignedReport], weights_sha256: str, robot: str, key: bytes
) -> list[Check]:
    """Return every demand of the gate with its answer.

    Args:
        gate: the thresholds.
        reports: of the checkpoint.
        weights_sha256: of the weights as they are now.
        robot: fingerprint of the robot that is to be driven.
        key: the secret that must have signed.
    """
    valid: dict[tuple[str, str], SignedReport] = {}
    why: dict[tuple[str, str], str] = {}
    for report in reports:
        place = (str(report.figures.get("suite")), str(report.figures.get("axis")))
        fault = _fault(gate, report, weights_sha256, robot, key)
        if fault:
            why.setdefault(place, fault)
        else:
            valid[place] = report
    judge = _Judge(valid, why)
    checks = [judge.rate(suite, least) for suite, least in gate.success.items()]
    checks += [judge.length(suite, least) for suite, least in gate.chains.items()]
    checks += [judge.cost(gate.axes_suite, axis, most) for axis, most in gate.axes.items()]
    return checks


def _fault(gate: Gate, report: SignedReport, weights: str, robot: str, key: bytes) -> str:
    """Return why a report does not count; empty if it does."""
    if not is_signed(report, key):
        return "its signature is not this user's, or it was changed"
    if report.weights_sha256 != weights:
        return f"it is older than the weights, of {report.weights_sha256[:8]}"
    if report.robot != robot:
        return f"it is of another robot, {report.robot}"
    count = report.figures.get("episodes", 0)
    if count < gate.least_episodes:
        return f"{count} episodes, {gate.least_episodes} are needed"
    if report.figures.get("policy") == "expert":
        return "it is of the teleoperator"
    return ""


@dataclass(frozen=True)
class _Judge:
    valid: Mapping[tuple[str, str], SignedReport]
    why: Mapping[tuple[str, str], str]

    def rate(self, suite: str, least: float) -> Check:
        found = self._figure(suite, "none", "success_rate")
        return self._check(f"suite {suite}", f"{least:.0%}", found, suite, "none", found, least)

    def length(self, suite: str, least: float) -> Check:
        found = self._figure(suite, "none", "mean_chain_length")
        return self._check(f"suite {suite}", f"{least} steps", found, suite, "none", found, least)

    def cost(self, suite: str, axis: str, most: float) -> Check:
        plain, hard = (self._figure(suite, name, "success_rate") for name in ("none", axis))
        kept = None if plain is None or hard is None else hard - plain
        needed = f"costs {most:.0%} at most"
        missing = axis if hard is None else "none"
        return self._check(f"axis {axis}", needed, kept, suite, missing, kept, -most)

    def _figure(self, suite: str, axis: str, name: str) -> float | None:
        report = self.valid.get((suite, axis))
        value: Any = None if report is None else report.figures.get(name)
        return None if value is None else float(value)

    def _check(
        self,
        name: str,
        needed: str,
        found: float | None,
        suite: str,
        axis: str,
        value: float | None,
        least: float,
    ) -> Check:
        if found is None or value is None:
            reason = self.why.get((suite, axis), "there is no report")
            return Check(name, needed, reason, False)
        share = found <= 1.0
        return Check(
            name, needed, f"{found:.1%}" if share else f"{found:.2f}", value >= least - 1e-9
        )
