# The targets: demo and test do all their own set-up. See README.md.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

GO ?= go
# As the lab builds Kubernetes: what both need is then compiled once.
export CGO_ENABLED := 0
export GOFLAGS := $(shell $(GO) env GOFLAGS) -trimpath
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/refloat
LINT := $(CACHE)/golangci-lint
BUILD := $(GO) build -ldflags='-s -w'

# Fuzz targets as package:function:seconds, at most three minutes in all.
FUZZ := diagnose:FuzzRead:14 diagnose:FuzzReference:14 kube/pullsecret:FuzzSecret:12 test/keyring:FuzzLookup:8 \
	internal/dockerconfig:FuzzParse:6 registry/wire:FuzzChallenge:6 registry/wire:FuzzErrorBody:6 diagnose:FuzzCase:4 \
	kube/manifest:FuzzRead:4 registry/probe:FuzzDocument:4 diagnose:FuzzWellFormed:3 evidence:FuzzClean:3 evidence:FuzzLoad:3 \
	kube/podscan:FuzzEach:3 registry/probe/refusals:FuzzFile:3 report:FuzzEscape:3 report:FuzzWrapCommand:2 evidence:FuzzQuote:2 \
	node/path/names:FuzzFiles:2 node/path/names:FuzzAnswer:2 \
	node/provider:FuzzConfig:2 node/provider:FuzzResponse:2 node/disk:FuzzMounts:2 node/health:FuzzLines:2 node/health/journal:FuzzNewest:3 \
	node/store:FuzzDocuments:2 node/store/bolt:FuzzRead:2 node/config:FuzzRead:2 test/hosts:FuzzHosts:3

# Modules of their own that hold ours to somebody else's code: the kubelet's keyring, the distribution project's registry,
# containerd's hosts.toml.
ORACLES := test/keyring test/distribution test/hosts

.PHONY: build demo test lint fuzz bench soak golden

build: ## bin/kubectl-refloat
	$(BUILD) -o bin/kubectl-refloat ./cmd/kubectl-refloat

demo: ## explain a dozen real failures on the lab, or the cluster that KUBECONFIG names
	@bash test/packages.sh
	@$(GO) run ./test/demo

test: lint ## the whole gate
	@bash test/packages.sh
	$(GO) test $$($(GO) list ./... | grep -v /test/lab$$)
	@for m in $(ORACLES); do echo "$(GO) -C $$m test ./..."; $(GO) -C $$m test ./...; done
	$(MAKE) fuzz
	cd test/lab && $(GO) test -timeout 20m

lint: ## golangci-lint, from a module of its own, and vet for the other systems
	@test -n "$$(find '$(LINT)' -newer tools/lint/go.sum 2>/dev/null)" || { echo 'building golangci-lint …'; \
		$(GO) build -C tools/lint -o '$(LINT)' github.com/golangci/golangci-lint/v2/cmd/golangci-lint; }
	'$(LINT)' run ./...
	@for m in $(ORACLES); do (cd $$m && '$(LINT)' run -c ../../.golangci.yml ./...); done

fuzz: ## every parser of outside text, each for its seconds
	@for f in $(FUZZ); do IFS=: read -r pkg name seconds <<<"$$f"; \
		$(GO) -C $$pkg test -run '^$$' -fuzz "^$$name$$" -fuzztime "$${seconds}s" -fuzzminimizetime 10x; done

bench: ## docs/benchmarks.md's figures, on the lab
	@bash test/packages.sh
	$(GO) run ./test/bench

soak: ## the lab's cases three times over, and ten minutes of each fuzzer
	cd test/lab && $(GO) test -timeout 2h -count 3 -away 30s
	$(MAKE) fuzz FUZZ="$$(sed -E 's/:[0-9]+/:600/g' <<<'$(FUZZ)')"

golden: ## rewrite the golden files: first the lab's cases, then what is made from them
	cd test/lab && $(GO) test -timeout 20m -capture
	$(GO) test ./report ./test/cases ./internal/rules -update
