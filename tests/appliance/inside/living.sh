# Inside a rig: from the packages to the first look-up, as docs/operations.md tells it.
# shellcheck shell=bash

install_packages() {
    step 'the packages install' dpkg --install --force-confnew packages/*.deb
    systemctl --quiet is-enabled contactpointd.service && fail 'installing should start nothing'
    return 0
}

attach_softhsm() {
    install -D -m 0644 /usr/share/contactpoint/attachments/softhsm.conf /etc/systemd/system/contactpointd.service.d/hsm.conf
    install -m 0640 -g contactpoint /usr/share/contactpoint/attachments/softhsm2.conf /etc/contactpoint/softhsm2.conf
    install -d -m 0700 -o contactpoint -g contactpoint /var/lib/contactpoint-softhsm
    if in_machine; then restorecon -R /etc/contactpoint /var/lib/contactpoint-softhsm; fi
    systemctl daemon-reload
    local pin
    pin=$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')1234
    install -d -m 0700 /etc/credstore.encrypted
    step 'a token is made' runuser -u contactpoint -- env SOFTHSM2_CONF=/etc/contactpoint/softhsm2.conf \
        softhsm2-util --init-token --free --label contactpoint --pin "$pin" --so-pin "$pin"
    printf %s "$pin" | systemd-creds encrypt --name=hsm-pin - /etc/credstore.encrypted/contactpoint-hsm-pin
    sed -i 's|^origin = .*|origin = "directory.example/log"|; s|^writes = .*|writes = ["/var/lib/contactpoint-softhsm"]|' \
        /etc/contactpoint/contactpointd.toml
    step 'the settings are taken' contactpointctl check-config
}

hold_ceremony() {
    step 'the ceremony is held, in the cage' in_the_cage_to ceremony.json ceremony --json
}

in_the_cage_to() { # FILE VERB...
    local file=$1
    shift
    contactpoint-at-hsm "$@" > "$file"
}

get_certificates() {
    step 'the server has a key in the HSM' in_the_cage_to server.csr certificate-request --name localhost --name 127.0.0.1
    host-turn sign < server.csr > answer.tar.gz || fail 'the authority outside did not sign'
    mkdir answer
    tar -xzm -C answer -f answer.tar.gz
    install -m 0640 -g contactpoint answer/server.pem answer/clients-ca.pem answer/clients.crl.pem /etc/contactpoint/tls/
}

start_service() {
    step 'the service starts' systemctl start contactpointd.socket contactpointd.service
    contactpointctl status
    desk_of security-officer officer
    desk_of risk-owner owner
}

# Two people at the data centre, each in a session of their own; nobody does anything before they have signed.
desk_of() { # LOGIN MEMBER: logs this one of the ceremony's two in
    jq -r ".$2.password" ceremony.json | at_desk "$1" log-in --login "$1" --password-stdin --code "$(code_of "$2")" || fail "the $1 was not let in"
    at_desk "$1" sign --accept 1 > /dev/null || fail "the $1 could not sign the user agreement"
}
code_of() { jq -r ".$1.code_secret" ceremony.json | oathtool --totp --base32 -; } # MEMBER of the ceremony's two
at_desk() { contactpointctl "$2" --session-file "$XDG_RUNTIME_DIR/$1.session" "${@:3}"; } # LOGIN VERB...

let_a_client_look_a_child_up() {
    let_in council answer/council.json
    jq --argjson authority "$(jq .id council.enrolled)" '.authority = $authority' answer/school-1.json > school-1.json
    let_in school-1 school-1.json
    jq -n --slurpfile council council.enrolled --slurpfile school school-1.enrolled '{council: $council[0], "school-1": $school[0]}' > heads.json
    step 'a client outside looks a child up' client_outside
}

# By two gates: the risk owner vouches, the security officer accredits. KEY.enrolled has what the enrolment answered.
let_in() { # KEY ENROLMENT
    local capability number until wanted=()
    until=$(date -u -d '+1 year' +%F)
    at_desk security-officer enrol-organisation "$2" > "$1.enrolled" || fail "$1 was not enrolled"
    number=$(jq .id "$1.enrolled")
    # a code works once, and both acts take one
    sleep $((30 - $(date +%s) % 30))
    at_desk risk-owner sponsor "$number" --code "$(code_of owner)" > /dev/null || fail "$1 has no sponsor"
    while read -r capability; do
        wanted+=(--capability "$capability")
    done < "answer/$1.capabilities"
    at_desk security-officer accredit "$number" "${wanted[@]}" --expires "$until" --code "$(code_of officer)" > standing ||
        fail "$1 was not accredited"
    [ "$(jq -r .stage standing)" = accredited ] || fail "$1 should be accredited, and nothing more: $(cat standing)"
    say "ok: $1 is vouched for and accredited for $(xargs < "answer/$1.capabilities")"
}

client_outside() { host-turn look-up < heads.json; }

stop_service() { step 'the service stops' systemctl stop contactpointd.service; }

start_again() { # after the attacks: the daemon is in its place again, and well
    step 'the service starts after the attacks' systemctl start contactpointd.service
    contactpointctl status > status-after
    systemctl stop contactpointd.service contactpointd.socket
}

# Outside the attacks nothing goes wrong: no line of ours is an error, no unit of ours has failed.
no_errors_in_the_journal() {
    local ours=(-u contactpointd.service -u contactpointd.socket -u 'contactpoint-at-hsm-*')
    journalctl "${ours[@]}" --no-pager > out/journal
    journalctl "${ours[@]}" --no-pager -q -p warning -o cat > errors
    [ ! -s errors ] || { cat errors; fail 'the journal has errors and warnings of ours'; }
    [ -s out/journal ] || fail 'the journal has nothing of ours'
    systemctl list-units --failed --no-legend 'contactpoint*' > failed
    [ ! -s failed ] || fail "a unit has failed: $(cat failed)"
    say 'ok: the journal is free of errors'
}
