#!/usr/bin/env python3
"""Compares lubb with other extractors on the same pages, in one run.

    python3 benches/peers/run.py [PAGES] [-o table.md] [--rounds 3] [--tools lubb resiliparse ...]

PAGES is a folder of labelled pages (any layout that `lubb evaluate --gold` reads), which gives word F1 too, or any
folder with .html or .html.gz files; without it, data/labelled. The tools are installed under target/peers, at the
versions that the files here pin: Python 3.11, a Rust toolchain and Node.js 20 are needed, each only for its own tools.

Every tool gets the same pages, decoded to UTF-8 and in memory, and gives their main text; it is one process and works
on one page at a time. The tools take turns, so that what else the machine does falls on all of them.
"""

import argparse
import csv
import json
import pathlib
import statistics
import subprocess
import sys

import tools

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEFAULT = ROOT / "data/labelled"


class Failed(Exception):
    """The comparison cannot go on; the message says why, and what to do."""


def run(command, what):
    """What a command prints; its end is the error where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=command.folder)
    if done.returncode:
        raise Failed(f"{what}: ended with status {done.returncode}\n{done.stderr[-2000:].strip()}")
    return done.stdout


def measure(commands, pages, rounds, out, say=print):
    """Each tool's rounds, in turn; texts come from the first round."""
    took = {name: [] for name in commands}
    for at in range(rounds):
        for name, command in commands.items():
            texts = out / f"{name}.jsonl"
            arguments = [texts] if at == 0 else []
            row = json.loads(run(command.of(name, pages["file"], *arguments), name).splitlines()[-1])
            check(name, row, pages["pages"])
            took[name].append(row)
            say(f"round {at + 1}: {name} {row['processor']:.2f} s of processor time, {row['wall']:.2f} s")
    return took


def check(name, row, pages):
    """A tool that does nothing is fast; its time must not get into the table."""
    if row["pages"] != pages:
        raise Failed(f"{name}: worked on {row['pages']} of {pages} pages; its runner is broken")
    if row["empty"] * 2 > pages or not row["chars"]:
        raise Failed(f"{name}: gave no text for {row['empty']} of {pages} pages ({row['failed']} raised errors); "
                     "run it by hand on a page, or leave it out with --tools")
    if not row["processor"] > 0:
        raise Failed(f"{name}: took no processor time; its runner is broken")


def scores(lubb, gold, texts, report, ids):
    """Mean word F1 of all pages and of each kind, over the pages that were measured, as `lubb evaluate` scores them."""
    command = [lubb, "evaluate", "--gold", gold, "--predictions", texts, "-o", report]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise Failed(f"scoring {texts.name}: {done.stderr.strip()}")
    groups = {}
    with open(report / "pages.csv", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["id"] in ids:
                groups.setdefault("all", []).append(float(row["f1"]))
                groups.setdefault(row["group"], []).append(float(row["f1"]))
    groups.pop("", None)
    return {group: statistics.fmean(values) for group, values in groups.items()}


def spread(values, form):
    """A median, and behind it the range."""
    if len(values) == 1:
        return form.format(values[0])
    return f"{form} ({form}-{form})".format(statistics.median(values), min(values), max(values))


def table(took, pages, f1, versions):
    """Markdown; ratios are to lubb's time in the same round."""
    groups = sorted({group for scored in f1.values() for group in scored} - {"all"})
    groups = groups if len(groups) > 1 else []
    head = ["tool", "version", *(["F1", *groups] if f1 else []), "processor time / lubb's", "wall time / lubb's", "MB/s",
            "pages/s", "no text", "errors"]
    lines = ["| " + " | ".join(head) + " |", "|---|---|" + "--:|" * (len(head) - 2)]
    base = took.get("lubb")
    # The fastest first.
    for name in sorted(took, key=lambda name: statistics.median(row["processor"] for row in took[name])):
        rows = took[name]
        cells = [name, versions[name]]
        if f1:
            cells += [f"{f1[name][group]:.3f}" for group in ["all", *groups]]
        for clock in ("processor", "wall"):
            ratios = [row[clock] / lubb[clock] for row, lubb in zip(rows, base)] if base else []
            cells.append("-" if not base else "1" if name == "lubb" else spread(ratios, "{:.2f}"))
        processor = statistics.median(row["processor"] for row in rows)
        cells += [f"{pages['bytes'] / processor / 1e6:.1f}", f"{pages['pages'] / processor:.1f}"]
        cells += [str(rows[0]["empty"]), str(rows[0]["failed"])]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def described():
    """The commit and its date, and whether files differ from it."""
    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True).stdout.strip()

    commit = git("log", "-1", "--format=%h of %cs") or "an unknown commit"
    return f"{commit}, with changes" if git("status", "--porcelain") else commit


def compare(args):
    home = ROOT / "target/peers"
    home.mkdir(parents=True, exist_ok=True)
    # Before the build: what is built is what is there now.
    commit = described()
    commands = tools.install(args.tools, ROOT, home, run)
    work = home / args.pages.resolve().name
    work.mkdir(exist_ok=True)
    file = work / "pages.jsonl"
    prepared = run(tools.prepare(home, args.pages, file, args.every), f"reading {args.pages}")
    pages = {"file": file, **json.loads(prepared.splitlines()[-1])}
    took = measure(commands, pages, args.rounds, work, lambda line: print(line, file=sys.stderr, flush=True))
    f1 = {}
    if pages["labelled"]:
        lubb = tools.program(ROOT, run)
        with open(file, encoding="utf-8") as lines:
            ids = {json.loads(line)["id"] for line in lines}
        for name in commands:
            f1[name] = scores(lubb, args.pages, work / f"{name}.jsonl", work / "reports" / name, ids)
    head = (f"{pages['pages']} pages of {args.pages.resolve().name}, {pages['bytes'] / 1e6:.1f} MB; {args.rounds} rounds, medians "
            f"(and range); lubb at {commit}.\n\n")
    return head + table(took, pages, f1, {name: command.version for name, command in commands.items()})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pages", nargs="?", type=pathlib.Path, default=DEFAULT, metavar="PAGES")
    parser.add_argument("-o", "--out", type=pathlib.Path, help="write the table here too")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="measure every N-th page only")
    parser.add_argument("--tools", nargs="+", default=list(tools.TOOLS), choices=list(tools.TOOLS))
    args = parser.parse_args()
    if args.rounds < 1 or args.every < 1:
        parser.error("--rounds and --every are at least 1")
    if not args.pages.is_dir():
        parser.error(f"{args.pages}: no such folder; name one with labelled pages or with .html files")
    try:
        result = compare(args)
    except Failed as error:
        raise SystemExit(f"error: {error}")
    print(result, end="")
    if args.out:
        args.out.write_text(result, encoding="utf-8")


if __name__ == "__main__":
    main()
