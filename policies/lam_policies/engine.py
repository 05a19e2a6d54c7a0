"""The lam policy's network in ONNX Runtime: half of the processor time, the same answers.

One picture at a time through small layers costs PyTorch more in bookkeeping than in sums, and
ONNX Runtime plans all of it beforehand.  The weights are exported in memory when the policy
warms up; nothing is written, and what is served is what the checkpoint holds.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from lam_network.acting import STATE, Acting
from lam_ros.core.types import FloatArray

TOLERANCE_RAD = 1e-4
"""Largest difference to PyTorch's answer that is taken; usual are 1e-6."""

_JOINTS, _WORDS, _CHUNK = "state", "words", "chunk"
_OPSET = 18


class Engine:
    """Answers one observation at a time, on the CPU."""

    def __init__(self, policy: Acting) -> None:
        """Export a policy in evaluation mode; computes in as many threads as PyTorch now does."""
        self._cameras = list(policy.cameras)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            _export(policy, self._cameras), options, providers=["CPUExecutionProvider"]
        )

    def infer(self, batch: dict[str, Tensor], words: Tensor) -> Tensor:
        """Return joint targets in radians, shape (1, H, J), as `Acting.infer` does."""
        feed = {camera: batch[camera].numpy() for camera in self._cameras}
        feed |= {_JOINTS: batch[STATE].numpy(), _WORDS: words.numpy()}
        (chunk,) = self._session.run([_CHUNK], feed)
        return torch.from_numpy(chunk)


def engine_for(policy: Acting) -> Engine | None:
    """Return an engine, or None where it cannot be had or answers otherwise than PyTorch."""
    if policy.statistics.state_mean.device.type != "cpu":
        return None
    try:
        engine = Engine(policy)
        apart_rad = max(_differences_rad(policy, engine))
    except (RuntimeError, torch.onnx.OnnxExporterError):
        return None
    return engine if apart_rad <= TOLERANCE_RAD else None


def _differences_rad(policy: Acting, engine: Engine) -> list[float]:
    rng = np.random.default_rng(0)
    found = []
    for sentence in ("", "put the red cube in the blue bowl"):
        batch, words = _example(policy, rng), policy.encode([sentence])
        with torch.inference_mode():
            wanted = policy.infer(batch, words)
        found.append(float((engine.infer(batch, words.detach()) - wanted).abs().max()))
    return found


def _example(policy: Acting, rng: np.random.Generator) -> dict[str, Tensor]:
    """Return a random observation of one."""
    batch: dict[str, Tensor] = {}
    for camera, shape in policy.cameras.items():
        bytes_ = rng.integers(0, 256, (1, *shape), dtype=np.uint8)
        batch[camera] = torch.from_numpy(bytes_)
    joints = policy.statistics.state_mean.shape
    state_rad: FloatArray = rng.normal(0, 0.5, (1, *joints))
    batch[STATE] = torch.from_numpy(state_rad).float()
    return batch


class _Exported(nn.Module):
    """What is exported: pictures, state and sentence vector to the chunk, and nothing else."""

    def __init__(self, policy: Acting, cameras: Sequence[str]) -> None:
        super().__init__()
        self._policy = policy
        self._cameras = tuple(cameras)

    def forward(self, *inputs: Tensor) -> Tensor:
        *pictures, state, words = inputs
        batch = dict(zip(self._cameras, pictures, strict=True))
        return self._policy.infer({**batch, STATE: state}, words)


def _export(policy: Acting, cameras: Sequence[str]) -> bytes:
    example = _example(policy, np.random.default_rng(0))
    inputs = (*(example[camera] for camera in cameras), example[STATE], policy.encode([""]))
    file = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        # The tracing exporter takes 1.3 s and the newer one 9 s, for the same answers; sizes
        # that it takes for constant are, since there is always one observation.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        torch.onnx.export(
            _Exported(policy, cameras).eval(),
            inputs,
            file,
            input_names=[*cameras, _JOINTS, _WORDS],
            output_names=[_CHUNK],
            opset_version=_OPSET,
            dynamo=False,
        )
    return file.getvalue()
