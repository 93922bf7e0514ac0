# make run      install what is missing, build, run the demo, then open the window
# make test     install what is missing, then every test
# make build    bin/duet                make wasm     the tab, in bin/web
# make serve    the tab on localhost    make assets   the pictures that the program embeds
# make lint     style and import rules  make fuzz     every fuzz test for FUZZTIME
# make bench    speed, one line a case  make vectors  conformance, one line an operator
# make full     the tests of full size: ResNet-18 at 224 px with RoBERTa-base, from ../shared; gigabytes, half an hour
# make windows  bin/duet.exe, with mingw-w64 (Debian: gcc-mingw-w64-x86-64)
# make deps     install what is missing for all of these
# make fonts    the tab's fonts for Chinese, in bin/fonts
# make install  the program, its menu entry and the tab under PREFIX (/usr/local), as root or with a PREFIX of your own
# make default-model   train the shipped model anew from ../shared: an hour on two cores

SHELL    := /bin/bash
GO       ?= go
FUZZTIME ?= 30s
VERSION  := $(shell git describe --tags --always --dirty 2> /dev/null)
LINK     := -trimpath -buildvcs=false -ldflags='-s -w -X duet/model/report.version=$(VERSION)'

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# The tab is these files, the program compiled for the browser, and Go's glue.
# Scripts named .mjs are tools and tests for node and stay out.
PAGE := $(wildcard wasm/*.html wasm/*.js wasm/*.css wasm/*.webmanifest wasm/*.d.ts)

PREFIX ?= /usr/local

.PHONY: install run test build windows wasm fonts serve assets lint fuzz full bench vectors default-model deps deps-run deps-test
.DEFAULT_GOAL := build
# What is missing is installed before anything is built.
.NOTPARALLEL:

run: deps-run build wasm
	bin/duet demo
	@if [ -z "$$CI" ] && [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
	  bin/duet window; \
	elif [ -z "$$CI" ] && [ -t 1 ]; then \
	  bin/duet serve; \
	else \
	  echo 'There is no terminal or display here; "bin/duet window" opens the window where there is one, "make serve" serves the tab.'; \
	fi

test: deps build wasm
	$(GO) test -shuffle=on -timeout 20m ./...

# Outside .ci/run. What compares with PyTorch is skipped where $PYTHON (python3)
# has none.
full: deps build wasm
	DUET_FULL=1 $(GO) test -count=1 -p 1 -run '^TestFull' -timeout 60m -v ./...

build: assets
	$(GO) build $(LINK) -o bin/duet ./cmd/duet

windows: assets
	GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc $(GO) build $(LINK) -o bin/duet.exe ./cmd/duet

wasm: assets fonts
	@mkdir -p bin/web
	GOOS=js GOARCH=wasm $(GO) build $(LINK) -o bin/main.wasm ./cmd/duet
	GOOS=js GOARCH=wasm $(GO) build $(LINK) -o bin/tab.wasm ./cmd/tab
	$(GO) run ./cmd/tabfiles bin/tab
	node wasm/pack.mjs bin/web bin/main.wasm bin/tab.wasm bin/tab/* "$$($(GO) env GOROOT)/lib/wasm/wasm_exec.js" $(PAGE) $$(ls bin/fonts/* 2>/dev/null)

# The tab's fonts for Chinese, which the golden frames are drawn with, too.
# Where npm or its registry is out of reach the tab goes without.
FONTS := bin/fonts/noto-sans-sc-license.txt

fonts:
	@$(MAKE) -s --no-print-directory $(FONTS) || { [ "$$CI" != true ] && echo 'The fonts for Chinese could not be made, see above: without them the tab speaks English.'; }

$(FONTS): wasm/fonts.mjs wasm/node_modules/subset-font/package.json $(wildcard app/view/strings*.go)
	node wasm/fonts.mjs bin/fonts
	@touch $@

serve: build wasm
	bin/duet serve

install: deps-run build wasm
	install -D -m 755 bin/duet '$(DESTDIR)$(PREFIX)/bin/duet'
	install -D -m 644 -t '$(DESTDIR)$(PREFIX)/share/duet/web' bin/web/*
	install -D -m 644 app/view/duet.desktop '$(DESTDIR)$(PREFIX)/share/applications/duet.desktop'
	$(GO) run ./cmd/icons '$(DESTDIR)$(PREFIX)/share/icons'

assets:
	$(GO) run ./assets/fetch

lint: deps
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt -w" $$unformatted; exit 1; fi
	$(GO) vet ./...
	GOOS=js GOARCH=wasm $(GO) build -o /dev/null ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) test -count=1 -run '^TestRules' ./cmd/duet

fuzz: deps
	@grep -rE --include='*_test.go' --exclude='*_byhand_test.go' '^func Fuzz' . | sed -E 's#^(.*)/[^/]*:func (Fuzz[A-Za-z0-9_]*).*#\1 \2#' | sort | \
	while read -r package name; do \
	  echo "$$package $$name"; \
	  GO=$(GO) .ci/fuzz.sh "$$package" "$$name" $(FUZZTIME) || exit 1; \
	done

bench: build
	bin/duet bench

vectors: deps
	$(GO) run ./cmd/vectors

# Its pictures are drawn and read anew; the model replaces the shipped one when
# it is trained and measured.
default-model: deps-run assets
	$(GO) run ./cmd/defaultmodel
	cp bin/default-model/* assets/default/

deps: deps-test wasm/node_modules/webgpu/package.json fonts

deps-run deps-test: deps-%:
	@.ci/deps.sh $*

wasm/node_modules/webgpu/package.json: wasm/package.json wasm/package-lock.json | deps-test
	cd wasm && npm ci --ignore-scripts
	@touch $@ wasm/node_modules/subset-font/package.json

# Without what only the tests need.
wasm/node_modules/subset-font/package.json: wasm/package.json wasm/package-lock.json
	cd wasm && npm ci --ignore-scripts --omit=dev
	@touch $@
