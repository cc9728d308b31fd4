//! A USB webcam without hardware, in front of a rendered line, for whoever tries a station in a
//! machine with the kernel's own drivers (`modprobe vhci-hcd uvcvideo`, as root).
//!
//! `webcam` takes orders on its standard input, one a line: `plug`, `unplug`, `good N` and `bad N`
//! (part N of the line is before the camera). `webcam DIR N` writes N good parts into a folder, as
//! the camera would see them.

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[path = "../tests/usb/mod.rs"]
mod usb;

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::io::BufRead as _;

    let line = belt::line()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => {}
        [folder, count] => return belt::write(&line, folder.as_ref(), count.parse()?),
        _ => return Err("usage: webcam [DIR N]".into()),
    }
    let mut picture = belt::picture(&line, 0, false)?;
    let mut webcam = None;
    for order in std::io::stdin().lock().lines() {
        let order = order?;
        let words: Vec<&str> = order.split_whitespace().collect();
        match words[..] {
            ["plug"] => webcam = Some(usb::Webcam::plug(picture.clone())?),
            ["unplug"] => webcam = None,
            [kind @ ("good" | "bad"), number] => {
                picture = belt::picture(&line, number.parse()?, kind == "bad")?;
                if let Some(webcam) = &webcam {
                    webcam.show(picture.clone());
                }
            }
            _ => return Err(format!("{order:?} is no order").into()),
        }
        println!("{order}: done");
    }
    Ok(())
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
fn main() {
    eprintln!("a webcam without hardware needs Linux on 64 bits");
}

/// What is before the camera.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod belt {
    use std::error::Error;
    use std::path::Path;

    use andon_camera::rendered::{DefectKind, LineConfig, RenderedLine};
    use image::codecs::jpeg::JpegEncoder;

    use super::usb::{HEIGHT, WIDTH};

    /// A line as the camera sees it.
    pub fn line() -> Result<RenderedLine, Box<dyn Error>> {
        let config = LineConfig {
            width: WIDTH.into(),
            height: HEIGHT.into(),
            ..LineConfig::default()
        };
        Ok(RenderedLine::new(config)?)
    }

    /// A part as a JPEG; a bad one lacks a screw.
    pub fn picture(
        line: &RenderedLine,
        part: u64,
        is_bad: bool,
    ) -> Result<Vec<u8>, Box<dyn Error>> {
        let part = line.part(part, is_bad.then_some(DefectKind::MissingScrew));
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&part.image)?;
        Ok(bytes)
    }

    /// Writes good parts.
    pub fn write(line: &RenderedLine, folder: &Path, count: u64) -> Result<(), Box<dyn Error>> {
        for part in 0..count {
            let path = folder.join(format!("{part:03}.jpg"));
            std::fs::write(path, picture(line, part, false)?)?;
        }
        Ok(())
    }
}
