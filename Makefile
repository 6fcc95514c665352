# Each target does all of its own set-up. npm puts the project's own Node 24 first on PATH, whatever Node runs npm.
SHELL := /bin/bash
.DEFAULT_GOAL := help
RUN := npm run --silent
IMAGE ?= streambridge:dev
IMAGE_BUILDER ?= docker build
setup := node_modules/.package-lock.json

.PHONY: help setup demo test conformance-containers e2e bench matrix chaos image generate check format

help: ## show this
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(setup): package-lock.json
	npm ci
	@touch $@

setup: $(setup) ## install packages, fetch and build the servers the tests use (once per machine)
	$(RUN) setup

demo: $(setup) ## the main job in this terminal: generator → Kinesis → file; no cluster, no Docker, no account
	$(RUN) demo

test: setup ## everything that needs no cluster: checks, unit, API, integration, conformance, chaos
	$(RUN) check
	$(RUN) test:all

conformance-containers: $(setup) ## the conformance suite on servers in containers; needs Docker; ARGS=--help names them
	$(RUN) conformance:containers -- $(ARGS)

e2e: $(setup) ## on the cluster of KUBECONFIG: image, chart, all four brokers, faults
	$(RUN) test:e2e

bench: $(setup) ## compare with MirrorMaker 2 in the same run; make bench ARGS=kafka-to-kafka
	$(RUN) bench -- $(ARGS)

matrix: setup ## move records through all 16 pairs of brokers, killed and stopped on the way; prints a table
	$(RUN) matrix -- $(ARGS)

chaos: setup ## kill and stop runtimes under load, split and merge shards; prints a table
	$(RUN) chaos -- $(ARGS)

image: ## build the container image IMAGE with IMAGE_BUILDER
	$(IMAGE_BUILDER) -t $(IMAGE) .

generate: $(setup) ## write the CRD, reference documentation and the chart's copies
	$(RUN) generate

check: $(setup) ## types, lint, format, generated files
	$(RUN) check

format: $(setup) ## format the sources
	$(RUN) format
