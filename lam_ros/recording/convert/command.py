"""`lam convert`: recordings in, a data set out."""

from __future__ import annotations

import errno
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import av
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lam_ros.core.errors import DataError, LamError, MachineError
from lam_ros.core.robot import RobotDescription
from lam_ros.recording.convert.dataset import DatasetFolder, opened
from lam_ros.recording.convert.naming import Naming, load_naming
from lam_ros.recording.convert.parts import (
    PART_FILE,
    Part,
    PartConfig,
    check_outcome,
    make_part,
    recording_id,
)
from lam_ros.recording.convert.report import ConvertReport, Fate, RecordingReport
from lam_ros.recording.reader import EpisodeReader
from lam_sim.video import silence_codec

BAG_ENDINGS = (".mcap", ".db3")
APPEND_EPISODES = 100
APPEND_BYTES = 200_000_000
"""An append is made when so much waits: what LeRobot puts into one video file."""

_MACHINE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO)


@dataclass(frozen=True)
class ConvertConfig:
    """What to convert.

    Attributes:
        recordings: bags, or folders of them.
        out: folder of the data set, new or made by an earlier conversion.
        robot: name or path of a robot YAML; empty for the one in the recordings.
        workers: processes; 0 for as many as there are cores.
    """

    recordings: tuple[Path, ...]
    out: Path
    robot: str = ""
    workers: int = 0
    part: PartConfig = field(default_factory=PartConfig)


@dataclass(frozen=True)
class _Job:
    """One recording to be made into a part; crosses to a worker process."""

    folder: Path
    part: Path
    robot: RobotDescription
    naming: Naming
    config: PartConfig
    threads: int


@dataclass(frozen=True)
class _Refused:
    """Why a recording was not converted."""

    fate: Fate
    reason: str


def convert(config: ConvertConfig, console: Console) -> ConvertReport:
    """Convert recordings, showing progress; what is in the data set already stays as it is.

    Raises:
        DataError: if there is no recording, or the data set does not fit.
        MachineError: if the disk fails.
    """
    silence_codec()
    started_s = time.monotonic()
    folders = find_recordings(config.recordings)
    robot, naming = _robot_of(folders, config)
    with _disk_told(config.out), opened(config.out, robot, config.part.grid.fps) as dataset:
        before = dataset.frames
        reports = _convert_all(folders, robot, naming, config, dataset, console)
        frames = dataset.frames - before
        result = ConvertReport(
            out=str(config.out),
            recordings=reports,
            total_episodes=dataset.episodes,
            total_frames=dataset.frames,
            seconds=round(time.monotonic() - started_s, 3),
            recorded_s=round(frames / config.part.grid.fps, 3),
        )
        dataset.clean()
    return result


def find_recordings(paths: Sequence[Path]) -> list[Path]:
    """Return every bag's folder at or below the paths, in order, each once.

    Raises:
        DataError: if a path does not exist, or there is no bag below it.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise DataError(f"recording {path}: does not exist")
        if path.is_file():
            path = path.parent
        bags = sorted({file.parent for file in path.rglob("*") if _is_bag_file(file)})
        if not bags:
            raise DataError(f"recording {path}: no bag (.mcap or .db3) is there or below")
        found.update(dict.fromkeys(bags))
    return list(found)


def _is_bag_file(file: Path) -> bool:
    return file.suffix in BAG_ENDINGS or file.name.endswith(tuple(f"{e}.zstd" for e in BAG_ENDINGS))


def _robot_of(folders: Sequence[Path], config: ConvertConfig) -> tuple[RobotDescription, Naming]:
    """Return the robot that was named, else that of the first recording that has one."""
    if config.robot:
        return load_naming(config.robot)
    for folder in folders:
        try:
            robot = EpisodeReader(folder).meta.robot
        except LamError:
            continue  # it is rejected with its reason later
        if robot is not None:
            return robot, Naming()
    raise DataError(
        f"recording {folders[0]}: it does not say which robot it is of; name a robot YAML "
        "with --robot"
    )


def _convert_all(
    folders: Sequence[Path],
    robot: RobotDescription,
    naming: Naming,
    config: ConvertConfig,
    dataset: DatasetFolder,
    console: Console,
) -> list[RecordingReport]:
    workers = max(1, min(config.workers or os.cpu_count() or 1, len(folders)))
    threads = max(1, (config.workers or os.cpu_count() or 1) // workers)
    known = dataset.known
    reports: dict[Path, RecordingReport] = {}
    jobs: list[_Job] = []
    for folder in folders:
        job = _job(folder, robot, naming, config, dataset, threads)
        if isinstance(job, _Refused):
            reports[folder] = RecordingReport(_name(folder), job.fate, reason=job.reason)
        elif job.part.name.rsplit("-", 1)[0] in known:
            reports[folder] = RecordingReport(_name(folder), Fate.KNOWN)
        else:
            known.add(job.part.name.rsplit("-", 1)[0])
            jobs.append(job)
    for job, made in _append_all(jobs, workers, dataset, console):
        reports[job.folder] = _reported(job.folder, made)
    return [reports[folder] for folder in folders]


def _job(
    folder: Path,
    robot: RobotDescription,
    naming: Naming,
    config: ConvertConfig,
    dataset: DatasetFolder,
    threads: int,
) -> _Job | _Refused:
    try:
        reader = EpisodeReader(folder)
        if reader.meta.robot is not None:
            robot.require_match(reader.meta.robot, "the recording")
        key = f"{recording_id(reader)}-{config.part.key()}"
        why_not = check_outcome(reader, config.part)
    except (LamError, OSError) as error:
        return _Refused(Fate.REJECTED, " ".join(str(error).split()))
    if why_not:
        return _Refused(Fate.LEFT_OUT, why_not)
    if not config.robot:
        robot = reader.meta.robot or robot
    return _Job(folder, dataset.parts / key, robot, naming, config.part, threads)


def _append_all(
    jobs: Sequence[_Job], workers: int, dataset: DatasetFolder, console: Console
) -> Iterator[tuple[_Job, Part | _Refused]]:
    """Make all parts, append them in the order of the jobs, and yield what became of each."""
    waiting: list[Part] = []
    columns = (
        TextColumn("[bold]recordings"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[now]}"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, disable=not jobs) as progress:
        task = progress.add_task("", total=len(jobs), now="")
        for job, made in _run(jobs, workers):
            progress.update(task, advance=1, now=_name(job.folder))
            if isinstance(made, Part):
                waiting.append(made)
                if _is_enough(waiting):
                    dataset.append(waiting)
                    waiting = []
            yield job, made
        if waiting:
            dataset.append(waiting)


def _is_enough(waiting: Sequence[Part]) -> bool:
    size = sum(file.stat().st_size for part in waiting for file in part.folder.iterdir())
    return sum(len(part.episodes) for part in waiting) >= APPEND_EPISODES or size >= APPEND_BYTES


def _run(jobs: Sequence[_Job], workers: int) -> Iterator[tuple[_Job, Part | _Refused]]:
    """Yield what became of each job, in order; parts that are there already are taken."""
    if workers == 1:
        yield from ((job, _make(job)) for job in jobs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            yield from zip(jobs, pool.map(_make, jobs), strict=True)
        except BrokenProcessPool:
            raise MachineError(
                "a worker process was killed (out of memory?); what is done is kept: run it "
                "again, with fewer --workers"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _make(job: _Job) -> Part | _Refused:
    """Make a part; called in a worker process.

    Raises:
        MachineError: if the disk fails, which is no fault of the recording.
    """
    silence_codec()
    if (job.part / PART_FILE).is_file():
        return Part.load(job.part)
    try:
        reader = EpisodeReader(job.folder)
        return make_part(reader, job.part, job.robot, job.naming, job.config, threads=job.threads)
    except MachineError:
        raise
    except (LamError, ValueError, OSError, av.FFmpegError) as error:
        if getattr(error, "errno", None) in _MACHINE_ERRORS:
            raise _disk_error(job.part.parents[2], error) from None
        return _Refused(Fate.REJECTED, " ".join(str(error).split()))


@contextmanager
def _disk_told(out: Path) -> Iterator[None]:
    """Have a disk that fails said in one line."""
    try:
        yield
    except OSError as error:
        raise _disk_error(out, error) from None


def _disk_error(out: Path, error: Exception) -> MachineError:
    why = getattr(error, "strerror", None) or error
    return MachineError(
        f"data set {out}: cannot be written ({why}); free some room or mend the "
        "permissions, then run the same command again: what is done is kept"
    )


def _reported(folder: Path, made: Part | _Refused) -> RecordingReport:
    if isinstance(made, _Refused):
        return RecordingReport(_name(folder), made.fate, reason=made.reason)
    return RecordingReport(
        _name(folder),
        Fate.CONVERTED,
        episodes=len(made.episodes),
        frames=made.frames,
        gaps=made.recording["gaps"],
        faults=made.recording["faults"],
    )


def _name(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"
