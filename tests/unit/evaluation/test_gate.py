"""A checkpoint drives an arm only with signed, current, sufficient evaluations."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lam_ros.cli import main
from lam_ros.config import load_robot
from lam_ros.core.errors import CheckpointError, DataError, MachineError
from lam_ros.evaluation import signing
from lam_ros.evaluation.compare import compare
from lam_ros.evaluation.gate import check, load_gate
from lam_ros.evaluation.signing import SignedReport
from lam_ros.evaluation.stats import mcnemar_exact

KEY, OTHER_KEY = bytes(range(32)), bytes(32)
WEIGHTS, ROBOT = "ab" * 32, "so101-1"


def figures(suite: str, axis: str = "none", rate: float = 1.0, episodes: int = 200) -> dict:
    row = {"suite": suite, "axis": axis, "wording": "canonical", "episodes": episodes}
    return {**row, "success_rate": rate, "mean_chain_length": 5 * rate, "policy": "lam-1"}


def signed(row: dict, key: bytes = KEY, weights: str = WEIGHTS, robot: str = ROBOT) -> SignedReport:
    report = SignedReport(weights, robot, "2026-01-01T00:00:00+00:00", row)
    return replace(report, signature=signing.signature_of(report, key))


def good() -> list[SignedReport]:
    gate = load_gate()
    suites = [*gate.success, *gate.chains]
    axes = [figures(gate.axes_suite, axis, 0.99) for axis in gate.axes]
    return [signed(row) for row in [*map(figures, suites), *axes]]


def failed(reports: list[SignedReport]) -> dict[str, str]:
    checks = check(load_gate(), reports, WEIGHTS, ROBOT, KEY)
    return {item.name: item.found for item in checks if not item.ok}


def test_a_checkpoint_that_has_shown_everything_passes() -> None:
    assert failed(good()) == {}


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (signed(figures("stack"), OTHER_KEY), "signature"),
        (replace(signed(figures("stack", rate=0.1)), figures=figures("stack")), "signature"),
        (signed(figures("stack"), weights="cd" * 32), "older than the weights"),
        (signed(figures("stack"), robot="franka-1"), "another robot"),
        (signed(figures("stack", episodes=60)), "60 episodes"),
        (signed(figures("stack", rate=0.89)), "89.0%"),
        (None, "no report"),
    ],
)
def test_a_report_that_does_not_count_closes_the_gate(
    report: SignedReport | None, why: str
) -> None:
    reports = [item for item in good() if item.figures["suite"] != "stack"]
    found = failed([*reports, report] if report else reports)
    assert list(found) == ["suite stack"]
    assert why in found["suite stack"]


def test_an_axis_that_costs_too_much_closes_the_gate() -> None:
    reports = [item for item in good() if item.figures["axis"] != "camera"]
    assert list(failed([*reports, signed(figures("tabletop", "camera", 0.91))])) == ["axis camera"]
    assert not failed([*reports, signed(figures("tabletop", "camera", 0.92))])


def test_reports_are_kept_by_name_and_read_back(tmp_path: Path) -> None:
    first, second = signed(figures("stack", rate=0.5)), signed(figures("push"))
    for report in (first, second, signed(figures("stack"))):
        signing.write(tmp_path, report)
    kept = signing.read(tmp_path)
    assert [item.name for item in kept] == ["stack/none/canonical", "push/none/canonical"]
    assert all(signing.is_signed(item, KEY) for item in kept)
    assert kept[0].figures["success_rate"] == 1.0


def test_a_damaged_file_of_reports_is_named(tmp_path: Path) -> None:
    (tmp_path / signing.FILE).write_text('[{"weights_sha256": "x"}]')
    with pytest.raises(CheckpointError, match="is damaged"):
        signing.read(tmp_path)


def test_the_key_is_made_once_for_this_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(MachineError, match="there is none"):
        signing.load_key(make=False)
    key = signing.load_key(make=True)
    assert signing.load_key(make=False) == signing.load_key(make=True) == key
    assert signing.key_file().stat().st_mode & 0o777 == 0o600
    signing.key_file().chmod(0o644)
    with pytest.raises(MachineError, match="others may read it"):
        signing.load_key(make=False)


def test_deploying_a_checkpoint_without_a_report_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["deploy", "lam_so101", "robot=so101", "--check"]) != 0
    error = capsys.readouterr().err.strip()
    assert error.count("\n") == 0
    assert "evaluation.json is absent" in error


def test_the_command_says_what_is_missing_and_starts_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lam_policies.checkpoint import open_checkpoint
    from lam_ros.paths import find_checkpoint

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    shipped, copy = find_checkpoint("lam_so101"), tmp_path / "copy"
    copy.mkdir()
    for path in shipped.iterdir():
        (copy / path.name).symlink_to(path)
    weights = str(open_checkpoint(copy).card["sha256"])
    robot = load_robot("so101").fingerprint()
    key = signing.load_key(make=True)
    signing.write(copy, signed(figures("tabletop"), key, weights, robot))
    assert main(["deploy", str(copy), "robot=so101", "--check", "--json"]) != 0
    out = capsys.readouterr()
    answer = json.loads(out.out.strip().splitlines()[-1])
    by_name = {item["name"]: item["ok"] for item in answer["checks"]}
    assert not answer["ok"]
    assert by_name["suite tabletop"]
    assert not by_name["suite stack"]
    assert "it drives no arm" in out.err


def test_mcnemar_knows_the_classical_values() -> None:
    assert mcnemar_exact(0, 0) == 1.0
    assert mcnemar_exact(5, 5) == 1.0
    assert mcnemar_exact(1, 8) == pytest.approx(2 * 10 / 512)
    assert mcnemar_exact(8, 1) == mcnemar_exact(1, 8)


def report(folder: Path, successes: list[bool], first_seed: int = 0) -> Path:
    folder.mkdir()
    (folder / "eval.json").write_text(json.dumps({"policy": folder.name, "suite": "stack"}))
    rows = [
        {"seed": first_seed + k, "task": "stack", "success": won} for k, won in enumerate(successes)
    ]
    (folder / "episodes.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return folder


def test_two_reports_are_compared_pair_by_pair(tmp_path: Path) -> None:
    one = report(tmp_path / "one", [True] * 10 + [False] * 10)
    two = report(tmp_path / "two", [True] * 19 + [False])
    found = compare(one, two)
    assert (found.only_first, found.only_second, found.pairs) == (0, 9, 20)
    assert found.difference == pytest.approx(0.45)
    assert found.to_dict()["significant_05"]
    assert "the second is better" in found.to_markdown()


def test_reports_of_other_seeds_or_no_reports_are_refused(tmp_path: Path) -> None:
    one, two = report(tmp_path / "one", [True]), report(tmp_path / "two", [True], 50)
    with pytest.raises(DataError, match="share no episode"):
        compare(one, two)
    with pytest.raises(DataError, match="no report"):
        compare(one, tmp_path)
