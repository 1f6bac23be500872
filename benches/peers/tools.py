"""The tools that `run.py` compares: how each is installed under target/peers, and started."""

import hashlib
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent

# Each tool's language, and its version, which the files here pin.
TOOLS = {
    "lubb": ("rust", ""),
    "resiliparse": ("python", "2.0.1"),
    "dom_smoothie": ("rust", "0.19.0"),
    "rs-trafilatura": ("rust", "0.2.2"),
    "readability-lxml": ("python", "0.9"),
    "trafilatura": ("python", "2.3.1"),
    "readability.js": ("node", "0.6.0, linkedom 0.18.12"),
}


class Command(list):
    """A command line; where it is to be run; and the version of what it runs."""

    def __init__(self, parts, folder=None, version=""):
        super().__init__(map(str, parts))
        self.folder, self.version = folder, version

    def of(self, *arguments):
        return Command([*self, *arguments], self.folder, self.version)


def needed(program, what):
    found = shutil.which(program)
    if not found:
        raise SystemExit(f"error: {program}: not found; install {what}, or leave its tools out with --tools")
    return found


def once(stamp, files, work):
    """Does the work unless it was done for the same files."""
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    if not stamp.is_file() or stamp.read_text() != digest:
        work()
        stamp.write_text(digest)


def install(names, root, home, run):
    """The commands by name. Nothing is installed outside of `home`."""
    commands = {}
    # It prepares the pages too, so it is there whatever is compared.
    cargo = needed("cargo", "Rust 1.88 or later")
    manifest = HERE / "rust/Cargo.toml"
    build = [cargo, "build", "--release", "--locked", "--manifest-path", manifest, "--target-dir", home / "cargo"]
    run(Command(build), "building the Rust tools")
    languages = {TOOLS[name][0] for name in names}
    venv, node = home / "venv", home / "node"
    if "python" in languages:
        once(venv / "installed", [HERE / "requirements.txt"], lambda: python(venv, run))
    if "node" in languages:
        needed("node", "Node.js 20 or later")
        files = [HERE / "node/package.json", HERE / "node/package-lock.json"]
        once(home / "node-installed", files, lambda: npm(node, files, run))
    start = {
        "rust": ([home / "cargo/release/lubb-peers"], None),
        "python": ([venv / "bin/python", HERE / "runner.py"], None),
        "node": (["node", HERE / "node/runner.mjs"], node),
    }
    for name in names:
        language, version = TOOLS[name]
        parts, folder = start[language]
        commands[name] = Command(parts, folder, version or own_version(root))
    return commands


def python(venv, run):
    run(Command([sys.executable, "-m", "venv", "--clear", venv]), "making an environment of Python")
    # The list is complete, and old versions of pip stumble over an extra in it.
    install = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", HERE / "requirements.txt"]
    run(Command([venv / "bin/python", "-m", "pip", *install]), "installing the Python tools")


def npm(node, files, run):
    node.mkdir(exist_ok=True)
    for file in files:
        shutil.copy(file, node)
    run(Command([needed("npm", "npm"), "ci", "--no-audit", "--no-fund"], node), "installing Readability.js")


def own_version(root):
    lines = (root / "Cargo.toml").read_text(encoding="utf-8").splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("version = "))


def prepare(home, pages, file, every):
    return Command([home / "cargo/release/lubb-peers", "prepare", pages, file, every])


def program(root, run):
    """lubb's own program, which scores the texts."""
    target = ["--target-dir", root / "target"]
    build = [needed("cargo", "Rust 1.88 or later"), "build", "--release", "--locked", "--bin", "lubb", *target]
    run(Command(build, root), "building lubb")
    return root / "target/release/lubb"
