#!/usr/bin/env python3
"""Holds an OpenAPI 3.1 description, read from standard input, against the specification's own schema: validate.py TARGET_DIRECTORY.

The validator is the Python package openapi-spec-validator (PyPI), which is installed into a virtual environment below the target
directory. Ends with 0 where the description is valid, 1 where it is not and says why, 3 where the package cannot be had.
"""

import pathlib
import subprocess
import sys
import venv

PACKAGE = "openapi-spec-validator==0.9.0"
VALIDATE = """
import json, sys
from openapi_spec_validator import OpenAPIV31SpecValidator
faults = list(OpenAPIV31SpecValidator(json.load(sys.stdin)).iter_errors())
for fault in faults:
    print("/".join(map(str, fault.absolute_path)), "-", fault.message)
    for part in fault.context or ():
        print("   ", "/".join(map(str, part.absolute_path)), "-", part.message)
sys.exit(1 if faults else 0)
"""


def main(target: pathlib.Path) -> int:
    """Makes the environment once and validates."""
    python = target / "venv" / "bin" / "python"
    try:
        if not python.exists():
            target.mkdir(parents=True, exist_ok=True)
            venv.create(target / "venv", with_pip=True)
        if subprocess.run([python, "-c", "import openapi_spec_validator"], capture_output=True).returncode != 0:
            subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE], check=True)
    except (OSError, subprocess.CalledProcessError) as fault:
        print(fault, file=sys.stderr)
        return 3
    return subprocess.run([python, "-c", VALIDATE]).returncode


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: validate.py TARGET_DIRECTORY < DESCRIPTION")
    sys.exit(main(pathlib.Path(sys.argv[1])))
