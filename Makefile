# Everything that is done with this repository by hand or by machine. `make help` lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export CGO_ENABLED := 0
# The Go that compiles everything, also where the installed one is older or fetches no other by itself: the same programs on
# every machine, and with the known faults of the standard library fixed.
export GOTOOLCHAIN := $(shell awk '$$1 == "toolchain" {print $$2}' go.mod)+auto

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
TOOL    := go tool -modfile=hack/tools/go.mod
LINT    := go tool -modfile=hack/tools/lint/go.mod

##@ Use

.PHONY: help
help: ## List what can be made
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Serve the sample endpoint on 127.0.0.1:8080, without a cluster; Ctrl-C stops it
	@go build -o bin/run ./hack/run && exec bin/run

.PHONY: build
build: ## Compile the programs into bin/
	go build -ldflags '$(LDFLAGS)' -o bin/manager ./controllers
	go build -ldflags '$(LDFLAGS)' -o bin/receiver ./receiver
	go build -ldflags '$(LDFLAGS)' -o bin/kubectl-postback ./cli
	go build -ldflags '$(LDFLAGS)' -o bin/postback-console ./portal

.PHONY: images
images: ## Build the images of the programs into dist/, without Docker; REPOSITORY and VERSION name them
	go run ./hack/image -o dist -repository $(or $(REPOSITORY),postback) -tag $(VERSION)

.PHONY: demo
demo: ## Bring up a cluster with the operator, receivers on PostgreSQL and a sample endpoint, and send it postbacks
	go run ./hack/demo up

.PHONY: demo-down
demo-down: ## Remove all that make demo made
	go run ./hack/demo down

##@ Develop

.PHONY: test
test: ## Run every test; builds an API server and finds or installs PostgreSQL first
	assets=$$(hack/envtest.sh); KUBEBUILDER_ASSETS=$$assets go test -timeout 40m ./...

.PHONY: e2e
e2e: ## Run the end-to-end suite: on the cluster of KUBECONFIG, or on one of its own that it takes down again
	hack/e2e.sh

.PHONY: soak
soak: ## Send postbacks for SOAK_FOR (default 15m) to a cluster on which faults happen at random, and count
	hack/e2e.sh -run '^TestSoak$$' -soak $(or $(SOAK_FOR),15m)

.PHONY: cluster-up
cluster-up: ## Bring up a real Kubernetes on this machine, without Docker; NODES and METRICS as in hack/cluster/up.sh
	hack/cluster/up.sh

.PHONY: cluster-down
cluster-down: ## Take it down again, without a trace
	hack/cluster/down.sh

.PHONY: fuzz
fuzz: ## Run each fuzzer for FUZZTIME (default 30s)
	hack/fuzz.sh $(or $(FUZZTIME),30s)

.PHONY: bench
bench: build ## Measure judge and apply, and the receiver on its embedded store over loopback
	go test -run '^$$' -bench . -benchmem ./receiver/postback ./receiver/conversion ./receiver/money
	go run ./hack/perf/receiver -store sqlite

.PHONY: perf-operator
perf-operator: build ## Measure the operator against a real API server with 1,000 and with 10,000 endpoints
	go run ./hack/perf/operator -endpoints 1000 -fleets 50
	go run ./hack/perf/operator -endpoints 10000 -fleets 200 -foreign 0

.PHONY: perf-receiver
perf-receiver: ## Measure the receiver on PostgreSQL beside pgbench on the same server, up to 10 million clicks
	go run ./hack/perf/receiver -store postgres -connections 1,16,64,256 -grow 10000000

.PHONY: perf-receiver-short
perf-receiver-short: ## The same in five minutes: 1 million clicks, new conversions only
	go run ./hack/perf/receiver -store postgres -connections 64,256 -only 'new conversion'

.PHONY: perf-forward
perf-forward: ## Measure the delivery of S2S postbacks on both stores, and with one dead host among a hundred
	go run ./hack/perf/forward

.PHONY: perf-reports
perf-reports: ## Measure reports over 10 million conversions on PostgreSQL and 1 million on SQLite, sums and exports
	go run ./hack/perf/reports

.PHONY: perf-reports-short
perf-reports-short: ## The same with a tenth of the conversions, to see that the measurement works
	go run ./hack/perf/reports -short

.PHONY: chaos-receiver
chaos-receiver: ## Kill, pause and cut receivers and their database under load for five minutes, and count
	go test ./receiver/receivertest/chaos -v -count 1 -timeout 30m -duration 5m -pause 60s

.PHONY: generate
generate: ## Generate deep copies, apply configurations and the tables of presets
	hack/generate.sh

.PHONY: manifests
manifests: ## Generate the CRDs and roles
	hack/manifests.sh

.PHONY: verify
verify: lint ## Check generated files, formatting, vet, lint and known vulnerabilities
	hack/verify.sh

.PHONY: lint
lint: ## Run golangci-lint
	$(LINT) golangci-lint run ./...

.PHONY: clean
clean: ## Remove what make run and make build left here
	rm -rf bin .run
