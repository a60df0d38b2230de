//! An address as a QR code, drawn as SVG or PNG.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

/// Modules of the quiet zone (ISO/IEC 18004).
const QUIET: usize = 4;
/// Pixels of a module in a PNG.
const SCALE: usize = 8;

/// A QR code.
pub struct Code {
    width: usize,
    dark: Vec<bool>,
}

impl Code {
    /// The code of a text; nothing for one that is too long.
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let dark = code.to_colors().into_iter().map(|colour| colour == Color::Dark).collect();
        Some(Self { width: code.width(), dark })
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        let inside = (QUIET..QUIET + self.width).contains(&x) && (QUIET..QUIET + self.width).contains(&y);
        inside && self.dark[(y - QUIET) * self.width + x - QUIET]
    }

    fn size(&self) -> usize {
        self.width + 2 * QUIET
    }

    /// Scalable; one path of unit squares.
    pub fn svg(&self) -> String {
        let size = self.size();
        let mut path = String::new();
        for y in 0..size {
            for x in (0..size).filter(|x| self.is_dark(*x, y)) {
                let written = write!(path, "M{x} {y}h1v1h-1z");
                debug_assert!(written.is_ok(), "writing to a String does not fail");
            }
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" shape-rendering=\"crispEdges\">\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
        )
    }

    /// One bit a pixel, stored without compression.
    pub fn png(&self) -> Vec<u8> {
        let side = self.size() * SCALE;
        let mut rows = Vec::with_capacity(side * (side / 8 + 2));
        for y in 0..side {
            rows.push(0);
            for byte in 0..side.div_ceil(8) {
                let bits = (0..8).map(|bit| byte * 8 + bit).fold(0_u8, |bits, x| {
                    let light = x >= side || !self.is_dark(x / SCALE, y / SCALE);
                    (bits << 1) | u8::from(light)
                });
                rows.push(bits);
            }
        }
        let side = u32::try_from(side).unwrap_or_default();
        let mut header = [side.to_be_bytes(), side.to_be_bytes()].concat();
        header.extend([1, 0, 0, 0, 0]);
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        chunk(&mut png, *b"IHDR", &header);
        chunk(&mut png, *b"IDAT", &stored(&rows));
        chunk(&mut png, *b"IEND", &[]);
        png
    }
}

/// A zlib stream of stored blocks (RFC 1950, 1951).
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let mut blocks = bytes.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    out.extend(((b << 16) | a).to_be_bytes());
    out
}

fn chunk(png: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    png.extend(u32::try_from(data.len()).unwrap_or_default().to_be_bytes());
    let start = png.len();
    png.extend(kind);
    png.extend(data);
    let crc = crc32(&png[start..]);
    png.extend(crc.to_be_bytes());
}

/// CRC-32 (ISO 3309), as PNG wants it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_books() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert!(stored(b"Wikipedia").ends_with(&0x11E6_0398_u32.to_be_bytes()));
    }

    #[test]
    fn both_pictures_show_the_same_code() {
        let code = Code::of("https://kopru.example.com/l/qk3").unwrap();
        assert!(code.is_dark(QUIET, QUIET) && !code.is_dark(0, 0), "the finder's corner, and the quiet zone");
        let svg = code.svg();
        assert_eq!(svg.matches("h1v1h-1z").count(), code.dark.iter().filter(|dark| **dark).count());
        let png = code.png();
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        let side = u32::try_from(code.size() * SCALE).unwrap().to_be_bytes();
        assert_eq!((&png[16..20], &png[20..24]), (&side[..], &side[..]));
        assert!(Code::of(&"x".repeat(5_000)).is_none());
    }
}
