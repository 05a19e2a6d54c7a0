"""Tasks of Meta-World are chosen by name, by difficulty, or ten of all degrees."""

from __future__ import annotations

from collections import Counter

import pytest

from lam_ros.core.errors import ConfigError, MachineError
from lam_sim.metaworld import tasks
from lam_sim.metaworld.tasks import all_tasks, choose, require_metaworld, ten


def test_there_are_fifty_in_the_shares_of_the_published_split() -> None:
    assert Counter(task.difficulty for task in all_tasks().values()) == {
        "easy": 28, "medium": 11, "hard": 6, "very_hard": 5,
    }  # fmt: skip
    assert len({task.sentence for task in ten()}) == 10


def test_ten_are_the_first_of_each_degree_in_alphabetical_order() -> None:
    chosen = ten()
    assert Counter(task.difficulty for task in chosen) == {
        "easy": 6, "medium": 2, "hard": 1, "very_hard": 1,
    }  # fmt: skip
    for task in chosen:
        alike = [other for other in all_tasks().values() if other.difficulty == task.difficulty]
        before = [other for other in alike if other.name < task.name]
        assert set(before) <= set(chosen)


def test_names_need_no_version_and_may_be_mixed_with_groups_without_doubling() -> None:
    assert [task.name for task in choose(["door-open"])] == ["door-open-v3"]
    assert choose(["hard", "assembly-v3"]) == choose(["hard"])
    assert len(choose(["all"])) == 50


@pytest.mark.parametrize(
    ("names", "said"),
    [(["dor-open"], "Did you mean 'door-open-v3'"), ([], "none is named"), ([""], "unknown task")],
)
def test_an_unknown_task_is_refused_with_the_nearest_name(names: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        choose(names)


def test_a_machine_without_meta_world_is_told_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MachineError, match=r"pip install .*metaworld"):
        require_metaworld()
