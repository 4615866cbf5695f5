"""What the tests of the programs share: calls of a program, the first argument of each test."""
import hashlib
import os
import subprocess
import sys
import unittest


def call(*words, stdin=""):
    # One thread: two of them waiting for each other take minutes on a machine with other work.
    return subprocess.run([sys.argv[1], *map(str, words)], input=stdin, capture_output=True, text=True, check=False,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})


def succeed(*words, stdin=""):
    done = call(*words, stdin=stdin)
    if done.returncode != 0:
        raise AssertionError(f"{words}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(case):
    """Prints failures alone; returns the exit status."""
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
    return 0 if unittest.TextTestRunner(verbosity=0, stream=sys.stdout, buffer=True).run(suite).wasSuccessful() else 1
