use std::io::Cursor;
use std::time::Duration;

use image::{ImageFormat, RgbImage};

use super::*;
use crate::frame::{Layout, YuvRange};

fn frame(format: PixelFormat, size: [u32; 2], stride: u32, data: &[u8]) -> Frame {
    let layout = Layout {
        stride,
        ..Layout::packed(format, size[0], size[1])
    };
    Frame::new(data.to_vec(), layout, Duration::ZERO, 0).unwrap()
}

fn pixels(frame: &Frame) -> Vec<[u8; 3]> {
    let picture = to_rgb(frame, None).unwrap();
    picture.pixels().map(|pixel| pixel.0).collect()
}

/// Y, U, V and the R, G, B that BT.601 gives in limited range, by hand: Y 81 U 90 V 240 is
/// R = 1.164384 (81 - 16) + 1.596027 (240 - 128) = 254.4, G = 75.685 + 0.391762 * 38
/// - 0.812968 * 112 = -0.48, B = 75.685 - 2.017232 * 38 = -0.97.
const LIMITED: [([u8; 3], [u8; 3]); 7] = [
    ([16, 128, 128], [0, 0, 0]),
    ([235, 128, 128], [255, 255, 255]),
    ([126, 128, 128], [128, 128, 128]),
    ([81, 90, 240], [254, 0, 0]),
    ([145, 54, 34], [0, 255, 1]),
    ([41, 240, 110], [0, 0, 255]),
    ([0, 128, 128], [0, 0, 0]),
];

/// The same in full range: R = Y + 1.402 (V - 128), G = Y - 0.344136 (U - 128)
/// - 0.714136 (V - 128), B = Y + 1.772 (U - 128).
const FULL: [([u8; 3], [u8; 3]); 4] = [
    ([16, 128, 128], [16, 16, 16]),
    ([76, 85, 255], [254, 0, 0]),
    ([100, 138, 118], [86, 104, 118]),
    ([255, 255, 128], [255, 211, 255]),
];

#[test]
fn yuyv_and_nv12_follow_bt601_in_both_ranges() {
    let both = LIMITED
        .iter()
        .map(|case| (YuvRange::Limited, case))
        .chain(FULL.iter().map(|case| (YuvRange::Full, case)));
    for (range, &([y, u, v], rgb)) in both {
        for (format, data) in [
            (PixelFormat::Yuyv, vec![y, u, y, v]),
            (PixelFormat::Nv12, vec![y, y, u, v]),
        ] {
            let layout = Layout {
                range,
                ..Layout::packed(format, 2, 1)
            };
            let frame = Frame::new(data, layout, Duration::ZERO, 0).unwrap();
            assert_eq!(pixels(&frame), [rgb; 2], "{format} {range:?} {y} {u} {v}");
        }
    }
}

#[test]
fn fixed_point_is_within_half_a_level_and_a_hundredth_of_the_exact_formula() {
    let matrix = Matrix::bt601(YuvRange::Limited);
    for y in (0..=255_u8).step_by(5) {
        for u in (0..=255_u8).step_by(15) {
            for v in (0..=255_u8).step_by(15) {
                let frame = frame(PixelFormat::Yuyv, [2, 1], 0, &[y, u, y, v]);
                let got = to_rgb(&frame, None).unwrap().get_pixel(0, 0).0;
                let luma = 255.0 / 219.0 * (f64::from(y) - 16.0);
                let [u, v] = [u, v].map(|c| 255.0 / 224.0 * (f64::from(c) - 128.0));
                let exact = [
                    luma + 1.402 * v,
                    luma - 0.114 * 1.772 / 0.587 * u - 0.299 * 1.402 / 0.587 * v,
                    luma + 1.772 * u,
                ];
                for (got, exact) in got.iter().zip(exact) {
                    let error = (f64::from(*got) - exact.clamp(0.0, 255.0)).abs();
                    assert!(error < 0.51, "{exact} became {got} by {matrix:?}");
                }
            }
        }
    }
}

#[test]
fn each_pair_of_yuyv_keeps_its_own_two_levels() {
    let frame = frame(
        PixelFormat::Yuyv,
        [3, 1],
        0,
        &[16, 128, 126, 128, 235, 128, 99, 128],
    );
    assert_eq!(pixels(&frame), [[0; 3], [128; 3], [255; 3]]);
}

#[test]
fn grey_rgb_and_bgr_are_taken_as_they_are() {
    let grey = frame(PixelFormat::Grey, [2, 1], 0, &[7, 200]);
    assert_eq!(pixels(&grey), [[7; 3], [200; 3]]);
    let rgb = frame(PixelFormat::Rgb3, [2, 1], 0, &[1, 2, 3, 4, 5, 6]);
    assert_eq!(pixels(&rgb), [[1, 2, 3], [4, 5, 6]]);
    let bgr = frame(PixelFormat::Bgr3, [2, 1], 0, &[1, 2, 3, 4, 5, 6]);
    assert_eq!(pixels(&bgr), [[3, 2, 1], [6, 5, 4]]);
}

#[test]
fn only_rgb_without_gaps_can_be_read_where_it_lies() {
    let data: Vec<u8> = (0..20).collect();
    let rgb = frame(PixelFormat::Rgb3, [2, 3], 0, &data);
    assert_eq!(as_rgb(&rgb).unwrap().to_vec(), data[..18]);
    assert_eq!(as_rgb(&rgb).unwrap().dimensions(), (2, 3));
    let padded = frame(PixelFormat::Rgb3, [2, 2], 8, &data);
    let bgr = frame(PixelFormat::Bgr3, [2, 3], 0, &data);
    assert!(as_rgb(&padded).is_none() && as_rgb(&bgr).is_none());
}

#[test]
fn padding_behind_rows_is_passed_over() {
    let data = [10, 20, 99, 99, 30, 40];
    let frame = frame(PixelFormat::Grey, [2, 2], 4, &data);
    assert_eq!(pixels(&frame), [[10; 3], [20; 3], [30; 3], [40; 3]]);
}

/// Bytes without meaning, enough for any raw frame of 9 x 7 px with a stride of 32.
fn noise() -> Vec<u8> {
    (0..32 * 11_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

#[test]
fn every_region_of_every_raw_format_is_that_cut_of_the_whole() {
    for format in PixelFormat::ALL {
        if format == PixelFormat::Mjpg {
            continue;
        }
        let frame = frame(format, [9, 7], 32, &noise());
        let whole = to_rgb(&frame, None).unwrap();
        for (x, y) in (0..9).flat_map(|x| (0..7).map(move |y| (x, y))) {
            for (width, height) in [(1, 1), (9 - x, 7 - y), (9_u32.div_ceil(2) - x / 2, 1)] {
                let region = Region {
                    x,
                    y,
                    width,
                    height,
                };
                if !region.fits(9, 7) {
                    continue;
                }
                let cut = image::imageops::crop_imm(&whole, x, y, width, height).to_image();
                assert_eq!(
                    to_rgb(&frame, Some(region)).unwrap(),
                    cut,
                    "{format} {region}"
                );
            }
        }
    }
}

/// One pixel at a time: what stands in a block of pixels is converted like one that stands alone.
#[test]
fn many_pixels_at_once_are_converted_like_single_ones() {
    let (width, height) = (203_u32, 2);
    let data: Vec<u8> = (0..width * 7)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 23) as u8)
        .collect();
    for format in PixelFormat::ALL {
        for range in [YuvRange::Limited, YuvRange::Full] {
            if format == PixelFormat::Mjpg {
                continue;
            }
            let layout = Layout {
                range,
                ..Layout::packed(format, width, height)
            };
            let frame = Frame::new(data.clone(), layout, Duration::ZERO, 0).unwrap();
            for left in 0..4 {
                let part = |x, width| {
                    let region = Region {
                        x,
                        y: 1,
                        width,
                        height: 1,
                    };
                    to_rgb(&frame, Some(region)).unwrap().into_raw()
                };
                let singles: Vec<u8> = (left..width).flat_map(|x| part(x, 1)).collect();
                assert_eq!(
                    part(left, width - left),
                    singles,
                    "{format} {range:?} {left}"
                );
            }
        }
    }
}

#[test]
fn a_region_outside_the_frame_is_refused() {
    let frame = frame(PixelFormat::Grey, [4, 4], 0, &[0; 16]);
    for (x, y, width, height) in [
        (0, 0, 5, 1),
        (4, 0, 1, 1),
        (0, 0, 0, 4),
        (u32::MAX, 0, 2, 1),
    ] {
        let region = Region {
            x,
            y,
            width,
            height,
        };
        let error = to_rgb(&frame, Some(region)).unwrap_err();
        assert!(matches!(error, ConvertError::Region { .. }));
    }
}

/// A picture with much detail, and its JPEG.
fn photo(width: u32, height: u32) -> (RgbImage, Vec<u8>) {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let wave = |k: u32| ((x * k + y * (k + 3)) % 200 + 20) as u8;
        image::Rgb([wave(1), wave(2), wave(5)])
    });
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Jpeg).unwrap();
    (picture, file.into_inner())
}

#[test]
fn a_jpeg_has_the_same_pixels_as_the_image_crate_reads_from_it_whole_and_cut() {
    let (_, file) = photo(64, 48);
    let read = image::load_from_memory(&file).unwrap().into_rgb8();
    let frame = frame(PixelFormat::Mjpg, [64, 48], 0, &file);
    assert_eq!(to_rgb(&frame, None).unwrap(), read);
    let region = Region {
        x: 5,
        y: 7,
        width: 20,
        height: 11,
    };
    let cut = image::imageops::crop_imm(&read, 5, 7, 20, 11).to_image();
    assert_eq!(to_rgb(&frame, Some(region)).unwrap(), cut);
}

/// Where the entropy-coded data of a JPEG begins.
fn scan(file: &[u8]) -> usize {
    file.windows(2).rposition(|m| m == [0xff, 0xda]).unwrap() + 14
}

#[test]
fn a_jpeg_that_lost_its_last_bytes_but_has_an_end_marker_is_refused() {
    let (_, file) = photo(64, 48);
    let last = file.len() - 2;
    for end in scan(&file)..last - 32 {
        let cut = [&file[..end], &[0xff, 0xd9]].concat();
        let frame = frame(PixelFormat::Mjpg, [64, 48], 0, &cut);
        let converted = to_rgb(&frame, None);
        assert!(
            matches!(converted, Err(ConvertError::Jpeg { .. })),
            "{end} of {last}"
        );
    }
}

#[test]
fn a_jpeg_that_lost_a_packet_in_its_middle_is_refused() {
    let (_, file) = photo(640, 480);
    let first = scan(&file);
    for lost in [1024, 3072, 16384] {
        for from in (first..file.len() - lost - 2).step_by(1009) {
            let joined = [&file[..from], &file[from + lost..]].concat();
            let layout = Layout::packed(PixelFormat::Mjpg, 640, 480);
            let converted = Frame::new(joined, layout, Duration::ZERO, 0)
                .map_err(|error| error.to_string())
                .and_then(|frame| to_rgb(&frame, None).map_err(|error| error.to_string()));
            assert!(converted.is_err(), "{lost} bytes lost at {from}");
        }
    }
}

#[test]
fn a_sound_jpeg_that_is_tiny_or_flat_is_taken() {
    for (width, height) in [(8, 8), (16, 16), (17, 1), (640, 480)] {
        let flat = RgbImage::from_pixel(width, height, image::Rgb([128; 3]));
        let mut file = Cursor::new(Vec::new());
        flat.write_to(&mut file, ImageFormat::Jpeg).unwrap();
        let frame = frame(PixelFormat::Mjpg, [width, height], 0, &file.into_inner());
        assert_eq!(to_rgb(&frame, None), Ok(flat));
    }
}

#[test]
fn a_jpeg_of_another_size_than_agreed_is_refused() {
    let (_, file) = photo(32, 24);
    for size in [[64, 48], [32, 25], [16, 12]] {
        let frame = frame(PixelFormat::Mjpg, size, 0, &file);
        assert!(to_rgb(&frame, None).is_err(), "{size:?}");
    }
}

#[test]
fn damage_anywhere_in_a_jpeg_is_an_error_or_a_picture_of_the_agreed_size_and_never_a_panic() {
    let (_, file) = photo(64, 48);
    let mut dice = 1_u32;
    let mut roll = |sides: usize| {
        // xorshift32 (Marsaglia 2003)
        dice ^= dice << 13;
        dice ^= dice >> 17;
        dice ^= dice << 5;
        dice as usize % sides
    };
    for _ in 0..3000 {
        let mut damaged = file.clone();
        for _ in 0..=roll(4) {
            let at = roll(damaged.len());
            damaged[at] = roll(256) as u8;
        }
        let layout = Layout::packed(PixelFormat::Mjpg, 64, 48);
        if let Ok(frame) = Frame::new(damaged, layout, Duration::ZERO, 0)
            && let Ok(picture) = to_rgb(&frame, None)
        {
            assert_eq!(picture.dimensions(), (64, 48));
        }
    }
}
