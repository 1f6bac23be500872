"""Compares lubb's boosted trees with LightGBM and scikit-learn on one matrix, in one run, with equal settings.

    pip install -r benches/boost/requirements.txt
    cargo build --release --example boost_matrix
    lubb features --gold GOLD -o matrix.csv
    python benches/boost/compare.py [matrix.csv] [--rounds 200] [--threads 1 2] [--rows 100000] [-o table.md]

The matrix is what `lubb features` writes: to tell is whether a block is body, and the blocks of a quarter of the hosts
are for testing. It may also be an `.npz` file with `x` and `y`, optionally with `fold`, whose greatest value marks the
test rows. Without it, 100,000 rows with 20 columns that matter, 80 that do not and 10 % of the values missing are made
up. Training is timed in seconds of the wall and of the processor, prediction in those of the processor on one core; on a
machine that does other things too, only the latter mean something.
"""

import argparse
import csv
import json
import os
import pathlib
import subprocess
import tempfile
import time
import zlib
from array import array

import lightgbm as lgb
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

ROOT = pathlib.Path(__file__).resolve().parents[2]


def made_up(rows, seed=0):
    """Interactions, steps and a few discrete columns among noise; the class is drawn from its probability."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 100)).astype(np.float32)
    x[:, 5:10] = np.floor(x[:, 5:10] * 2)
    x[:, 10:15] = x[:, 10:15] > 1
    x[:, 15:20] = np.exp(2 * x[:, 15:20])
    margin = np.maximum(x[:, 0], 0) * x[:, 1] + np.sin(3 * x[:, 2]) + 0.5 * x[:, 3] ** 2 + np.abs(x[:, 4]) - 1.5
    margin += 0.3 * x[:, 5:10].sum(axis=1) * (x[:, 10] - 0.5) + x[:, 11:15].sum(axis=1)
    margin += np.log1p(x[:, 15:20]).sum(axis=1) * 0.3 - 1.5
    missing = rng.random(x.shape) < 0.1
    margin += missing[:, :3].sum(axis=1)
    x[missing] = np.nan
    return x, (rng.random(rows) < 1 / (1 + np.exp(-1.5 * margin))).astype(np.int64)


def exported(path):
    """What `lubb features` wrote: the columns after `body`; whether at least half of the block's words are the
    article's; and the host as one of four folds, so that no site is on both sides."""
    with open(path, encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines)
        header = next(reader)
        if "body" not in header or "host" not in header:
            raise SystemExit(f"error: {path}: no columns `host` and `body`; make it with `lubb features --gold GOLD -o {path}`")
        host, body = header.index("host"), header.index("body")
        x, y, fold = array("f"), array("f"), array("b")
        for row in reader:
            # A block that nothing is known of has no value there.
            if row[body]:
                x.extend(map(float, row[body + 1:]))
                y.append(float(row[body]) >= 0.5)
                fold.append(zlib.crc32(row[host].encode()) % 4)
    return np.frombuffer(x, dtype=np.float32).reshape(len(y), -1), np.array(y), np.array(fold)


def read(path):
    """Rows, classes, and which rows are for testing."""
    if path is None:
        x, y = made_up(150_000)
        return x, y, np.arange(len(y)) >= 100_000
    if path.endswith(".npz"):
        held = np.load(path)
        x, y, fold = held["x"], held["y"], held.get("fold")
    else:
        x, y, fold = exported(path)
    test = np.arange(len(y)) % 4 == 3 if fold is None else fold == fold.max()
    return np.ascontiguousarray(x, dtype=np.float32), y.astype(np.int64), test


def best_of(times, run):
    """The least seconds of the wall and of the processor, and the last result."""
    took = []
    for _ in range(times):
        wall, processor = time.perf_counter(), time.process_time()
        result = run()
        took.append((time.perf_counter() - wall, time.process_time() - processor))
    return *map(min, zip(*took)), result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("matrix", nargs="?")
    parser.add_argument("--rows", type=int, help="take at most so many rows")
    parser.add_argument("-o", "--out", type=pathlib.Path, help="write the table here, as Markdown")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--depth", type=int, default=6)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--l2", type=float, default=1.0)
    parser.add_argument("--min-child-weight", type=float, default=5.0)
    parser.add_argument("--subsample", type=float, default=1.0)
    parser.add_argument("--colsample", type=float, default=1.0)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--binary", default=ROOT / "target/release/examples/boost_matrix")
    parser.add_argument("--skip-sklearn", action="store_true")
    args = parser.parse_args()
    x, y, test = read(args.matrix)
    if args.rows and args.rows < len(y):
        # Every n-th block, so that all hosts stay.
        keep = np.linspace(0, len(y) - 1, args.rows).astype(int)
        x, y, test = x[keep], y[keep], test[keep]
    leaves = 2**args.depth
    train_x, train_y, test_x, test_y = x[~test], y[~test], np.ascontiguousarray(x[test]), y[test]
    if not pathlib.Path(args.binary).is_file():
        raise SystemExit(f"error: {args.binary}: not found; `cargo build --release --example boost_matrix` makes it")
    head = (f"{len(train_y)} training rows, {len(test_y)} test rows, {x.shape[1]} columns, {args.rounds} rounds, "
            f"learning rate {args.learning_rate}")
    table = [head, "", "| trees | threads | AUC | training s | processor s | / LightGBM's | prediction us a row | LightGBM's / it | KB |",
             "|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    print(f"{len(train_y)} training rows, {len(test_y)} test rows, {x.shape[1]} columns, {args.rounds} rounds")
    print(f"{'':32}{'threads':>8}{'AUC':>9}{'train s':>9}{'processor':>10}{'predict us/row':>16}{'KB':>8}")

    peers = {}

    def row(name, threads, p, train, predict, size=None):
        auc = roc_auc_score(test_y, p)
        print(f"{name:32}{threads:8}{auc:9.4f}{train[0]:9.2f}{train[1]:10.2f}{predict:16.3f}{size / 1000 if size else 0:8.0f}", flush=True)
        base = peers.setdefault(threads, (train, predict))  # LightGBM comes first.
        table.append(f"| {name} | {threads} | {auc:.4f} | {train[0]:.2f} | {train[1]:.2f} | {train[1] / base[0][1]:.2f} | {predict:.3f} "
                     f"| {base[1] / predict:.1f} | {f'{size / 1000:.0f}' if size else '-'} |")

    for threads in args.threads:
        common = {
            "objective": "binary", "num_leaves": leaves, "learning_rate": args.learning_rate, "max_bin": 255,
            "lambda_l2": args.l2, "min_sum_hessian_in_leaf": args.min_child_weight, "min_data_in_leaf": 1,
            "bagging_fraction": args.subsample, "bagging_freq": 1 if args.subsample < 1 else 0,
            "feature_fraction": args.colsample, "num_threads": threads, "verbose": -1, "seed": 1,
        }

        def lightgbm():
            data = lgb.Dataset(train_x, train_y, params=common)
            return lgb.train(common, data, num_boost_round=args.rounds)

        *seconds, model = best_of(1, lightgbm)
        _, predict, p = best_of(3, lambda: model.predict(test_x, num_threads=1))
        row(f"LightGBM, {leaves} leaves", threads, p, seconds, predict * 1e6 / len(test_y), len(model.model_to_string()))

        if not args.skip_sklearn and args.subsample == 1:
            peer = HistGradientBoostingClassifier(
                max_iter=args.rounds, learning_rate=args.learning_rate, max_leaf_nodes=leaves, min_samples_leaf=1,
                l2_regularization=args.l2, max_features=args.colsample, early_stopping=False, random_state=1)
            with threadpool_limits(threads):
                *seconds, _ = best_of(1, lambda: peer.fit(train_x, train_y))
            with threadpool_limits(1):
                _, predict, p = best_of(3, lambda: peer.predict_proba(test_x)[:, 1])
            row(f"HistGradientBoosting, {leaves} leaves", threads, p, seconds, predict * 1e6 / len(test_y))

        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for name, array in (("train_x", train_x), ("train_y", train_y), ("test_x", test_x)):
                np.save(folder / f"{name}.npy", array)
            for kind, size in (("leaves", leaves), ("oblivious", args.depth)):
                numbers = [args.rounds, args.learning_rate, args.l2, args.min_child_weight, args.subsample, args.colsample]
                done = subprocess.run(
                    [args.binary, folder, kind, str(size), *map(str, numbers)],
                    env={**os.environ, "RAYON_NUM_THREADS": str(threads)}, check=True, capture_output=True, text=True)
                got = json.loads(done.stdout)
                name = f"lubb, {leaves} leaves" if kind == "leaves" else f"lubb, oblivious, depth {size}"
                row(name, threads, np.load(folder / "test_p.npy")[:, 0], (got["train"], got["train_processor"]), got["predict_us"], got["bytes"])
    if args.out:
        args.out.write_text("\n".join(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
