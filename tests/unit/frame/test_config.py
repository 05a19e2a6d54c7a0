"""Configuration composes, and a wrong key is answered in one line with the nearest one."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lam_ros.composing import compose_config
from lam_ros.config import build
from lam_ros.core.errors import ConfigError


@dataclass(frozen=True)
class Inner:
    depth: int = 1


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = Inner()
    sizes: tuple[int, ...] = ()


def test_nested_dataclasses_are_built() -> None:
    assert build(Outer, {"name": "a", "inner": {"depth": 2}}, "outer") == Outer("a", Inner(2))


def test_an_unknown_nested_key_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"'outer.inner': unknown key 'dept'.*'depth'"):
        build(Outer, {"name": "a", "inner": {"dept": 2}}, "outer")


def test_a_value_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"outer.inner.depth.*'deep' came"):
        build(Outer, {"name": "a", "inner": {"depth": "deep"}}, "outer")


def test_one_value_where_a_list_is_needed_is_shown_how_to_write_it() -> None:
    with pytest.raises(ConfigError, match=r"outer.sizes'.*such as \[9\]; 9 came"):
        build(Outer, {"name": "a", "sizes": 9}, "outer")


@pytest.mark.parametrize("name", ["run", "eval"])
def test_every_main_config_composes(name: str) -> None:
    assert compose_config(name)["robot"]["name"] == "so101"


def test_an_override_of_an_unknown_key_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"'scene.cube' does not exist.*'scene.cubes'"):
        compose_config("run", ["scene.cube=[4,4]"])


def test_an_unknown_option_of_a_group_names_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"unknown policy 'lamb'; allowed: .*lam"):
        compose_config("run", ["policy=lamb"])


def test_an_override_without_a_value_is_refused_in_one_line() -> None:
    with pytest.raises(ConfigError) as caught:
        compose_config("run", ["scene"])
    assert "\n" not in str(caught.value)
