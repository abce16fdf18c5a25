# Inside a rig: telling what happens, failing with a sentence, marks in the audit log.
# shellcheck shell=bash

say() { printf '%s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*"; exit 1; }
since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }
# shellcheck disable=SC2154 # rig is set by the file of this name
in_machine() { [ "$rig" = vm ]; }

# When the test fails: what the journal has of us, and what SELinux refused.
last_words() { # STATUS
    if [ "$1" = 0 ]; then return; fi
    journalctl --no-pager -o short-monotonic -n 60 -u 'contactpoint*' -t systemd || true
    if in_machine; then grep -hE '^type=(AVC|USER_AVC|SELINUX_ERR) ' /var/log/audit/audit.log | tail -n 20; fi
}

# step SENTENCE COMMAND...: runs it, and tells how long it took.
step() {
    local sentence=$1 from=$EPOCHREALTIME
    shift
    "$@" || fail "$sentence: '$*' ended with $?"
    say "ok: $sentence ($(since "$from") s)"
}

# A line in the audit log, between which denials are counted.
mark() { if in_machine; then auditctl -m "contactpoint: $1"; fi; }

# Between the marks nothing of ours was denied; what the attacks ran into is not counted.
no_denials() {
    local all=out/denials
    sleep 1 # auditd writes once a second at the latest
    awk '/contactpoint: living begins/ { on = 1 } /contactpoint: living ends/ { on = 0 } on && /^type=(AVC|USER_AVC|SELINUX_ERR) /' \
        /var/log/audit/audit.log > $all
    grep -q 'contactpoint: living ends' /var/log/audit/audit.log || fail 'the audit log has no marks'
    # Debian's own tool writes to the rig's pipe while a policy is loaded; that is nobody's cage
    if grep -v 'comm="load_policy" path="pipe:' $all; then fail 'SELinux refused something outside the attacks'; fi
    say "ok: no denial outside the attacks (but $(wc -l < $all) of load_policy at the rig's pipe)"
}
