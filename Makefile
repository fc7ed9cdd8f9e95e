# Everything that is done to the house. The interpreter of all commands is .venv/bin/python.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install demo run test lint types lock bench browser

install: $(STAMP)

$(STAMP): requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $(STAMP)

demo: install
	$(BIN)/python -m bot demo $(ARGS)

run: install
	$(BIN)/python -m bot run

# One worker more than there are cores: tests wait longer than they compute.
test: install lint types browser
	$(BIN)/python -m pytest --dist loadfile \
	  --numprocesses $$($(BIN)/python -c "import os; print((os.cpu_count() or 1) + 1)")

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: install
	$(BIN)/basedpyright

# One test opens the demo's page in Debian's Chromium; it skips, and says so, where there is none.
browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	       && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } \
	  || echo "No Chromium here, and none can be installed: the browser test will skip."

bench: install
	$(BIN)/python -m bench $(ARGS)

lock: install
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --extra demo --extra dev \
	  --upgrade --output-file requirements.lock pyproject.toml
