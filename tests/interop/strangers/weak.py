#!/usr/bin/env python3
"""A TLS server as many are: weak.py CERTIFICATE KEY. TLS 1.2 and 1.3, tickets, any client. Prints its port, and ends with its standard input.

The scanner must find fault with it; one that finds none here proves nothing elsewhere.
"""

import os
import socket
import ssl
import sys
import threading


def serve(context: ssl.SSLContext, plain: socket.socket) -> None:
    """One connection: whatever is asked, nothing is answered."""
    plain.settimeout(10)
    try:
        with context.wrap_socket(plain, server_side=True) as secure:
            secure.recv(4096)
            secure.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
    except (OSError, ssl.SSLError):
        plain.close()


def accept(context: ssl.SSLContext, listener: socket.socket) -> None:
    """For ever."""
    while True:
        plain, _ = listener.accept()
        threading.Thread(target=serve, args=(context, plain), daemon=True).start()


def main(certificate: str, key: str) -> None:
    """Listens on a free loopback port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    threading.Thread(target=accept, args=(context, listener), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: weak.py CERTIFICATE KEY")
    main(*sys.argv[1:])
