#!/usr/bin/env bash
# Trains the default model: models/train.sh DATA [OUT [more flags of `lubb train`]]
#
# DATA is the folder with the labelled pages of others, which are not part of this project: wcxb-dev, news-en,
# news-world and news-ar (models/README.md says where they come from). OUT is models/default.lubb if not given.
# The same pages and the same seed give the same model, byte for byte.
set -euo pipefail
usage="usage: models/train.sh DATA [OUT [FLAGS...]]"
data=$(realpath -e "${1:?$usage}")
out=$(realpath -m "${2:-$(dirname "$0")/default.lubb}")
shift $(($# < 2 ? $# : 2))
cd "$(dirname "$0")/.."

exec cargo run --release --locked -- train \
    --gold "$data/wcxb-dev" "$data/news-en" "$data/news-world" "$data/news-ar" data/labelled data/annotations/*.csv \
    --pages "$data/news-ar" "$data/news-en" "$data/news-world" "$data/wcxb-dev" \
    --bare 3 --long 6 --out "$out" --report target/train-report \
    --attribution "WCXB (Murrough-Foley/web-content-extraction-benchmark), CC-BY-4.0" \
    --attribution "article-extraction-dataset (AndyTheFactory), Apache-2.0" \
    --attribution "fundus test pages (flairNLP), MIT" \
    --attribution "htmldate and trafilatura test pages (adbar), Apache-2.0" \
    "$@"
