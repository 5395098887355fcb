"""BM25 in fifty lines, with the formula of Apache Lucene. See lexical.html for the explanation."""

import math
import re
from collections import Counter


def tokens(text):
    """Lower-cased words. A real analyser would also stem."""
    return re.findall(r"\w+", text.lower())


class Bm25:
    """An index of a list of texts.

    k1 sets how fast repetitions of a term saturate, b how strongly long texts are discounted.
    """

    def __init__(self, texts, k1=1.2, b=0.75):
        self.k1, self.b = k1, b
        self.counts = [Counter(tokens(text)) for text in texts]
        self.lengths = [sum(count.values()) for count in self.counts]
        self.average = sum(self.lengths) / max(len(texts), 1)
        self.frequency = Counter(term for count in self.counts for term in count)

    def idf(self, term):
        n, df = len(self.counts), self.frequency[term]
        return math.log(1 + (n - df + 0.5) / (df + 0.5))

    def score(self, query, i):
        """The score of text number i. It is 0 when no term of the query occurs."""
        norm = self.k1 * (1 - self.b + self.b * self.lengths[i] / self.average)
        total = 0.0
        for term in tokens(query):
            tf = self.counts[i][term]
            total += self.idf(term) * tf * (self.k1 + 1) / (tf + norm) if tf else 0.0
        return total

    def search(self, query, k=10):
        """The numbers of the k best texts, best first."""
        ranked = sorted(range(len(self.counts)), key=lambda i: -self.score(query, i))
        return [i for i in ranked[:k] if self.score(query, i) > 0]


if __name__ == "__main__":
    index = Bm25(["a grey stone wall", "a red brick wall", "grey clouds"])
    print(index.search("grey wall"))  # [0, 2, 1]
