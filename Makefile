# `make` lists what there is.
BIN := .venv/bin
RUN := $(BIN)/python -m lam_ros.environment $(BIN)/

.PHONY: help setup demo test bench fmt lint type clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## make .venv with everything in it (the second time: nothing to do)
	@python3 scripts/set_up

demo: setup  ## the simulated arm carries out a typed instruction
	$(RUN)lam run "put the red cube in the blue bowl"

test: lint type  ## set-up, lint, types and all tests
	OMP_NUM_THREADS=1 $(RUN)pytest -n auto --maxprocesses 4 --dist loadfile tests/unit tests/contract
	$(RUN)pytest tests/graph tests/launch

bench: setup  ## measure, on this machine
	$(RUN)lam bench sim --json
	$(RUN)lam bench loop --json

fmt: setup  ## format, and mend what can be mended by itself
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lint: setup  ## ruff
	$(BIN)/ruff check

type: setup  ## mypy
	$(BIN)/mypy

clean:  ## remove what was built; .venv and recordings stay
	rm -rf build install log .mypy_cache .pytest_cache .ruff_cache *.egg-info .venv/lam/build
