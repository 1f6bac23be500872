"""Where the time of `lubb apply` goes, step by step.

Reads what `perf script` prints and counts each sample for the innermost function on its stack that belongs to a step,
so that what a step calls in other crates and in the kernel counts for the step:

    perf record -F 199 -e cpu-clock --call-graph dwarf,8192 -o profile.data target/release/lubb apply PAGES -o out.jsonl --jobs 1
    perf script -i profile.data --no-inline -F comm,ip,sym | python3 benches/profile.py
"""

import collections
import sys

STEPS = [
    ("unpacking gzip", ["zlib_rs", "flate2", "MultiGz"]),
    ("metadata: language", ["whatlang", "language::of_text"]),
    ("metadata: JSON-LD", ["jsonld"]),
    ("metadata: dates", ["page::date"]),
    ("metadata: the rest", ["Metadata", "page::markup", "byline"]),
    ("text of the document", ["document::text", "document::arrange", "plain_text"]),
    ("refusing what is no page", ["corpus::guard", "corpus::nesting"]),
    ("writing", ["document::sink", "serde_json::ser"]),
    ("decode", ["page::decode", "encoding_rs", "chardetng"]),
    ("segment", ["page::segment"]),
    ("parse", ["page::dom", "html5ever", "markup5ever", "tendril"]),
    ("features: text", ["text::page_stats", "features::text"]),
    ("features: declared", ["declared"]),
    ("features: structure", ["features::structure"]),
    ("features: context", ["features::context"]),
    ("features: groups", ["features::groups"]),
    ("features: wording", ["features::wording"]),
    ("features: lexicon", ["features::lexicon", "fill_lexicon"]),
    ("features: laying out", ["features::lanes"]),
    ("features: the rest", ["features::"]),
    ("model: columns of later stages", ["model::context", "with_context"]),
    ("model: trees of all stages and head", ["boost"]),
    ("model: logistic regression", ["logistic"]),
    ("model: decision", ["decide", "combine"]),
    ("model: the rest", ["model::"]),
]


def stacks(lines):
    """Each sample's functions, innermost first."""
    stack = []
    for line in lines:
        if not line.strip():
            if stack:
                yield stack
            stack = []
        elif line[0] in " \t":
            stack.append(line.split(None, 1)[-1])
    if stack:
        yield stack


def step_of(stack):
    for function in stack:
        for step, names in STEPS:
            if any(name in function for name in names):
                return step
    return "everything else"


counts = collections.Counter(step_of(stack) for stack in stacks(sys.stdin))
total = sum(counts.values())
for step, count in counts.most_common():
    print(f"| {step} | {100 * count / total:.1f} % |")
