# make            build bin/smsc
# make check      everything that must hold before a change goes in; ends with
#                 the line "N passed, N failed"
# make test race fuzz interop   its parts
# make bench      the table of docs/performance.md: an hour
# make bench-quick  the same in short, to compare two builds by ratio
# make bench-code the benchmarks beside the code

GO       ?= go
FUZZTIME ?= 5s
# What drives real processes and foreign peers; it has a step of its own.
STRANGERS = ^(TestInterop|TestCrash)

COUNT = bin/count
export CHECK_TALLY = $(CURDIR)/bin/check.tally

.PHONY: all build check clean peers format vet lint test race fuzz interop bench bench-quick bench-code

all: build

build:
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/smsc ./cmd/smsc

# Every step runs, also after one that failed; the verdict comes last.
check: peers
	@rm -f $(CHECK_TALLY)
	@rc=0; for step in format vet lint test race fuzz interop; do \
		$(MAKE) --no-print-directory $$step || rc=1; \
	done; \
	$(COUNT) sum && exit $$rc

$(COUNT): $(wildcard testdata/count/*.go)
	@mkdir -p bin
	@$(GO) build -o $@ ./testdata/count

# Foreign peers: SIPp, Kannel, Net::SMPP and tshark from Debian, the npm library
# "smpp". Missing ones are installed where that can be done; tests that need
# one skip, or fail when CI=true.
peers:
	@testdata/peers/install.sh

format: $(COUNT)
	@$(COUNT) step format gofmt -l $$($(GO) list -f '{{.Dir}}' ./...) testdata/count testdata/pcap

vet: $(COUNT)
	@$(COUNT) step vet $(GO) vet ./... ./testdata/count ./testdata/pcap

lint: $(COUNT)
	@$(COUNT) step lint $(GO) tool staticcheck ./... ./testdata/count ./testdata/pcap

test: $(COUNT)
	@$(COUNT) tests test $(GO) test -json -count=1 -timeout 8m -skip '$(STRANGERS)' ./...

race: $(COUNT)
	@$(COUNT) tests race $(GO) test -json -race -count=1 -timeout 12m -skip '$(STRANGERS)' ./...

fuzz: $(COUNT)
	@$(COUNT) fuzz $(FUZZTIME)

interop: $(COUNT)
	@$(COUNT) tests interop $(GO) test -json -count=1 -timeout 20m -run '$(STRANGERS)' ./cmd/smsc

bench: build
	bin/smsc bench table

bench-quick: build
	bin/smsc bench table --quick

bench-code:
	$(GO) test -run '^$$' -bench . -benchmem ./...

clean:
	rm -rf bin testdata/peers/node_modules
