#!/usr/bin/env python3
"""Looks at a TLS server as a stranger would: scan.py TARGET_DIRECTORY HOST PORT [CERTIFICATE KEY].

The scanner is the Python package sslyze (PyPI), which is installed into a virtual environment below the target directory. It says of TLS 1.3 alone
that there are no tickets to ask for, so Python's own ssl module asks for those, and for what a client without a certificate is told. Prints one JSON
document: "sslyze" (its result for the server), "ticket", "resumed", "alert". Ends with 3 where the package cannot be had.
"""

import fcntl
import json
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import venv

PACKAGE = "sslyze==6.3.1"
LOOKS = (
    "--certinfo --sslv2 --sslv3 --tlsv1 --tlsv1_1 --tlsv1_2 --tlsv1_3 --resum --resum_attempts=3 --reneg --compression --early_data "
    "--heartbleed --openssl_ccs --robot --elliptic_curves --fallback --ems --quiet --mozilla_config=disable"
).split()
REQUEST = b"GET /log/checkpoint HTTP/1.1\r\nHost: localhost\r\n\r\n"
PATIENCE = 30


def scanner(target: pathlib.Path) -> pathlib.Path:
    """Makes the environment once; tests that come at the same time wait, and one that broke off is made anew."""
    target.mkdir(parents=True, exist_ok=True)
    program = target / "venv" / "bin" / "sslyze"
    with open(target / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            venv.create(target / "venv", with_pip=True, clear=True)
            python = program.with_name("python")
            subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE], check=True)
    return program


def scan(program: pathlib.Path, address: str, identity: list[str]) -> dict:
    """What sslyze found."""
    shown = [f"--{name}={path}" for name, path in zip(("cert", "key"), identity)]
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        command = [program, *LOOKS, *shown, f"--json_out={report.name}", address]
        # its exit status is a verdict of its own on Mozilla's profiles, which are not asked for
        subprocess.run(command, capture_output=True, timeout=300, check=False)
        return json.load(report)["server_scan_results"][0]


def client(identity: list[str]) -> ssl.SSLContext:
    """Any server will do: it is looked at and not believed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if identity:
        context.load_cert_chain(*identity)
    return context


def ask(context: ssl.SSLContext, address: tuple[str, int], former: ssl.SSLSession | None = None) -> dict:
    """One connection: the session to come back with, whether the former one was resumed, and the alert in place of an answer."""
    with socket.create_connection(address, timeout=PATIENCE) as plain, context.wrap_socket(plain, session=former) as secure:
        try:
            secure.sendall(REQUEST)
            secure.recv(4096)
        except ssl.SSLError as alert:
            return {"session": None, "resumed": False, "alert": alert.reason}
        return {"session": secure.session, "resumed": bool(secure.session_reused), "alert": None}


def main(target: pathlib.Path, host: str, port: int, identity: list[str]) -> int:
    """Scans and tells."""
    try:
        program = scanner(target)
    except (OSError, subprocess.CalledProcessError) as fault:
        print(fault, file=sys.stderr)
        return 3
    found = {"sslyze": scan(program, f"{host}:{port}", identity)}
    context, address = client(identity), (host, port)
    first = ask(context, address)
    found["alert"] = first["alert"]
    found["ticket"] = bool(first["session"] and first["session"].has_ticket)
    found["resumed"] = bool(first["session"]) and ask(context, address, first["session"])["resumed"]
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    if len(sys.argv) not in (4, 6):
        sys.exit("usage: scan.py TARGET_DIRECTORY HOST PORT [CERTIFICATE KEY]")
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:]))
