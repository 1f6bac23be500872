"""How accurate a model is after how many labelled pages: those that a model is least sure of first, or drawn at random.

    python notebooks/learning_curve.py --gold data/labelled -o curve.csv

trains `lubb train` again and again on more and more pages of GOLD and scores each model with `lubb evaluate` on sites that
are held out. The other question, how many pages of one new site to label, takes pages held out of that site, and others
that are always trained on:

    python notebooks/learning_curve.py --gold data/walkthrough/labels.csv --pages data/walkthrough/pages \
        --held-out data/walkthrough/held-out.csv --held-out-pages data/walkthrough/held-out \
        --with data/labelled --sizes 0 1 2 3 5 10 -o curve.csv

GOLD is a labels.csv, a gold.jsonl, or a folder with one of them. `active_learning.ipynb` plots the CSV. The trainings are
small ones (--train-arg says otherwise), so the figures compare ways of choosing pages, not models.
"""

import argparse
import csv
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

COLUMNS = ["order", "split", "draw", "pages", "blocks", "f1", "held_out"]
SMALL = ["--no-flat", "--rounds=40", "--folds=3"]


class Gold:
    """Labelled pages of which some can be taken."""

    def __init__(self, path, pages):
        named = [path / name for name in ["labels.csv", "gold.jsonl"]] if path.is_dir() else [path]
        self.file = next((file for file in named if file.is_file()), None)
        if self.file is None:
            sys.exit(f"{path}: no labels.csv and no gold.jsonl there; name a file of either kind with --gold")
        self.pages = pages or self.file.parent
        self.is_csv = self.file.suffix == ".csv"
        with open(self.file, encoding="utf-8", newline="") as lines:
            if self.is_csv:
                reader = csv.DictReader(lines)
                self.header, self.rows = reader.fieldnames, list(reader)
                self.name = "page"
            else:
                self.rows, self.name = [json.loads(line) for line in lines if line.strip()], "id"
        if not all(row.get(self.name) for row in self.rows):
            sys.exit(f"{self.file}: a row has no {self.name}; lubb reads no such file as labelled pages")

    def args(self, ids, folder):
        """What names these pages to lubb; written into a folder of their own."""
        if not ids:
            return []
        folder.mkdir(parents=True)
        rows = [row for row in self.rows if row[self.name] in ids]
        if self.is_csv:
            with open(folder / "taken.csv", "w", encoding="utf-8", newline="") as out:
                writer = csv.DictWriter(out, self.header)
                writer.writeheader()
                writer.writerows(rows)
            return [folder / "taken.csv", "--pages", self.pages]
        for row in rows:
            if "path" in row:
                row = dict(row, path=str((self.file.parent / row["path"]).resolve()))
            with open(folder / "gold.jsonl", "a", encoding="utf-8") as out:
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
        html = self.file.parent / "html"
        if html.is_dir():
            (folder / "html").symlink_to(html.resolve())
        return [folder]


def run(lubb, *args):
    """Runs lubb; its errors are the user's to read."""
    done = subprocess.run([lubb, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    # 1: some pages failed, and count as empty.
    if done.returncode not in (0, 1):
        sys.exit(f"lubb {' '.join(map(str, args))}\n{done.stderr}")


def evaluated(lubb, gold, pages, out, model=None):
    args = ["evaluate", "--gold", gold, *(["--pages", pages] if pages else []), "-o", out, "--worst=0"]
    run(lubb, *args, *(["--model", model] if model else []))
    with open(out / "pages.csv", encoding="utf-8", newline="") as lines:
        return {row["id"]: row for row in csv.DictReader(lines)}


def grow(args, gold, rows, pool, held_out, order, split, draw, scratch):
    """One curve: pages are added in this order, and each size is scored."""
    draws = random.Random(f"{split} {draw}")
    # The first pages are drawn at random for both orders, the same ones for the same split and draw.
    left = sorted(pool)
    draws.shuffle(left)
    taken = [left.pop() for _ in range(args.sizes[0])]
    blocks = {}
    for row in gold.rows if gold.is_csv else []:
        blocks[row["page"]] = blocks.get(row["page"], 0) + 1
    for step, size in enumerate(args.sizes):
        if size > len(pool):
            break
        taken += [left.pop() for _ in range(size - len(taken))]
        folder = scratch / f"{order}-{split}-{draw}-{step}"
        folder.mkdir()
        model = folder / "model.lubb"
        train = gold.args(set(taken), folder / "gold")
        names, places = (train[:1], train[1:]) if train else ([], [])
        run(args.lubb, "train", "--gold", *names, *args.with_, *places, "-o", model, *(args.train_arg or SMALL))
        found = evaluated(args.lubb, args.gold, args.pages, folder / "all", model)
        if args.held_out:
            scored = evaluated(args.lubb, args.held_out, args.held_out_pages, folder / "held-out", model)
        else:
            scored = {page: found[page] for page in held_out}
        f1 = sum(float(row["f1"]) for row in scored.values()) / len(scored)
        labelled = sum(blocks.get(page, 0) for page in taken)
        rows.writerow([order, split, draw, size, labelled or "", f"{f1:.4f}", len(scored)])
        print(f"{order}, split {split}, draw {draw}: {size} pages, F1 {f1:.4f} on {len(scored)} pages", flush=True)
        if order == "uncertainty":
            # As `lubb annotate` offers them: the page of the lowest expected F1 first, taken from the end.
            left.sort(key=lambda page: float(found[page]["score"] or 0), reverse=True)
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, required=True, help="labelled pages, more and more of which are trained on")
    parser.add_argument("--pages", type=Path, help="the folder with the pages that a labels.csv names")
    parser.add_argument("--held-out", type=Path, help="labelled pages to score on [default: a third of the sites of GOLD]")
    parser.add_argument("--held-out-pages", type=Path, help="the folder with their pages")
    parser.add_argument("--with", dest="with_", type=Path, nargs="+", default=[], help="labelled pages always trained on")
    parser.add_argument("--sizes", type=int, nargs="+", default=[4, 7, 10, 13, 16], help="numbers of pages to train on")
    parser.add_argument("--splits", type=int, default=2, help="how many times sites are held out anew")
    parser.add_argument("--draws", type=int, default=2, help="how many curves are drawn of each kind and split")
    parser.add_argument("--train-arg", action="append", help=f"an argument of `lubb train` in place of {' '.join(SMALL)}")
    parser.add_argument("--lubb", type=Path, default=os.environ.get("LUBB", "target/release/lubb"), help="the program")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the CSV to write")
    args = parser.parse_args()
    if args.sizes != sorted(set(args.sizes)) or args.sizes[0] < 0:
        parser.error("--sizes: numbers of pages have to rise")
    if not shutil.which(args.lubb):
        parser.error(f"{args.lubb}: no such program; build it with `cargo build --release`, or name it with --lubb")
    gold = Gold(args.gold, args.pages)

    partial = args.out.with_name(args.out.name + ".partial")
    with tempfile.TemporaryDirectory() as folder, open(partial, "w", encoding="utf-8", newline="") as out:
        scratch = Path(folder)
        rows = csv.writer(out)
        rows.writerow(COLUMNS)
        known = evaluated(args.lubb, args.gold, args.pages, scratch / "known")
        for split in range(args.splits if not args.held_out else 1):
            sites = sorted({row["host"] for row in known.values()})
            random.Random(split).shuffle(sites)
            away = set() if args.held_out else set(sites[: max(1, len(sites) // 3)])
            held_out = [page for page, row in known.items() if row["host"] in away]
            pool = [page for page, row in known.items() if row["host"] not in away]
            if not pool or args.sizes[0] > len(pool):
                parser.error(f"--gold has {len(pool)} pages to train on, fewer than the first of --sizes")
            for draw in range(args.draws):
                for order in ["uncertainty", "random"]:
                    grow(args, gold, rows, pool, held_out, order, split, draw, scratch)
    partial.replace(args.out)


if __name__ == "__main__":
    main()
