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
    sed -i 's|^origin = .*|origin = "directory.example/log"|; s|^reads = .*|reads = ["/var/lib/contactpoint-softhsm"]|' \
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
    local password code
    password=$(jq -r .officer.password ceremony.json)
    code=$(jq -r .officer.code_secret ceremony.json | oathtool --totp --base32 -)
    contactpointctl log-in --password-stdin --code "$code" <<< "$password" || fail 'the security officer was not let in'
}

let_a_client_look_a_child_up() {
    local council number
    council=$(contactpointctl enrol-organisation answer/council.json) || fail 'the council was not enrolled'
    number=$(jq .id <<< "$council")
    jq --argjson authority "$number" '.authority = $authority' answer/school-1.json > school.json
    contactpointctl enrol-organisation school.json > school-enrolled.json || fail 'the school was not enrolled'
    jq -n --argjson council "$council" --slurpfile school school-enrolled.json \
        '{council: $council.administrator, "school-1": $school[0].administrator}' > administrators.json
    step 'a client outside looks a child up' client_outside
}

client_outside() { host-turn look-up < administrators.json; }

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
