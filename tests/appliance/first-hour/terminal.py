#!/usr/bin/env python3
"""Types one block of commands at a terminal, as an operator would, and answers what the programs ask.

    terminal.py BLOCK ANSWERS

BLOCK is a file of commands for bash; ANSWERS has a line for each question: its text, a tab, what is typed. A secret is typed only once
the terminal has stopped to echo. Everything that the terminal shows goes to the standard output. Ends with the block's exit status;
124 after 600 seconds without a word, which is what a question without an answer comes to: an emulated machine takes minutes over SELinux's
policy.
"""

import os
import select
import signal
import sys
import termios
import time

LIMIT_SECONDS = 600


def echoes(terminal):
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def answer_to(shown, answers):
    return next((typed for question, typed in answers if question in shown), None)


def play(terminal, answers, deadline):
    """Reads until the other end closes; true unless the time ran out."""
    shown, typed = "", None
    while time.monotonic() < deadline:
        if typed is not None and not echoes(terminal):
            os.write(terminal, typed.encode() + b"\n")
            typed = None
        if not select.select([terminal], [], [], 0.02)[0]:
            continue
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # EIO: the last program has closed it
            chunk = b""
        if not chunk:
            return True
        text = chunk.decode(errors="replace")
        sys.stdout.write(text.replace("\r\n", "\n"))
        sys.stdout.flush()
        shown += text
        found = answer_to(shown, answers) if typed is None else None
        if found is not None:
            typed, shown = found, ""
    return False


def main(block, answers_file):
    with open(answers_file, encoding="utf-8") as lines:
        answers = [line.rstrip("\n").split("\t") for line in lines]
    child, terminal = os.forkpty()
    if child == 0:
        os.execvp("bash", ["bash", "-euo", "pipefail", block])
    if not play(terminal, answers, time.monotonic() + LIMIT_SECONDS):
        print(f"\nterminal.py: nothing more after {LIMIT_SECONDS} s: a question without an answer?")
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return 124
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


sys.exit(main(*sys.argv[1:]))
