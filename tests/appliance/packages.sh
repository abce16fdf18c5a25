#!/usr/bin/env bash
# What the Debian packages are, without installing them: paths, modes and owners, dependencies, settings, lists of parts, and that no key,
# no secret and no trace of the machine they were built on is in them. What they do when installed is the rigs' matter.
#
#   tests/appliance/packages.sh [--release] [FOLDER]      FOLDER holds the three packages; default target/packages
#
# --release asks as well for what only a release's programs have: the parts that cargo auditable writes into them, and no foreign path.
# At the end packages are weakened on purpose, one thing at a time, and each has to be noticed. Exit status 0: all hold; 1: one does not.
#
# shellcheck disable=SC2317 # the checks are called by the word, through holds
#
# Needs: dpkg-dev lintian binutils jq python3-minimal and cargo.
set -euo pipefail
cd "$(dirname "$0")/../.."

release='' only='' folder=target/packages
while [ $# -gt 0 ]; do
    case $1 in
        --release) release=1 ;;
        --only) only=$2; shift ;; # one sentence: how the end of this script asks about weakened packages
        -*) echo "packages.sh: unknown option $1" >&2; exit 64 ;;
        *) folder=$1 ;;
    esac
    shift
done

rules=$PWD/tests/appliance/packages
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# Runs a check; what it prints is the reason why it does not hold.
holds() { # rule sentence, function...
    local sentence=$1 reason
    shift
    if [ -n "$only" ] && [ "$only" != "$sentence" ]; then return 0; fi
    if reason=$("$@" 2>&1) && [ -z "$reason" ]; then
        printf 'ok      %s\n' "$sentence"
    else
        reason=$(head -n 20 <<< "$reason")
        printf 'FAILED  %s\n%s\n' "$sentence" "        ${reason//$'\n'/$'\n'        }"
        failed=1
    fi
}

package() { compgen -G "$folder/$1_*.deb"; }

unpack() {
    local name
    for name in contactpoint contactpoint-selinux contactpoint-client; do
        [ "$(package "$name" | wc -l)" -eq 1 ] || { echo "packages.sh: $folder does not hold one package $name" >&2; exit 1; }
        dpkg-deb -R "$(package "$name")" "$work/$name"
    done
}

# --- what is in them ---------------------------------------------------------------------------------------------------------------

# Each path against packages/NAME.paths: lines "mode owner pattern"; a path that no line knows fails, a "must" line without a path as well.
paths_are_as_listed() { # package
    dpkg-deb -c "$(package "$1")" | sed -E 's| -> .*||' | awk '{ print $1, $2, $6 }' > "$work/$1.seen"
    awk -v list="$rules/$1.paths" '
        BEGIN {
            while ((getline line < list) > 0) {
                sub(/ +#.*/, "", line)
                if (line == "" || line ~ /^#/) continue
                split(line, f, / +/)
                n++; must[n] = (f[1] == "must"); mode[n] = f[2]; owner[n] = f[3]; pattern[n] = "^\\./" f[4] "$"
            }
        }
        {
            known = 0
            for (i = 1; i <= n; i++) if ($3 ~ pattern[i]) {
                known = 1; found[i] = 1
                if ($1 != mode[i] || $2 != owner[i]) print $3 " is " $1 " " $2 ", not " mode[i] " " owner[i]
                break
            }
            if (!known) print $3 " is in no line of " list
        }
        END { for (i = 1; i <= n; i++) if (must[i] && !found[i]) print "missing: " pattern[i] }' "$work/$1.seen"
}

the_daemons_root_is_empty() {
    find "$work/contactpoint/usr/lib/contactpoint/root" -type f -size +0 -print
}

nothing_is_special_or_writable_by_others() {
    find "$work"/contactpoint* -path '*/DEBIAN' -prune -o \( -perm /6022 ! -type l \) -print
    find "$work"/contactpoint* ! -type f ! -type d ! -type l
}

settings_are_conffiles_and_nothing_else_is() {
    diff <(cd "$work/contactpoint" && find etc -type f -printf '/%p\n' | sort) <(sort "$work/contactpoint/DEBIAN/conffiles")
    find "$work/contactpoint-selinux/etc" "$work/contactpoint-client/etc" 2> /dev/null || true
}

the_daemon_reads_the_packaged_settings() {
    "$work/contactpoint/usr/sbin/contactpointctl" check-config --directory "$work/contactpoint/etc/contactpoint" > "$work/settings" ||
        echo 'contactpointctl check-config refuses them'
}

# Pages lie packed or not; links to other sites and within a page are left alone.
links_lead_somewhere() {
    local page target
    for page in "$work"/*/usr/share/doc/*/*.md*; do
        while read -r target; do
            [ -e "${page%/*}/$target" ] || [ -e "${page%/*}/$target.gz" ] || echo "${page#"$work/"} leads to $target"
        done < <(zcat -f "$page" | grep -oE '\]\([^)#]+' | sed 's/^](//' | grep -vE '^[a-z]+:' || true)
    done
}

each_program_has_a_page() {
    local program
    for program in contactpoint/usr/sbin/contactpointd contactpoint/usr/sbin/contactpointctl contactpoint/usr/sbin/contactpoint-at-hsm \
        contactpoint-client/usr/bin/contactpoint; do
        compgen -G "$work/${program%%/*}/usr/share/man/man*/${program##*/}.[18].gz" > /dev/null || echo "no page: $program"
    done
}

# --- what they ask of the machine --------------------------------------------------------------------------------------------------

dependencies_are() { # package, names...
    local name=$1
    shift
    diff <(printf '%s\n' "$@" | sort) \
        <(dpkg-deb -f "$(package "$name")" Depends | tr ',' '\n' | sed -E 's/ *\(.*//; s/^ *//; s/ *\|.*//' | sort) || true
}

versions_agree() {
    local name version
    version=$(dpkg-deb -f "$(package contactpoint)" Version)
    for name in contactpoint-selinux contactpoint-client; do
        [ "$(dpkg-deb -f "$(package "$name")" Version)" = "$version" ] || echo "$name is not of version $version"
    done
}

nothing_is_started_or_enabled() {
    grep -nE 'systemctl[^|]* (enable|start|preset)|deb-systemd-invoke (start|restart)' "$work/contactpoint/DEBIAN/postinst" || true
}

lintian_finds_no_error() {
    local status=0
    lintian --fail-on error --tag-display-limit 0 --allow-root "$folder"/contactpoint*.deb > "$work/lintian" || status=$?
    grep -E '^E:' "$work/lintian" || [ "$status" -eq 0 ] || echo "lintian ended with $status"
}

each_override_has_a_reason() {
    awk '/^[^#]/ && !comment { print FILENAME ": " $0 } { comment = comment && !/^$/ || /^#/ }' packaging/debian/*.lintian-overrides
}

# --- what must not be in them ------------------------------------------------------------------------------------------------------

no_key_and_no_secret() {
    grep -rIlE -e '-----BEGIN ([A-Z]+ )*(PRIVATE KEY|CERTIFICATE)-----' "$work"/contactpoint* || true
    find "$work"/contactpoint* \( -name '*.pem' -o -name '*.key' -o -name '*.der' -o -name '*pin' -o -name '*.db' -o -name 'data-keys*' \)
}

no_test_program_is_in_them() {
    find "$work"/contactpoint* -name '*synthesise*' -o -name '*prisoner*' -o -name '*support*'
}

programs() { printf '%s\n' "$work"/contactpoint/usr/sbin/contactpoint{d,ctl} "$work/contactpoint-client/usr/bin/contactpoint"; }

# Addresses at random, tables of calls not writable, no stack that runs, stripped.
programs_are_hardened() {
    local program
    for program in $(programs); do
        readelf -hW "$program" | grep -q 'Type:.*DYN' || echo "$program: fixed addresses"
        readelf -lW "$program" | grep -q GNU_RELRO || echo "$program: no RELRO"
        readelf -dW "$program" | grep -qE 'BIND_NOW|Flags:.* NOW' || echo "$program: late binding"
        readelf -lW "$program" | grep -E 'GNU_STACK.*RWE' || true
        readelf -SW "$program" | grep -E ' \.(symtab|debug_info) ' || true
    done
}

# "$HOME/." and not "$HOME/": the settings refuse paths of the HSM below /root, and say so in a string of their own.
no_path_of_the_building_machine() {
    local program
    for program in $(programs); do
        strings "$program" | grep -F -e "$PWD/" -e "${CARGO_HOME:-$HOME/.cargo}/" -e "$HOME/." -e /tmp/contactpoint-built | head -n 3 || true
    done
}

# --- what they are made of ---------------------------------------------------------------------------------------------------------

list_of_parts() { # program
    compgen -G "$work/contactpoint*/usr/share/doc/contactpoint*/$1.cdx.json"
}

# By cargo's own resolution: "name version" a line.
resolve() {
    cargo tree --locked --package contactpoint --edges normal,build --prefix none --format '{p}' |
        sed -nE 's/^([^ ]+) v([^ ]+).*/\1 \2/p' | grep -v '^contactpoint ' | sort -u > "$work/resolved"
}

# Against that, and what crates bring along in C.
the_list_of_parts_is_what_is_compiled_in() {
    local program list
    resolve || return 1
    for program in contactpointd contactpointctl contactpoint; do
        list=$(list_of_parts "$program")
        [ "$(jq -r '.bomFormat + " " + .specVersion' "$list")" = 'CycloneDX 1.5' ] || echo "$program: not CycloneDX 1.5"
        [ "$(jq -r '.metadata.component.name' "$list")" = "$program" ] || echo "$program: the list is of another program"
        jq -r '.components[] | select(.purl | startswith("pkg:cargo/")) | "\(.name) \(.version)"' "$list" | sort -u |
            diff "$work/resolved" -
        jq -r '.components[] | select(.purl | startswith("pkg:generic/")).name' "$list" | sort |
            diff <(printf '%s\n' aws-lc sqlcipher sqlite) -
    done
}

each_crate_of_others_has_its_notice() {
    local name notices
    for name in contactpoint contactpoint-client; do
        notices=$work/$name/usr/share/doc/$name/third-party-notices.txt.gz
        zgrep -q 'aws-lc-sys [0-9.]*' "$notices" || echo "$name: none of AWS-LC"
        zgrep -q 'ZETETIC' "$notices" || echo "$name: none of SQLCipher"
        zgrep -q 'rustls 0' "$notices" || echo "$name: none of rustls"
    done
}

# The section .dep-v0, compressed JSON, as cargo auditable writes it: "name version" a line.
parts_in_the_program() { # program file
    objcopy -O binary --only-section=.dep-v0 --set-section-flags .dep-v0=alloc "$1" "$work/dep-v0"
    python3 -c 'import json, sys, zlib
for part in json.loads(zlib.decompress(open(sys.argv[1], "rb").read()))["packages"]:
    print(part["name"], part["version"])' "$work/dep-v0" | sort -u
}

each_program_carries_its_parts() {
    local program
    resolve || return 1
    for program in $(programs); do
        parts_in_the_program "$program" > "$work/carried"
        comm -23 "$work/resolved" "$work/carried" | sed "s|^|${program##*/} does not carry |"
    done
}

# --- and that it can fail ----------------------------------------------------------------------------------------------------------

# Repacks a copy of the packages after a change and expects this script to name the sentence.
is_noticed() { # sentence, package, command in the unpacked package...
    local sentence=$1 name=$2 weak=$work/weak
    shift 2
    rm -rf "$weak"
    mkdir -p "$weak/packages"
    cp -a "$work/$name" "$weak/tree"
    cp "$folder"/contactpoint*.deb "$weak/packages/"
    (cd "$weak/tree" && "$@")
    dpkg-deb -Znone --root-owner-group --build "$weak/tree" "$weak/packages/$(basename "$(package "$name")")" > "$weak/log"
    if tests/appliance/packages.sh --only "$sentence" ${release:+--release} "$weak/packages" > "$weak/log"; then
        echo 'the weakened package passes:'
        cat "$weak/log"
    fi
}

unpack
holds 'G5: contactpoint holds what is listed, with its modes and owners, and nothing else' paths_are_as_listed contactpoint
holds 'G5: contactpoint-selinux holds what is listed, and nothing else' paths_are_as_listed contactpoint-selinux
holds 'G8: contactpoint-client holds what is listed, and nothing else' paths_are_as_listed contactpoint-client
holds 'G5: the root that the daemon lives in has mount points and nothing in them' the_daemons_root_is_empty
holds 'G5: nothing is set-user-id, a device, or writable by others' nothing_is_special_or_writable_by_others
holds 'J1: the settings are conffiles, and nothing else is' settings_are_conffiles_and_nothing_else_is
holds 'J1: the packaged settings pass the parser of the packaged program' the_daemon_reads_the_packaged_settings
holds 'J1: each program has a man page' each_program_has_a_page
holds 'J1: each link of an installed page leads to a page that is installed beside it' links_lead_somewhere
holds 'B5: contactpoint asks for no more than the C library, libcrypto and systemd' \
    dependencies_are contactpoint libc6 libgcc-s1 libssl3 systemd
holds 'B5: contactpoint-client asks for no more than the C library' dependencies_are contactpoint-client libc6 libgcc-s1
holds 'J1: contactpoint-selinux asks for the policy and its tools' \
    dependencies_are contactpoint-selinux netbase policycoreutils policycoreutils-python-utils selinux-policy-default
holds 'J1: the packages are of one version' versions_agree
holds 'G2: nothing is enabled or started before there was a ceremony' nothing_is_started_or_enabled
holds 'J1: lintian finds no error' lintian_finds_no_error
holds 'J1: each lintian override has its reason' each_override_has_a_reason
holds 'G2: no key, no certificate and no secret is in them' no_key_and_no_secret
holds 'G7: no program that makes people up is in them' no_test_program_is_in_them
holds 'G5: the programs are position-independent, bound early, without a stack that runs, stripped' programs_are_hardened
holds 'J1: the lists of parts are what is compiled in' the_list_of_parts_is_what_is_compiled_in
if [ -n "$release" ]; then
    holds 'J1: each program carries the list of its parts' each_program_carries_its_parts
    holds 'J1: the notices of what is linked in go along' each_crate_of_others_has_its_notice
    holds 'J1: no path of the machine that built them is in the programs' no_path_of_the_building_machine
fi

weaken() { # shell text, run in the unpacked package
    bash -euc "$1"
}

if [ -z "$only" ] && [ "$failed" -eq 0 ]; then
    echo 'weakened on purpose:'
    S='G5: contactpoint holds what is listed, with its modes and owners, and nothing else'
    holds 'settings that everybody can read' is_noticed "$S" contactpoint weaken 'chmod 0644 etc/contactpoint/contactpointd.toml'
    holds 'a program more' is_noticed "$S" contactpoint weaken 'cp usr/sbin/contactpointctl usr/sbin/export'
    holds 'no rules against sticks' is_noticed "$S" contactpoint weaken 'rm lib/udev/rules.d/60-contactpoint-media.rules'
    holds 'a program that becomes root' is_noticed 'G5: nothing is set-user-id, a device, or writable by others' contactpoint \
        weaken 'chmod u+s usr/sbin/contactpointctl'
    holds 'a shell in the root that the daemon lives in' is_noticed \
        'G5: the root that the daemon lives in has mount points and nothing in them' contactpoint \
        weaken 'echo x > usr/lib/contactpoint/root/usr/sbin/sh'
    holds 'a settings file that an upgrade would overwrite' is_noticed 'J1: the settings are conffiles, and nothing else is' contactpoint \
        weaken 'sed -i /police/d DEBIAN/conffiles'
    holds 'settings with an unknown key' is_noticed 'J1: the packaged settings pass the parser of the packaged program' contactpoint \
        weaken 'echo "[export]" >> etc/contactpoint/contactpointd.toml'
    holds 'a program without a page' is_noticed 'J1: each program has a man page' contactpoint \
        weaken 'rm usr/share/man/man8/contactpoint-at-hsm.8.gz'
    holds 'a page that leads nowhere' is_noticed 'J1: each link of an installed page leads to a page that is installed beside it' \
        contactpoint-client weaken 'echo "See [the sources](../src/main.rs)." >> usr/share/doc/contactpoint-client/organisation.md'
    holds 'a package of another version' is_noticed 'J1: the packages are of one version' contactpoint-client \
        weaken 'sed -i "s/^Version: /Version: 1:/" DEBIAN/control'
    holds 'a package without its licence' is_noticed 'J1: lintian finds no error' contactpoint-selinux \
        weaken 'rm usr/share/doc/contactpoint-selinux/copyright'
    holds 'a program that makes people up' is_noticed 'G7: no program that makes people up is in them' contactpoint-client \
        weaken 'cp usr/bin/contactpoint usr/bin/contactpoint-synthesise'
    holds 'a program with symbols for a debugger' is_noticed \
        'G5: the programs are position-independent, bound early, without a stack that runs, stripped' contactpoint \
        weaken 'objcopy --add-section .debug_info=DEBIAN/control usr/sbin/contactpointd'
    holds 'a private key in a layout' is_noticed 'G2: no key, no certificate and no secret is in them' contactpoint \
        weaken 'echo "# -----BEGIN PRIVATE KEY-----" >> etc/contactpoint/layouts/police.toml'
    holds 'a network library more' is_noticed 'B5: contactpoint-client asks for no more than the C library' contactpoint-client \
        weaken 'sed -i "s/^Depends: /Depends: libcurl4, /" DEBIAN/control'
    holds 'a daemon that starts by itself' is_noticed 'G2: nothing is enabled or started before there was a ceremony' contactpoint \
        weaken 'echo "systemctl --now enable contactpointd.socket" >> DEBIAN/postinst'
    holds 'a part that is not told' is_noticed 'J1: the lists of parts are what is compiled in' contactpoint \
        weaken 'sed -i "s/cryptoki/crypto-key/" usr/share/doc/contactpoint/contactpointd.cdx.json'
    if [ -n "$release" ]; then
        holds 'notices that leave one out' is_noticed 'J1: the notices of what is linked in go along' contactpoint-client \
            weaken 'gunzip usr/share/doc/contactpoint-client/*.gz; sed -i "/ZETETIC/Id" usr/share/doc/contactpoint-client/third-party-notices.txt
                gzip -n usr/share/doc/contactpoint-client/third-party-notices.txt'
        holds 'a path of the building machine' is_noticed 'J1: no path of the machine that built them is in the programs' contactpoint \
            weaken "echo '$HOME/.cargo/registry' >> usr/sbin/contactpointctl"
        holds 'a program without the list of its parts' is_noticed 'J1: each program carries the list of its parts' contactpoint \
            weaken 'objcopy --remove-section .dep-v0 usr/sbin/contactpointd'
    fi
fi

exit "$failed"
