"""Makes the binary files of examples/handbook from the texts beside this script.

    pip install python-docx==1.2.0 python-pptx==1.0.2 openpyxl==3.1.5 reportlab==5.1.0
    python examples/handbook-src/make.py

The output is the same on every run: dates are fixed, and archives are written again in a fixed order with a
fixed time. The texts are Markdown of the simplest kind: headings, paragraphs, bullets, tables with `|`, page or
slide breaks `---`, and speaker notes `> Notes:`.
"""

import datetime
import io
import json
import math
import pathlib
import zipfile

HERE = pathlib.Path(__file__).parent
OUT = HERE.parent / "handbook"
AUTHOR = "The Retrieval Handbook"
DATE = datetime.datetime(2026, 3, 1)


def blocks(name):
    """(kind, content) for each block of a text; rows of a table are one block."""
    out = []
    for part in (HERE / name).read_text(encoding="utf-8").strip().split("\n\n"):
        lines = part.strip().split("\n")
        if lines[0] == "---":
            out.append(("break", None))
        elif lines[0].startswith("#"):
            mark, text = lines[0].split(" ", 1)
            out.append((f"h{len(mark)}", text))
        elif lines[0].startswith("|"):
            out.append(("table", [[c.strip() for c in line.strip("|").split("|")] for line in lines]))
        elif lines[0].startswith("- "):
            out.append(("bullets", [line[2:] for line in lines]))
        elif lines[0].startswith("> Notes: "):
            out.append(("notes", part.strip()[len("> Notes: "):]))
        else:
            out.append(("p", " ".join(lines)))
    return out


def write_archive(name, data):
    """Writes a zip file again so that it does not depend on the clock."""
    source = zipfile.ZipFile(io.BytesIO(data))
    with zipfile.ZipFile(OUT / name, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            info = zipfile.ZipInfo(entry.filename, (2026, 3, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, source.read(entry.filename))


def properties(p, title):
    p.title, p.author, p.last_modified_by = title, AUTHOR, AUTHOR
    p.created = p.modified = DATE


def docx():
    from docx import Document

    document = Document()
    for kind, content in blocks("chunking.md"):
        if kind == "table":
            table = document.add_table(rows=0, cols=len(content[0]), style="Table Grid")
            for row in content:
                for cell, text in zip(table.add_row().cells, row):
                    cell.text = text
        elif kind == "bullets":
            for item in content:
                document.add_paragraph(item, style="List Bullet")
        elif kind[0] == "h":
            document.add_heading(content, level=int(kind[1]))
        else:
            document.add_paragraph(content)
    properties(document.core_properties, "Cutting documents into passages")
    data = io.BytesIO()
    document.save(data)
    write_archive("chunking.docx", data.getvalue())


def pdf():
    from reportlab.lib.pagesizes import A5
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate

    styles = getSampleStyleSheet()
    style = {"h1": styles["Title"], "h2": styles["Heading2"], "p": styles["BodyText"], "bullets": styles["BodyText"]}
    story = []
    for kind, content in blocks("vectors.md"):
        if kind == "break":
            story.append(PageBreak())
        elif kind == "bullets":
            story += [Paragraph(item, style[kind], bulletText="\u2022") for item in content]
        else:
            story.append(Paragraph(content, style[kind]))

    def footer(canvas, document):
        canvas.setFont("Helvetica", 8)
        canvas.drawCentredString(A5[0] / 2, 24, str(document.page))

    SimpleDocTemplate(
        str(OUT / "vectors.pdf"), pagesize=A5, title="Searching by meaning", author=AUTHOR, invariant=1
    ).build(story, onFirstPage=footer, onLaterPages=footer)


def pptx():
    from pptx import Presentation

    show = Presentation()
    slides, current = [], []
    for block in blocks("generation.md") + [("break", None)]:
        if block[0] == "break":
            slides.append(current)
            current = []
        else:
            current.append(block)
    for parts in slides:
        slide = show.slides.add_slide(show.slide_layouts[1])
        frame = slide.placeholders[1].text_frame
        for kind, content in parts:
            if kind == "h1":
                slide.shapes.title.text = content
            elif kind == "notes":
                slide.notes_slide.notes_text_frame.text = content
            else:
                for i, line in enumerate(content if kind == "bullets" else [content]):
                    (frame.paragraphs[0] if i == 0 else frame.add_paragraph()).text = line
    properties(show.core_properties, "Answering with a language model")
    data = io.BytesIO()
    show.save(data)
    write_archive("generation.pptx", data.getvalue())


# Documents and test queries as in table 1 of N. Thakur and others, BEIR, 2021, and the collections' own pages.
COLLECTIONS = [
    ("Cranfield", "aerodynamics", 1400, 225, 1967),
    ("SciFact", "scientific claims", 5183, 300, 2020),
    ("NFCorpus", "nutrition and medicine", 3633, 323, 2016),
    ("ArguAna", "counter-arguments", 8674, 1406, 2018),
    ("SCIDOCS", "citation prediction", 25657, 1000, 2020),
    ("FiQA-2018", "finance", 57638, 648, 2018),
    ("TREC-COVID", "coronavirus research", 171332, 50, 2020),
    ("Touché-2020", "controversial questions", 382545, 49, 2020),
    ("Quora", "duplicate questions", 522931, 10000, 2017),
    ("Natural Questions", "Wikipedia", 2681468, 3452, 2019),
    ("HotpotQA", "Wikipedia, two hops", 5233329, 7405, 2018),
    ("MS MARCO passages", "web search", 8841823, 6980, 2016),
]


def xlsx():
    from openpyxl import Workbook
    from openpyxl.writer.excel import ExcelWriter

    book = Workbook()
    sheet = book.active
    sheet.title = "Collections"
    sheet.append(["Collection", "Subject", "Documents", "Test queries", "Year"])
    for row in COLLECTIONS:
        sheet.append(row)
    sheet.column_dimensions["A"].width = 20
    sheet = book.create_sheet("Memory")
    sheet.append(["Encoding", "Bytes per vector (384 dimensions)", "Megabytes per million vectors"])
    for name, size in [
        ("32-bit float", 1536),
        ("16-bit float", 768),
        ("8-bit integer", 384),
        ("4-bit integer", 192),
        ("product quantisation, 48 parts", 48),
        ("binary", 48),
    ]:
        sheet.append([name, size, size])
    sheet.append([])
    sheet.append(["HNSW links, M = 16, lowest layer only", 128, 128])
    book.properties.title, book.properties.creator = "Collections", AUTHOR
    book.properties.created = book.properties.modified = DATE
    data = io.BytesIO()
    # `Workbook.save` would set the time of modification to now.
    ExcelWriter(book, zipfile.ZipFile(data, "w")).save()
    write_archive("collections.xlsx", data.getvalue())


def notebook():
    def markdown(text):
        return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(True)}

    def code(n, text, output):
        stream = {"name": "stdout", "output_type": "stream", "text": output.splitlines(True)}
        return {"cell_type": "code", "execution_count": n, "metadata": {}, "outputs": [stream],
                "source": text.splitlines(True)}

    gains = [3, 2, 3, 0, 1, 2]
    dcg = lambda g: sum(x / math.log2(i + 2) for i, x in enumerate(g))
    ideal = sorted(gains, reverse=True)
    hits = [1, 0, 1, 0, 0, 1]
    precisions = [sum(hits[: i + 1]) / (i + 1) for i, hit in enumerate(hits) if hit]
    cells = [
        markdown("# Measures, step by step\n\nSix results were judged with grades from 0 to 3: 3, 2, 3, 0, 1, 2."),
        code(1, "import math\n\ngains = [3, 2, 3, 0, 1, 2]\n\ndef dcg(gains):\n"
                "    \"\"\"Discounted cumulative gain: the gain at rank i divided by log2(i + 1).\"\"\"\n"
                "    return sum(g / math.log2(i + 2) for i, g in enumerate(gains))\n\n"
                "print(f\"DCG {dcg(gains):.3f}\")", f"DCG {dcg(gains):.3f}\n"),
        markdown("The ideal order of the same six documents is 3, 3, 2, 2, 1, 0."),
        code(2, "ideal = sorted(gains, reverse=True)\nprint(f\"ideal DCG {dcg(ideal):.3f}\")\n"
                "print(f\"nDCG {dcg(gains) / dcg(ideal):.3f}\")",
             f"ideal DCG {dcg(ideal):.3f}\nnDCG {dcg(gains) / dcg(ideal):.3f}\n"),
        markdown("Average precision needs only relevant or not. Here the results at ranks 1, 3 and 6 are relevant, and "
                 "no relevant document is missing."),
        code(3, "hits = [1, 0, 1, 0, 0, 1]\n"
                "precisions = [sum(hits[:i + 1]) / (i + 1) for i, hit in enumerate(hits) if hit]\n"
                "print([round(p, 3) for p in precisions])\n"
                "print(f\"average precision {sum(precisions) / 3:.3f}\")",
             f"{[round(p, 3) for p in precisions]}\naverage precision {sum(precisions) / 3:.3f}\n"),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    text = json.dumps({"cells": cells, "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
                       "nbformat": 4, "nbformat_minor": 4}, indent=1, ensure_ascii=False)
    (OUT / "metrics.ipynb").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    for make in (docx, pdf, pptx, xlsx, notebook):
        make()
