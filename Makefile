# The commands of this repository. `make help` lists them.

PROFILE ?= release
KEEP ?=
CARGO ?= cargo
# Where cargo puts what it built for a profile.
BUILT = target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))

# What a fresh Debian 12 lacks beside the Rust toolchain.
PACKAGES := \
	gcc libc6-dev make pkg-config \
	libssl-dev \
	softhsm2 opensc caml-crush-server caml-crush-clients \
	oathtool jq \
	systemd strace man-db \
	python3-venv \
	golang-go golang-golang-x-mod-dev \
	debhelper dpkg-dev lintian bzip2 binutils shellcheck \
	selinux-policy-dev selinux-policy-default setools python3-setools semodule-utils policycoreutils checkpolicy m4
# What the rigs lack beside: a container and a machine in which the packages are lived in.
# Debian 12's own qemu-utils, where a newer one is there: the two must fit.
RIGS := mmdebstrap e2fsprogs iproute2 util-linux procps openssl qemu-system-x86 qemu-utils/bookworm

.DEFAULT_GOAL := help
.PHONY: help deps build demo test lint bench deb reproducible rigs container machine bench-against

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 20
	@echo 'make demo KEEP=1    leaves the daemon up and prints commands to paste; PROFILE=dev builds faster and runs slower'

deps: ## installs the Debian packages that are missing (with sudo where you are not root)
	@command -v $(CARGO) > /dev/null || { echo 'There is no cargo: install a Rust toolchain first (https://rustup.rs, Rust 1.89 or newer).' >&2; exit 1; }
	@missing=; for package in $(PACKAGES); do \
		dpkg-query -W -f '$${Status}' $$package 2> /dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	command='apt-get install -y --no-install-recommends'"$$missing"; \
	if [ "$$(id -u)" -eq 0 ]; then become=; \
	elif command -v sudo > /dev/null; then become=sudo; echo "Not root: asking sudo for $$command"; \
	else echo "Not root, and there is no sudo. As root, run:" >&2; echo "    apt-get update && $$command" >&2; exit 1; fi; \
	$$become apt-get update -q && $$become env DEBIAN_FRONTEND=noninteractive $$command

build: deps ## builds the four programs (PROFILE=release or dev)
	$(if $(filter dev,$(PROFILE)),,packaging/release-environment.sh) $(CARGO) build --locked --profile $(PROFILE) --bins

deb: deps ## the three Debian packages, into target/packages
	@packaging/build.sh

reproducible: deps ## builds the packages twice, from two folders, and compares them byte for byte
	@packaging/reproducible.sh

demo: build ## one borough, one look-up, all the way through: real HSM module, real TLS, real log; under two minutes (codes come two a minute), leaves nothing behind
	@BUILT=$(BUILT) KEEP=$(KEEP) tests/demo/run.sh

test: deps ## every test: real SoftHSM2, real SQLCipher, real TLS
	$(CARGO) test --workspace

rigs: deps ## installs what the two rigs below need (as root; emulates a machine, no KVM needed)
	@missing=; for package in $(RIGS); do \
		dpkg-query -W -f '$${Status}' $${package%/*} 2> /dev/null | grep -q 'ok installed' || missing=1; \
	done; \
	[ -z "$$missing" ] || { apt-get update -q && env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y --no-install-recommends --allow-downgrades $(RIGS); }

container: rigs deb ## lives in the packages of target/packages: systemd as process 1, the first hour, the look-up, the attacks, the inspection
	@tests/appliance/all.sh container

machine: rigs deb ## in an emulated machine with SELinux enforcing and a stick to plug in: the first hour, the look-up, the attacks
	@tests/appliance/all.sh machine

lint: deps ## formatting, clippy with warnings as errors, licences, bans and sources of what we depend on
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	@command -v cargo-deny > /dev/null || $(CARGO) install cargo-deny --locked
	$(CARGO) deny check licenses bans sources

bench: deps ## installs nginx, measures against it, writes docs/performance.md
	@benches/run.sh

bench-against: deps ## COMMIT=...: this tree's look-ups against that commit's, in one run, both beside nginx
	@benches/against.sh
