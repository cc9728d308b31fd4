//! What a frame of 1920 x 1080 costs before the network: JPEG decoders side by side, and each raw
//! format whole and as a quarter of its pixels. `cargo bench -p andon-camera`.
//!
//! The picture is a part of the rendered line in place of a photograph, so that anybody can
//! measure the same thing. The fastest of interleaved runs counts, as longer ones hold time that
//! other programs took; one thread.

use std::hint::black_box;
use std::io::Cursor;
use std::time::{Duration, Instant};

use andon_camera::rendered::{LineConfig, RenderedLine};
use andon_camera::{Frame, Layout, PixelFormat, Region, to_rgb};
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

const WIDTH: u32 = 1920;
const HEIGHT: u32 = 1080;
const RUNS: usize = 25;

/// A way to read a frame, and its name.
type Read<'a> = (&'a str, Box<dyn Fn() + 'a>);

fn main() {
    let config = LineConfig {
        width: WIDTH,
        height: HEIGHT,
        ..LineConfig::default()
    };
    let line = RenderedLine::new(config).expect("the size is allowed");
    let picture = line.part(0, None).image;
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 85)
        .encode_image(&picture)
        .expect("memory does not fail");
    println!(
        "{WIDTH} x {HEIGHT}, JPEG of {} kB, fastest of {RUNS} runs",
        file.len() / 1000
    );

    let frame = frame(PixelFormat::Mjpg, file.clone());
    let reads: [Read; 4] = [
        (
            "to_rgb (zune-jpeg, strict)",
            Box::new(|| drop(black_box(to_rgb(&frame, None)))),
        ),
        (
            "image (zune-jpeg, lenient)",
            Box::new(|| {
                let reader =
                    image::ImageReader::with_format(Cursor::new(&file), image::ImageFormat::Jpeg);
                drop(black_box(reader.decode()));
            }),
        ),
        (
            "jpeg-decoder",
            Box::new(|| {
                drop(black_box(
                    jpeg_decoder::Decoder::new(Cursor::new(&file)).decode(),
                ));
            }),
        ),
        (
            "check of the end alone",
            Box::new(|| {
                black_box(andon_camera::jpeg::is_complete(&file));
            }),
        ),
    ];
    let times = fastest(&reads);
    for ((name, _), time) in reads.iter().zip(&times) {
        let ratio = time.as_secs_f64() / times[0].as_secs_f64();
        println!("  {name:<28} {:8.2} ms  x {ratio:.2}", ms(*time));
    }

    let quarter = Region {
        x: WIDTH / 4,
        y: HEIGHT / 4,
        width: WIDTH / 2,
        height: HEIGHT / 2,
    };
    for format in PixelFormat::ALL {
        let layout = Layout::packed(format, WIDTH, HEIGHT)
            .check()
            .expect("possible");
        let Some(bytes) = layout.least_bytes() else {
            continue;
        };
        let raw = self::frame(format, like_a_camera(&picture, format, bytes as usize));
        let reads: [Read; 2] = [
            ("whole", Box::new(|| drop(black_box(to_rgb(&raw, None))))),
            (
                "quarter",
                Box::new(|| drop(black_box(to_rgb(&raw, Some(quarter))))),
            ),
        ];
        let times = fastest(&reads);
        println!(
            "  {format}  whole {:6.2} ms  quarter {:6.2} ms",
            ms(times[0]),
            ms(times[1])
        );
    }
}

/// Bytes of this format with the picture's levels where the format has Y and weak colours where
/// it has U and V.
fn like_a_camera(picture: &RgbImage, format: PixelFormat, bytes: usize) -> Vec<u8> {
    let plane = (WIDTH * HEIGHT) as usize;
    let levels = picture.as_raw().iter().cycle();
    (0..bytes)
        .zip(levels)
        .map(|(at, level)| match format {
            PixelFormat::Yuyv if at % 2 == 1 => 120 + level % 16,
            PixelFormat::Nv12 if at >= plane => 120 + level % 16,
            _ => *level,
        })
        .collect()
}

fn frame(format: PixelFormat, data: Vec<u8>) -> Frame {
    Frame::new(
        data,
        Layout::packed(format, WIDTH, HEIGHT),
        Duration::ZERO,
        0,
    )
    .expect("it is whole")
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The shortest time of each. They run in turns, so that none has the quiet moments to itself, and
/// each is the first of a round as often as any: what follows another finds its memory warm.
fn fastest(reads: &[Read]) -> Vec<Duration> {
    let mut times = vec![Duration::MAX; reads.len()];
    for turn in 0..RUNS * reads.len() {
        let at = (turn + turn / reads.len()) % reads.len();
        let begun = Instant::now();
        reads[at].1();
        times[at] = times[at].min(begun.elapsed());
    }
    times
}
