"""The course of a session: gate, count-down, recording, closing, reset; by keys or by the script."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from lam_ros.core.errors import ConfigError
from lam_ros.record.loop import (
    Act,
    Ended,
    LoopConfig,
    Phase,
    Seen,
    SessionLoop,
    Step,
    Verdict,
    Wish,
)
from lam_ros.recording.format import Outcome

S = 10**9
SUCCESS = Verdict(Outcome.SUCCESS, "done")
FAILURE = Verdict(Outcome.DISCARDED, "dropped it")


@dataclass
class Course:
    """A loop, and a recorder that closes each episode as it is told."""

    config: LoopConfig
    now_ns: int = 0
    acts: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loop = SessionLoop(self.config, first_seed=7, now_ns=0)

    def see(self, seconds: float = 0.0, **what: object) -> Step | None:
        """Let time pass and step once."""
        self.now_ns += round(seconds * S)
        step = self.loop.step(Seen(self.now_ns, **what))  # type: ignore[arg-type]
        if step is not None:
            self.acts.append(step)
        return step

    def to_recording(self) -> None:
        """Go from the gate to an episode."""
        self.see()
        assert self.loop.phase is Phase.COUNTDOWN
        assert self.see(self.config.countdown_s) == Step(Act.BEGIN, seed=self.loop.seed)
        assert self.loop.phase is Phase.RECORDING

    def close(self, **what: object) -> Step | None:
        """End the episode by what is seen, and have it closed as asked."""
        step = self.see(2.0, **what)
        assert step is not None
        assert step.act is Act.CLOSE
        return self.see(0.1, ended=Ended(step.outcome, step.reason, "folder", 2.0, 50))


def attended(**more: object) -> Course:
    """Return a session with a person."""
    values = {"episodes": 2, "countdown_s": 3.0, "reset_s": 5.0} | more
    return Course(LoopConfig(**values))  # type: ignore[arg-type]


def alone(**more: object) -> Course:
    """Return a session without a person."""
    values = {"episodes": 2, "countdown_s": 0.0, "reset_s": 0.0, "attended": False} | more
    return Course(LoopConfig(**values))  # type: ignore[arg-type]


def test_a_script_records_until_enough_are_kept_each_with_the_next_scene() -> None:
    course = alone()
    course.to_recording()
    assert course.close(verdict=SUCCESS) == Step(Act.RESET, seed=8)
    course.see(is_reset=False)
    assert course.loop.phase is Phase.RESET
    course.see()
    course.to_recording()
    assert course.close(verdict=FAILURE) == Step(Act.RESET, seed=9)
    course.see()
    course.to_recording()
    course.close(verdict=SUCCESS)
    loop = course.loop
    assert loop.phase is Phase.OVER
    assert (loop.kept, loop.discarded, loop.trouble) == (2, 1, "")
    assert [(e.outcome, e.seed) for e in loop.episodes] == [
        ("success", 7),
        ("discarded", 8),
        ("success", 9),
    ]


@pytest.mark.parametrize(
    ("wish", "outcome", "next_seed"),
    [
        (Wish.KEEP, Outcome.KEPT, 8),
        (Wish.DISCARD, Outcome.DISCARDED, 8),
        (Wish.RERECORD, Outcome.DISCARDED, 7),
    ],
)
def test_a_key_ends_the_episode_as_it_says(wish: Wish, outcome: Outcome, next_seed: int) -> None:
    course = attended()
    course.to_recording()
    assert course.close(wishes=(wish,)) == Step(Act.RESET, seed=next_seed)
    assert course.acts[-2].outcome is outcome
    assert course.loop.kept == (outcome is Outcome.KEPT)


def test_a_person_overrules_the_script() -> None:
    course = attended()
    course.to_recording()
    course.close(wishes=(Wish.DISCARD,), verdict=SUCCESS)
    assert course.loop.episodes[-1].outcome is Outcome.DISCARDED


@pytest.mark.parametrize("phase", [Phase.GATE, Phase.COUNTDOWN, Phase.RECORDING, Phase.RESET])
def test_finishing_ends_the_session_from_everywhere_and_keeps_nothing_half_done(
    phase: Phase,
) -> None:
    course = attended()
    if phase is not Phase.GATE:
        course.see()
    if phase in (Phase.RECORDING, Phase.RESET):
        course.see(3.0)
    if phase is Phase.RESET:
        course.close(wishes=(Wish.KEEP,))
    assert course.loop.phase is phase
    if phase is Phase.RECORDING:
        course.close(wishes=(Wish.FINISH,))
    else:
        course.see(wishes=(Wish.FINISH,))
    assert course.loop.phase is Phase.OVER
    assert course.loop.kept == (phase is Phase.RESET)


def test_the_countdown_counts_whole_seconds_and_goes_back_when_the_gate_closes() -> None:
    course = attended()
    course.see()
    counts = []
    for _ in range(3):
        counts.append(course.loop.countdown(course.now_ns))
        course.see(0.9)
    assert counts == [3, 3, 2]
    assert course.see(blames=["front: silent"]) is None
    assert course.loop.phase is Phase.GATE
    course.see(100.0, blames=["front: silent"])
    assert course.loop.phase is Phase.GATE  # a person is waited for without end
    course.see()
    assert course.see(wishes=(Wish.KEEP,)) == Step(Act.BEGIN, seed=7)


def test_the_time_to_reset_can_be_cut_short_but_not_before_the_table_is_ready() -> None:
    course = attended()
    course.to_recording()
    course.close(wishes=(Wish.KEEP,))
    course.see(1.0, wishes=(Wish.KEEP,), is_reset=False)
    assert course.loop.phase is Phase.RESET
    course.see(0.1, wishes=(Wish.KEEP,))
    assert course.loop.phase is Phase.GATE


def test_an_episode_that_ended_by_itself_is_counted_and_the_session_goes_on() -> None:
    course = attended()
    course.to_recording()
    step = course.see(1.0, ended=Ended(Outcome.ABORTED, "wrist: silent for 2.1 s", "folder"))
    assert step == Step(Act.RESET, seed=8)
    assert (course.loop.kept, course.loop.discarded) == (0, 1)


def test_an_episode_that_could_not_begin_is_none_and_the_gate_is_asked_again() -> None:
    refused = Ended(Outcome.ABORTED, "front: silent for 0.3 s")
    course = attended()
    course.to_recording()
    assert course.see(0.1, ended=refused) is None
    assert (course.loop.phase, course.loop.episodes) == (Phase.GATE, [])
    course.to_recording()
    given_up = alone(give_up_after=2)
    for _ in range(2):
        given_up.to_recording()
        given_up.see(0.1, ended=refused)
    assert given_up.loop.phase is Phase.OVER
    assert "could not begin: front: silent for 0.3 s" in given_up.loop.trouble


def test_without_a_person_a_closed_gate_ends_the_session_with_the_reason() -> None:
    course = alone(gate_s=10.0)
    course.see(9.0, blames=["front: nothing comes"])
    assert course.loop.phase is Phase.GATE
    course.see(1.0, blames=["front: nothing comes"])
    assert course.loop.phase is Phase.OVER
    assert course.loop.trouble == "the start gate stayed closed: front: nothing comes"
    silent = alone(gate_s=10.0)
    silent.see(10.0, blames=None)
    assert "the recorder is silent" in silent.loop.trouble


def test_without_a_person_a_session_that_always_fails_gives_up() -> None:
    course = alone(give_up_after=2)
    for _ in range(2):
        course.to_recording()
        course.close(verdict=FAILURE)
        course.see()
    assert course.loop.phase is Phase.OVER
    assert course.loop.trouble == "2 episodes in a row were discarded, the last: dropped it"


@pytest.mark.parametrize(
    "wrong",
    [{"episodes": 0}, {"countdown_s": -1.0}, {"reset_s": float("nan")}, {"give_up_after": 0}],
)
def test_numbers_that_make_no_session_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        LoopConfig(**wrong)  # type: ignore[arg-type]
