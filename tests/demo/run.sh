#!/usr/bin/env bash
# The demo: one borough, one look-up, all the way through, in a temporary folder. `make demo` builds and runs it.
#
# Everything is what a real directory would be made of: an HSM token (SoftHSM), the key ceremony, the daemon on sockets that
# systemd-socket-activate hands over, certificates, organisations, people with two factors, suppliers' feeds, the public log. Each expected
# outcome is checked: where somebody is let in who should not be, the demo fails.
#
#   BUILT    where the four programs are (target/release)
#   PORT     a loopback port (a free one is looked for)
#   KEEP=1   leaves the daemon up and prints commands to paste
set -euo pipefail

began=$(date +%s%N)
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
built=$(cd "$repository" && realpath "${BUILT:-target/release}")
keep=${KEEP:-}
children=5000
PATH=$built:$PATH

if [ -t 1 ]; then bold=$'\e[1m' blue=$'\e[34m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'; else bold='' blue='' green='' red='' plain=''; fi

# --- the folder, and leaving nothing behind ---------------------------------------------------------------------------------------

umask 077
work=$(mktemp -d "${TMPDIR:-/tmp}/contactpoint-demo.XXXXXX")
daemon=
finish() {
    local status=$?
    if [ $status -ne 0 ] && [ -s "$work/daemon.log" ]; then
        printf '\nThe last words of contactpointd:\n'
        tail -n 60 "$work/daemon.log"
    fi
    if [ $status -ne 0 ] || [ -z "$keep" ]; then
        [ -z "$daemon" ] || { kill "$daemon" 2> /dev/null && wait "$daemon" 2> /dev/null; } || true
        cd /
        rm -rf "$work"
    fi
    exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM
cd "$work"
mkdir configuration state credentials tokens run people

# --- telling -----------------------------------------------------------------------------------------------------------------------

step=0
headline() { step=$((step + 1)); printf '\n%s%d. %s%s\n' "$bold" "$step" "$1" "$plain"; }
say() { printf '   %s\n' "$*"; }
good() { printf '   %s=> %s%s\n' "$green" "$*" "$plain"; }
fail() { printf '   %sFAILED: %s%s\n' "$red" "$*" "$plain" >&2; exit 1; }
typed() { printf '   %s$ %s%s\n' "$blue" "$*" "$plain"; }

# try STATUS COMMAND...: shows the command and its output, and fails unless it ends with this status. The output stays in $output.
output=
try() {
    local expected=$1 status=0
    shift
    if [ "$1" = as ]; then typed "$(quoted contactpoint --session-file "run/$2.session" "${@:3}")"; else typed "$(quoted "$@")"; fi
    output=$("$@" 2>&1 < /dev/null) || status=$?
    printf '%s\n' "$output" | sed 's/^/     /'
    [ $status -eq "$expected" ] || fail "this should have ended with status $expected, and ended with $status"
}
# The same without showing anything, unless it goes wrong.
quietly() {
    output=$("$@" 2>&1 < /dev/null) || { typed "$(quoted "$@")"; printf '%s\n' "$output"; fail "this should have succeeded"; }
}
quoted() { # words with blanks in quotes, as one would type them
    local word line=
    for word in "$@"; do
        case $word in *[!A-Za-z0-9_./:=@,+-]*) line+=" '$word'" ;; *) line+=" $word" ;; esac
    done
    printf '%s' "${line# }"
}
must_say() { grep -qF -- "$1" <<< "$output" || fail "the answer should speak of: $1"; }
must_not_say() { ! grep -qF -- "$1" <<< "$output" || fail "the answer should not speak of: $1"; }

# --- people ------------------------------------------------------------------------------------------------------------------------

# hand_over JSON: keeps what a new person was shown once, as they would: the password in their head, the secret in their telephone.
hand_over() {
    local login password secret
    { read -r login && read -r password && read -r secret; } < <(jq -r '.login, .password, .code_secret' <<< "$1") || fail 'nothing to hand over'
    printf '%s\n' "$password" > "people/$login.password"
    printf '%s\n' "$secret" > "people/$login.secret"
    jq -r .id <<< "$1" > "people/$login.number"
}
code_of() { oathtool --totp --base32 - < "people/$1.secret"; }
# The code after the one that somebody used to log in: a code works once, and the next one is taken half a minute early (RFC 6238, 5.2).
next_code_of() { oathtool --totp --base32 --now "$(date -u -d '+30 seconds' '+%F %T UTC')" - < "people/$1.secret"; }

# shellcheck source-path=SCRIPTDIR source=codes.sh
. "$repository/tests/demo/codes.sh"

# log_in ORGANISATION LOGIN [quietly]: two factors, over the organisation's certificate; for the first time, so the agreement is signed.
log_in() {
    local command=(contactpoint --profile "$1.toml" log-in --login "$2" --password-stdin --code "$(code_of "$2")")
    local sign=(contactpoint --profile "$1.toml" sign --accept 1)
    [ -n "${3:-}" ] || typed "$(quoted "${command[@]}") < people/$2.password"
    output=$("${command[@]}" 2>&1 < "people/$2.password") || { printf '%s\n' "$output"; fail "$2 should have been logged in"; }
    [ -n "${3:-}" ] || printf '%s\n' "$output" | sed 's/^/     /'
    if [ -n "${3:-}" ]; then quietly "${sign[@]}"; else try 0 "${sign[@]}"; fi
}

# profile_of CERTIFICATE: the four lines by which the client knows the directory and itself.
profile_of() {
    printf 'server = "https://localhost:%s"\nauthority = "pki/ca.pem"\ncertificate = "pki/%s.pem"\nkey = "pki/%s.key"\n' "$port" "$1" "$1" > "$1.toml"
}
scenario() { jq -r "$1" borough/scenario.json; }

# --- 1 -----------------------------------------------------------------------------------------------------------------------------

printf '%sThe directory of who works with a child: one borough, one look-up, all the way through.%s\n' "$bold" "$plain"
say "Synthetic people only. Everything happens in $work."

headline 'An HSM token and the key ceremony: six keys that never leave the token, and the data keys that they wrap'
cp -r "$repository/config/." configuration/
mkdir -p configuration/tls
# a test system (rule G7); and once it is locked down, the daemon reaches nothing but its state, its configuration and what is named here
sed -i "s|^writes = \[\]|writes = [\"$work/tokens\"]|; s|^for_tests = false|for_tests = true|" configuration/contactpointd.toml
printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$work" > softhsm2.conf
pin=1$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')
printf '%s\n' "$pin" > credentials/hsm-pin
# what systemd would set for the unit
export CONFIGURATION_DIRECTORY=$work/configuration STATE_DIRECTORY=$work/state CREDENTIALS_DIRECTORY=$work/credentials
export SOFTHSM2_CONF=$work/softhsm2.conf XDG_RUNTIME_DIR=$work/run
typed 'softhsm2-util --init-token --free --label contactpoint'
quietly softhsm2-util --init-token --free --label contactpoint --pin "$pin" --so-pin "$pin"
typed 'contactpointctl ceremony --json > ceremony.json'
contactpointctl ceremony --json > ceremony.json || fail 'the ceremony should have been held'
hand_over "$(jq .officer ceremony.json)"
hand_over "$(jq .owner ceremony.json)"
jq -r .verifier_key ceremony.json > verifier-key.txt
say "     The first security officer is $(jq -r .officer.login ceremony.json), the risk owner is $(jq -r .owner.login ceremony.json)."
say "     Anyone may have the log's public key: $(cat verifier-key.txt)"

# --- 2 -----------------------------------------------------------------------------------------------------------------------------

headline "A borough of $children children, and certificates for its organisations"
try 0 contactpoint-synthesise borough --children "$children" --out borough
keys=()
declare -A name kind authority feed_of layout_of administrator
while IFS=$'\t' read -r key title sort council file layout login; do
    keys+=("$key")
    name[$key]=$title kind[$key]=$sort authority[$key]=$council feed_of[$key]=$file layout_of[$key]=$layout administrator[$key]=$login
done < <(jq -r '.[] | [.key, .name, .kind, .authority // "-", .feed // "-", .layout // "-",
    (.people[] | select(.roles == ["administrator"]).login)] | @tsv' borough/organisations.json)
[ "${#keys[@]}" -ge 13 ] || fail 'a borough has thirteen organisations at least'
try 0 contactpointctl certificate-request --name localhost --name 127.0.0.1 --out server.csr
try 0 contactpoint-synthesise pki --organisations borough/organisations.json --server-csr server.csr --out pki
cp pki/server.pem configuration/tls/server.pem
cp pki/ca.pem configuration/tls/clients-ca.pem
cp pki/clients.crl.pem configuration/tls/clients.crl.pem

# --- 3 -----------------------------------------------------------------------------------------------------------------------------

headline 'The daemon, on sockets that it is handed: it never opens one itself'
free_port() {
    local port
    while port=$((20000 + RANDOM % 20000)) && (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do :; done
    echo "$port"
}
port=${PORT:-$(free_port)}
command=(systemd-socket-activate -l "127.0.0.1:$port" -l "$work/control.sock"
    -E CONFIGURATION_DIRECTORY -E STATE_DIRECTORY -E CREDENTIALS_DIRECTORY -E SOFTHSM2_CONF contactpointd)
typed "$(quoted "${command[@]/$work\//}") &"
setsid "${command[@]}" > daemon.log 2>&1 < /dev/null &
daemon=$!
until [ -S control.sock ]; do
    kill -0 "$daemon" 2> /dev/null || fail 'the daemon should have been started'
    sleep 0.02
done
# desk LOGIN VERB...: what one of the two people at the data centre types, each in a session of their own, into $line.
line=()
desk() { line=(contactpointctl "$2" --socket control.sock --session-file "run/$1.session" "${@:3}"); }
officers=(security-officer) owners=(risk-owner)
for who in security-officer risk-owner; do
    fresh_code "$who"
    desk "$who" log-in --login "$who" --password-stdin --code "$code"
    typed "$(quoted "${line[@]}") < people/$who.password"
    "${line[@]}" < "people/$who.password" | sed 's/^/     /' || fail "the $who should have been logged in"
    if [ "$who" = risk-owner ]; then
        fresh_code "$who"
        desk "$who" sponsor 2 --code "$code"
        try 77 "${line[@]}"
        must_say agreement_pending
    fi
    desk "$who" sign --accept 1
    typed "$(quoted "${line[@]}")"
    quietly "${line[@]}"
done
good 'both have signed the user agreement: nobody does anything before'
try 0 contactpointctl status --socket control.sock

for colleague in 2 3 4 5 6 7; do
    colleague "risk-owner-$colleague" risk-owner administrator
    owners+=("risk-owner-$colleague")
    colleague "security-officer-$colleague" security-officer
    officers+=("security-officer-$colleague")
done
good 'six more of each: whatever lets somebody in takes a code of its own, and a telephone shows two a minute'

# --- 4 -----------------------------------------------------------------------------------------------------------------------------

headline 'Organisations come in by two gates: the risk owner vouches for each, the security officer accredits it'
today=$(date -u +%F) next_year=$(date -u -d '+1 year' +%F)
mkdir enrolments
declare -A number supervisor
let_in_wrongly() { # LOGIN REFUSAL NUMBER: an accreditation before the sponsor, or by the sponsor
    fresh_code "$1"
    desk "$1" accredit "$3" --capability query --expires "$next_year" --code "$code"
    try 77 "${line[@]}"
    must_say "$2"
}
enrol() { # KEY [shown]
    local key=$1 shown=${2:-} capability held wanted=()
    jq --arg key "$key" --arg day "$today" --rawfile certificate "pki/$key.pem" --argjson authority "${number[${authority[$key]}]:-null}" '
        def head($role): .people[] | select(.roles == [$role])
            | {login, given_name, family_name, checks: {vetted: $day, barring: $day, trained: $day}};
        .[] | select(.key == $key)
        | {name, kind, telephone, email, postcode, certificates: [$certificate],
           administrator: head("administrator"), supervisor: head("supervisor")}
          + (if $authority then {authority: $authority} else {} end)' borough/organisations.json > "enrolments/$key.json"
    desk security-officer enrol-organisation "enrolments/$key.json"
    [ -z "$shown" ] || typed "$(quoted "${line[@]}")"
    quietly "${line[@]}"
    local answer=$output
    number[$key]=$(jq .id <<< "$answer") supervisor[$key]=$(jq .supervisor.id <<< "$answer")
    hand_over "$(jq .administrator <<< "$answer")"
    hand_over "$(jq .supervisor <<< "$answer")"
    profile_of "$key"
    [ -z "$shown" ] || let_in_wrongly security-officer not_sponsored "${number[$key]}"
    fresh_code "${owners[@]}"
    desk "$who" sponsor "${number[$key]}" --code "$code"
    [ -z "$shown" ] || typed "$(quoted "${line[@]}")"
    quietly "${line[@]}"
    [ -z "$shown" ] || { say "     $(jq -r '"\(.name): \(.stage)"' <<< "$output")"; let_in_wrongly risk-owner forbidden "${number[$key]}"; }
    held=
    while read -r capability; do
        wanted+=(--capability "$capability")
        held+="${held:+, }$capability"
    done < <(jq -r --arg key "$key" '.[] | select(.key == $key) | .capabilities[]' borough/organisations.json)
    fresh_code "${officers[@]}"
    desk "$who" accredit "${number[$key]}" "${wanted[@]}" --expires "$next_year" --code "$code"
    [ -z "$shown" ] || typed "$(quoted "${line[@]}")"
    quietly "${line[@]}"
    say "     ${name[$key]} (${kind[$key]}): number ${number[$key]}, for $held; administrator ${administrator[$key]}"
}
for key in "${keys[@]}"; do
    enrol "$key" "$([ "$key" != "${keys[0]}" ] || echo shown)"
done
good 'no accreditation without a sponsor, and none by the sponsor: it takes two people'

# --- 5 -----------------------------------------------------------------------------------------------------------------------------

headline 'Each administrator logs in with two factors, accepts the responsibilities, and enrols their own people'
declare -A steward
enrol_people() { # KEY [shown]
    local key=$1 shown=${2:-} owner login given family role command names=()
    local accept=(contactpoint --profile "$key.toml" accept-responsibilities --accept 1)
    log_in "$key" "${administrator[$key]}" "$([ -n "$shown" ] || echo quietly)"
    [ -n "$shown" ] || quietly "${accept[@]}"
    while IFS=$'\t' read -r owner login given family role; do
        if [ "$owner" != "$key" ] || [ "$role" = administrator ] || [ "$role" = supervisor ]; then continue; fi
        [ "$role" != data-steward ] || steward[$key]=$login
        command=(contactpoint --profile "$key.toml" enrol-person --login "$login" --given-name "$given" --family-name "$family" --role "$role"
            --supervisor "${supervisor[$key]}" --vetted "$today" --barring "$today" --trained "$today" --json)
        if [ -n "$shown" ] && [ ${#names[@]} -eq 0 ]; then
            try 1 "${command[@]}"
            must_say responsibilities_pending
            try 0 "${accept[@]}"
        fi
        [ -z "$shown" ] || typed "$(quoted "${command[@]}")"
        quietly "${command[@]}"
        hand_over "$output"
        names+=("$login")
    done < people.tsv
    quietly contactpoint --profile "$key.toml" log-out
    say "     ${name[$key]}: ${names[*]}"
}
jq -r '.[] | .key as $key | .people[] | [$key, .login, .given_name, .family_name, .roles[0]] | @tsv' borough/organisations.json > people.tsv
for key in "${keys[@]}"; do
    enrol_people "$key" "$([ "$key" != "${keys[0]}" ] || echo shown)"
done

# --- 6 -----------------------------------------------------------------------------------------------------------------------------

headline "Their data stewards feed what their suppliers' systems export: schools, surgeries, council, each in its own layout"
# One supplier's system has a fault: the fourth line of the police's file has a date of birth that no calendar has.
sed -i -E '4s/,[0-9]{2}-[0-9]{2}-([0-9]{4}),/,31-02-\1,/' "borough/${feed_of[police]}"
feed() { # KEY [status]: shown, with the status that is expected, or told in one line
    local key=$1 command=(contactpoint --profile "$1.toml" feed "borough/${feed_of[$1]}" --layout "${layout_of[$1]}")
    log_in "$key" "${steward[$key]}" "$([ -n "${2:-}" ] || echo quietly)"
    if [ -n "${2:-}" ]; then
        try "$2" "${command[@]}"
        [ "$2" -eq 0 ] || must_say invalid_date
    else
        quietly "${command[@]}" --json
        say "     ${name[$key]}, ${layout_of[$key]}: $(jq -r '"\(.next_line - 2) records, \(.created) new, \(.joined) joined, \(.rejected_count) rejected"' <<< "$output")"
    fi
    quietly contactpoint --profile "$key.toml" log-out
}
for key in "${keys[@]}"; do
    case $key in
        council) feed "$key" 0 ;;
        police) feed "$key" 1 ;;
        *) [ "${feed_of[$key]}" = - ] || feed "$key" ;;
    esac
done
good 'a bad line is told by its number and its reason, never by what it says, and the others are kept'

# --- 7 -----------------------------------------------------------------------------------------------------------------------------

school=$(scenario .personas.teacher.organisation)
family=$(scenario .child.family_name) given=$(scenario .child.given_name) born=$(scenario .child.date_of_birth)
headline "A teacher worries about a pupil, $given $family: who else works with the child?"
log_in "$school" "$(scenario .personas.teacher.login)"
try 0 contactpoint --profile "$school.toml" search --family-name "$family" --given-name "$given" --date-of-birth "$born" --reason concern
child=$(grep -oE '^[0-9]{10}\b' <<< "$output" | head -n 1) || fail 'the search should have found the pupil'
try 0 contactpoint --profile "$school.toml" view "$child" --reason concern
for key in $(scenario '.known_to[]'); do must_say "${name[$key]}"; done
good "the teacher knows whom to ring, and rings $(grep -oE '[0-9]{10,}.*@[a-z0-9.-]+' <<< "$output" | tail -n 1 | cut -d' ' -f 1), the lead professional"

# --- 8 -----------------------------------------------------------------------------------------------------------------------------

other=$(scenario .personas.other_gp.organisation)
headline 'A doctor of another surgery asks for the same child'
log_in "$other" "$(scenario .personas.other_gp.login)"
try 0 contactpoint --profile "$other.toml" search --family-name "$family" --date-of-birth "$born" --reason coordination
must_not_say "$child"
try 1 contactpoint --profile "$other.toml" view "$child" --reason coordination
must_say not_found_or_not_yours
refusal=$output
try 1 contactpoint --profile "$other.toml" view 0000000006 --reason coordination
[ "$output" = "$refusal" ] || fail 'a child of others and a child that does not exist should not be told apart'
good 'not on their list: refused, in the same words as for a child that does not exist'

# --- 9 -----------------------------------------------------------------------------------------------------------------------------

headline 'The child is missing, and the doctor breaks the glass: for this one child, for half an hour, and the supervisor is told'
doctor=$(scenario .personas.other_gp.login)
# Somebody else of the same organisation, at another machine: a session of their own.
as() { contactpoint --session-file "run/$1.session" "${@:2}"; } # LOGIN COMMAND...
log_in_as() { # ORGANISATION LOGIN: quietly
    local status=0
    as "$2" --profile "$1.toml" log-in --login "$2" --password-stdin --code "$(code_of "$2")" < "people/$2.password" > answer 2>&1 || status=$?
    [ $status -eq 0 ] || { cat answer; fail "$2 should have been logged in"; }
    quietly as "$2" --profile "$1.toml" sign --accept 1
}
try 0 contactpoint --profile "$other.toml" break-glass "$child" --reason missing --code "$(next_code_of "$doctor")"
try 0 contactpoint --profile "$other.toml" view "$child" --reason missing
must_say "${name[$school]}"
try 0 contactpoint --profile "$other.toml" leave
try 1 contactpoint --profile "$other.toml" view "$child" --reason missing
must_say not_found_or_not_yours
judge=supervisor.$other
log_in_as "$other" "$judge"
say "The supervisor, who has no way to any record, reads what waits and judges it ($judge):"
try 0 as "$judge" --profile "$other.toml" alerts
must_say break-glass
must_say "$child"
must_not_say "$family"
quietly as "$judge" --profile "$other.toml" alerts --json
alert=$(jq '.alerts[] | select(.kind == "break-glass").id' <<< "$output" | head -n 1)
try 0 as "$judge" --profile "$other.toml" judge "$alert" justified
good 'told in the same moment, with the number and without the record; five working days, or no further glass is broken'

# --- 10 ----------------------------------------------------------------------------------------------------------------------------

council=council
officer=shielding-officer.$council
headline "The family has fled: the council's shielding officer shields the child"
log_in_as "$council" "$officer"
try 0 as "$officer" --profile "$council.toml" shield "$child" --reason domestic-violence --review "$(date -u -d '+6 months' +%F)"
say 'What the teacher sees from now on:'
try 0 contactpoint --profile "$school.toml" view "$child" --reason concern
must_say "$family"
must_say shielded
for key in $(scenario '.known_to[]'); do must_not_say "${name[$key]}"; done
say 'What the officer who answers for the shield sees:'
try 0 as "$officer" --profile "$council.toml" view "$child" --reason concern
for key in $(scenario '.known_to[]'); do must_say "${name[$key]}"; done
try 0 as "$officer" --profile "$council.toml" unshield "$child" --code "$(next_code_of "$officer")"
try 0 contactpoint --profile "$school.toml" view "$child" --reason concern
must_say "${name[$school]}"
good 'name, date of birth and number; no address, no school, no doctor, nobody who works with the child; and open again when it is lifted'

# --- 11 ----------------------------------------------------------------------------------------------------------------------------

teacher=$(scenario .personas.teacher.login)
headline "The teacher's vetting lapses"
head_teacher=${administrator[$school]}
as "$head_teacher" --profile "$school.toml" log-in --login "$head_teacher" --password-stdin --code "$(next_code_of "$head_teacher")" \
    < "people/$head_teacher.password" > answer 2>&1 || { cat answer; fail "$head_teacher should have been logged in"; }
number_of_teacher=$(cat "people/$teacher.number")
amend=(as "$head_teacher" --profile "$school.toml" amend-person "$number_of_teacher" --barring "$today" --trained "$today" --vetted)
try 0 "${amend[@]}" "$(date -u -d '-3 years -1 day' +%F)"
try 1 contactpoint --profile "$school.toml" view "$child" --reason concern
must_say vetting_lapsed
quietly "${amend[@]}" "$today"
try 0 contactpoint --profile "$school.toml" view "$child" --reason concern
good 'refused at the next request, by the name of what lapsed; renewed, and let in again'

# --- 12 ----------------------------------------------------------------------------------------------------------------------------

headline 'Those who do not belong do not get past TLS'
for certificate in stranger unenrolled revoked; do
    profile_of "$certificate"
    case $certificate in
        stranger) say 'A certificate of an authority that nobody knows:' ;;
        unenrolled) say 'A certificate of the right authority, for an organisation that nobody enrolled:' ;;
        revoked) say 'A certificate that was revoked:' ;;
    esac
    try 3 contactpoint --profile "$certificate.toml" log fetch "log-of-$certificate"
    must_say 'TLS refused'
done
good 'three certificates, three refusals'

# --- 13 ----------------------------------------------------------------------------------------------------------------------------

auditor=$(scenario .personas.auditor.organisation)
headline 'The auditor asks who saw the child'
log_in "$auditor" "$(scenario .personas.auditor.login)"
try 0 contactpoint --profile "$auditor.toml" who-saw "$child" --reason audit
must_say "${name[$school]}"
must_say "${name[$other]}"
quietly contactpoint --profile "$auditor.toml" who-saw "$child" --reason audit --json
looks() { jq --arg name "$1" --arg what "$2" --arg outcome "$3" '
    [.looks[] | select(.organisation.name == $name and .operation == $what and (.outcome == "answered") == ($outcome == "answered"))] | length' <<< "$output"; }
[ "$(looks "${name[$school]}" search answered)" = 1 ] || fail "the teacher's search should be there, once"
[ "$(looks "${name[$school]}" view answered)" = 4 ] || fail "the teacher's four views should be there"
[ "$(looks "${name[$school]}" view refused)" = 1 ] || fail "the teacher's refused view should be there"
[ "$(looks "${name[$other]}" view refused)" = 2 ] || fail 'the refused views should be there: before the glass was broken, and after it was left'
[ "$(looks "${name[$other]}" break-glass answered)" = 1 ] || fail 'the broken glass should be there'
[ "$(looks "${name[$council]}" view answered)" = 1 ] || fail "the officer's view should be there"
[ "$(looks "${name[$council]}" shield answered)" = 0 ] || fail 'what an authority decides is no look, and is listed to nobody'
good 'every look is there, the refused ones included, and who broke the glass and judged it; that there was a shield is listed to nobody'

# --- 14 ----------------------------------------------------------------------------------------------------------------------------

headline 'Anyone enrolled fetches the log, and verifies it offline with the public key alone'
sleep 1.1 # a checkpoint is signed each second
try 0 contactpoint --profile "$auditor.toml" log fetch log --key verifier-key.txt
try 0 contactpoint log verify log --key verifier-key.txt
must_say 'nothing altered, removed or reordered up to entry'
try 0 contactpointctl verify-log log --key verifier-key.txt
must_say 'consistent with its signed checkpoint: nothing altered, removed or reordered up to entry'
cp -r log forged
bundle=$(find forged/tile/entries -type f | sort | head -n 1)
size=$(stat -c %s "$bundle")
at=$((size / 2))
byte=$(od -An -tu1 -j "$at" -N 1 "$bundle" | tr -d ' ')
say "One byte of a copy is changed: byte $at of ${bundle#forged/}, $byte becomes $((byte ^ 1))."
printf '%b' "\\x$(printf %02x $((byte ^ 1)))" | dd of="$bundle" bs=1 seek="$at" conv=notrunc status=none
try 4 contactpoint log verify forged --key verifier-key.txt
must_say 'VERIFICATION FAILED'
good 'caught'

# --- the end -----------------------------------------------------------------------------------------------------------------------

took() { printf '%d.%01d s' $((($(date +%s%N) - began) / 1000000000)) $((($(date +%s%N) - began) / 100000000 % 10)); }
if [ -n "$keep" ]; then
    gp=$(scenario .personas.gp.organisation)
    printf '\n%sThe daemon is still up (process %s). To paste:%s\n\n' "$bold" "$daemon" "$plain"
    cat << END
cd $work
export PATH=$built:\$PATH XDG_RUNTIME_DIR=$work/run SOFTHSM2_CONF=$work/softhsm2.conf

# the teacher is logged in still
contactpoint --profile $school.toml search --family-name '$family' --date-of-birth $born --reason concern
contactpoint --profile $school.toml view $child --reason coordination --json

# the child's own doctor logs in, and may look
contactpoint --profile $gp.toml log-in --login $(scenario .personas.gp.login) --password-stdin \\
    --code \$(oathtool --totp --base32 - < people/$(scenario .personas.gp.login).secret) < people/$(scenario .personas.gp.login).password
contactpoint --profile $gp.toml view $child --reason coordination

# the auditor is logged in as well
contactpoint --profile $auditor.toml who-saw $child --reason audit
contactpointctl status --socket control.sock

# the end: stops the daemon, removes everything
kill $daemon; rm -rf $work
END
else
    kill "$daemon"
    status=0
    wait "$daemon" || status=$?
    daemon=
    [ $status -eq 0 ] || fail "the daemon should have stopped of its own will, and ended with status $status"
fi
printf '\n%sAll as it should be, in %s.%s\n' "$bold" "$(took)" "$plain"
