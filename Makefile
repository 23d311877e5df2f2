# Every target is one command of scripts/ or of tallystick itself. ARGS are passed on: make demo ARGS=--exit
.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check bench

help: ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: ## create .venv with the locked dependencies
	@scripts/setup

demo: setup ## start everything with a demonstration organization (ARGS=--exit stops at the end)
	@.venv/bin/tallystick demo $(ARGS)

serve: setup ## run API, worker and embedded PostgreSQL
	@.venv/bin/tallystick serve $(ARGS)

test: ## run all checks and tests
	@scripts/test $(ARGS)

check: ## lint, types, floors, sizes
	@scripts/setup --dev
	@scripts/check

bench: ## measure throughput on this machine
	@scripts/setup --dev
	@scripts/bench $(ARGS)
