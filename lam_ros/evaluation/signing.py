"""Signed evaluation reports that travel with a checkpoint.

A report is signed with a secret of this user (HMAC-SHA-256, a file that nobody else reads).
A signature that holds proves that a `lam eval` of somebody with this secret wrote exactly
these figures for exactly these weights, and that nobody without it changed them since.  It
does not prove that the simulator or the code was unchanged when they were made, nor
anything about the real arm; and whoever has the secret can sign what they like.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lam_ros.core.errors import CheckpointError, MachineError

FILE = "evaluation.json"
"""Beside the weights: the signed reports, by suite, axis and wording."""

_KEY_BYTES = 32


@dataclass(frozen=True)
class SignedReport:
    """One evaluation of one checkpoint.

    Attributes:
        weights_sha256: of the weights that were evaluated.
        robot: fingerprint of the robot.
        made_at: ISO time of the evaluation, UTC.
        figures: what `lam eval --json` printed.
        signature: hexadecimal; empty until signed.
    """

    weights_sha256: str
    robot: str
    made_at: str
    figures: Mapping[str, Any]
    signature: str = ""

    @property
    def name(self) -> str:
        """What it is a report of: suite, axis, wording."""
        parts = [str(self.figures.get(key, "")) for key in ("suite", "axis", "wording")]
        return "/".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {
            "weights_sha256": self.weights_sha256,
            "robot": self.robot,
            "made_at": self.made_at,
            "figures": dict(self.figures),
            "signature": self.signature,
        }

    def message(self) -> bytes:
        """Return what is signed: all but the signature, in one fixed spelling."""
        body = {key: value for key, value in self.to_dict().items() if key != "signature"}
        return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def key_file() -> Path:
    """Return where this user's secret is: `lam/signing.key` in the configuration folder."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "lam" / "signing.key"


def load_key(*, make: bool) -> bytes:
    """Return this user's secret.

    Args:
        make: make one where there is none.

    Raises:
        MachineError: if there is none, it is damaged, or others may read it.
    """
    path = key_file()
    if not path.is_file():
        if not make:
            raise MachineError(
                f"signing key {path}: there is none, so no report can be checked; "
                "evaluate here with `lam eval ... --sign`, or bring the key that signed"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(_KEY_BYTES) + "\n")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise MachineError(f"signing key {path}: others may read it; chmod 600 it")
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise MachineError(
            f"signing key {path}: damaged; delete it, and evaluate again with `--sign`"
        )
    return key


def signature_of(report: SignedReport, key: bytes) -> str:
    """Return the signature of a report, in hexadecimal."""
    return hmac.new(key, report.message(), hashlib.sha256).hexdigest()


def is_signed(report: SignedReport, key: bytes) -> bool:
    """Tell whether a report bears the signature that the key gives it."""
    return hmac.compare_digest(signature_of(report, key), report.signature)


def write(folder: Path, report: SignedReport) -> Path:
    """Add a report to a checkpoint's, in place of an earlier one of the same name."""
    kept = {item.name: item.to_dict() for item in read(folder)} if _path(folder).is_file() else {}
    kept[report.name] = report.to_dict()
    part = folder / f".{FILE}.part"
    part.write_text(json.dumps(list(kept.values()), indent=1) + "\n", encoding="utf-8")
    part.replace(_path(folder))
    return _path(folder)


def read(folder: Path) -> list[SignedReport]:
    """Return a checkpoint's reports; none if it has no such file.

    Raises:
        CheckpointError: if the file is damaged.
    """
    if not _path(folder).is_file():
        return []
    try:
        rows = json.loads(_path(folder).read_text(encoding="utf-8"))
        return [
            SignedReport(
                weights_sha256=str(row["weights_sha256"]),
                robot=str(row["robot"]),
                made_at=str(row["made_at"]),
                figures=dict(row["figures"]),
                signature=str(row["signature"]),
            )
            for row in rows
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"checkpoint '{folder.name}': {FILE} is damaged ({error}); delete it, and "
            "evaluate again with `lam eval ... --sign`"
        ) from None


def _path(folder: Path) -> Path:
    return folder / FILE
