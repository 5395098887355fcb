#!/usr/bin/env python3
"""The same papers and questions as aragog.py with LangChain, pypdf, sentence-transformers and Chroma.

Use:      bench/aragog_peer.py DIR [--model sentence-transformers/all-MiniLM-L6-v2] [--threads 2] [--chars 1000] [--overlap 200]
Needs:    pip install langchain-community langchain-text-splitters langchain-huggingface langchain-chroma pypdf

A page is loaded, cut by RecursiveCharacterTextSplitter and embedded, as the stack's introductions have it; the vectors
stay in memory. Timed from after the imports. RSS is the largest of the process, imports included.
"""
import argparse, json, os, resource, time

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("dir")
p.add_argument("--model", default="sentence-transformers/all-MiniLM-L6-v2")
p.add_argument("--threads", type=int, default=2)
p.add_argument("--chars", type=int, default=1000)
p.add_argument("--overlap", type=int, default=200)
a = p.parse_args()
begin = time.time()
import torch
from langchain_chroma import Chroma
from langchain_community.document_loaders import PyPDFLoader
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter

torch.set_num_threads(a.threads)
imports = time.time() - begin
papers = os.path.join(a.dir, "papers_for_questions")
data = json.load(open(os.path.join(a.dir, "eval_questions_relevant_doc.json")))
pairs = list(zip(data["questions"], data["filepaths"]))

cpu = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
begin, busy = time.time(), cpu()
pages = [page for name in sorted(os.listdir(papers)) for page in PyPDFLoader(os.path.join(papers, name)).load()]
read = time.time() - begin
chunks = RecursiveCharacterTextSplitter(chunk_size=a.chars, chunk_overlap=a.overlap).split_documents(pages)
store = Chroma.from_documents(chunks, HuggingFaceEmbeddings(model_name=a.model, model_kwargs={"device": "cpu"}))
index, index_cpu = time.time() - begin, cpu() - busy

first = within = 0
seconds = []
for question, paper in pairs:
    begin = time.time()
    hits = store.similarity_search(question, k=5)
    seconds.append(time.time() - begin)
    names = [os.path.basename(hit.metadata["source"]) for hit in hits]
    first += names[0] == paper
    within += paper in names
print(json.dumps(dict(
    imports_s=round(imports, 1), read_s=round(read, 1), index_s=round(index, 1), index_cpu_s=round(index_cpu, 1), chunks=len(chunks),
    first=round(first / len(pairs), 3), within_5=round(within / len(pairs), 3),
    search_p50_ms=round(1e3 * sorted(seconds)[len(seconds) // 2], 1),
    rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)))
