#!/usr/bin/env python3
"""PDF question answering end to end: 15 arXiv papers (304 pages), 107 questions, which paper answers?

Question: from nothing, how long until the first answer; then, how often is the right paper found, and how fast?
Data:     the ARAGOG set of deepset's haystack-evaluation (Apache-2.0): a folder with `papers_for_questions/`,
          `eval_questions.json` and `eval_questions_relevant_doc.json`.
Use:      bench/aragog.py DIR [--ragstone target/release/ragstone]

Nine questions are about a paper that is not in the folder of papers, so .916 is the most that anybody can reach.
Left out: whether the answer is right; the set has no short gold answers. Needs only Python's standard library.
"""
import argparse, json, os, resource, subprocess, tempfile, time

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("dir")
p.add_argument("--ragstone", default="target/release/ragstone")
a = p.parse_args()
papers = os.path.join(a.dir, "papers_for_questions")
data = json.load(open(os.path.join(a.dir, "eval_questions_relevant_doc.json")))
pairs = list(zip(data["questions"], data["filepaths"]))
present = sum(os.path.exists(os.path.join(papers, f)) for _, f in pairs)


def run(collection, *args):
    begin = time.time()
    done = subprocess.run([a.ragstone, "--collection", collection, *args, "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), time.time() - begin


with tempfile.TemporaryDirectory() as scratch:
    c = os.path.join(scratch, "collection")
    _, first_ask = run(c, "ask", "--docs", papers, "What batch size did RoBERTa use?")
    rss = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
    status, _ = run(c, "status")
    first = within = 0
    search_s, ask_s = [], []
    for question, paper in pairs:
        found, seconds = run(c, "search", "-k", "5", question)
        search_s.append(seconds)
        names = [os.path.basename(h["source"]) for h in found["hits"]]
        first += names[0] == paper
        within += paper in names
        ask_s.append(run(c, "ask", question)[1])
median = lambda x: sorted(x)[len(x) // 2]
print(json.dumps(dict(
    first_ask_s=round(first_ask, 1), first_ask_cpu_s=round(cpu.ru_utime + cpu.ru_stime, 1), first_ask_rss_mb=rss,
    chunks=status["chunks"], files_per_s=round(15 / first_ask, 2), chunks_per_s=round(status["chunks"] / first_ask, 1),
    first=round(first / len(pairs), 3), within_5=round(within / len(pairs), 3), most_possible=round(present / len(pairs), 3),
    search_p50_ms=round(1e3 * median(search_s)), ask_p50_ms=round(1e3 * median(ask_s)))))
