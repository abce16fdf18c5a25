#!/usr/bin/env bash
# Codes for the demo's data centre, and colleagues who have some: run.sh reads this, and has what it calls.
# shellcheck disable=SC2034,SC2154 # set here for run.sh, and there for this

# fresh_code LOGIN...: the one of these who waits least for a code that nobody has used, into $who, and the code into $code. Whatever lets
# somebody in takes one, and a telephone shows two a minute (RFC 6238, 5.2: one step either way is taken).
declare -A step
who='' code=''
fresh_code() {
    local one
    who=$1
    for one; do [ "${step[$one]:-0}" -ge "${step[$who]:-0}" ] || who=$one; done
    local oldest=$((($(date +%s) + 3) / 30 - 1)) last=${step[$who]:-0}
    step[$who]=$((last < oldest ? oldest : last + 1))
    while [ $(($(date +%s) / 30 + 1)) -lt "${step[$who]}" ]; do sleep 0.5; done
    code=$(oathtool --totp --base32 --now "$(date -u -d "@$((step[$who] * 30))" '+%F %T UTC')" - < "people/$who.secret")
}

# More of both, so that nobody waits for long: each is made with a fresh code of a risk owner, who is an administrator as well.
colleague() { # LOGIN ROLE...
    local login=$1 today roles=() role
    today=$(date -u +%F)
    shift
    for role; do roles+=(--role "$role"); done
    fresh_code "${owners[@]}"
    desk "$who" enrol-person --login "$login" --given-name Colin --family-name League "${roles[@]}" \
        --supervisor "$(cat people/risk-owner.number)" --vetted "$today" --barring "$today" --trained "$today" --code "$code"
    quietly "${line[@]}"
    hand_over "$output"
    fresh_code "$login"
    desk "$login" log-in --login "$login" --password-stdin --code "$code"
    "${line[@]}" < "people/$login.password" > /dev/null || fail "$login should have been logged in"
    desk "$login" sign --accept 1
    quietly "${line[@]}"
}
