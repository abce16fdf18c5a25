# Inside a rig: which addresses may connect at all (rule B5), by the socket's drop-in, as its own head says it is put in. Who calls from
# outside comes from 10.0.2.2 in both rigs.
# shellcheck shell=bash

only_listed_addresses_are_answered() {
    local list=/etc/systemd/system/contactpointd.socket.d/addresses.conf
    [ "$(host-turn knock)" = answered ] || fail 'without a list, who calls from outside should be answered'
    install -D -m 0644 /usr/share/contactpoint/attachments/addresses.conf $list
    step 'a list of addresses is put in' take_up_addresses
    [ "$(host-turn knock)" = silence ] || fail 'who calls from an address that is not on the list was answered'
    # the service is well meanwhile: this machine itself is on the list
    knock_from_here || fail 'with the list in force, this machine itself should be answered'
    say 'ok: an address that is not on the list is not answered'
    printf '# Who calls from outside.\nIPAddressAllow=10.0.2.2\n' >> $list
    step 'the address of the organisation is added to the list' take_up_addresses
    step 'a client at an address on the list looks a child up' host-turn look-up-again
    rm $list
    take_up_addresses
}

take_up_addresses() {
    systemctl daemon-reload
    systemctl restart contactpointd.socket contactpointd.service
}

# The handshake goes as far as the server's certificate, and ends there: we have none.
knock_from_here() {
    openssl s_client -connect 127.0.0.1:8443 -tls1_3 < /dev/null > heard 2>&1 || true
    grep -q 'BEGIN CERTIFICATE' heard
}
