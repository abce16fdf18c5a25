#!/usr/bin/env python3
"""Holds an OSCAL document, read from standard input, against its model: validate.py TARGET_DIRECTORY KIND, KIND as catalog,
component-definition or assessment-results.

The validator is `trestle validate` of the Python package compliance-trestle (PyPI), which is installed into a virtual environment below the
target directory. Ends with 0 where the document is valid, 1 where it is not and says why, 3 where the package cannot be had.
"""

import pathlib
import subprocess
import sys
import tempfile
import venv

PACKAGE = "compliance-trestle==5.2.0"
# Where trestle expects each kind of document.
FOLDERS = {
    "catalog": "catalogs",
    "component-definition": "component-definitions",
    "assessment-results": "assessment-results",
}


def trestle(target: pathlib.Path) -> pathlib.Path:
    """The validator's program, which is installed, with a workspace beside it, where it is not there yet."""
    program = target / "venv" / "bin" / "trestle"
    if not program.exists():
        target.mkdir(parents=True, exist_ok=True)
        venv.create(target / "venv", with_pip=True)
        pip = [target / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]
        subprocess.run(pip, check=True)
    workspace = target / "workspace"
    if not (workspace / ".trestle").exists():
        workspace.mkdir(exist_ok=True)
        subprocess.run([program, "init", "--local"], cwd=workspace, check=True, stdout=subprocess.DEVNULL)
    return program


def main(target: pathlib.Path, kind: str) -> int:
    """Puts the document into a folder of its own in the workspace and validates it."""
    try:
        program = trestle(target)
    except (OSError, subprocess.CalledProcessError) as fault:
        print(fault, file=sys.stderr)
        return 3
    with tempfile.TemporaryDirectory(dir=target / "workspace" / FOLDERS[kind]) as folder:
        document = pathlib.Path(folder) / f"{kind}.json"
        document.write_text(sys.stdin.read(), encoding="utf-8")
        return 1 if subprocess.run([program, "validate", "-f", document], cwd=target / "workspace").returncode else 0


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in FOLDERS:
        sys.exit("usage: validate.py TARGET_DIRECTORY KIND < DOCUMENT")
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2]))
