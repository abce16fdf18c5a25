#!/usr/bin/env python3
"""Checks evidence as its own text says, with Python's standard library and the openssl program: nothing of ours.

check.py FILE NAME+ID+KEY; says "good" and how many entries, or the first fault (exit status 1). Ed25519 keys. Slow and plain on purpose.
"""

import base64
import hashlib
import hmac
import subprocess
import sys
import tempfile


class Fault(Exception):
    pass


def must(holds, what):
    if not holds:
        raise Fault(what)


def signed_text(note, name, key):
    """The text of a note that the key signed under this name."""
    text, lines = note.split("\n\n", 1)
    text += "\n"
    own = [line.split(" ")[2] for line in lines.splitlines() if line.startswith("\u2014 " + name + " ")]
    must(len(own) == 1, f"no signature of {name}")
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{part}" for part in ("key", "signature", "text")]
        spki = bytes.fromhex("302a300506032b6570032100") + key
        for path, content in zip(paths, (spki, base64.b64decode(own[0])[4:], text.encode())):
            with open(path, "wb") as file:
                file.write(content)
        verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", paths[0], "-rawin", "-sigfile", paths[1], "-in", paths[2]]
        must(subprocess.run(verify, capture_output=True).returncode == 0, f"the signature of {name} is wrong")
    return text


def aes_ctr(key, counter, data):
    """AES-256 in counter mode, by openssl."""
    cipher = ["openssl", "enc", "-aes-256-ctr", "-K", key.hex(), "-iv", counter.hex(), "-nopad"]
    return subprocess.run(cipher, input=data, capture_output=True, check=True).stdout


def product(x, y):
    """In the field of GCM (NIST SP 800-38D, 6.3)."""
    z = 0
    for bit in range(128):
        if x >> (127 - bit) & 1:
            z ^= y
        y = y >> 1 ^ (0xE1 << 120 if y & 1 else 0)
    return z


def gcm_open(key, header, sealed):
    """AES-256-GCM with a nonce of zeros."""
    text, tag = sealed[:-16], sealed[-16:]
    pad = lambda data: data + bytes(-len(data) % 16)
    h = int.from_bytes(aes_ctr(key, bytes(16), bytes(16)), "big")
    blocks = pad(header) + pad(text) + (8 * len(header)).to_bytes(8, "big") + (8 * len(text)).to_bytes(8, "big")
    y = 0
    for at in range(0, len(blocks), 16):
        y = product(y ^ int.from_bytes(blocks[at : at + 16], "big"), h)
    first = int.from_bytes(aes_ctr(key, bytes(12) + b"\0\0\0\1", bytes(16)), "big")
    must((y ^ first).to_bytes(16, "big") == tag, "a leaf does not open with its key")
    return aes_ctr(key, bytes(12) + b"\0\0\0\2", text)


def opened(leaf, key):
    """The entry in a leaf, once the leaf commits to the key."""
    nonce, commitment = leaf[5:29], leaf[29:61]
    must(leaf[0] == 2, "not a leaf of format 2")
    must(hmac.digest(key, b"contactpoint entry commit 2" + nonce, "sha256") == commitment, "a leaf commits to another key")
    plain = gcm_open(hmac.digest(key, b"contactpoint entry cipher 2" + nonce, "sha256"), leaf[:61], leaf[61:])
    return plain[2 : 2 + int.from_bytes(plain[:2], "big")]


class Entry:
    """The fields of an entry that are numbers (postcard)."""

    def __init__(self, data):
        self.data = data[1:]
        self.at, self.person, self.organisation = self.number(), self.option(), self.option()
        self.role, self.operation, self.reason = self.option_byte(), self.byte(), self.option_byte()
        self.children = [self.number() for _ in range(self.number())]

    def byte(self):
        first, self.data = self.data[0], self.data[1:]
        return first

    def number(self):
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def option(self):
        return self.number() if self.byte() else None

    def option_byte(self):
        return self.byte() if self.byte() else None


def milliseconds(words):
    """Of the time in brackets, such as 2026-11-22T17:30:05.123Z."""
    import datetime

    text = words[words.index("(") + 1 : words.index(")")]
    whole, _, part = text[:-1].partition(".")
    at = datetime.datetime.fromisoformat(whole + "+00:00")
    return int(at.timestamp()) * 1000 + int((part + "000")[:3])


OPERATIONS = {"search": 3, "view": 4, "who-saw": 5, "break-glass": 26, "override-shield": 28, "ask-contact": 39, "make-statement": 51}


def same(words, entry):
    """Whether the words are the entry's."""
    said = {line[2:15].strip(): line[16:] for line in words.splitlines()[1:]}
    number = lambda word: None if said[word] == "-" else int(said[word])
    must(milliseconds(said["When"]) == entry.at, "the words give another time than the leaf")
    must(number("Person") == entry.person and number("Organisation") == entry.organisation, "the words name somebody else than the leaf")
    must(OPERATIONS[said["Did"]] == entry.operation, "the words say that something else was done")
    children = [] if said["Children"] == "-" else [int(child[:9]) for child in said["Children"].split(" ")]
    must(children == entry.children, "the words name other children than the leaf")


def root_from(leaf, index, size, path):
    """RFC 9162, 2.1.3.2."""
    node = lambda left, right: hashlib.sha256(b"\1" + left + right).digest()
    f, s, it = index, size - 1, hashlib.sha256(b"\0" + leaf).digest()
    for hash in path:
        must(s != 0, "a path is too long")
        if f & 1 or f == s:
            it = node(hash, it)
            while not f & 1 and f != 0:
                f, s = f >> 1, s >> 1
        else:
            it = node(it, hash)
        f, s = f >> 1, s >> 1
    must(s == 0, "a path is too short")
    return it


def check(document, verifier):
    name, _, typed = verifier.split("+", 2)
    key = base64.b64decode(typed)[1:]
    text, signatures, body = document.split("\n\n", 2)
    text = signed_text(text + "\n\n" + signatures + "\n", name + "/statements", key)
    must(text.startswith("contactpoint statement 1\n"), "no statement")
    head = dict(line.split(" ", 1) for line in text.splitlines()[1:])
    must(head["kind"] == "evidence" and head["log"] == name, "no evidence of this log")
    must(base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() == head["sha256"], "the words are not those that were signed")

    rest, note = body.split("\n==== checkpoint ====\n\n")
    rest, proofs = rest.split("\n==== proofs ====\n\n")
    _, looks = rest.split("\n==== entries ====\n\n")
    origin, size, root = signed_text(note, name, key).splitlines()[:3]
    must(origin == name and size == head["size"], "the checkpoint is another one")
    paragraphs = lambda part: [paragraph.strip("\n") for paragraph in part.split("\n\n") if paragraph.strip("\n")]
    looks, proofs = paragraphs(looks), paragraphs(proofs)
    must(len(looks) == len(proofs) == int(head["entries"]), "entries are missing")
    for words, proof in zip(looks, proofs):
        lines = [line.split(" ", 1) for line in proof.splitlines()]
        index, leaf, leaf_key = int(lines[0][1]), base64.b64decode(lines[1][1]), base64.b64decode(lines[2][1])
        path = [base64.b64decode(line[1]) for line in lines[3:]]
        must(words.splitlines()[0] == f"Entry {index}", "words and proofs are not in one order")
        same(words, Entry(opened(leaf, leaf_key)))
        must(base64.b64encode(root_from(leaf, index, int(size), path)).decode() == root, f"entry {index} is not in the log")
    return len(looks)


if __name__ == "__main__":
    try:
        with open(sys.argv[1], encoding="utf-8", newline="") as file:
            print("good", check(file.read(), sys.argv[2]))
    except (Fault, ValueError, KeyError, IndexError) as fault:
        print(f"not good: {fault}")
        sys.exit(1)
