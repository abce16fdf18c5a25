# What both rigs do out here, container.sh and vm.sh: read their options, lay out what goes in, follow the test to its end.
# shellcheck shell=bash
#
# Who sources this sets `here` and `rig` (its name, for messages), and has functions of these names:
#   next_line           reads the next line from inside into `line`; fails when there will be none
#   send_in LINE        sends a line in
#   own_turn WORDS...   does what the test asks of the rig itself; fails where that is the matter of --host's script
#   lost                no exit code came: says why, and sets `status`

# shellcheck disable=SC2154 # here and rig are set by who sources this
say() { printf '%s: %s\n' "$rig" "$*" >&2; }
die() { say "$*"; exit 97; }
since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }
usage() { sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "$0"; exit 97; }

# shellcheck disable=SC2034 # limit and ways_in are read by the rig
read_options() { # DEFAULT_LIMIT [OPTION...] TEST: into debs, files, ways_in, host, out, limit, test
    debs=() files=() ways_in=() host='' out='' limit=$1 test=''
    shift
    while [ $# -gt 0 ]; do
        case $1 in
            --deb) debs+=("$2"); shift ;;
            --file) files+=("$2"); shift ;;
            --forward) ways_in+=("$2"); shift ;;
            --host) host=$2; shift ;;
            --out) out=$2; shift ;;
            --timeout) limit=$2; shift ;;
            -*) die "unknown option $1" ;;
            *) test=$1 ;;
        esac
        shift
    done
    [ -f "$test" ] || usage
}

lay_in() { # FOLDER: what will be /run/appliance inside
    local file
    mkdir -p "$1/debs"
    cp "$test" "$1/test"
    cp "$here/guest/run-test.sh" "$1/"
    for file in ${debs[@]+"${debs[@]}"}; do cp "$file" "$1/debs/"; done
    for file in ${files[@]+"${files[@]}"}; do cp -r "$file" "$1/"; done
}

host_turn() { # INPUT WORDS...: what the test inside asks for; INPUT is base64, or -
    local input=$1 ended=0
    shift
    if own_turn "$@"; then
        : > "$folder/answer"
    else
        [ -n "$host" ] || die "the test inside asks for '$*', and there is no --host"
        { [ "$input" = - ] || printf %s "$input" | base64 -d; } | bash "$host" "$@" > "$folder/answer" || ended=$?
    fi
    send_in "DONE $ended $(base64 -w 0 "$folder/answer")"
}

follow() { # what the test says, until its exit code; exits with it
    local line in_out=0 words
    status=''
    while next_line; do
        if [ $in_out = 1 ]; then
            if [ "$line" = @ENDOUT ]; then in_out=0; else printf '%s\n' "$line" >> "$folder/out.b64"; fi
            continue
        fi
        case $line in
            @HOST*) read -ra words <<< "${line#@HOST }"; host_turn "${words[@]}" ;;
            @MARK*) say "${line#@MARK }, $(since "$began") s" ;;
            @OUT) in_out=1 ;;
            @RC*) status=${line#@RC }; break ;;
            *) printf '%s\n' "$line" ;;
        esac
    done
    if [ -s "$folder/out.b64" ] && [ -n "$out" ]; then mkdir -p "$out"; base64 -d "$folder/out.b64" | tar -xz -C "$out"; fi
    [ -n "$status" ] || lost
    say "exit code $status after $(since "$began") s"
    exit "$status"
}
