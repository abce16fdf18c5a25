#!/usr/bin/env bash
# Out here, while a test runs inside a rig: the certificate authority and the client of an organisation. Called for each host-turn.
#
#   outside.sh sign < REQUEST > TAR      signs the server's request, and gives what the appliance needs: certificates, enrolments
#   outside.sh look-up < HEADS           accepts for each body, enrols people, feeds, and looks a child up over mutual TLS, through the
#                                        forwarded port
#   outside.sh knock                     says whether the server shows its certificate: "answered", or "silence" after some seconds
#   outside.sh look-up-again             looks the child up once more, as somebody else
#
# run.sh sets CONTACTPOINT_OUTSIDE (a folder), CONTACTPOINT_BUILT (the programs) and CONTACTPOINT_PORT.
set -euo pipefail
umask 077
cd "$CONTACTPOINT_OUTSIDE"
PATH=$CONTACTPOINT_BUILT:$PATH
export XDG_RUNTIME_DIR=$CONTACTPOINT_OUTSIDE

fail() { echo "outside: $*" >&2; exit 1; }
code_of() { oathtool --totp --base32 - < "$1.secret"; }
hand_over() { # JSON: what a new person was shown once
    local login
    login=$(jq -r .login <<< "$1")
    jq -r .password <<< "$1" > "$login.password"
    jq -r .code_secret <<< "$1" > "$login.secret"
}
log_in() { # KEY LOGIN: and signs, as everybody does first of all
    contactpoint --profile "$1.toml" log-in --login "$2" --password-stdin --code "$(code_of "$2")" < "$2.password" > /dev/null
    contactpoint --profile "$1.toml" sign --accept 1 > /dev/null || fail "$2 could not sign the user agreement"
}
log_out() { contactpoint --profile "$1.toml" log-out > /dev/null; }

# The council and one school: who has the child of the story on its roll, and who leads.
bodies=(council school-1)
today=$(date -u +%F)

enrolment() { # KEY: the council's number is filled in inside, once it has one
    jq --arg key "$1" --arg day "$today" --rawfile certificate "pki/$1.pem" '
        def head($role): .people[] | select(.roles == [$role])
            | {login, given_name, family_name, checks: {vetted: $day, barring: $day, trained: $day}};
        .[] | select(.key == $key)
        | {name, kind, authority: null, telephone, email, postcode, certificates: [$certificate],
           administrator: head("administrator"), supervisor: head("supervisor")}' borough/organisations.json
}

sign() {
    local key
    cat > server.csr
    contactpoint-synthesise borough --children 150 --out borough > /dev/null
    contactpoint-synthesise pki --organisations borough/organisations.json --server-csr server.csr --out pki > /dev/null
    mkdir answer
    cp pki/server.pem pki/clients.crl.pem answer/
    cp pki/ca.pem answer/clients-ca.pem
    for key in "${bodies[@]}"; do
        enrolment "$key" > "answer/$key.json"
        # what each is to be accredited for, one a line
        jq -r --arg key "$key" '.[] | select(.key == $key) | .capabilities[]' borough/organisations.json > "answer/$key.capabilities"
    done
    tar -cz -C answer .
}

enrol_people() { # KEY ADMINISTRATOR SUPERVISOR: everyone of the body's people but its two heads; the supervisor by number
    local login given family role
    log_in "$1" "$2"
    if contactpoint --profile "$1.toml" enrol-person --login early.bird --given-name A --family-name B --role practitioner \
        --supervisor "$3" > refused 2>&1; then
        fail "$1 should have nobody enrolled before it accepts its responsibilities"
    fi
    grep -qF responsibilities_pending refused || fail "$1 should be told what is missing: $(cat refused)"
    contactpoint --profile "$1.toml" accept-responsibilities --accept 1 > /dev/null || fail "$1 could not accept its responsibilities"
    while IFS=$'\t' read -r login given family role; do
        hand_over "$(contactpoint --profile "$1.toml" enrol-person --login "$login" --given-name "$given" --family-name "$family" \
            --role "$role" --supervisor "$3" --vetted "$today" --barring "$today" --trained "$today" --json)"
    done < <(jq -r --arg key "$1" '.[] | select(.key == $key) | .people[]
        | select(.roles != ["administrator"] and .roles != ["supervisor"])
        | [.login, .given_name, .family_name, .roles[0]] | @tsv' borough/organisations.json)
    log_out "$1"
}

feed() { # KEY
    local file layout steward
    IFS=$'\t' read -r file layout steward < <(jq -r --arg key "$1" '.[] | select(.key == $key)
        | [.feed, .layout, (.people[] | select(.roles == ["data-steward"]).login)] | @tsv' borough/organisations.json)
    log_in "$1" "$steward"
    contactpoint --profile "$1.toml" feed "borough/$file" --layout "$layout" --json > /dev/null || fail "$1's feed was refused"
    log_out "$1"
}

find_child() { # KEY: the child of the story, and who else works with it
    local family given born child found
    family=$(jq -r .child.family_name borough/scenario.json)
    given=$(jq -r .child.given_name borough/scenario.json)
    born=$(jq -r .child.date_of_birth borough/scenario.json)
    found=$(contactpoint --profile "$1.toml" search --family-name "$family" --given-name "$given" --date-of-birth "$born" \
        --reason concern)
    child=$(grep -oE '^[0-9]{10}\b' <<< "$found" | head -n 1) || fail "$1 should have found the child: $found"
    found=$(contactpoint --profile "$1.toml" view "$child" --reason concern)
    grep -qF 'Council' <<< "$found" || fail "$1 should see that the council knows the child: $found"
}

look_up() {
    local key heads administrator
    heads=$(cat)
    for key in "${bodies[@]}"; do
        printf 'server = "https://localhost:%s"\nauthority = "pki/ca.pem"\ncertificate = "pki/%s.pem"\nkey = "pki/%s.key"\n' \
            "$CONTACTPOINT_PORT" "$key" "$key" > "$key.toml"
        administrator=$(jq -c --arg key "$key" '.[$key].administrator' <<< "$heads")
        hand_over "$administrator"
        enrol_people "$key" "$(jq -r .login <<< "$administrator")" "$(jq --arg key "$key" '.[$key].supervisor.id' <<< "$heads")"
        feed "$key"
    done
    log_in school-1 teacher.school-1
    find_child school-1
    echo 'A teacher outside found the child and saw who else works with it.'
    # and who has no certificate comes no further than the handshake
    if openssl s_client -connect "localhost:$CONTACTPOINT_PORT" -CAfile pki/ca.pem -tls1_3 < <(printf 'GET / HTTP/1.1\r\n\r\n'; sleep 1) 2>&1 |
        grep -q '^HTTP/'; then
        fail 'a caller without a certificate was answered'
    fi
    echo 'A caller without a certificate was not answered.'
}

knock() { # a connection alone is no answer: the rig's own way in takes it
    local heard
    heard=$(timeout 8 openssl s_client -connect "localhost:$CONTACTPOINT_PORT" -CAfile pki/ca.pem -tls1_3 \
        -cert pki/school-1.pem -key pki/school-1.key < /dev/null 2>&1) || true
    case $heard in *'BEGIN CERTIFICATE'*) echo answered ;; *) echo silence ;; esac
}

look_up_again() {
    log_in council social-worker.council
    find_child council
}

case ${1:-} in
    sign) sign ;;
    look-up) look_up ;;
    knock) knock ;;
    look-up-again) look_up_again ;;
    *) fail "nothing is known of '$*'" ;;
esac
