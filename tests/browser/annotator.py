"""`lubb annotate` and Debian's Chromium, for the tests and for the screenshots."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from playwright.sync_api import expect

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
    # A machine that runs other tests too may be slow.
    expect.set_options(timeout=30_000)
    # Chromium's own sandbox needs rights that a container's root has not; only pages of ours are opened.
    args = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=CHROMIUM, args=args)


# Playwright does not look into the page's frame: where it waits for a frame that runs no script, it at times waits for
# ever, past its own timeouts. The page around the frame is asked instead; its scripts reach all of it.
SHOWN = """(number) => {
  const frame = document.getElementById("view");
  const page = frame.contentDocument;
  const block = page?.readyState === "complete" && page.URL === frame.src && page.querySelector(`[data-b="${number}"]`);
  return Boolean(block && block.dataset.k);
}"""
# Where the middle of an element's first line is in the window.
PLACE = """(() => {
  const frame = document.getElementById("view").getBoundingClientRect();
  const line = mark.getClientRects()[0];
  const [x, y] = [line.x + line.width / 2, line.y + line.height / 2];
  return { x: frame.x + x, y: frame.y + y, seen: mark.contains(page.elementFromPoint(x, y)) };
})()"""


def until(is_so, what, seconds):
    """Waits until it is so; what is said if it never is."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"{what} after {seconds} s"
        time.sleep(0.05)


def shown(tab, number=0, seconds=60):
    """Waits until the page asked for last is in the frame with its blocks marked."""
    until(lambda: tab.evaluate(SHOWN, number), f"block {number} is not marked", seconds)


class Mark:
    """An element of the page in the frame, by an expression of JavaScript that finds it in `page`."""

    def __init__(self, tab, find):
        self.tab, self.find = tab, find

    def evaluate(self, expression):
        """What an expression gives for the element, `mark`."""
        found = self.tab.evaluate(f"""() => {{
          const page = document.getElementById("view").contentDocument;
          const mark = {self.find};
          return mark && {{ gives: {expression} }};
        }}""")
        assert found, f"there is no {self.find}"
        return found["gives"]

    def scroll(self):
        self.evaluate("mark.scrollIntoView({ block: 'center', behavior: 'instant' })")

    def place(self):
        """Where the middle of its first line is in the window, once it stays there; it must be seen."""
        places = [self.evaluate(PLACE)]

        def stays():
            # What comes late, such as letters of another width, moves all that is below it.
            self.tab.wait_for_timeout(100)
            places.append(self.evaluate(PLACE))
            return places[-1] == places[-2]

        until(stays, f"{self.find} does not stay in its place", 30)
        assert places[-1]["seen"], f"{self.find} is not seen"
        return places[-1]["x"], places[-1]["y"]

    def click(self):
        # Playwright's mouse asks the frames for nothing in a click, other than in a drag.
        self.scroll()
        self.tab.mouse.click(*self.place())

    def has(self, name, value, seconds=30):
        """Waits until an attribute has a value."""
        until(lambda: self.evaluate(f"mark.getAttribute({name!r})") == value, f"no {name}={value} at {self.find}", seconds)


def block(tab, number):
    """The first element of a block."""
    return Mark(tab, f"""page.querySelector('[data-b="{number}"]')""")


def by_text(tab, text):
    """The first element that has the text and no smaller one with it."""
    has = f"(element) => element.textContent.includes({json.dumps(text)})"
    return Mark(tab, f"[...page.querySelectorAll('body *')].find((e) => ({has})(e) && ![...e.children].some({has}))")
