"""Makes .venv from the lock files: `python3 tools/setup.py run|test`, called by the Makefile.

Old Pythons read this file too, to say that they are too old: nothing here is newer than 3.6.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
NEWER_NAMES = ("python3.14", "python3.13", "python3.12", "python3.11")
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"


class Refused(Exception):  # noqa: N818  it is a refusal, not a bug
    """Cannot set up. Carries one line: expected, found, do."""


def run(command: list, stderr: int) -> subprocess.CompletedProcess:
    """Runs one program and keeps what it says."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, check=False)


def version_of(python: str) -> tuple:
    """The (major, minor) of an interpreter, or (0, 0) if it does not answer."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    answer = subprocess.run(
        [python, "-c", ask], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    text = answer.stdout.decode().strip()
    return tuple(int(part) for part in text.split(".")) if text else (0, 0)


def fitting_python() -> str:
    """The Python that runs this, else the newest on PATH that is new enough."""
    if sys.version_info >= OLDEST:
        return sys.executable
    for name in NEWER_NAMES:
        path = shutil.which(name)
        if path and version_of(path) >= OLDEST:
            return path
    found = "%d.%d.%d at %s" % (*sys.version_info[:3], sys.executable)
    raise Refused(
        "expected Python %d.%d or later; found %s; do: install it, then make setup PYTHON=/path/to/python3.11"
        % (*OLDEST, found)
    )


def create() -> None:
    """Makes the environment; one of another Python, or half made, is made anew."""
    python = fitting_python()
    inside = BIN / "python"
    if inside.exists() and version_of(str(inside)) >= OLDEST and (BIN / "pip").exists():
        return
    answer = run([python, "-m", "venv", "--clear", str(VENV)], stderr=subprocess.STDOUT)
    if answer.returncode:
        said = answer.stdout.decode().strip().splitlines() or ["nothing"]
        raise Refused(
            "expected a Python that can make environments; found %s (%s); "
            "do: install its venv module (Debian, Ubuntu: python3-venv), then make setup" % (python, said[0])
        )


def install(which: str) -> None:
    """Installs one lock file by hash, then this checkout, which is found in place."""
    lock = ROOT / "requirements" / (which + ".txt")
    pip = [str(BIN / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    steps = [[*pip, "install", "--require-hashes", "--no-deps", "--requirement", str(lock)]]
    if which == "run":
        # compat = one path in a .pth file: folders that appear later are found too
        editable = ["--no-deps", "--no-build-isolation", "--config-settings", "editable_mode=compat"]
        steps.append([*pip, "install", *editable, "--editable", str(ROOT)])
    for step in steps:
        if subprocess.run(step, cwd=str(ROOT), check=False).returncode:
            raise Refused(
                "expected pip to install %s; found the failure above; "
                "do: check that the package registry can be reached, then make setup again" % lock.name
            )


def main() -> int:
    """Sets up one set and leaves its stamp, which make compares with the lock."""
    which = sys.argv[1] if len(sys.argv) > 1 else "run"
    print("setting up .venv (%s) ..." % which, flush=True)
    try:
        create()
        install(which)
    except Refused as refused:
        print("gridcase: %s" % refused, file=sys.stderr)
        return 2
    (VENV / (".%s-set" % which)).write_text("installed\n")
    os.utime(str(VENV))
    return 0


if __name__ == "__main__":
    sys.exit(main())
