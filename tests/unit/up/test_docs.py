"""docs/launch.md says what the table says."""

from __future__ import annotations

import re

from lam_ros.paths import checkout_dir
from lam_ros.up.table import RESTARTED, SETUPS


def page() -> str:
    checkout = checkout_dir()
    assert checkout is not None
    return (checkout / "docs" / "launch.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without its own head."""
    section = page().split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_every_argument_is_explained_with_its_default():
    written = {}
    for names, defaults, _meaning in rows("Arguments"):
        for index, name in enumerate(re.findall(r"`(\w+)`", names)):
            values = defaults.split(",") if names.count("`") > 2 else [defaults]
            written[name] = values[index].strip()
    real = {argument.name: argument for s in SETUPS.values() for argument in s.arguments}
    assert set(written) == set(real)
    for name, argument in real.items():
        assert argument.default in written[name] or (not argument.default and not written[name])


def test_what_is_started_again_is_what_the_table_says():
    again = next(names for names, then in rows("What happens") if "started and" in then)
    assert {*re.findall(r"`(\w+)`", again), "rviz"} == set(RESTARTED)


def test_every_example_can_be_started():
    from lam_ros.up.arguments import values_of
    from lam_ros.up.command import assignments

    lines = re.findall(r"(?:lam up (\w+)|lam_ros (\w+)\.launch\.py)([^#\n]*)", page())
    found = set()
    for up, launch, rest in lines:
        setup = SETUPS.get(up or launch)
        if setup is None:
            continue
        found.add(setup.name)
        words = [word for word in rest.split() if "=" in word]
        values_of(setup.arguments, assignments(words))
    assert found == set(SETUPS)
