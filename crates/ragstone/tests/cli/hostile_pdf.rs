//! PDF files made to hurt: each fails or is read alone, and the others are indexed.

use crate::run::World;
use flate2::{Compression, write::ZlibEncoder};
use std::io::Write;

const TEXT: &str = "BT /F1 12 Tf 72 700 Td (The harbour wall is nine metres high.) Tj ET";

/// A file with these objects, from number 1 on, and this in its trailer.
fn pdf(objects: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let mut out = b"%PDF-1.5\n".to_vec();
    let mut table = String::from("0000000000 65535 f \n");
    for (number, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", out.len());
        out.extend(format!("{} 0 obj\n", number + 1).bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let (start, size) = (out.len(), objects.len() + 1);
    out.extend(format!("xref\n0 {size}\n{table}trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\n").bytes());
    out.extend(format!("startxref\n{start}\n%%EOF\n").bytes());
    out
}

fn stream(entries: &str, data: &[u8]) -> Vec<u8> {
    let head = format!("<< /Length {} {entries} >>\nstream\n", data.len());
    [head.as_bytes(), data, b"\nendstream"].concat()
}

/// Catalog, pages, one page, its content, its font.
fn one_page(content: Vec<u8>) -> Vec<Vec<u8>> {
    let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> \
                /XObject << /X 6 0 R >> >> >>";
    let font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>";
    let pages = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>";
    vec![b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(), pages.into(), page.into(), content, font.into()]
}

/// One page of [`TEXT`] with an object replaced or added.
fn with(number: usize, object: &str) -> Vec<u8> {
    let mut objects = one_page(stream("", TEXT.as_bytes()));
    objects.resize(objects.len().max(number), b"null".to_vec());
    objects[number - 1] = object.into();
    pdf(&objects, if number > 5 { "/Info 6 0 R" } else { "" })
}

fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// One page of [`TEXT`] with a stretch of the file replaced.
fn edited(from: &str, to: &str) -> Vec<u8> {
    let file = String::from_utf8(pdf(&one_page(stream("", TEXT.as_bytes())), "")).unwrap();
    assert!(file.contains(from), "{from}");
    file.replace(from, to).into()
}

#[test]
fn the_text_survives_lies_and_loops_around_it() {
    let start = edited("%%EOF", "%%EOF");
    let start =
        String::from_utf8(start).unwrap().split("startxref\n").nth(1).unwrap().lines().next().unwrap().to_owned();
    let length = format!("/Length {}", TEXT.len());
    let files = [
        ("nested_array", with(6, &"[".repeat(10_380))),
        ("nested_dictionary", with(6, &"<</A ".repeat(10_380))),
        ("page_cycle", with(2, "<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2 >>")),
        ("count_lie", with(2, "<< /Type /Pages /Kids [3 0 R] /Count 1000000000 >>")),
        ("script", with(1, "<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /Launch /F (/bin/sh) >> >>")),
        ("outline_loop", {
            let mut objects = one_page(stream("", TEXT.as_bytes()));
            objects[0] = b"<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R >>".to_vec();
            objects.push(b"<< /First 7 0 R /Last 7 0 R >>".to_vec());
            objects.push(b"<< /Title (a) /Next 7 0 R /First 7 0 R /Parent 6 0 R >>".to_vec());
            pdf(&objects, "")
        }),
        ("form_loop", {
            let mut objects = one_page(stream("", format!("{TEXT} /X Do").as_bytes()));
            let form = "/Type /XObject /Subtype /Form /BBox [0 0 1 1] /Resources << /XObject << /X 6 0 R >> >>";
            objects.push(stream(form, b"/X Do /X Do /X Do"));
            pdf(&objects, "")
        }),
        ("table_loop", edited("/Root 1 0 R", &format!("/Root 1 0 R /Prev {start}"))),
        ("table_huge", edited("xref\n0 6", "xref\n0 10000000")),
        ("length_long", edited(&length, "/Length 99999999")),
        ("length_negative", edited(&length, "/Length -5")),
    ];
    let world = World::new();
    for (name, file) in &files {
        world.write(&format!("d/{name}.pdf"), file);
        let text = world.json(&["text", &format!("d/{name}.pdf")]);
        assert!(text["text"].as_str().unwrap().contains("nine metres high"), "{name}: {text}");
    }
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_indexed() {
    let mut bomb = vec![b' '; 64 << 20];
    for _ in 0..3 {
        bomb = deflate(&bomb);
    }
    let filters = "/FlateDecode ".repeat(3);
    let predictor = "/Filter /FlateDecode /DecodeParms << /Predictor 15 /Columns 2147483647 /Colors 2147483647 >>";
    let locked = format!("<< /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O ({0}) /U ({0}) >>", "0".repeat(32));
    let bad = [
        ("bomb", pdf(&one_page(stream(&format!("/Filter [{filters}]"), &bomb)), "")),
        ("filters", pdf(&one_page(stream(&format!("/Filter [{}]", "/ASCIIHexDecode ".repeat(100_000)), b"00>")), "")),
        ("predictor", pdf(&one_page(stream(predictor, &deflate(TEXT.as_bytes()))), "")),
        ("picture", pdf(&one_page(stream("/Filter /JBIG2Decode", b"\x97JB2\xff\xff\xff\xff")), "")),
        ("deep", pdf(&one_page(stream("", format!("{}{TEXT}", "[".repeat(100_000)).as_bytes())), "")),
        ("header", b"%PDF-1.7\n".to_vec()),
        ("locked", {
            let mut objects = one_page(stream("", TEXT.as_bytes()));
            objects.push(locked.into_bytes());
            pdf(&objects, "/Encrypt 6 0 R /ID [(a) (b)]")
        }),
    ];
    let world = World::new();
    for (name, file) in &bad {
        world.write(&format!("d/{name}.pdf"), file);
    }
    world.write("d/good.pdf", pdf(&one_page(stream("", TEXT.as_bytes())), ""));
    let done = world.run(&["index", "d", "--json"]);
    assert_eq!(done.code, 3, "{done:?}");
    let summary = done.json();
    let failed: Vec<&str> = summary["failed"].as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap()).collect();
    assert_eq!(failed.len(), bad.len(), "{summary}");
    let answer = world.json(&["ask", "How high is the harbour wall?"]);
    assert!(answer["answer"].as_str().unwrap().contains("nine metres high"), "{answer}");
}

#[test]
fn numbers_of_glyphs_are_not_taken_for_text() {
    let mut objects = one_page(stream("", b"BT /F1 12 Tf 72 700 Td <0102050607080A090B0C0D0E0F10> Tj ET"));
    objects[4] = b"<< /Type /Font /Subtype /Type0 /BaseFont /ABCDEF+X /Encoding /Identity-H /DescendantFonts [6 0 R] \
                   /ToUnicode 7 0 R >>"
        .to_vec();
    let order = "<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>";
    let font = format!("<< /Type /Font /Subtype /CIDFontType2 /BaseFont /ABCDEF+X /CIDSystemInfo {order} >>");
    objects.push(font.into_bytes());
    objects.push(stream("", b"beginbfchar\n<zz> <\n1000000000 beginbfrange <0000> <ffffffff> <0000> endbfrange"));
    let world = World::new();
    world.write("d/odd.pdf", pdf(&objects, ""));
    let summary = world.json(&["index", "d"]);
    let warning = summary["warnings"][0]["reason"].as_str().unwrap_or_default();
    assert!(warning.contains("garbled"), "{summary}");
}
