#!/usr/bin/env python3
"""A BEIR folder of many short passages from folders of documentation, for latency and size rather than quality.

Input:    FILE.jsonl[.gz] with one {"path": .., "text": ..} a line (any number of files).
Passage:  paragraphs in order, joined until they have 25 words, and cut at 120; code and tables stay as they are.
Question: the first 5 to 20 words of a passage's first sentence; its passage is the only relevant one.
Use:      bench/passages.py OUT FILE... [--passages 200000] [--queries 1000]

Passages are taken in the order of the files and questions at even distances, so the same files give the same folder.
Needs only Python's standard library.
"""
import argparse, gzip, json, os, re

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("out")
p.add_argument("files", nargs="+")
p.add_argument("--passages", type=int, default=200_000)
p.add_argument("--queries", type=int, default=1000)
p.add_argument("--least", type=int, default=25, help="words that a passage has at least")
p.add_argument("--most", type=int, default=120, help="words that a passage has at most")
a = p.parse_args()


def pieces(text):
    words = []
    for paragraph in re.split(r"\n\s*\n", text):
        found = re.findall(r"\S+", paragraph)
        while found:
            room = a.most - len(words)
            words, found = words + found[:room], found[room:]
            if len(words) >= a.least:
                yield " ".join(words)
                words = []
    if words:
        yield " ".join(words)


def passages():
    for name in a.files:
        with gzip.open(name, "rt") if name.endswith(".gz") else open(name) as lines:
            for line in lines:
                document = json.loads(line)
                for number, text in enumerate(pieces(document["text"])):
                    yield {"_id": f"{document['path']}#{number}", "title": "", "text": text}


os.makedirs(a.out, exist_ok=True)
rows = []
for row in passages():
    rows.append(row)
    if len(rows) == a.passages:
        break
with open(os.path.join(a.out, "corpus.jsonl"), "w") as out:
    out.writelines(json.dumps(row) + "\n" for row in rows)

asked = []
for row in rows:
    sentence = re.split(r"(?<=[.?!]) ", row["text"])[0]
    words = re.findall(r"\w+", sentence)[:20]
    if len(words) >= 5:
        asked.append((row["_id"], " ".join(words)))
asked = asked[:: max(1, len(asked) // a.queries)][: a.queries]
with open(os.path.join(a.out, "queries.jsonl"), "w") as out:
    out.writelines(json.dumps({"_id": f"q{i}", "text": text}) + "\n" for i, (_, text) in enumerate(asked))
with open(os.path.join(a.out, "qrels.tsv"), "w") as out:
    out.write("query-id\tcorpus-id\tscore\n")
    out.writelines(f"q{i}\t{document}\t1\n" for i, (document, _) in enumerate(asked))
print(f"{len(rows)} passages, {len(asked)} questions")
