#!/usr/bin/env python3
"""Checks evidence as its own text says, with Python's standard library and the openssl program: nothing of ours.

check.py FILE NAME+ID+KEY [WITNESS+ID+KEY]...; says "good" and how many entries, or the first fault (exit status 1). What the codes of an entry
are is read out of the document's own lists. Ed25519 keys and leaves of format 2 alone. Slow and plain on purpose.
"""

import base64
import datetime
import hashlib
import hmac
import re
import subprocess
import sys
import tempfile


class Fault(Exception):
    pass


def must(holds, what):
    if not holds:
        raise Fault(what)


def verified(key, signature, message):
    """Whether this is Ed25519's signature."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{part}" for part in ("key", "signature", "text")]
        spki = bytes.fromhex("302a300506032b6570032100") + key
        for path, content in zip(paths, (spki, signature, message)):
            with open(path, "wb") as file:
                file.write(content)
        verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", paths[0], "-rawin", "-sigfile", paths[1], "-in", paths[2]]
        return subprocess.run(verify, capture_output=True).returncode == 0


def signed_by(note, name, key, kind):
    """The text of a note, and what stands behind the key's id in its one line of this name and id."""
    text, lines = note.split("\n\n", 1)
    identity = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]
    named = [base64.b64decode(line.split(" ")[2]) for line in lines.splitlines() if line.startswith("\u2014 " + name + " ")]
    own = [signature[4:] for signature in named if signature[:4] == identity]
    must(len(own) == 1, f"no signature of {name}")
    return text + "\n", own[0]


def signed_text(note, name, key):
    """The text of a note that the key signed under this name."""
    text, signature = signed_by(note, name, key, 1)
    must(verified(key, signature, text.encode()), f"the signature of {name} is wrong")
    return text


def cosigned(note, name, key):
    """A witness's line below a checkpoint (C2SP tlog-cosignature)."""
    text, timed = signed_by(note, name, key, 4)
    time = int.from_bytes(timed[:8], "big")
    must(verified(key, timed[8:], f"cosignature/v1\ntime {time}\n{text}".encode()), f"the cosignature of {name} is wrong")


def key_of(written, kind):
    """Name and key out of NAME+ID+KEY."""
    name, _, typed = written.split("+", 2)
    typed = base64.b64decode(typed)
    must(typed[0] == kind and len(typed) == 33, f"{name} is no Ed25519 key of this kind")
    return name, typed[1:]


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
    end = 2 + int.from_bytes(plain[:2], "big")
    must(end <= len(plain) and not any(plain[end:]), "a leaf has something behind its entry")
    return plain[2:end]


class Bytes:
    """An entry's bytes, read from the front (postcard)."""

    def __init__(self, data):
        self.data = data

    def take(self, count):
        must(count <= len(self.data), "an entry ends too early")
        first, self.data = self.data[:count], self.data[count:]
        return first

    def byte(self):
        return self.take(1)[0]

    def number(self):
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def signed(self):
        number = self.number()
        return -(number + 1) // 2 if number & 1 else number // 2

    def optional(self, read):
        there = self.byte()
        must(there in (0, 1), "an optional value is there or not")
        return read() if there else None

    def list(self, read):
        return [read() for _ in range(self.number())]

    def text(self):
        return self.take(self.number()).decode()

    def texts(self):
        return self.text(), self.text()

    def change(self):
        return f"{self.byte()}/{self.signed()}/{self.number()}/{self.take(16).hex()}"


LISTS = ("Role", "Did", "Reason", "Shown", "Outcome", "Refusal")


def lists_of(preface):
    """The document's own lists: of each the codes by their numbers."""
    text = preface.rpartition("\nAN ENTRY, AND ITS LISTS\n")[2]
    found = {}
    for word, lines in re.findall(r"^([A-Z][a-z]+):\n((?:    .+\n)+)", text + "\n", re.MULTILINE):
        pairs = [member.split(" ") for line in lines.splitlines() for member in line.strip().split(", ")]
        found[word] = {int(number): code for number, code in pairs}
        must(len(found[word]) == len(set(found[word].values())) == len(pairs), f"the list {word} has something twice")
    must(sorted(found) == sorted(LISTS), "the document has other lists than those of an entry")
    return found


def with_check_digit(child):
    """ISO/IEC 7064, MOD 11,10."""
    digits, p = f"{child:09}", 10
    for digit in digits:
        p = ((p + int(digit)) % 10 or 10) * 2 % 11
    return f"{digits}{(11 - p) % 10}"


def last_sunday(year, month):
    """Its 01:00 UTC, in a month of 31 days."""
    last = datetime.datetime(year, month, 31, 1)
    return last - datetime.timedelta(days=(last.weekday() + 1) % 7)


def when(milliseconds):
    """The time by the clocks of the United Kingdom, and in UTC with as many digits as it takes."""
    utc = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=milliseconds)
    is_summer = last_sunday(utc.year, 3) <= utc < last_sunday(utc.year, 10)
    local = utc + datetime.timedelta(hours=1 if is_summer else 0)
    fraction = f".{milliseconds % 1000:03}".rstrip("0").rstrip(".")
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M:%S} ({utc:%Y-%m-%dT%H:%M:%S}{fraction}Z)"


def words_of(data, lists):
    """The words that the entry's bytes make, line by line."""
    entry = Bytes(data)
    kind = entry.byte()
    must(kind in (1, 2, 3), "an entry of an unknown format")
    said = {"When": when(entry.number())}
    said["Person"], said["Organisation"] = entry.optional(entry.number), entry.optional(entry.number)
    said["Role"], said["Did"], said["Reason"] = entry.optional(entry.byte), entry.byte(), entry.optional(entry.byte)
    children = entry.list(entry.number)
    said["Children"] = " ".join(map(with_check_digit, children))
    said["Shown"] = " ".join(lists["Shown"][field] for field in entry.list(entry.byte))
    outcome, refusal = lists["Outcome"][entry.byte()], entry.optional(entry.byte)
    must((outcome == "refused") == (refusal is not None), "an entry is refused without a reason, or answered with one")
    said["Outcome"] = outcome if refusal is None else lists["Refusal"][refusal]
    said["Rows changed"] = " ".join(entry.list(entry.change))
    name = entry.texts() if kind == 2 else entry.optional(entry.texts) if kind == 3 else None
    said["On behalf of"] = " ".join(name or ())
    facts = entry.list(entry.byte) if kind == 3 else children
    must(len(facts) == len(children) and not entry.data, "an entry has something behind it")
    for word in ("Role", "Did", "Reason"):
        said[word] = None if said[word] is None else lists[word][said[word]]
    return [f"  {word:<13} {'-' if value in (None, '') else value}" for word, value in said.items()]


def same(words, data, lists):
    """Whether the words, below their first line, are the entry's: all of them, and nothing else."""
    made = words_of(data, lists)
    for found, expected in zip(words.splitlines()[1:], made):
        must(found == expected, f"the words have '{found.strip()}', the leaf has '{expected.strip()}'")
    must(len(words.splitlines()) == 1 + len(made), "the words have another number of lines than the leaf")


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


def check(document, verifier, witnesses):
    name, key = key_of(verifier, 1)
    text, signatures, body = document.split("\n\n", 2)
    text = signed_text(text + "\n\n" + signatures + "\n", name + "/statements", key)
    must(text.startswith("contactpoint statement 1\n"), "no statement")
    head = dict(line.split(" ", 1) for line in text.splitlines()[1:])
    must(head["kind"] == "evidence" and head["log"] == name, "no evidence of this log")
    must(base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() == head["sha256"], "the words are not those that were signed")

    rest, note = body.split("\n==== checkpoint ====\n\n")
    rest, proofs = rest.split("\n==== proofs ====\n\n")
    preface, looks = rest.split("\n==== entries ====\n\n")
    origin, size, root = signed_text(note, name, key).splitlines()[:3]
    must(origin == name and size == head["size"], "the checkpoint is another one")
    for witness in witnesses:
        cosigned(note, *key_of(witness, 4))
    lists, before = lists_of(preface), -1
    paragraphs = lambda part: [paragraph.strip("\n") for paragraph in part.split("\n\n") if paragraph.strip("\n")]
    looks, proofs = paragraphs(looks), paragraphs(proofs)
    must(len(looks) == len(proofs) == int(head["entries"]), "entries are missing")
    for words, proof in zip(looks, proofs):
        lines = [line.split(" ", 1) for line in proof.splitlines()]
        index, leaf, leaf_key = int(lines[0][1]), base64.b64decode(lines[1][1]), base64.b64decode(lines[2][1])
        path = [base64.b64decode(line[1]) for line in lines[3:]]
        must(words.splitlines()[0] == f"Entry {index}", "words and proofs are not in one order")
        must(before < index, "an entry is there twice, or in another order")
        before = index
        same(words, opened(leaf, leaf_key), lists)
        must(words.splitlines()[2] == "  Person        " + head["about"].removeprefix("person "), "an entry is of another person")
        must(base64.b64encode(root_from(leaf, index, int(size), path)).decode() == root, f"entry {index} is not in the log")
    return len(looks)


if __name__ == "__main__":
    try:
        with open(sys.argv[1], encoding="utf-8", newline="") as file:
            print("good", check(file.read(), sys.argv[2], sys.argv[3:]))
    except (Fault, ValueError, KeyError, IndexError) as fault:
        print(f"not good: {fault}")
        sys.exit(1)
