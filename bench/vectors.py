#!/usr/bin/env python3
"""Vector indexes beside their peers: one thread on one core, one query at a time, all engines in one run.

Question: how many queries a second at which recall@10, with which build time and memory?
Data:     a folder with `base.npy`, `queries.npy` (f32, rows of unit length) and `gt.npy` (the exact best rows of
          every query by inner product, best first, ten or more).
Use:      bench/vectors.py synthetic DIR                 makes such a folder: 1,000,000 rows of 128 numbers
          bench/vectors.py beside DIR --ours 'Vamana44,LVQ8:window=36,64' --peer 'hnswlib M16:96,140'
                                      --peer 'faiss HNSW32:57,96' --peer 'faiss IVF1264,Flat:48,86'
          bench/vectors.py filters DIR --ours ... --peer 'faiss HNSW32:160' --peer 'faiss Flat:0'
          (other peers: 'usearch M16,i8:64,100' and 'svs R32,f16:24,40')
Needs:    numpy; faiss-cpu, hnswlib, usearch, scalable-vs for the peers;
          `cargo build --release -p ragstone -p ragstone-bench`.

After the colon: windows or probes of ours, ef or nprobe of a peer, each a line of the table. Both: `probes=155&window=100`
of ours; nprobe and k_factor of `faiss IVF1264,PQ96x4fs,Refine(SQ8):155x25`.
Indexes are built on one thread and kept in DIR, so that a second call only searches. A pass asks every query once;
the best of two counts for a peer, of three for ours; `filters` asks peers every fifth query, and a pass of more than
three seconds is not repeated. Memory of a build is the growth of anonymous memory over what
the rows took before. The time of a peer includes its call from Python, about a microsecond.

`filters` makes masks that agree with some queries and not with others: the allowed rows are those that lie furthest
along the first principal axis. Queries in the upper half of the same axis ask where much is allowed, those in the
lower half where little is. With `--arbitrary` the allowed rows are drawn at random.
"""
import argparse, json, os, re, subprocess, sys, tempfile, time
import numpy as np

K = 10


def synthetic(folder, rows, dimension, clusters=1000, inner=16, seed=1):
    """Clusters that are flat: each is spread widely in `inner` directions of its own and a little in all."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((clusters, dimension), dtype=np.float32)
    base = np.empty((rows, dimension), np.float32)
    queries = np.empty((1000, dimension), np.float32)
    for c in range(clusters):
        axes = random.standard_normal((inner, dimension), dtype=np.float32) / np.float32(inner**0.5)
        for out in (base, queries):
            n = len(out[c::clusters])
            spread = random.standard_normal((n, inner), dtype=np.float32) @ axes
            noise = random.standard_normal((n, dimension), dtype=np.float32)
            out[c::clusters] = centres[c] + spread + np.float32(0.1) * noise
    for out in (base, queries):
        out /= np.linalg.norm(out, axis=1, keepdims=True)
    os.makedirs(folder, exist_ok=True)
    np.save(f"{folder}/base.npy", base)
    np.save(f"{folder}/queries.npy", queries)
    np.save(f"{folder}/gt.npy", exact(base, queries, np.arange(rows)))


def exact(base, queries, allowed):
    """The best K of the allowed rows for every query."""
    best = []
    for part in np.array_split(queries, max(1, len(queries) * len(allowed) // 10**8)):
        scores = part @ base[allowed].T if len(allowed) < len(base) else part @ base.T
        top = np.argpartition(-scores, K, axis=1)[:, :K]
        order = np.argsort(-np.take_along_axis(scores, top, 1), axis=1, kind="stable")
        best.append(allowed[np.take_along_axis(top, order, 1)])
    return np.concatenate(best)


def recall(found, truth):
    return float(np.mean([len(np.intersect1d(a[a >= 0], b[:K])) / K for a, b in zip(found, truth)]))


def row(name, setting, found, times, truth, facts):
    times = np.asarray(times, float)
    cells = [f"{name}", setting, f"{recall(found, truth):.4f}", f"{1e6 / times.mean():.0f}",
             f"{np.percentile(times, 50):.0f}", f"{np.percentile(times, 99):.0f}", facts]
    print("| " + " | ".join(cells) + " |", flush=True)


def anonymous():
    return int(re.search(r"RssAnon:\s+(\d+)", open("/proc/self/status").read())[1]) * 1024


class Faiss:
    def __init__(self, factory):
        import faiss
        faiss.omp_set_num_threads(1)
        self.faiss, self.factory, self.parameters = faiss, factory, None

    def build(self, base):
        self.index = self.faiss.index_factory(base.shape[1], self.factory, self.faiss.METRIC_INNER_PRODUCT)
        if hasattr(self.index, "hnsw"):
            self.index.hnsw.efConstruction = 200
        if not self.index.is_trained:
            self.index.train(base)
        self.index.add(base)

    def save(self, path):
        self.faiss.write_index(self.index, path)

    def load(self, path, dimension):
        self.index = self.faiss.read_index(path)

    def set(self, value, mask=None):
        kind, keys = self.faiss.SearchParameters, {}
        if "Refine" in self.factory:
            probes, factor = map(int, value.split("x"))
            self.base_parameters = self.faiss.SearchParametersIVF(nprobe=probes)
            kind, keys = self.faiss.IndexRefineSearchParameters, {
                "k_factor": factor, "base_index_params": self.base_parameters}
        elif hasattr(self.index, "hnsw"):
            kind, keys = self.faiss.SearchParametersHNSW, {"efSearch": value}
        elif hasattr(self.index, "nprobe"):
            kind, keys = self.faiss.SearchParametersIVF, {"nprobe": value}
        if mask is not None:
            self.bits = np.packbits(mask, bitorder="little")
            self.selector = keys["sel"] = self.faiss.IDSelectorBitmap(self.bits)
        self.parameters = kind(**keys)

    def one(self, query):
        return self.index.search(query, K, params=self.parameters)[1]


class Hnswlib:
    def __init__(self, name):
        self.links = int(name.lstrip("M"))

    def build(self, base):
        import hnswlib
        self.index = hnswlib.Index("ip", base.shape[1])
        self.index.init_index(len(base), ef_construction=200, M=self.links, random_seed=1)
        self.index.add_items(base, num_threads=1)

    def save(self, path):
        self.index.save_index(path)

    def load(self, path, dimension):
        import hnswlib
        self.index = hnswlib.Index("ip", dimension)
        self.index.load_index(path)

    def set(self, value, mask=None):
        assert mask is None, "filters of hnswlib are calls into Python"
        self.index.set_ef(value)

    def one(self, query):
        return self.index.knn_query(query, K, num_threads=1)[0]


class Usearch:
    """`M16` or `M16,i8`; bytes are the numbers by the largest of all, compared by cosine."""

    def __init__(self, name):
        links, _, kind = name.partition(",")
        self.links, self.kind = int(links.lstrip("M")), kind or "f32"

    def empty(self, dimension):
        from usearch.index import Index
        metric = "cos" if self.kind == "i8" else "ip"
        return Index(ndim=dimension, metric=metric, dtype=self.kind, connectivity=self.links, expansion_add=200)

    def encode(self, rows):
        return np.clip(np.rint(rows * self.scale), -127, 127).astype(np.int8) if self.kind == "i8" else rows

    def build(self, base):
        self.scale = np.float32(127 / np.abs(base).max())
        self.index = self.empty(base.shape[1])
        self.index.add(np.arange(len(base)), self.encode(base), threads=1)

    def save(self, path):
        self.index.save(path)
        np.save(path + ".scale.npy", self.scale)

    def load(self, path, dimension):
        self.index, self.scale = self.empty(dimension), np.load(path + ".scale.npy")
        self.index.load(path)

    def set(self, value, mask=None):
        assert mask is None, "usearch has no filters in Python"
        self.index.expansion_search = value

    def one(self, query):
        return self.index.search(self.encode(query[0]), K, threads=1).keys.reshape(1, -1)


class Svs:
    """`R32,f16` or `R32,f32`: a flat graph; its compressed rows need an Intel processor."""

    def __init__(self, name):
        links, _, kind = name.partition(",")
        self.links, self.kind = int(links.lstrip("R")), {"f16": np.float16, "f32": np.float32}[kind or "f32"]

    def build(self, base):
        import svs
        how = svs.VamanaBuildParameters(alpha=0.95, graph_max_degree=self.links, window_size=200)
        self.index = svs.Vamana.build(how, base.astype(self.kind), svs.DistanceType.MIP, num_threads=1)

    def save(self, path):
        for part in ("config", "graph", "data"):
            os.makedirs(f"{path}/{part}")
        self.index.save(f"{path}/config", f"{path}/graph", f"{path}/data")

    def load(self, path, dimension):
        import svs
        data = svs.VectorDataLoader(f"{path}/data", svs.np_to_svs(self.kind), dims=dimension)
        graph = svs.GraphLoader(f"{path}/graph")
        self.index = svs.Vamana(f"{path}/config", graph, data, svs.DistanceType.MIP, num_threads=1)

    def set(self, value, mask=None):
        assert mask is None, "svs has no filters in Python"
        self.index.search_window_size = value

    def one(self, query):
        return self.index.search(query, K)[0]


def stored(path):
    """Bytes of a file, or of all files in a folder."""
    files = [path] if os.path.isfile(path) else [os.path.join(at, f) for at, _, fs in os.walk(path) for f in fs]
    return sum(map(os.path.getsize, files))


def peer(folder, name):
    """The index of a peer, built or read, and what is known of its build."""
    engine, spec = name.split()
    index = {"faiss": Faiss, "hnswlib": Hnswlib, "usearch": Usearch, "svs": Svs}[engine](spec)
    path = f"{folder}/{engine}_{spec.replace(',', '_')}.index"
    if os.path.exists(path):
        index.load(path, np.load(f"{folder}/base.npy", mmap_mode="r").shape[1])
    else:
        base = np.load(f"{folder}/base.npy")
        before, start = anonymous(), time.process_time()
        index.build(base)
        facts = {"seconds": time.process_time() - start, "memory": anonymous() - before, "rows": len(base)}
        index.save(path)
        json.dump(facts, open(path + ".json", "w"))
    facts = json.load(open(path + ".json")) if os.path.exists(path + ".json") else None
    rows = facts["rows"] if facts else len(np.load(f"{folder}/base.npy", mmap_mode="r"))
    size = f"{stored(path) / rows:.0f} B"
    if facts:
        size += f", build {facts['seconds']:.0f} CPU s, {facts['memory'] / 2**20:.0f} MiB"
    return index, size


def ask(index, queries):
    """Found rows and microseconds of the better of two passes."""
    singles = [queries[i : i + 1] for i in range(len(queries))]
    for query in singles[:50]:
        index.one(query)
    best = None
    for _ in range(2):
        times, found = [], []
        for query in singles:
            start = time.perf_counter()
            hits = index.one(query)
            times.append((time.perf_counter() - start) * 1e6)
            found.append(np.asarray(hits)[0].astype(np.int64))
        if best is None or sum(times) < sum(best[1]):
            best = found, times
        if sum(times) > 3e6:
            break
    return best


def ours(options, name, points, masks={}, truths=None):
    """Runs `ragstone-bench vector`; `points` are search points of its protocol."""
    queries, segment = f"{options.dir}/queries.npy", f"{options.dir}/ours_{name.replace(',', '_')}.segment"
    truth, built = np.load(f"{options.dir}/gt.npy"), os.path.exists(segment)
    with tempfile.TemporaryDirectory() as out:
        params = {"build": {"index": name}, "search": points}
        done = subprocess.run(
            [options.ragstone, "vector", "--base", f"{options.dir}/base.npy", "--queries", queries, "--params",
             json.dumps(params), "--out", out, "--masks", json.dumps(masks),
             "--segment", segment],
            stdout=subprocess.PIPE, text=True, check=True)
        for line in done.stdout.splitlines():
            facts = json.loads(line)
            i, point = facts["i"], points[facts["i"]]
            rows = len(np.load(f"{options.dir}/base.npy", mmap_mode="r"))
            size = f"{facts['bytes'] / rows:.0f} B"
            if not built:
                json.dump(facts, open(segment + ".json", "w"))
            if os.path.exists(segment + ".json"):
                made = json.load(open(segment + ".json"))
                size += f", build {made['build_cpu_s']:.0f} CPU s, {made['mem_bytes'] / 2**20:.0f} MiB"
                size += f" (at most {made['peak_bytes'] / 2**20:.0f})"
            setting = " ".join(f"{key} {value}" for key, value in point.items())
            found, times = np.load(f"{out}/ids_{i}.npy"), np.load(f"{out}/lat_{i}.npy")
            groups = truths[point["filter"]] if truths else {"": (np.arange(len(truth)), truth)}
            for group, (which, best) in groups.items():
                row(name, f"{setting} {group}".strip(), found[which], times[which], best, size)


def settings(text):
    """`name:key=1,2`, perhaps `&other=3`, or `name:1,2`: the name and the points."""
    name, values = text.rsplit(":", 1)
    values, *others = values.split("&")
    fixed = {key: int(value) for key, value in (other.split("=") for other in others)}
    key, values = values.split("=") if "=" in values else (None, values)
    points = [int(v) if v.isdigit() else v for v in values.split(",") if v]
    return name, [{key: v, **fixed} for v in points] if key else points


def beside(options):
    queries, truth = np.load(f"{options.dir}/queries.npy"), np.load(f"{options.dir}/gt.npy")
    for name, points in map(settings, options.ours):
        ours(options, name, points)
    for name, points in map(settings, options.peer):
        index, size = peer(options.dir, name)
        for value in points:
            index.set(value)
            row(name, str(value), *ask(index, queries), truth, size)


def filters(options):
    base, queries = np.load(f"{options.dir}/base.npy"), np.load(f"{options.dir}/queries.npy")
    # By the power method, on the mean-free rows; a fixed number of steps is enough for a direction to cut along.
    mean = base.mean(axis=0)
    axis = np.ones(base.shape[1], np.float32)
    for _ in range(30):
        axis = base.T @ (base @ axis - mean @ axis)
        axis /= np.linalg.norm(axis)
    along, order = base @ axis, np.argsort(queries @ axis, kind="stable")
    groups = {"agrees": order[len(order) // 2 :], "disagrees": order[: len(order) // 2]}
    if options.arbitrary:
        along, groups = np.random.default_rng(1).random(len(base)), {"": order}
    with tempfile.TemporaryDirectory() as scratch:
        masks, allowed, truths = {}, {}, {}
        for share in (0.001, 0.01, 0.1, 0.5):
            mask = np.zeros(len(base), np.uint8)
            mask[np.argsort(-along, kind="stable")[: int(share * len(base))]] = 1
            masks[str(share)], allowed[share] = f"{scratch}/{share}.npy", mask
            np.save(masks[str(share)], mask)
            best = exact(base, queries, np.flatnonzero(mask))
            truths[share] = {group: (which, best[which]) for group, which in groups.items()}
        for name, points in map(settings, options.ours):
            ours(options, name, [dict(point, filter=s) for s in allowed for point in points], masks, truths)
        for name, points in map(settings, options.peer):
            index, size = peer(options.dir, name)
            for share, mask in allowed.items():
                for value in points:
                    index.set(value, mask)
                    for group, (which, best) in truths[share].items():
                        few = slice(None, None, 5)  # a peer may take milliseconds
                        found, times = ask(index, queries[which[few]])
                        row(name, f"{value} filter {share} {group}", found, times, best[few], size)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("task", choices=["synthetic", "beside", "filters"])
parser.add_argument("dir")
parser.add_argument("--rows", type=int, default=1_000_000)
parser.add_argument("--dimension", type=int, default=128)
parser.add_argument("--ours", action="append", default=[])
parser.add_argument("--peer", action="append", default=[])
parser.add_argument("--arbitrary", action="store_true")
parser.add_argument("--ragstone", default="target/release/ragstone-bench")
options = parser.parse_args()
if options.task == "synthetic":
    synthetic(options.dir, options.rows, options.dimension)
else:
    # One core for all, chosen once; children inherit it.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print("| index | setting | recall@10 | queries/s | p50 µs | p99 µs | bytes a row, build |\n|---|---|---|---|---|---|---|")
    {"beside": beside, "filters": filters}[options.task](options)
