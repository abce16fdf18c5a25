#!/usr/bin/env bash
# make bench-against COMMIT=...: this tree's look-ups held against those of an earlier commit, in one run. Builds both with their own load
# programs, runs them in turns (before, now, before, now ...), each beside nginx, and says what is left of the ratio to nginx and what an
# answer costs in processor time. The two never run at once, so a change of the machine's speed meets nginx and the daemon alike.
#   COMMIT=3fae27e RUNS=3 CHILDREN=100000 PAIRS=3 make bench-against
set -euo pipefail
cd "$(dirname "$0")/.."
benches/install.sh
commit=$(git rev-parse --verify "${COMMIT:?the commit to hold this tree against}^{commit}")
runs=${RUNS:-3}
export CHILDREN=${CHILDREN:-100000} HOMES=${HOMES:-25000} PAIRS=${PAIRS:-3} CONNECTIONS=${CONNECTIONS:-16,64} CARGO_INCREMENTAL=0
target=${CARGO_TARGET_DIR:-$PWD/target}
programs=$target/against
tree=$programs/tree
export TMPDIR=$target/bench
mkdir -p "$TMPDIR" "$programs/before" "$programs/now"

built() { # folder of the source, folder for the programs
    (cd "$1" && CARGO_TARGET_DIR=$target cargo build --release --locked --bins \
        && CARGO_TARGET_DIR=$target cargo build --release --locked --manifest-path benches/Cargo.toml)
    cp "$target"/release/contactpoint{,d,ctl,-synthesise,-bench} "$2"
    cp "$1/config/contactpointd.toml" "$2"
}
git worktree remove --force "$tree" 2> /dev/null || true
git worktree add --force --detach --quiet "$tree" "$commit"
trap 'git worktree remove --force "$tree"' EXIT
built "$tree" "$programs/before"
built "$PWD" "$programs/now"

ulimit -n 65536 2> /dev/null || true
for run in $(seq "$runs"); do
    for which in before now; do
        "$programs/$which/contactpoint-bench" --daemon "$programs/$which/contactpointd" \
            --settings "$programs/$which/contactpointd.toml" > "$programs/$which/figures.$run"
    done
done

# Of each run: the ratio's median over its pairs, and the server's processor time of a look-up. Then the median over the runs.
column() { # which, heading, first cell, column
    awk -F'|' -v heading="### $2" -v first="$3" -v wanted="$4" '
        /^###/ { here = $0 == heading }
        here && $2 == " " first " " { split($(wanted + 1), words, " "); print words[1] }' "$programs/$1"/figures.*
}
median() {
    sort -g | awk '{ value[NR] = $1 } END { print NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2 }'
}
printf '| connections | ratio to nginx at %s | now | now over before | processor time a look-up before, us | now |\n' "${commit:0:7}"
printf '| --- | --- | --- | --- | --- | --- |\n'
for connections in ${CONNECTIONS//,/ }; do
    before=$(column before 'Audited look-ups beside nginx' "$connections" 4 | median)
    now=$(column now 'Audited look-ups beside nginx' "$connections" 4 | median)
    cost_before=$(column before 'Processor time an answer, in microseconds' "look-up, $connections" 2 | median)
    cost_now=$(column now 'Processor time an answer, in microseconds' "look-up, $connections" 2 | median)
    printf '| %s | %s | %s | %s | %s | %s |\n' "$connections" "$before" "$now" \
        "$(awk -v a="$now" -v b="$before" 'BEGIN { printf "%.2f", a / b }')" "$cost_before" "$cost_now"
done
