#!/bin/sh
# Installs nginx, softhsm2 and perf where they are missing.
set -eu
missing=
command -v nginx > /dev/null || missing="$missing nginx"
command -v softhsm2-util > /dev/null || missing="$missing softhsm2"
command -v perf > /dev/null || missing="$missing linux-perf"
if [ -n "$missing" ]; then
	become=
	[ "$(id -u)" -eq 0 ] || become=sudo
	$become apt-get update -q
	# shellcheck disable=SC2086 # one word for each package
	$become env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
	# Debian starts a server by itself; the bench starts its own
	$become systemctl disable --now nginx 2> /dev/null || true
fi
