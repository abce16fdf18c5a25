#!/bin/sh
# make bench: installs nginx, softhsm2 and perf where they are missing, builds release programs, measures, writes docs/performance.md.
#   CHILDREN=20000 PAIRS=1 SECONDS_A_TURN=2 PAGE= make bench      a quick trial that writes no page
#   PAGE_CACHE_MIB=4096 READERS=2 make bench                      other settings than the shipped ones
#   BENCH_FOLDER=/mnt/disk make bench                             where the store lies; it must be a real disk, or commits cost nothing
set -eu
cd "$(dirname "$0")/.."
page=${PAGE-docs/performance.md}

benches/install.sh

# The folder of the release build is shared, so that what both workspaces depend on is built once.
target=${CARGO_TARGET_DIR:-$PWD/target}
cargo build --release --locked --bins
CARGO_TARGET_DIR=$target cargo build --release --locked --manifest-path benches/Cargo.toml

# Not /tmp, which is memory on some machines.
TMPDIR=${BENCH_FOLDER:-$target/bench}
export TMPDIR
mkdir -p "$TMPDIR"

typed="make bench"
for name in CHILDREN PARTS HOMES SECONDS_A_TURN PAIRS CONNECTIONS CLIENT_THREADS PAGE_CACHE_MIB READERS; do
	eval "value=\${$name-}"
	[ -z "$value" ] || typed="$name=$value $typed"
done
# shellcheck disable=SC3045 # Debian's sh has it
ulimit -n 65536 2> /dev/null || true

exec "$target/release/contactpoint-bench" \
	--daemon "$target/release/contactpointd" --settings config/contactpointd.toml ${page:+--page "$page"} \
	--date "$(date -u '+%Y-%m-%d %H:%M UTC')" --commit "$(git rev-parse --short HEAD)$(git diff --quiet HEAD -- src || echo ', changed')" \
	--typed "$typed" "$@"
