use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The rectangle of a picture that is inspected, in pixels of the upright picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roi {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width, at least 1.
    pub width: u32,
    /// Height, at least 1.
    pub height: u32,
}

impl Roi {
    /// All of a picture.
    pub fn whole(width: u32, height: u32) -> Self {
        Self {
            x: 0,
            y: 0,
            width,
            height,
        }
    }

    /// The region of a picture of this size; all of a picture that does not hold it.
    pub fn or_whole(roi: Option<Self>, width: u32, height: u32) -> Self {
        roi.filter(|roi| roi.fits(width, height))
            .unwrap_or(Self::whole(width, height))
    }

    /// Whether a picture of this size holds all of the region.
    pub fn fits(&self, width: u32, height: u32) -> bool {
        let inside = |start: u32, length: u32, side: u32| {
            length > 0 && start.checked_add(length).is_some_and(|end| end <= side)
        };
        inside(self.x, self.width, width) && inside(self.y, self.height, height)
    }
}

impl fmt::Display for Roi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},{}", self.x, self.y, self.width, self.height)
    }
}

impl FromStr for Roi {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is not X,Y,WIDTH,HEIGHT in whole pixels, such as 120,80,640,480");
        let numbers = text
            .split(',')
            .map(|part| part.trim().parse::<u32>())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| wrong())?;
        match numbers[..] {
            [x, y, width, height] if width > 0 && height > 0 => Ok(Self {
                x,
                y,
                width,
                height,
            }),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_read_as_four_numbers_and_printed_the_same_way() {
        let roi: Roi = "120, 80,640,480".parse().unwrap();
        assert_eq!(roi.to_string(), "120,80,640,480");
        for text in ["", "1,2,3", "1,2,3,4,5", "1,2,0,4", "-1,2,3,4", "a,b,c,d"] {
            assert!(text.parse::<Roi>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_region_fits_only_when_all_of_it_is_inside_even_with_huge_numbers() {
        let roi = |x, width| Roi {
            x,
            y: 0,
            width,
            height: 1,
        };
        assert!(roi(5, 5).fits(10, 1));
        assert!(!roi(6, 5).fits(10, 1));
        assert!(!roi(u32::MAX, 2).fits(10, 1));
    }
}
