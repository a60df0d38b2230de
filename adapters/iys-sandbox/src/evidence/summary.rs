//! A plain PDF of labels and values.

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str};

/// A4 in points.
const PAGE: Rect = Rect { x1: 0.0, y1: 0.0, x2: 595.0, y2: 842.0 };
const MARGIN: f32 = 50.0;
const TOP: f32 = 780.0;
const FONT_SIZE: f32 = 10.0;
const LEADING: f32 = 14.0;
const LINES_OF_PAGE: usize = 50;
/// How many letters fit on a line.
const LETTERS_OF_LINE: usize = 90;
const FONT: Name<'static> = Name(b"F1");

/// Writes a heading and lines of label and value.
pub(super) fn write(heading: &str, lines: &[(&str, String)]) -> Vec<u8> {
    let mut text = vec![heading.to_owned(), String::new()];
    for (label, value) in lines {
        text.extend(wrapped(&format!("{label}: {value}")));
    }
    let pages: Vec<&[String]> = text.chunks(LINES_OF_PAGE).collect();
    let (catalog, tree, font) = (Ref::new(1), Ref::new(2), Ref::new(3));
    let page_ref = |index: usize| Ref::new(4 + 2 * index as i32);
    let content_ref = |index: usize| Ref::new(5 + 2 * index as i32);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree).kids((0..pages.len()).map(page_ref)).count(pages.len() as i32);
    write_font(&mut pdf, font);
    for (index, lines) in pages.iter().enumerate() {
        let mut page = pdf.page(page_ref(index));
        page.media_box(PAGE);
        page.parent(tree);
        page.contents(content_ref(index));
        page.resources().fonts().pair(FONT, font);
        page.finish();
        pdf.stream(content_ref(index), &content(lines));
    }
    pdf.finish()
}

/// One of the fonts that every reader has, with the Turkish letters where Windows-1254 has them.
fn write_font(pdf: &mut Pdf, font: Ref) {
    let mut font = pdf.type1_font(font);
    font.base_font(Name(b"Helvetica"));
    let mut encoding = font.encoding_custom();
    encoding.base_encoding(Name(b"WinAnsiEncoding"));
    encoding
        .differences()
        .consecutive(0xD0, [Name(b"Gbreve")])
        .consecutive(0xDD, [Name(b"Idotaccent"), Name(b"Scedilla")])
        .consecutive(0xF0, [Name(b"gbreve")])
        .consecutive(0xFD, [Name(b"dotlessi"), Name(b"scedilla")]);
}

fn content(lines: &[String]) -> Vec<u8> {
    let mut content = Content::new();
    content.begin_text();
    content.set_font(FONT, FONT_SIZE);
    content.set_leading(LEADING);
    content.next_line(MARGIN, TOP);
    for line in lines {
        content.next_line_show(Str(&encoded(line)));
    }
    content.end_text();
    content.finish().to_vec()
}

/// The lines of a text that may be too long for one.
fn wrapped(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(LETTERS_OF_LINE).map(|part| part.iter().collect()).collect()
}

/// A text in Windows-1254; letters that it does not have become question marks.
fn encoded(text: &str) -> Vec<u8> {
    let byte = |letter: char| match letter {
        'Ğ' => 0xD0,
        'İ' => 0xDD,
        'Ş' => 0xDE,
        'ğ' => 0xF0,
        'ı' => 0xFD,
        'ş' => 0xFE,
        'Ð' | 'Ý' | 'Þ' | 'ð' | 'ý' | 'þ' => b'?',
        ' '..='~' | '\u{A0}'..='ÿ' => u8::try_from(u32::from(letter)).unwrap_or(b'?'),
        _ => b'?',
    };
    text.chars().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turkish_letters_have_their_places() {
        assert_eq!(encoded("Işık Öğüş"), b"I\xFE\xFDk \xD6\xF0\xFC\xFE");
        assert_eq!(encoded("日\n"), b"??");
    }

    #[test]
    fn long_texts_flow_over_lines_and_pages() {
        assert_eq!(wrapped(&"ş".repeat(200)).len(), 3);
        let lines = vec![("Satır", "x".to_owned()); 120];
        let pdf = write("Başlık", &lines);
        assert!(pdf.starts_with(b"%PDF-") && pdf.ends_with(b"%%EOF"));
        let found = pdf.windows(8).filter(|part| part == b"/Count 3").count();
        assert_eq!(found, 1);
    }
}
