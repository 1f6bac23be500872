"""`lubb annotate` and Debian's Chromium, for the tests and for the screenshots."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
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


SHOWN = """(number) => {
  const frame = document.getElementById("view");
  const page = frame.contentDocument;
  const block = page?.readyState === "complete" && page.URL === frame.src && page.querySelector(`[data-b="${number}"]`);
  return Boolean(block && block.dataset.k);
}"""


def shown(tab, number=0, seconds=60):
    """Waits until the page asked for last is in the frame with its blocks marked.

    Playwright itself cannot wait for it: where it looks into a frame that runs no script while that frame still loads,
    it at times waits for ever, past its own timeout. The page around the frame is asked instead.
    """
    until = time.monotonic() + seconds
    while not tab.evaluate(SHOWN, number):
        assert time.monotonic() < until, f"block {number} is not marked after {seconds} s"
        time.sleep(0.05)
