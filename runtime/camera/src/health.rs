//! Cheap checks of one frame, before anything is inferred from it: is it sound, of the agreed
//! size, fresh, and is there any light in it?
//!
//! They find a camera that is broken, covered or blinded. Light that is merely wrong is not their
//! subject: drift is measured against what the recipe learned.

use std::ops::Deref;
use std::time::Duration;

use image::{ImageBuffer, Rgb};

use crate::frame::Frame;

/// About how many pixels are looked at: enough to tell black from dark, and under 0.1 ms.
const SAMPLES: u32 = 4096;

/// What a station expects of its frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// Width and height in pixels that were agreed with the camera, `None` where any will do.
    pub size: Option<(u32, u32)>,
    /// Greatest age of a frame that may be judged.
    pub max_age: Duration,
    /// A frame is black when this share of its pixels, `0.0..=1.0`, is at most
    /// [`Self::black_level`] in every channel.
    pub black_share: f32,
    /// Brightest level of black. Sensors add noise and a pedestal, so it is above 0.
    pub black_level: u8,
    /// A frame is over-exposed when this share of its pixels, `0.0..=1.0`, is at least
    /// [`Self::white_level`] in every channel.
    pub white_share: f32,
    /// Darkest level of white. Limited-range YUV reaches 254 or 255.
    pub white_level: u8,
}

impl Default for Expected {
    /// Any size, half a second, black when 99.5 % are at most 16 of 255, over-exposed when 90 %
    /// are at least 250. The shares leave room for a lamp in view and for a part on a back light:
    /// a station that shows dark parts on white light must raise `white_share`.
    fn default() -> Self {
        Self {
            size: None,
            max_age: Duration::from_millis(500),
            black_share: 0.995,
            black_level: 16,
            white_share: 0.9,
            white_level: 250,
        }
    }
}

/// Why a frame must not be judged.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Unhealthy {
    /// Not the agreed size.
    #[error(
        "the frame is {width} x {height} px instead of {agreed_width} x {agreed_height}: \
         another program may have set the camera; restart the station"
    )]
    WrongSize {
        /// Width of the frame in pixels.
        width: u32,
        /// Height of the frame in pixels.
        height: u32,
        /// Agreed width in pixels.
        agreed_width: u32,
        /// Agreed height in pixels.
        agreed_height: u32,
    },
    /// Captured too long ago, or stamped in the future.
    #[error("the frame is stale: captured {age:?} ago, at most {max_age:?} is allowed")]
    Stale {
        /// Age of the frame; 0 when it is stamped in the future.
        age: Duration,
        /// Greatest age allowed.
        max_age: Duration,
    },
    /// No light at all.
    #[error("the frame is black ({share:.3} of it): look at lens cap, lamp and exposure")]
    Black {
        /// Share of black pixels.
        share: f32,
    },
    /// White throughout.
    #[error("the frame is over-exposed ({share:.3} of it): look at exposure, gain and stray light")]
    OverExposed {
        /// Share of white pixels.
        share: f32,
    },
}

/// Size and age, which need no pixels; `now` is on the clock of [`Frame::captured`].
///
/// A time in the future beyond `max_age` is stale, too: such a clock says nothing.
///
/// # Errors
/// [`Unhealthy::WrongSize`] and [`Unhealthy::Stale`].
pub fn check_frame(frame: &Frame, now: Duration, expected: &Expected) -> Result<(), Unhealthy> {
    let size = (frame.width(), frame.height());
    if let Some(agreed) = expected.size
        && agreed != size
    {
        return Err(Unhealthy::WrongSize {
            width: size.0,
            height: size.1,
            agreed_width: agreed.0,
            agreed_height: agreed.1,
        });
    }
    if now.abs_diff(frame.captured()) > expected.max_age {
        return Err(Unhealthy::Stale {
            age: now.saturating_sub(frame.captured()),
            max_age: expected.max_age,
        });
    }
    Ok(())
}

/// Whether there is light, from an even sample of the picture's pixels. Give it the picture after
/// [`crate::to_rgb`], of the region of interest, as that is what will be judged.
///
/// # Errors
/// [`Unhealthy::Black`] and [`Unhealthy::OverExposed`].
pub fn check_light<C>(
    picture: &ImageBuffer<Rgb<u8>, C>,
    expected: &Expected,
) -> Result<(), Unhealthy>
where
    C: Deref<Target = [u8]>,
{
    let (width, height) = picture.dimensions();
    // A grid, not every n-th pixel: that could follow a column of the picture all the way down.
    let step = (f64::from(width) * f64::from(height) / f64::from(SAMPLES))
        .sqrt()
        .max(1.0) as usize;
    let (mut black, mut white, mut all) = (0_u32, 0_u32, 0_u32);
    for y in (step / 2..height as usize).step_by(step) {
        for x in (step / 2..width as usize).step_by(step) {
            let pixel = picture.get_pixel(x as u32, y as u32).0;
            black += u32::from(pixel.iter().all(|level| *level <= expected.black_level));
            white += u32::from(pixel.iter().all(|level| *level >= expected.white_level));
            all += 1;
        }
    }
    // Without pixels nothing shines: black.
    let share = |count: u32| {
        if all == 0 {
            1.0
        } else {
            count as f32 / all as f32
        }
    };
    if share(black) >= expected.black_share {
        return Err(Unhealthy::Black {
            share: share(black),
        });
    }
    if share(white) >= expected.white_share {
        return Err(Unhealthy::OverExposed {
            share: share(white),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;
    use crate::rendered::{LineConfig, RenderedLine};

    const SECOND: Duration = Duration::from_secs(1);

    fn light(picture: &RgbImage) -> Result<(), Unhealthy> {
        check_light(picture, &Expected::default())
    }

    #[test]
    fn black_and_over_exposed_frames_are_named_and_a_normal_one_is_neither() {
        let flat = |level| RgbImage::from_pixel(640, 480, Rgb([level; 3]));
        assert!(matches!(light(&flat(9)), Err(Unhealthy::Black { .. })));
        assert!(matches!(
            light(&flat(252)),
            Err(Unhealthy::OverExposed { .. })
        ));
        assert_eq!(light(&flat(40)), Ok(()));
        let line = RenderedLine::new(LineConfig::default()).unwrap();
        assert_eq!(light(&line.part(0, None).image), Ok(()));
    }

    #[test]
    fn a_small_bright_part_on_a_black_belt_is_no_black_frame() {
        let picture = RgbImage::from_fn(640, 480, |x, y| {
            let part = (300..360).contains(&x) && (200..260).contains(&y);
            Rgb([if part { 120 } else { 3 }; 3])
        });
        assert_eq!(light(&picture), Ok(()));
    }

    #[test]
    fn one_saturated_channel_is_no_over_exposure() {
        let red = RgbImage::from_pixel(64, 48, Rgb([255, 120, 90]));
        assert_eq!(light(&red), Ok(()));
    }

    #[test]
    fn a_frame_of_one_pixel_and_of_none_can_be_checked() {
        assert_eq!(light(&RgbImage::from_pixel(1, 1, Rgb([90; 3]))), Ok(()));
        assert!(light(&RgbImage::new(0, 0)).is_err());
    }

    #[test]
    fn another_size_and_an_old_frame_are_named() {
        let frame = Frame::from_rgb(RgbImage::new(8, 6), SECOND, 0).unwrap();
        let expected = Expected {
            size: Some((8, 6)),
            ..Expected::default()
        };
        let check = |now| check_frame(&frame, now, &expected);
        assert_eq!(check(SECOND + expected.max_age), Ok(()));
        assert!(matches!(check(SECOND * 2), Err(Unhealthy::Stale { .. })));
        assert!(matches!(
            check(Duration::ZERO),
            Err(Unhealthy::Stale { .. })
        ));
        let other = Expected {
            size: Some((6, 8)),
            ..expected
        };
        assert!(matches!(
            check_frame(&frame, SECOND, &other),
            Err(Unhealthy::WrongSize { .. })
        ));
    }
}
