use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// What changes in a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// All grey values are multiplied: exposure.
    Brightness,
    /// Red is raised and blue lowered, or the other way round: colour temperature.
    Temperature,
    /// Grey values, 0 to 1, are raised to a power: tone curve.
    Gamma,
    /// Gaussian noise is added to every channel.
    Noise,
    /// Gaussian blur: focus.
    Blur,
    /// The picture is smeared along its rows: motion.
    MotionBlur,
    /// The picture is compressed.
    Jpeg,
    /// The picture moves to the right and half as far down; the edge is repeated.
    Shift,
    /// The picture turns clockwise about its centre; the edge is repeated.
    Rotation,
}

impl Kind {
    /// Every kind, light first.
    pub const ALL: [Self; 9] = [
        Self::Brightness,
        Self::Temperature,
        Self::Gamma,
        Self::Noise,
        Self::Blur,
        Self::MotionBlur,
        Self::Jpeg,
        Self::Shift,
        Self::Rotation,
    ];

    /// The name on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Brightness => "brightness",
            Self::Temperature => "temperature",
            Self::Gamma => "gamma",
            Self::Noise => "noise",
            Self::Blur => "blur",
            Self::MotionBlur => "motion-blur",
            Self::Jpeg => "jpeg",
            Self::Shift => "shift",
            Self::Rotation => "rotation",
        }
    }

    /// What a level of this kind counts; empty where it has no unit.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Brightness | Self::Temperature => "%",
            Self::Gamma => "",
            Self::Noise => "grey levels",
            Self::Blur | Self::MotionBlur | Self::Shift => "% of the shorter side",
            Self::Jpeg => "quality",
            Self::Rotation => "degrees",
        }
    }

    /// Levels that are tried when none are asked for: what a station may see in a bad week.
    pub fn levels(self) -> &'static [f32] {
        match self {
            Self::Brightness => &[-30.0, -15.0, 15.0, 30.0],
            Self::Temperature => &[-20.0, -10.0, 10.0, 20.0],
            Self::Gamma => &[0.7, 0.85, 1.2, 1.4],
            Self::Noise => &[4.0, 8.0, 16.0],
            Self::Blur => &[0.1, 0.2, 0.4],
            Self::MotionBlur => &[0.5, 1.0, 2.0],
            Self::Jpeg => &[75.0, 50.0, 25.0],
            Self::Shift => &[1.0, 2.0, 4.0],
            Self::Rotation => &[1.0, 2.0, 5.0],
        }
    }

    /// Least and greatest level that makes sense.
    fn range(self) -> [f32; 2] {
        match self {
            Self::Brightness => [-100.0, 1000.0],
            Self::Temperature => [-100.0, 100.0],
            Self::Gamma => [0.05, 20.0],
            Self::Noise => [0.0, 255.0],
            Self::Blur => [0.0, 10.0],
            Self::MotionBlur => [0.0, 50.0],
            Self::Jpeg => [1.0, 100.0],
            Self::Shift => [-100.0, 100.0],
            Self::Rotation => [-180.0, 180.0],
        }
    }

    /// A level with its unit, and its sign where it can go both ways.
    pub fn level_text(self, level: f32) -> String {
        let number = match self {
            Self::Brightness | Self::Temperature => format!("{level:+}"),
            _ => format!("{level}"),
        };
        match self.unit() {
            "" => number,
            unit => format!("{number} {unit}"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// A kind and the levels to try, as written on the command line: `noise` or `noise=4,8`.
#[derive(Debug, Clone, PartialEq)]
pub struct Levels {
    /// What changes.
    pub kind: Kind,
    /// How much, in the kind's unit.
    pub levels: Vec<f32>,
}

impl Levels {
    /// A kind with the levels that are tried when none are asked for.
    pub fn usual(kind: Kind) -> Self {
        Self {
            kind,
            levels: kind.levels().to_vec(),
        }
    }
}

impl FromStr for Levels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, levels) = match text.split_once('=') {
            Some((name, levels)) => (name, Some(levels)),
            None => (text, None),
        };
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.as_str() == name) else {
            let names = Kind::ALL.map(Kind::as_str).join(", ");
            return Err(format!("no stress is called {name:?}: there are {names}"));
        };
        let Some(levels) = levels else {
            return Ok(Self::usual(kind));
        };
        let [low, high] = kind.range();
        let level = |word: &str| match word.trim().parse::<f32>() {
            Ok(level) if (low..=high).contains(&level) => Ok(level),
            _ => Err(format!(
                "{word:?} is no level of {kind}: a number from {low} to {high} is needed{}",
                match kind.unit() {
                    "" => String::new(),
                    unit => format!(" ({unit})"),
                }
            )),
        };
        let levels = levels.split(',').map(level).collect::<Result<_, _>>()?;
        Ok(Self { kind, levels })
    }
}
