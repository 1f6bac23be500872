#!/usr/bin/env python3
"""Processor time and peak memory against the size of a page, on pages made to be hard.

    cargo build --release
    python3 benches/linearity.py [-o table.md] [--only NAME ...] [--bytes 4000000] [--all-outputs]

Each kind of page is made at sizes n, 2n and 4n (--bytes is about 4n), and extracted by a process of its own; the time
of an empty page, which is loading the model, is taken off. The growth is the exponent between n and 4n: 1 is linear,
2 quadratic. The least of --runs runs counts, or of four times as many where it grew with more than --most. Exit status 1
if a page of 4n still did.
"""

import argparse
import json
import math
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
WORDS = ("water school market teacher village bridge winter harvest council library river engineer doctor road "
         "festival museum train harbour forest price family season factory kitchen garden letter morning").split()
RNG = random.Random(1)


def sentence(words=12):
    return " ".join(RNG.choices(WORDS, k=words)).capitalize() + "."


def wrapped(body, head=""):
    return f"<html lang=en><head><title>A page</title>{head}</head><body>{body}</body></html>"


def times(part, size):
    """Of one part, or of what a function makes for each number, as much as makes up the size."""
    if isinstance(part, str):
        return part * (size // len(part) + 1)
    parts, length, at = [], 0, 0
    while length < size:
        parts.append(part(at))
        length += len(parts[-1])
        at += 1
    return "".join(parts)


def repeated(name):
    """A kind of page with one thing over and over."""
    part = REPEATED[name]
    return lambda size: wrapped(times(part, size))


def around(before, after):
    """A page with one long thing between a start and an end."""
    article = "".join(f"<p>{sentence(40)}</p>" for _ in range(8))
    return lambda size: before.replace("ARTICLE", article) + times(sentence(), size) + after.replace("ARTICLE", article)


def site(size):
    """The bodies of the sample pages, one after another."""
    pages = sorted((ROOT / "data/labelled").glob("*.html"))
    bodies = []
    for page in pages:
        html = page.read_bytes().decode("utf-8", "replace")
        body = re.search(r"<body[^>]*>(.*)</body>", html, re.S | re.I)
        bodies.append(body.group(1) if body else html)
    return wrapped(times(lambda at: bodies[at % len(bodies)], size))


def nested(tag, depth_of):
    """Stacks of nested elements, each of a depth that the size gives, side by side."""
    def make(size):
        depth = depth_of(size)
        stack = f"<{tag}>" * depth + sentence() + f"</{tag}>" * depth
        return wrapped(times(stack, size))
    return make


REPEATED = {
    "paragraphs of one text": "<p>The same words in each of the paragraphs of this page.</p>",
    "headings": lambda at: f"<h2>{sentence(4)}</h2>",
    "headings of one text": "<h2>The same heading</h2>",
    "list items": lambda at: f"<li>{sentence(5)}",
    "siblings of other classes": lambda at: f"<div class='c{at} d{at % 97}' id=i{at}>{sentence(5)}</div>",
    "links": lambda at: f"<a href=/{at}>{at}</a> ",
    "links in a block each": lambda at: f"<p><a href='/news/{at}'>{sentence(5)}</a></p>",
    "empty elements": "<i></i><div></div>",
    "unclosed paragraphs and items": lambda at: f"<p>{sentence(4)}<li>{sentence(4)}<td>",
    "unclosed inline elements": lambda at: f"<p><b><i>{sentence(4)}",
    "stray end tags": "</div></p></b></table>x ",
    "images": lambda at: f"<img src=/{at}.jpg alt='{sentence(4)}'>",
    "line breaks": lambda at: f"{sentence(4)}<br>",
    "line breaks, two each": lambda at: f"{sentence(4)}<br><br>",
    "dates and bylines": lambda at: f"<p>By Jane Doe, {at % 28 + 1} March 2024, 10:{at % 60:02}</p>",
    "readers' comments": lambda at: f"<div class=comment><b>User {at}</b> <time datetime=2024-03-01>1 March</time><p>{sentence()}</div>",
    "entities": "&amp;&#x644;&nbsp;",
    "forms": lambda at: f"<form><input value={at}><select><option>{sentence(2)}<option>x</select></form>",
    "meta elements": lambda at: f"<meta name=author content='{sentence(3)}'><meta property=article:tag content=t{at}>",
    "one-letter words": "a b c d e f g h ",
    "pop-ups in a sentence": lambda at: f"{sentence(3)} <span class=popup>{sentence(8)}</span> ",
    "text in a table, outside its cells": lambda at: f"<table>{sentence(3)}<b>x</b><tr>{sentence(3)}</table>",
    "links around blocks, unclosed": lambda at: f"<a href=/{at}><p>{sentence(3)}</p>",
    "body elements": lambda at: f"<body data-{at}=x title=t{at} class=c{at}>x",
    "bogus comments": "<!x><?y></>",
    "comments": lambda at: f"<!--{at}-->x",
    "scripts": lambda at: f"<script>var x{at} = '<p>';</script>",
    "script tags without an end": "<script ",
    "scripts in comments in scripts": "<script><!--<script>x</script>--></script>",
    "hidden elements": lambda at: f"<div hidden style='display:none'>{sentence(5)}</div>",
}

SHAPES = {
    "prose": lambda size: wrapped(times(lambda at: f"<p>{sentence(40)}</p>", size)),
    "sample pages": site,
    "short blocks": lambda size: wrapped(times(lambda at: f"<p>{at}</p>", size)),
    **{name: repeated(name) for name in REPEATED},
    "one huge table": lambda size: wrapped(f"<table>{times(lambda at: f'<tr><td>{at}<td>{sentence(3)}', size)}</table>"),
    "one wide row": lambda size: wrapped(f"<table><tr>{times(lambda at: f'<td>{at}', size)}</table>"),
    "tables in a row": lambda size: wrapped(times(lambda at: f"<table><tr><td>{at}<td>x</table>", size)),
    "nested 100 deep": nested("div", lambda size: 100),
    "nested inline, 1,000 deep": nested("span", lambda size: 1000),
    "nested to the bound": nested("div", lambda size: max(1, min(4000, 50_000_000 * 11 // size))),
    "nested lists": nested("ul><li", lambda size: 50),
    "one text": around("<body><p>", "</p>"),
    "one text of one word": lambda size: wrapped(f"<p>{'a' * size}</p>"),
    "one text without spaces, Chinese": lambda size: wrapped(f"<p>{'水学校村' * (size // 12)}</p>"),
    "one text of inline elements": lambda size: wrapped(f"<p>{times(lambda at: f'<em>{sentence(2)}</em> ', size)}</p>"),
    "one preformatted text": lambda size: wrapped(f"<pre>{times(lambda at: f'    {sentence(3)}' + chr(10), size)}</pre>"),
    "title": around("<title>", "</title>ARTICLE"),
    "heading": around("<h1>", "</h1>ARTICLE"),
    "title and heading": lambda size: (lambda text: f"<title>{text}</title><h1>{text}</h1>")(times(sentence(), size // 2)),
    "title and heading of other words": lambda size: (lambda text: f"<title>{text}</title><h1>{text}</h1>")(
        times(lambda at: f"w{at} ", size // 2)),
    "title of separators": lambda size: wrapped(f"<p>{sentence(40)}", "<title>" + times(" - .", size) + "</title>"),
    "description": around("<meta name=description content='", "'>ARTICLE"),
    "author": around("<meta name=author content='", "'>ARTICLE"),
    "class": around("<div class='", "'>ARTICLE</div>"),
    "class of many": lambda size: wrapped(f"<div class='{times(lambda at: f'c{at} ', size)}'><p>{sentence()}</div>"),
    "address of a link": around("<p><a href='/", "'>a link</a>ARTICLE"),
    "attributes of one element": lambda size: wrapped(f"<p {times(lambda at: f'a{at}=x ', size)}>{sentence(40)}"),
    "text and blocks in one table, outside its cells": lambda size: wrapped("<table>" + times(lambda at: f"<div>{at}</div>x", size)),
    "nested pop-ups": lambda size: wrapped(times(
        f"{sentence(2)} {'<span class=popup>' * 200}{sentence(8)}{'</span>' * 200}", size)),
    "attribute that is not read": around("<p data-x='", "'>ARTICLE"),
    "style": around("<style>", "</style>ARTICLE"),
    "script": around("<script>", "</script>ARTICLE"),
    "comment, unclosed": around("ARTICLE<!--", ""),
    "JSON-LD, one string": around('<script type=application/ld+json>{"@type":"NewsArticle","articleBody":"', '"}</script>ARTICLE'),
    "JSON-LD, many items": lambda size: wrapped(f"<p>{sentence(40)}", "<script type=application/ld+json>[" + times(
        lambda at: f'{{"@type":"Product","name":"{sentence(4)}","offers":{{"price":{at}}}}},', size) + "1]</script>"),
    "JSON-LD of keys alone": lambda size: wrapped(
        f"<p>{sentence(40)}", "<script type=application/ld+json>" + times('"@type"', size) + "</script>"),
    "JSON-LD, deep": lambda size: wrapped(
        f"<p>{sentence(40)}", f"<script type=application/ld+json>{'[' * (size // 2)}{']' * (size // 2)}</script>"),
    "JSON-LD, cut off": lambda size: wrapped(
        f"<p>{sentence(40)}", "<script type=application/ld+json>" + times('{"a":[', size) + "</script>"),
    "JSON-LD scripts": lambda size: wrapped("", times(lambda at: (
        f'<script type=application/ld+json>{{"@type":"Article","headline":"{sentence(3)}","author":"A {at}"}}</script>'), size)),
    "scripts with a state, unclosed": lambda size: wrapped("<p>text", times('<script>x = {"a": "<p', size)),
    "state with an article": lambda size: wrapped(
        "<h1>A title of some words</h1>",
        '<script>x = {"title": "A title of some words", "body": [' + times(lambda at: (
            '{"type": "paragraph", "text": "' + sentence(20) + '"}, '
        ), size) + "0]}</script>"),
    "scripts before a state's headline": lambda size: wrapped(
        times("<script></script>", size) + '<script>x = {"title": "A title of some words", "body": [' + times(lambda at: (
            '{"type": "paragraph", "text": "' + sentence(20) + '"}, '
        ), 5_000) + "0]}</script><h1>A title of some words</h1>"),
    "state with many titles": lambda size: wrapped(
        "<h1>A title of some words</h1>",
        '<script>x = [' + times('{"title": "A title of some words", "b": "<p>"}, ', size) + "0]</script>"),
    "quotes in an open tag": around("ARTICLE<a b=\"", ""),
    "less-than signs": lambda size: wrapped(f"<p>{'<' * size}"),
    "zero bytes": lambda size: wrapped(f"<p>{sentence(40)}" + times("x\0y ", size)),
    "table cells of many rows": lambda size: wrapped(f"<table>{times('<tr><td rowspan=1000>x<td>y', size)}</table>"),
    # Read as text that was flattened before.
    "flattened: short lines": lambda size: times(lambda at: f"{at} {sentence(2)}\n", size),
    "flattened: prose": lambda size: times(lambda at: f"{sentence(40)}\n", size),
    "flattened: one line": lambda size: times(sentence(), size),
}


def run(lubb, page, flags):
    """Processor seconds, peak megabytes, and whether the page was refused."""
    with open(os.devnull, "w") as null, tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen([lubb, "extract", page, *flags], stdout=null, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().strip()
    if child.returncode not in (0, 1):
        raise SystemExit(f"error: {page.name}: status {child.returncode}: {said}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000, child.returncode == 1


def least(lubb, page, flags, runs):
    rows = [run(lubb, page, flags) for _ in range(runs)]
    return min(row[0] for row in rows), max(row[1] for row in rows), rows[0][2]


def growth(times_by_size):
    """The exponent between the first size and the last."""
    (small, first), (large, last) = times_by_size[0], times_by_size[-1]
    return math.log(max(last, 1e-4) / max(first, 1e-4)) / math.log(large / small)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-o", "--out", type=pathlib.Path, help="write the table here too")
    parser.add_argument("--only", nargs="+", choices=list(SHAPES), default=list(SHAPES), metavar="NAME")
    parser.add_argument("--sizes", type=int, nargs="+", help="these sizes in bytes instead of n, 2n and 4n")
    parser.add_argument("--bytes", type=int, default=4_000_000, help="the largest size, 4n")
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--most", type=float, default=1.3, help="growth that is borne")
    parser.add_argument("--all-outputs", action="store_true", help="Markdown and blocks too")
    parser.add_argument("--lubb", type=pathlib.Path, default=ROOT / "target/release/lubb")
    args = parser.parse_args()
    if not args.lubb.is_file():
        raise SystemExit(f"error: {args.lubb}: not found; build it with `cargo build --release`")
    flags = ["--format", "json", *(["--markdown", "--blocks"] if args.all_outputs else [])]
    sizes = args.sizes or [args.bytes // 4, args.bytes // 2, args.bytes]
    lines = ["| page | " + " | ".join(f"{size / 1e6:g} MB" for size in sizes) + " | MB/s at the largest | peak MB | growth |",
             "|---|" + "--:|" * (len(sizes) + 3)]
    print("\n".join(lines), flush=True)
    bad = []
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "page.html"
        page.write_text("<p>x")
        base = least(args.lubb, page, flags, 5)[0]
        for name in args.only:
            # Once more, with more runs, where it grew too fast: what else the machine did may have been in few of them.
            read_as = ["--input", "text"] if name.startswith("flattened") else []
            for runs in (args.runs, 4 * args.runs):
                took, cells, peak = [], [], 0
                for size in sizes:
                    page.write_text(SHAPES[name](size), encoding="utf-8")
                    seconds, peak, refused = least(args.lubb, page, flags + read_as, runs)
                    took.append((page.stat().st_size, max(seconds - base, 1e-4)))
                    cells.append(f"{took[-1][1]:.3f} s" + (", refused" if refused else ""))
                exponent = growth(took)
                # The growth of what takes less than a tenth of a second is noise.
                too_fast = exponent > args.most and took[-1][1] > 0.1
                if not too_fast:
                    break
            if too_fast:
                bad.append(name)
            speed = took[-1][0] / took[-1][1] / 1e6
            lines.append(f"| {name} | {' | '.join(cells)} | {speed:.0f} | {peak:.0f} | {exponent:.2f} |")
            print(lines[-1], flush=True)
    if args.out:
        args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if bad:
        raise SystemExit(f"error: grows faster than the page: {', '.join(bad)}")


if __name__ == "__main__":
    main()
