use super::*;

fn frame(bytes: usize, layout: Layout) -> Result<Frame, Corruption> {
    Frame::new(vec![0; bytes], layout, Duration::ZERO, 0)
}

#[test]
fn a_frame_of_each_raw_format_wants_its_bytes_and_not_one_less() {
    for (format, width, height, bytes) in [
        (PixelFormat::Yuyv, 4, 3, 24),
        (PixelFormat::Yuyv, 3, 1, 8),
        (PixelFormat::Grey, 4, 3, 12),
        (PixelFormat::Rgb3, 4, 3, 36),
        (PixelFormat::Bgr3, 4, 3, 36),
        (PixelFormat::Nv12, 4, 4, 24),
        (PixelFormat::Nv12, 3, 3, 20),
    ] {
        let layout = Layout::packed(format, width, height);
        assert!(frame(bytes, layout).is_ok(), "{format}");
        let Err(Corruption::Layout(LayoutError::Short { needed, got, .. })) =
            frame(bytes - 1, layout)
        else {
            panic!("{format}: a short frame was taken");
        };
        assert_eq!((needed, got), (bytes as u64, bytes - 1), "{format}");
    }
}

#[test]
fn padding_counts_between_rows_but_not_behind_the_last() {
    let layout = Layout {
        stride: 10,
        ..Layout::packed(PixelFormat::Grey, 4, 3)
    };
    assert!(frame(24, layout).is_ok());
    assert!(frame(23, layout).is_err());
}

#[test]
fn a_stride_shorter_than_a_row_and_an_impossible_size_are_refused() {
    let layout = Layout {
        stride: 7,
        ..Layout::packed(PixelFormat::Yuyv, 4, 1)
    };
    assert!(matches!(layout.check(), Err(LayoutError::Stride { .. })));
    for (width, height) in [(0, 1), (1, 0), (MAX_SIDE_PX + 1, 1), (u32::MAX, u32::MAX)] {
        let layout = Layout::packed(PixelFormat::Rgb3, width, height);
        assert!(matches!(layout.check(), Err(LayoutError::Size { .. })));
    }
}

#[test]
fn four_character_codes_lead_back_to_their_formats() {
    for format in PixelFormat::ALL {
        assert_eq!(PixelFormat::from_fourcc(format.fourcc()), Some(format));
    }
    assert_eq!(PixelFormat::from_fourcc(*b"H264"), None);
}
