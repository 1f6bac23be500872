"""`lubb annotate` and Debian's Chromium, for the tests and for the screenshots."""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LUBB = Path(os.environ.get("LUBB", Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "lubb"))
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"


@contextlib.contextmanager
def annotate(pages, labels, *args):
    """Runs the program and gives the page's address; the program is ended after it."""
    command = [LUBB, "annotate", pages, "-o", labels, *args]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), process.communicate(timeout=10)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def launch(playwright):
    # Chromium's own sandbox needs rights that a container's root has not; only pages of ours are opened.
    args = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=CHROMIUM, args=args)
