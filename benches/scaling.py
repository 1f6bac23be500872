#!/usr/bin/env python3
"""Measures `lubb apply` on one thread and on two, and whether its memory grows with the corpus.

    cargo build --release
    python3 benches/scaling.py [PAGES] [-o table.md] [--pages 20000] [--inputs folder jsonl jsonl.gz] [--rounds 2]

PAGES is a folder with .html or .html.gz files (or html/ in it); without it, data/labelled. Its pages are repeated up to
a corpus of --pages, as links in a folder of a temporary folder or as records of one JSONL file, and up to a tenth of
that. Runs with one and two threads take turns. Memory is the peak of the process, the reader's and writer's included.

How much faster two threads are can be seen only on a machine that does nothing else. Whether reading and writing keep
up with the workers can be seen on any: "workers busy" is the share of the run in which a worker ran or was ready to,
and only waited for a processor. Loading the model at the start counts as not busy.
"""

import argparse
import contextlib
import gzip
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]


def sources(folder):
    folder = folder / "html" if (folder / "html").is_dir() else folder
    files = sorted(file for file in folder.iterdir() if file.name.endswith((".html", ".html.gz")))
    if not files:
        raise SystemExit(f"error: {folder}: no .html or .html.gz files; name a folder that has some")
    return files


def make_folder(files, count, target):
    """Links, a thousand to a folder."""
    for at in range(count):
        file = files[at % len(files)]
        place = target / f"{at // 1000:04}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{at:06}-{file.name}").symlink_to(file.resolve())
    return target


def make_jsonl(files, count, target):
    """A record a page; the pages are decoded as UTF-8, right or wrong: this is for time, not for text."""
    opened = gzip.open if target.suffix == ".gz" else open
    with opened(target, "wt", encoding="utf-8", **({"compresslevel": 1} if target.suffix == ".gz" else {})) as out:
        for at in range(count):
            data = files[at % len(files)].read_bytes()
            data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
            out.write(json.dumps({"id": str(at), "html": data.decode("utf-8", "replace")}, ensure_ascii=False) + "\n")
    return target


def apply(lubb, source, jobs, out):
    """Wall and processor seconds and peak megabytes of a run that gives a row for each page."""
    command = [lubb, "apply", source, "-o", out, "--jobs", str(jobs), "--quiet"]
    busy, ended = {}, 0
    with tempfile.TemporaryFile("w+") as errors:
        start = time.monotonic()
        child = subprocess.Popen(command, stderr=errors)
        while not ended:
            time.sleep(0.02)
            busy.update(workers(child.pid))
            ended, status, usage = os.wait4(child.pid, os.WNOHANG)
        wall = time.monotonic() - start
        errors.seek(0)
        said = errors.read()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        raise SystemExit(f"error: lubb apply ended with status {child.returncode}: {said.strip()}")
    with open(out, "rb") as lines:
        rows = sum(1 for _ in lines)
    return {"wall": wall, "processor": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss / 1000, "rows": rows,
            "busy": sum(busy.values()) / wall / jobs}


def workers(pid):
    """How long each worker ran or waited for a processor so far. What is missing from the wall time, it had no page."""
    found = {}
    with contextlib.suppress(OSError):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            if re.fullmatch(r"lubb-\d+", (task / "comm").read_text().strip()):
                ran, waited, _ = (task / "schedstat").read_text().split()
                found[task.name] = (int(ran) + int(waited)) / 1e9
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=ROOT / "data/labelled", metavar="PAGES")
    parser.add_argument("-o", "--out", type=pathlib.Path, help="write the table here too")
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--inputs", nargs="+", choices=["folder", "jsonl", "jsonl.gz"], default=["folder", "jsonl"])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--scratch", type=pathlib.Path, help="where the corpus is made; it may take gigabytes")
    parser.add_argument("--lubb", type=pathlib.Path, default=ROOT / "target/release/lubb")
    args = parser.parse_args()
    if not args.lubb.is_file():
        raise SystemExit(f"error: {args.lubb}: not found; build it with `cargo build --release`")
    files = sources(args.folder)
    lines = ["| input | pages | threads | wall s | processor s | pages/s | times one thread | workers busy | peak MB |",
             "|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    print("\n".join(lines), flush=True)
    make = {"folder": make_folder, "jsonl": make_jsonl, "jsonl.gz": make_jsonl}
    with tempfile.TemporaryDirectory(dir=args.scratch) as scratch:
        scratch = pathlib.Path(scratch)
        for kind in args.inputs:
            for count in (args.pages // 10, args.pages):
                source = make[kind](files, count, scratch / f"{count}.{kind}")
                took = {jobs: [] for jobs in args.jobs}
                for _ in range(args.rounds):
                    for jobs in args.jobs:
                        row = apply(args.lubb, source, jobs, scratch / "out.jsonl")
                        if row["rows"] != count:
                            raise SystemExit(f"error: {row['rows']} rows for {count} pages")
                        took[jobs].append(row)
                        print(f"{kind} {count} --jobs {jobs}: {row}", file=sys.stderr, flush=True)
                for jobs in args.jobs:
                    best = min(took[jobs], key=lambda row: row["wall"])
                    faster = min(row["wall"] for row in took[args.jobs[0]]) / best["wall"]
                    peak = max(row["peak"] for row in took[jobs])
                    processor = statistics.median(row["processor"] for row in took[jobs])
                    cells = [kind, f"{count:,}", jobs, f"{best['wall']:.1f}", f"{processor:.1f}",
                             f"{count / best['wall']:.0f}", f"{faster:.2f}", f"{best['busy']:.0%}", f"{peak:.0f}"]
                    lines.append("| " + " | ".join(map(str, cells)) + " |")
                    print(lines[-1], flush=True)
                if source.is_file():
                    source.unlink()
    if args.out:
        args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
