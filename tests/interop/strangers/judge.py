#!/usr/bin/env python3
"""Judges logs with verifiers from PyPI: judge.py TARGET_DIRECTORY sigstore|aics-tlog, cases as a JSON list on standard input.

sigstore knows checkpoints with ECDSA keys, and inclusion; its modules for both are its own (`_internal`), so the version is pinned. aics-tlog knows
Ed25519, inclusion, consistency and cosignatures. They are installed into a virtual environment below the target directory when first asked for;
ends with 3 where they cannot be had. A proof is looked at only under checkpoints that were believed, so it is false where one was not.
"""

import base64
import fcntl
import json
import os
import pathlib
import subprocess
import sys
import types
import venv

PACKAGES = ("sigstore==4.5.1", "aics-tlog==0.2.1")


def installed(target: pathlib.Path) -> pathlib.Path:
    """Makes the environment once; tests that come at the same time wait, and one that broke off is made anew."""
    target.mkdir(parents=True, exist_ok=True)
    python, done = target / "judges" / "bin" / "python", target / "judges" / "complete"
    with open(target / "judges.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            venv.create(target / "judges", with_pip=True, clear=True)
            # aics-tlog asks for Python 3.12; Debian 12 has 3.11, which runs what is used of it here
            options = ["--quiet", "--disable-pip-version-check", "--ignore-requires-python"]
            subprocess.run([python, "-m", "pip", "install", *options, *PACKAGES], check=True)
            done.touch()
    return python


def decoded(proof: list[str]) -> list[bytes]:
    """The hashes of a proof."""
    return [base64.b64decode(one) for one in proof]


def sigstore(case: dict) -> dict:
    """As sigstore verifies an entry of its own log."""
    # pylint: disable=import-outside-toplevel
    from sigstore._internal.merkle import verify_merkle_inclusion
    from sigstore._internal.rekor.checkpoint import SignedCheckpoint
    from sigstore._internal.trust import Key, Keyring
    from sigstore.errors import VerificationError
    from sigstore_models.common import v1 as common

    public = base64.b64encode(base64.b64decode(case["key"].split("+", 2)[2])[1:])
    message = common.PublicKey(raw_bytes=public, key_details=common.PublicKeyDetails.PKIX_ECDSA_P256_SHA_256)
    try:
        signed = SignedCheckpoint.from_text(case["note"])
        signed.signed_note.verify(Keyring([message]), Key(message).key_id)
    except (VerificationError, ValueError):
        return {"note": False, "inclusion": False}
    proof = types.SimpleNamespace(
        log_index=case["index"],
        tree_size=signed.checkpoint.log_size,
        root_hash=bytes.fromhex(signed.checkpoint.log_hash),
        hashes=decoded(case["inclusion"]),
    )
    inner = types.SimpleNamespace(inclusion_proof=proof, canonicalized_body=base64.b64decode(case["leaf"]))
    try:
        verify_merkle_inclusion(types.SimpleNamespace(_inner=inner))
    except VerificationError:
        return {"note": True, "inclusion": False}
    return {"note": True, "inclusion": True}


def aics_tlog(case: dict) -> dict:
    """As aics-tlog's README has it."""
    # pylint: disable=import-outside-toplevel
    import aics_tlog
    from aics_tlog.note import parse_note, parse_vkey

    log, witness = parse_vkey(case["key"]), parse_vkey(case["witness"])

    def opened(text: str, witnesses: list, quorum: int) -> object | None:
        try:
            return aics_tlog.verify_checkpoint(parse_note(text), log, witnesses, quorum, expected_origin=log.name)
        except ValueError:
            return None

    now, cosigned = opened(case["note"], [], 0), opened(case["note"], [witness], 1)
    if not now or not now.ok:
        return {"note": False, "inclusion": False, "consistency": False, "cosigned": False}
    old = opened(case["old_note"], [], 0)
    inclusion, consistency = decoded(case["inclusion"]), decoded(case["consistency"])
    leaf = base64.b64decode(case["leaf"])
    grown = old and old.ok and aics_tlog.verify_consistency(old.size, now.size, old.root, now.root, consistency)
    return {
        "note": True,
        "inclusion": aics_tlog.verify_leaf_inclusion(leaf, case["index"], now.size, inclusion, now.root),
        "consistency": bool(grown),
        "cosigned": bool(cosigned and cosigned.ok),
    }


JUDGES = {"sigstore": sigstore, "aics-tlog": aics_tlog}


def main(target: str, judge: str) -> int:
    """Judges in the environment that has the packages."""
    try:
        python = installed(pathlib.Path(target))
    except (OSError, subprocess.CalledProcessError) as fault:
        print(fault, file=sys.stderr)
        return 3
    if pathlib.Path(sys.prefix).resolve() != python.parent.parent.resolve():
        os.execv(python, [str(python), __file__, target, judge])
    json.dump([JUDGES[judge](case) for case in json.load(sys.stdin)], sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
