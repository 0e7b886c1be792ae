# Everything happens in .venv; nothing else on the machine is touched.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test scale bench check format clean

.venv/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "rehearse needs Python 3.11 or newer" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || ./.ci/system-packages python3-venv
	$(PYTHON) -m venv .venv

.venv/.run: .venv/pyvenv.cfg pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/.dev: .venv/pyvenv.cfg pyproject.toml .ci/kubectl.py
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	$(BIN)/python .ci/kubectl.py
	@touch $@ .venv/.run

demo: .venv/.run  ## run all features in the simulated cluster and write reports/out/demo/
	$(BIN)/rehearse run --scale 100 --seed 7 --report reports/out/demo --trace reports/out/demo/trace.json

test: .venv/.dev  ## the whole suite, fast tests first
	$(BIN)/pytest -q -m "not slow" -n 2 --dist loadfile
	$(BIN)/pytest -q -m slow -n 2 --dist worksteal

scale: .venv/.run  ## every feature for a thousand targets: a quarter of an hour
	$(BIN)/rehearse run --scale 1000

bench: .venv/.run  ## one JSON object a line
	$(BIN)/python -m scenarios.bench

check: .venv/.dev  ## format, lint, strict types, import rules, dead code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture

format: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv reports/out
