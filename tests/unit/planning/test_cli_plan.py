"""`lam plan` prints what scripts rely on, and answers bad rows with rows."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from lam_ros.core.errors import DataError, ExitCode, LamError
from lam_ros.planning.cli_plan import configured_planner, main, plan_json, plan_rows
from lam_ros.planning.planner import Planner
from lam_ros.planning.scene_json import scene_from_dict

SCENE = {
    "objects": [
        {"id": "red_cube_1", "kind": "cube", "color": "red", "position": [0.2, 0.1, 0.014]},
        {"id": "blue_bowl_1", "kind": "bowl", "color": "blue", "position": [0.25, -0.1, 0.017]},
    ]
}
TEXT = "put the red cube in the blue bowl"
KEYS = {"kind", "goal", "steps", "question", "reason", "candidates", "refuse_kind", "remark"}


def arguments(**given: object) -> argparse.Namespace:
    blank: dict[str, object] = {
        "instruction": "",
        "scene": "",
        "answer": "",
        "batch": "",
        "out": "",
        "json": True,
    }
    blank |= {"llm": "", "llm_model": "", "goal_image": "", "calibration": ""}
    return argparse.Namespace(**{**blank, **given})


def test_a_plan_has_the_fixed_keys() -> None:
    row = plan_json(TEXT, SCENE)
    assert set(row) == KEYS
    assert row["kind"] == "plan"
    assert row["goal"] == [["in", "red_cube_1", "blue_bowl_1"]]
    assert row["steps"] == [
        {"skill": "place_in", "object": "red_cube_1", "target": "blue_bowl_1", "prompt": TEXT}
    ]


@pytest.mark.parametrize(
    ("text", "answer", "kind"),
    [("put the red cube", "", "clarify"), ("put the red cube", "in the bowl", "plan"),
     ("open it", "", "refuse"), ("", "", "refuse")],
)  # fmt: skip
def test_questions_and_refusals_have_the_same_keys(text: str, answer: str, kind: str) -> None:
    row = plan_json(text, SCENE, answer)
    assert set(row) == KEYS
    assert row["kind"] == kind
    assert bool(row["question"]) == (kind == "clarify")
    assert bool(row["reason"]) == (kind == "refuse")


@pytest.mark.parametrize(
    ("scene", "reason"),
    [
        (None, "scene: NoneType came"),
        ([], "scene: list came"),
        ({}, "scene: objects: Field required"),
        ({"objects": [{"id": "x"}]}, "scene: objects.0.kind: Field required"),
        ({"objects": [{"id": "", "kind": "cube", "position": [0, 0, 0]}]}, "scene: objects.0.id"),
        ({"objects": [{"id": "x", "kind": "cube", "position": [0, 0]}]}, "scene: objects.0.position"),
        ({"objects": [{"id": "x", "kind": "cube", "position": [0, 0, float("nan")]}]}, "scene: "),
        ({"objects": [SCENE["objects"][0]] * 2}, "scene: two objects share an id"),
    ],
)  # fmt: skip
def test_a_scene_that_cannot_be_read_is_refused_with_the_place(scene: object, reason: str) -> None:
    row = plan_json(TEXT, scene)
    assert (row["kind"], row["refuse_kind"]) == ("refuse", "bad_scene")
    assert str(row["reason"]).startswith(reason)
    with pytest.raises(DataError):
        scene_from_dict(scene)


def test_relations_and_states_are_read() -> None:
    read = scene_from_dict(
        {
            "objects": [
                {"id": "a", "kind": "cube", "position": [0, 0, 0], "in": "b", "on": None},
                {"id": "b", "kind": "drawer", "position": [1, 0, 0], "open": True, "extra": 1},
            ],
            "held": "a",
        }
    )
    assert (read["a"].inside, read["a"].on, read["b"].is_open, read.held) == ("b", "", True, "a")


def test_each_row_of_a_batch_is_answered_in_order() -> None:
    good = json.dumps({"id": "first", "instruction": TEXT, "scene": SCENE, "history": []})
    bad = ["{broken", "[]", "", json.dumps({"id": 4, "instruction": 7, "scene": SCENE})]
    rows = list(plan_rows([good, *bad, good], Planner()))
    assert [row["id"] for row in rows] == ["first", 2, 3, 4, "first"]
    assert [row["kind"] for row in rows] == ["plan", "refuse", "refuse", "refuse", "plan"]
    assert all({*KEYS, "id", "ms"} == set(row) for row in rows)


@pytest.mark.parametrize(
    ("text", "code"),
    [(TEXT, ExitCode.DONE), ("put the red cube", ExitCode.QUESTION_OPEN),
     ("put the green cube in the bowl", ExitCode.WRONG_REQUEST)],
)  # fmt: skip
def test_the_exit_code_tells_the_outcome(tmp_path: Path, capsys, text: str, code: ExitCode) -> None:
    path = tmp_path / "scene.json"
    path.write_text(json.dumps(SCENE), encoding="utf-8")
    assert main(arguments(instruction=text, scene=str(path))) == code
    printed = capsys.readouterr()
    assert {*KEYS, "ms"} == set(json.loads(printed.out.splitlines()[-1]))
    assert printed.err


def test_a_batch_is_written_to_a_file(tmp_path: Path) -> None:
    rows, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows.write_text(json.dumps({"id": 1, "instruction": TEXT, "scene": SCENE}), encoding="utf-8")
    assert main(arguments(batch=str(rows), out=str(out))) == ExitCode.DONE
    assert json.loads(out.read_text(encoding="utf-8"))["kind"] == "plan"


@pytest.mark.parametrize("content", [None, "{broken", "\x00"])
def test_a_scene_file_that_cannot_be_read_is_one_line(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "scene.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(LamError) as caught:
        main(arguments(instruction=TEXT, scene=str(path)))
    assert "\n" not in str(caught.value)


def test_the_shipped_configuration_is_that_of_a_cube_policy() -> None:
    config = configured_planner("default").config
    assert config.movable_kinds == {"cube"}
    assert config.reach.min_m < config.reach.max_m


def test_a_row_with_a_history_knows_what_was_said_and_where_things_were() -> None:
    planner = configured_planner()
    now = [
        {**SCENE["objects"][0], "in": "blue_bowl_1"},
        SCENE["objects"][1],
        {"id": "grey_tray_1", "kind": "tray", "color": "grey"},
    ]
    before = [{**SCENE["objects"][0], "on": "grey_tray_1"}, *now[1:]]
    said = {"instruction": "put the red cube in the bowl", "scene": {"objects": before}}
    row = {"instruction": "put it back", "scene": {"objects": now}, "history": [said]}
    (answer,) = plan_rows([json.dumps(row)], planner)
    assert answer["goal"] == [["on", "red_cube_1", "grey_tray_1"]]


@pytest.mark.parametrize("history", ["text", [1, None, {}], [{"scene": 3}], {"a": 1}, ["\x00"]])
def test_a_strange_history_is_no_reason_to_fail(history: object) -> None:
    row = {"instruction": TEXT, "scene": SCENE, "history": history}
    (answer,) = plan_rows([json.dumps(row)], configured_planner())
    assert answer["kind"] == "plan"
