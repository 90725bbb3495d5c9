# Two commands do all the set-up: `make demo` runs the main job, `make test` passes the tests
# (`make slow` those that take longer).
# Only Python 3.11 and make are needed; everything else goes into .venv.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
OUT ?= out/demo
TYPED := __init__.py __main__.py drafts.py errors.py threads.py addon commands extension head models report server

.PHONY: demo test slow lint extension clean

demo: $(VENV)/runtime.stamp
	$(BIN)/microface demo --out $(OUT) --force

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -m "not slow" $(TESTS)

slow: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -m slow $(TESTS)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# The types are checked under the package's own name, whatever this folder is called.
	@mkdir -p $(VENV)/types && ln -sfn $(CURDIR) $(VENV)/types/microface
	cd $(VENV)/types && ../bin/mypy --config-file microface/pyproject.toml $(addprefix microface/,$(TYPED))

extension: $(VENV)/dev.stamp
	$(BIN)/python -m microface.extension thin --out dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "microface: Python 3.11 is needed (Blender's module is built for it); install it or say make PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[server,blender,datasets]'
	@$(BIN)/python -c 'import bpy' 2>/dev/null || \
	  { echo "microface: Blender's module does not load; it needs some system libraries, on Debian: apt-get install libx11-6 libxrender1 libxfixes3 libxi6 libxkbcommon0 libsm6 libgl1 libegl1"; exit 2; }
	@touch $@

$(VENV)/dev.stamp: $(VENV)/runtime.stamp
	$(PIP) --editable '.[server,blender,train,dev]'
	@touch $@

clean:
	rm -rf build dist out *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
