#!/usr/bin/env bash
# The first hour of an operator, played: types the blocks of docs/operations.md in order at a terminal and checks between them, with
# the refusals that an operator meets on the way. Runs inside a rig (tests/appliance/first-hour.sh starts it), in /run/appliance.
set -euo pipefail
hour=/run/appliance/first-hour
# shellcheck source-path=SCRIPTDIR source=authority.sh
. "$hour/authority.sh"

desk=/root/desk
mkdir -p "$desk" /run/user/0
cd "$desk"
# what pam_systemd sets for somebody who logs in
export XDG_RUNTIME_DIR=/run/user/0 TERM=dumb DEBIAN_FRONTEND=noninteractive
officer_pin=so-$RANDOM$RANDOM user_pin=$RANDOM$RANDOM
answers=$desk/answers
who=security-officer # who types passwords and codes
expected=$hour/blocks/order

# --- telling -----------------------------------------------------------------------------------------------------------------------

headline() { printf '\n== %s\n' "$*"; }
good() { printf '=> %s\n' "$*"; }
fail() {
    printf 'FAILED: %s\n' "$*"
    journalctl --unit=contactpointd --unit=contactpointd.socket --lines=25 --no-pager
    exit 1
}

# What was shown without the question for the code before it.
json_of() { sed -n '/^{/,/^}/p' "$1"; }

# --- playing -----------------------------------------------------------------------------------------------------------------------

typed_answers() {
    printf 'Please enter SO PIN\t%s\nPlease reenter SO PIN\t%s\n' "$officer_pin" "$officer_pin"
    printf 'Please enter user PIN\t%s\nPlease reenter user PIN\t%s\n' "$user_pin" "$user_pin"
    printf 'PIN of the token\t%s\n' "${typed_pin:-$user_pin}"
    if [ -e "$who.password" ]; then printf 'Password: \t%s\nCode: \t%s\n' "$(cat "$who.password")" "$(code_of "$who")"; fi
}
code_of() { oathtool --totp --base32 - < "$1.secret"; }
# A code works once, and whatever lets somebody in asks for one: until the next, whoever used one waits.
next_code() { sleep $((30 - $(date +%s) % 30)); }

# play BLOCK: what the page says, as it stands; must succeed. play_refused BLOCK: must not. What was shown is in $shown.
shown=''
typing() { # BLOCK
    [ -e "$hour/blocks/$1" ] || fail "docs/operations.md has no block $1"
    headline "docs/operations.md: $1"
    sed 's/^/$ /' "$hour/blocks/$1"
    typed_answers > "$answers"
    local status=0
    python3 "$hour/terminal.py" "$hour/blocks/$1" "$answers" > shown || status=$?
    cat shown
    shown=$(cat shown)
    return $status
}
play() {
    local next
    next=$(head -n 1 "$expected")
    [ "$1" = "$next" ] || fail "the page says $next now, not $1"
    sed -i 1d "$expected"
    typing "$1" || fail "the block $1 should have succeeded"
}
play_again() { typing "$1" || fail "the block $1 should have succeeded"; }
play_refused() { if typing "$1"; then fail "the block $1 should have been refused"; fi; }

# --- looking -----------------------------------------------------------------------------------------------------------------------

now() { journalctl --lines=0 --show-cursor --no-pager | sed -n 's/^-- cursor: //p'; }
journal_since() { journalctl --unit=contactpointd --after-cursor="$1" --output=cat --no-pager; }
told_since() { journal_since "$1" > said && grep -qF -- "$2" said; }
page_says() { grep -qF -- "$1" "$hour/operations.md" || fail "docs/operations.md does not speak of: $1"; }

within() { # SECONDS COMMAND...: tries until it succeeds
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        if [ $SECONDS -ge $end ]; then return 1; fi
        sleep 0.1
    done
}

# refused_at_start SENTENCE: starts the daemon, which must refuse with this sentence, which the page explains; its sockets are closed.
refused_at_start() {
    headline "refused at start: $1"
    local before
    before=$(now)
    if systemctl start contactpointd.service 2> /dev/null; then fail 'the daemon should not have started'; fi
    within 60 systemctl --quiet is-active contactpointd-refused.target || fail 'contactpointd-refused.target should have been reached'
    # what the daemon said last may come to the journal after the manager knows that it ended
    within 20 told_since "$before" "$1" || { cat said; fail "the journal should say: $1"; }
    cat said
    page_says "$1"
    within 60 sockets_are_closed || fail 'the sockets should have been closed'
    good 'one sentence, and no caller starts it again'
}
sockets_are_closed() { ! (exec 3<> /dev/tcp/127.0.0.1/8443) 2> /dev/null && ! systemctl --quiet is-active contactpointd.socket; }

log_size() { contactpointctl status | jq -e .entries; }
main_pid() { systemctl show --property=MainPID --value contactpointd.service; }

# --- 1 to 5: installed, attached, and what is missing is said -----------------------------------------------------------------------

echo '127.0.0.1 directory.example' >> /etc/hosts
authority_begin "$desk/authority"

cp /run/appliance/packages/old/*.deb .
play install
if systemctl --quiet is-active contactpointd.socket; then fail 'nothing should be started'; fi
[ "$(systemctl is-enabled contactpointd.service || true)" = disabled ] || fail 'nothing should be enabled'
[ "$(stat -c '%U:%G %a' /etc/contactpoint/contactpointd.toml)" = 'root:contactpoint 640' ] || fail 'the settings should be root:contactpoint 0640'
refused_at_start 'there is no HSM PIN at'
play attach
play token
play pin
play settings
refused_at_start 'is not on the token'

# --- 6 to 8: ceremony, certificate, start --------------------------------------------------------------------------------------------

play ceremony
for login in security-officer risk-owner; do # the lines below each one's name
    sed -n "/ $login\$/,/ for a phone /p" <<< "$shown" > handed-over
    sed -n 's/^ *password *//p' handed-over > $login.password
    sed -n 's/^ *code secret *//p' handed-over > $login.secret
    if [ ! -s $login.password ] || [ ! -s $login.secret ]; then fail "the ceremony should have shown what the $login is handed"; fi
done
if cmp -s security-officer.password risk-owner.password; then fail 'the ceremony should have made two people'; fi
verifier_key=$(sed -n 's/^ *log verifier key *//p' <<< "$shown")
[ -n "$verifier_key" ] || fail 'the ceremony should have shown the verifier key'
echo "$verifier_key" > verifier-key.txt
marker=/etc/contactpoint/ceremony-held
[ "$(stat -c '%U:%G %a' $marker)" = 'root:root 640' ] || fail 'the ceremony should have left its marker'
if journalctl --no-pager | grep -qF -f security-officer.password -f risk-owner.password; then fail 'no password should not be in the journal'; fi
refused_at_start 'every connection is checked against it'
play request
authority_sign server server.csr server.pem
cp authority/clients-ca.pem .
authority_list '2 days ago' yesterday
play certificates
refused_at_start 'the list of revoked certificates has expired'
authority_list 'now' 'tomorrow'
play_again certificates
play start
systemctl --quiet is-active contactpointd.service contactpointd.socket || fail 'the daemon should be running'
[ "$(contactpoint-at-hsm verifier-key)" = "$verifier_key" ] || fail 'the HSM should give the verifier key of the ceremony'

headline 'what the kernel says of the process'
status=/proc/$(main_pid)/status
grep -E '^(NoNewPrivs|Seccomp|Cap(Eff|Prm|Bnd|Amb)):' "$status" | tee kernel
grep -qE '^NoNewPrivs:\s1' kernel || fail 'no new privileges'
grep -qE '^Seccomp:\s2' kernel || fail 'a filter of system calls'
[ "$(grep -cE '^Cap.*:\s0+$' kernel)" = 4 ] || fail 'no capability of any kind'
[ "$(nsenter --net="/proc/$(main_pid)/ns/net" ip -oneline link | wc -l)" = 1 ] || fail 'an empty network'
ls "/proc/$(main_pid)/root" > tree
tr '\n' ' ' < tree
if grep -qE '^(boot|media|mnt|srv|bin)$' tree; then fail 'an empty root'; fi
[ -z "$(ls -A "/proc/$(main_pid)/root/home")$(ls -A "/proc/$(main_pid)/root/root")" ] || fail 'no home'
later=/var/lib/contactpoint/later
mkdir $later
if mount -t tmpfs later $later; then
    grep -F " $later " /proc/self/mountinfo || fail 'the control: out here the mount should be seen'
    if grep -F " $later " "/proc/$(main_pid)/mountinfo"; then fail 'a mount made after the start should not come in'; fi
    umount $later
elif selinuxenabled; then
    echo 'The policy lets this test mount nothing there.'
else
    fail 'the mount should have succeeded'
fi
rmdir $later
good 'locked in'

# --- 9, 10: the officer and the risk owner, the first organisation ----------------------------------------------------------------------

play log-in
grep -qF 'Version 1' shown || fail 'the user agreement should have been shown'
who=risk-owner
play owner-log-in
who=security-officer
authority_client council
# the page's days of the checks would lapse one day: they are today's here
sed -E "s/\"20[0-9]{2}-[0-9]{2}-[0-9]{2}\"/\"$(date -u +%F)\"/g" "$hour/blocks/council.json" > council.json
play enrol
jq -e '.id == 2' shown > /dev/null || fail 'the page takes the first organisation for number 2'
for head in administrator supervisor; do
    login=$(jq -r .$head.login shown)
    jq -r .$head.password shown > "$login.password"
    jq -r .$head.code_secret shown > "$login.secret"
done
supervisor=$(jq .supervisor.id shown)
next_code
who=risk-owner
play sponsor
who=security-officer
tail -n 1 < <(json_of shown | jq -r .stage) | grep -qx sponsored || fail 'the council should have a sponsor'
play accredit
tail -n 1 < <(json_of shown | jq -r .stage) | grep -qx accredited || fail 'the council should be accredited'

headline 'as the organisation sees it'
dpkg --install /run/appliance/packages/client/*.deb > /dev/null
profile() { # NAME: of this client certificate
    printf 'server = "https://directory.example:8443"\nauthority = "clients-ca.pem"\ncertificate = "%s.pem"\nkey = "%s.key"\n' "$1" "$1" > "$1.toml"
    export CONTACTPOINT_PROFILE=$desk/$1.toml
}
profile council
council_logs_in() { contactpoint log-in --login "$1" --password-stdin --code "$(code_of "$1")" < "$1.password"; }
refused_with() { # CODE COMMAND...
    local code=$1
    shift
    if "$@" > said 2>&1; then fail "this should have been refused: $*"; fi
    grep -qF "$code" said || fail "the refusal should be $code: $(cat said)"
}
council_logs_in r.okafor
refused_with agreement_pending contactpoint accept-responsibilities --accept 1
contactpoint sign --accept 1
employ() { # LOGIN
    contactpoint enrol-person --login "$1" --given-name Jo --family-name Bell --role practitioner --supervisor "$supervisor" \
        --vetted "$(date -u +%F)" --barring "$(date -u +%F)" --trained "$(date -u +%F)" --json
}
refused_with responsibilities_pending employ j.bell
contactpoint accept-responsibilities | grep -qF 'Version 1' || fail 'the statement of responsibilities should have been shown'
contactpoint accept-responsibilities --accept 1
for login in j.bell m.hughes; do # one each time somebody is needed: a code works once
    employ $login > person
    jq -r .password person > $login.password
    jq -r .code_secret person > $login.secret
done
contactpoint log fetch log --key verifier-key.txt > /dev/null
if openssl s_client -connect directory.example:8443 -CAfile clients-ca.pem -quiet < <(printf 'GET / HTTP/1.1\r\n\r\n') 2>&1 | grep -q HTTP/; then
    fail 'nobody without a certificate should get an answer'
fi
good 'enrolled, and strangers are not answered'

# --- what comes back -----------------------------------------------------------------------------------------------------------------

play suspend
refused_with organisation_suspended employ a.third
refused_with organisation_suspended contactpoint log fetch elsewhere
next_code
play resume
employ a.third > /dev/null || fail 'a resumed organisation should be let in'
good 'suspended, and let in again, in the session that it had'

authority_client council-2027
# an emulated machine on a busy one is cut off as a slow sender now and then
let_in_now() { within 60 contactpoint log fetch log > /dev/null; }
next_code
play add-certificate
let_in_now || fail 'the old certificate should still be let in'
profile council-2027
let_in_now || fail 'the new certificate should be let in'
next_code
play remove-certificate
let_in_now || fail 'the new certificate should still be let in'
profile council
refused_with 'TLS refused' contactpoint log fetch elsewhere
profile council-2027
good 'from one key to the next without a gap'

headline 'the revocation list runs out, and is renewed'
answers_with() {
    contactpoint log fetch log > said 2>&1 || true # what it ends with is not the question
    grep -qF -- "$1" said
}
before=$(main_pid)
cursor=$(now)
authority_list 'now' 'now + 15 seconds'
play renew-list
in_use() { journal_since "$cursor" | grep -qF 'a new list of revoked certificates is in use'; }
within 10 in_use || { journal_since "$cursor"; fail 'the journal should tell of the short list'; }
within 30 answers_with revocation_list_expired || fail "everybody should be answered 503, and is told: $(cat said)"
page_says revocation_list_expired
authority_list 'now' 'tomorrow'
cursor=$(now)
play_again renew-list
within 10 in_use || fail 'the journal should tell of the new list'
contactpoint log fetch log > /dev/null || fail 'callers should be served again'
[ "$(main_pid)" = "$before" ] || fail 'this should not have restarted the daemon'
good 'without a restart'

first=$(openssl x509 -in server.pem -noout -serial)
play renew-request
authority_sign server server.csr server.pem
play renew-certificate
offered=$({ openssl s_client -connect directory.example:8443 < /dev/null 2> /dev/null || true; } | openssl x509 -noout -serial)
[ "$offered" = "$(openssl x509 -in server.pem -noout -serial)" ] || fail 'the new certificate should be offered'
[ "$offered" != "$first" ] || fail 'the new certificate should be another one'

headline 'a wrong PIN is tried once, whoever knocks'
cursor=$(now)
typed_pin=000000 play_again pin
systemctl stop contactpointd.service
knocks() { for _ in $(seq 40); do (exec 3<> /dev/tcp/127.0.0.1/8443; sleep 0.05) 2> /dev/null || sleep 0.05; done; }
knocks & # a knock starts the daemon, and the knocks go on
within 60 systemctl --quiet is-active contactpointd-refused.target || fail 'contactpointd-refused.target should have been reached'
wait
within 20 told_since "$cursor" 'refused the PIN' || { cat said; fail 'the journal should say that the PIN was refused'; }
[ "$(journal_since "$cursor" | tee said | grep -cF 'refused the PIN')" = 1 ] || { cat said; fail 'the PIN should have been tried once'; }
page_says 'refused the PIN'
within 60 sockets_are_closed || fail 'the sockets should be closed'
play_again pin
systemctl start contactpointd.socket contactpointd.service || fail 'with the right PIN it should start'
good 'once'

play journal
grep -qF 'the list of revoked certificates has expired' shown || fail 'the journal should have kept the refusals'
play exposure
exposure=$(sed -n 's/^.*Overall exposure level for contactpointd.service: \([0-9.]*\) .*/\1/p' shown)
[ "$exposure" = 0.1 ] || fail "the running unit's exposure is $exposure"

# --- upgrade, remove, purge ------------------------------------------------------------------------------------------------------------

size=$(log_size) before=$(main_pid)
rm -f ./*.deb
cp /run/appliance/packages/new/*.deb .
rm $marker # as before a version that left it
play upgrade
[ -s $marker ] || fail 'an upgrade should make the marker where there was a ceremony'
[ "$(dpkg-query -W -f '${Version}' contactpoint)" = "$(dpkg-deb -f contactpoint_*.deb Version)" ] || fail 'the new version should be installed'
[ "$(main_pid)" != "$before" ] || fail 'the new program should be running'
[ "$(log_size)" -ge "$size" ] || fail 'the log should be there'
grep -qF 'directory.example/log' /etc/contactpoint/contactpointd.toml || fail 'the settings should be there'
council_logs_in j.bell
contactpoint log fetch log > /dev/null || fail 'the log should be a continuation of the one fetched before'
good 'the upgrade kept everything'

play remove
if systemctl --quiet is-active contactpointd.service contactpointd.socket; then fail 'the daemon should be stopped'; fi
for kept in /var/lib/contactpoint/store.db /etc/contactpoint/contactpointd.toml /etc/credstore.encrypted/contactpoint-hsm-pin; do
    [ -e $kept ] || fail "$kept should have been kept"
done
find /etc/systemd/system -lname '*contactpoint*' > links
[ ! -s links ] || fail "a link leads to a unit that is gone: $(cat links)"
play_again install
play_again start
council_logs_in m.hughes
contactpoint log fetch log > /dev/null || fail 'the log should go on where it stopped'
good 'removed, installed again, and nothing missing'

# Another file system lies over the state and the token, as where a disk is not mounted: nothing of either is seen.
hide() { for folder in "$@"; do mount -t tmpfs hidden "$folder"; done; }
state=/var/lib/contactpoint token=/var/lib/contactpoint-softhsm
refused_for() { # TRACE: the purge, for this one alone
    play_refused purge
    grep -F "$1" shown | grep -vqF ' rm ' || fail "the refusal should name $1" # not only in what is to be done
    grep -qF 'Decommission first' shown || fail 'the refusal should say what comes first'
}
if selinuxenabled; then
    # the policy lets this test mount nothing there: all three traces are seen
    refused_for $marker
else
    hide $state $token
    refused_for $marker
    mv $marker held
    umount $token
    refused_for $token/
    umount $state
    hide $token
    refused_for $state/data-keys.toml
    umount $token
    mv held $marker
fi
systemctl --quiet is-active contactpointd.service || fail 'a refused purge should leave the daemon running'
for kept in /var/lib/contactpoint/data-keys.toml /etc/contactpoint/contactpointd.toml /usr/sbin/contactpointd; do
    [ -e $kept ] || fail 'a refused purge should remove nothing'
done

# What dpkg and the policy's compiler do is the same in the machine, and takes minutes there.
selinuxenabled || {
    headline 'apt removes before it purges, and is refused then'
    hide $state $token
    if apt-get purge -y contactpoint > said 2>&1; then fail 'apt-get purge should have been refused'; fi
    grep -qF 'Decommission first' said || fail 'the refusal should say what comes first'
    grep -qF 'install the package again' said || fail 'the refusal should say how to go on'
    grep -qF 'directory.example/log' /etc/contactpoint/contactpointd.toml || fail 'the settings should be there again'
    echo '# edited after the removal' >> /etc/contactpoint/softhsm2.conf
    if dpkg --purge contactpoint > said 2>&1; then fail 'purging what is removed should have been refused'; fi
    grep -qF 'as they were when the package was removed' said || fail 'the refusal should say which settings are back'
    grep -qF 'edited after the removal' /etc/contactpoint/softhsm2.conf || fail 'a newer file should not have been overwritten'
    umount $state $token
    apt-get -o Dpkg::Options::=--force-confold install -y ./contactpoint_*.deb > said 2>&1 || { cat said; fail 'it should be installed again'; }
    systemctl start contactpointd.socket contactpointd.service || fail 'it should go on where it stopped'
    good 'settings and state stayed'

    headline 'a removal of the policy that is broken off'
    systemctl stop contactpointd.socket contactpointd.service
    rm -r /run/contactpoint
    printf '%s\n' contactpointd.service contactpointd.socket > /run/contactpoint-selinux.ran # as prerm leaves it
    /var/lib/dpkg/info/contactpoint-selinux.postinst abort-remove || fail 'it should be taken back'
    systemctl --quiet is-active contactpointd.service contactpointd.socket || fail 'what was stopped for it should be running again'
    [ ! -e /run/contactpoint-selinux.ran ] || fail 'it should be told once'
    good 'what ran runs again'
}

play decommission
play purge
for gone in /var/lib/contactpoint /var/lib/contactpoint-softhsm /etc/contactpoint /usr/lib/contactpoint /lib/systemd/system/contactpointd.service; do
    [ ! -e $gone ] || fail "$gone should be gone"
done

selinuxenabled || {
    headline 'the policy goes, with the ports and the permissive domain that an operator set'
    { semanage port --add --type contactpointd_hsm_port_t --proto tcp 9004 && semanage permissive --add contactpointd_t; } > said 2>&1 ||
        { cat said; fail 'they should have been set'; }
    apt-get remove -y contactpoint-selinux > said 2>&1 || { cat said; fail 'the policy should have been removed'; }
    semodule --list-modules > modules
    if grep contactpoint modules; then cat said; fail 'the module should not be loaded'; fi
    semanage export > entries
    if grep contactpoint entries; then fail 'nothing local should name it'; fi
    good 'nothing is left'
}
[ ! -s "$expected" ] || fail "blocks of the page were not played: $(tr '\n' ' ' < "$expected")"
good 'the whole page, in order'
