//! The station file: a TOML text that says which camera, recipes, outputs and record make up one
//! station. Parsed and checked once, at the door; what comes out can be used as it is.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use andon_alert::Input as GpioInput;
use andon_alert::{
    GpioSettings, InputLine, LedNames, LightPortSettings, LightSettings, TextSettings,
};
use andon_camera::PixelFormat;
use andon_camera::rendered::LineConfig;
use andon_camera::v4l2::CameraSettings;
use andon_link::{Configuration, RecipeIndex, Rejector, TriggerInput, Triggering};
use andon_station::{
    ChallengeSettings, Debounce, Hold, OnError, PresenceSettings, Settings, Threshold,
};
use serde::Deserialize;

use crate::vit::Threads;

/// Everything about one station.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StationFile {
    /// Name of the station, in records and lines of text.
    pub name: String,
    /// Where frames come from.
    pub camera: Camera,
    /// What announces a part.
    #[serde(default)]
    pub trigger: TriggerFrom,
    /// The recipes that can judge; the first one begins.
    #[serde(rename = "recipe")]
    pub recipes: Vec<RecipeEntry>,
    /// How it judges.
    #[serde(default)]
    pub judging: Judging,
    /// What shows it.
    #[serde(default)]
    pub outputs: OutputsTo,
    /// Where it is recorded.
    pub record: Record,
}

/// Where frames come from.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "source", rename_all = "lowercase", deny_unknown_fields)]
pub enum Camera {
    /// A camera of the system.
    V4l2 {
        /// Device; a name under `/dev/v4l/by-id` survives a replug.
        device: PathBuf,
        /// `YUYV`, `MJPG`, `GREY`, `RGB3`, `BGR3` or `NV12`.
        #[serde(default = "yuyv")]
        format: String,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Frames a second.
        #[serde(default = "thirty")]
        fps: u32,
        /// Exposure in microseconds; as it is when missing.
        exposure_us: Option<u64>,
        /// Gain in the camera's own unit; as it is when missing.
        gain: Option<i64>,
        /// Colour temperature in kelvin; as it is when missing.
        white_balance_kelvin: Option<u32>,
    },
    /// Images of a folder, in natural order.
    Replay {
        /// The folder.
        folder: PathBuf,
        /// Time between images; as fast as they are judged when missing.
        interval_ms: Option<u64>,
        /// Begins again after the last.
        #[serde(default)]
        endless: bool,
    },
    /// The rendered line of `andon demo`.
    Rendered {
        /// Which line.
        #[serde(default = "one")]
        seed: u64,
        /// The first part.
        #[serde(default)]
        first: u32,
        /// Time between parts; as fast as they are judged when missing.
        interval_ms: Option<u64>,
    },
}

fn yuyv() -> String {
    "YUYV".into()
}

fn thirty() -> u32 {
    30
}

fn one() -> u64 {
    1
}

impl Camera {
    /// Whether each frame is a part of its own that must not be skipped.
    pub fn shows_a_part_a_frame(&self) -> bool {
        !matches!(self, Self::V4l2 { .. })
    }
}

/// What announces a part.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase", deny_unknown_fields)]
pub enum TriggerFrom {
    /// Each frame is a part: for folders and the rendered line.
    #[default]
    Frame,
    /// The stack light's input, a GPIO line, or `andon tell trigger`.
    Input,
    /// The image: parts come and go in front of the camera.
    Presence {
        /// An image of the empty place.
        empty: PathBuf,
        /// Mean change in grey levels from which a part is there; learned when missing.
        on: Option<f32>,
        /// Mean change in grey levels below which the place is empty.
        off: Option<f32>,
        /// How long to learn them.
        #[serde(default = "half_minute")]
        learn_s: u64,
        /// How long a part must be still.
        #[serde(default)]
        settle_ms: u64,
        /// How long the place must be empty between parts.
        #[serde(default = "hundred")]
        gap_ms: u64,
    },
}

fn half_minute() -> u64 {
    30
}

fn hundred() -> u64 {
    100
}

/// One recipe.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeEntry {
    /// Its number on the outputs.
    pub index: u16,
    /// The file.
    pub file: PathBuf,
}

/// How the station judges.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Judging {
    /// From trigger to result.
    pub deadline_ms: u64,
    /// Threads for the network; as many as `cores`, or as there are cores, when missing.
    pub threads: Option<usize>,
    /// Cores, numbered from 0, that the threads are bound to, one to each; unbound when empty.
    pub cores: Vec<usize>,
    /// Manifest of another model.
    pub model: Option<PathBuf>,
    /// Results stay until acknowledged, and no part is taken before.
    pub hold_until_ack: bool,
    /// No part is taken while an error is not acknowledged.
    pub block_on_error: bool,
    /// Bad parts in a row that make an alarm.
    pub alarm_parts: u32,
    /// Seconds without a good part that make an alarm, instead.
    pub alarm_s: Option<u64>,
    /// What light, sharpness, position and scores are compared with.
    pub drift_from: DriftFrom,
    /// The buzzer sounds until acknowledged.
    pub buzzer: bool,
    /// Challenge parts are asked for at start.
    pub challenge_at_start: bool,
    /// And again so many minutes after each.
    pub challenge_every_min: Option<u64>,
}

/// What drift is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DriftFrom {
    /// The pictures that the recipe was learned from, as far as they tell; the rest is learned from
    /// the first good parts of the run.
    #[default]
    Recipe,
    /// The first good parts of the run: for recipes that were learned from pictures of another
    /// camera or place.
    Run,
}

impl Default for Judging {
    fn default() -> Self {
        Self {
            deadline_ms: 3000,
            threads: None,
            cores: Vec::new(),
            model: None,
            hold_until_ack: false,
            block_on_error: false,
            alarm_parts: 1,
            alarm_s: None,
            drift_from: DriftFrom::Recipe,
            buzzer: false,
            challenge_at_start: false,
            challenge_every_min: None,
        }
    }
}

/// What shows the station.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputsTo {
    /// The stack light with its own computer.
    pub light: Option<Light>,
    /// LEDs of the system, by lamp.
    pub leds: Option<LedNames>,
    /// Lines of GPIO chips.
    pub gpio: Option<GpioSettings>,
    /// Inputs on GPIO lines.
    #[serde(rename = "input")]
    pub inputs: BTreeMap<String, InputLine>,
    /// Lines of text over TCP.
    pub tcp: Option<TextSettings>,
    /// Lines of text on a serial port.
    pub text_port: Option<TextSerial>,
    /// The local socket of `andon status`.
    pub socket: Option<PathBuf>,
}

/// The stack light with its own computer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Light {
    /// Serial port.
    pub port: PathBuf,
    /// Its trigger input, if parts are announced there.
    pub trigger: Option<TriggerInput>,
    /// The rejector behind it.
    pub rejector: Option<Rejector>,
}

/// A serial port that carries lines of text.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSerial {
    /// The port.
    pub port: PathBuf,
    /// Symbols a second.
    pub baud: u32,
}

/// Where results are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Folder of journal and images.
    pub folder: PathBuf,
    /// Most megabytes of images.
    #[serde(default = "gigabyte")]
    pub images_mb: u64,
    /// Megabytes of the disk that images leave free.
    #[serde(default = "free")]
    pub leave_free_mb: u64,
    /// One good part in so many is kept as an image; none when missing.
    pub keep_every_nth_ok: Option<NonZeroU32>,
}

fn gigabyte() -> u64 {
    1000
}

fn free() -> u64 {
    200
}

/// Why a station file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StationFileError {
    /// It cannot be read.
    #[error("cannot read station file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is not what a station file looks like; the message names line and column.
    #[error("{}: {reason}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        reason: String,
    },
    /// A value makes no sense.
    #[error("{}: {key}: {reason}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Which entry.
        key: String,
        /// What is wrong and what to do.
        reason: String,
    },
}

impl StationFile {
    /// Reads a station file. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// [`StationFileError`], naming file and line, or the entry.
    pub fn read(path: &Path) -> Result<Self, StationFileError> {
        let text = std::fs::read_to_string(path).map_err(|source| StationFileError::Read {
            path: path.into(),
            source,
        })?;
        let mut file: Self = toml::from_str(&text).map_err(|e| StationFileError::Parse {
            path: path.into(),
            reason: e.to_string().trim_end().into(),
        })?;
        file.root(path.parent().unwrap_or(Path::new("")));
        file.check()
            .map_err(|(key, reason)| StationFileError::Value {
                path: path.into(),
                key: key.into(),
                reason,
            })?;
        Ok(file)
    }

    /// Makes the paths of files, not of devices, relative to `folder`.
    fn root(&mut self, folder: &Path) {
        let root = |path: &mut PathBuf| *path = folder.join(&path);
        self.recipes.iter_mut().for_each(|r| root(&mut r.file));
        root(&mut self.record.folder);
        self.judging.model.iter_mut().for_each(root);
        match &mut self.camera {
            Camera::Replay { folder, .. } => root(folder),
            Camera::V4l2 { .. } | Camera::Rendered { .. } => {}
        }
        if let TriggerFrom::Presence { empty, .. } = &mut self.trigger {
            root(empty);
        }
    }

    fn check(&self) -> Result<(), (&'static str, String)> {
        if self.name.trim().is_empty() {
            return Err(("name", "is empty: give the station a name".into()));
        }
        if self.recipes.is_empty() {
            return Err(("recipe", "there is none: add a [[recipe]]".into()));
        }
        for (n, entry) in self.recipes.iter().enumerate() {
            if self.recipes[..n].iter().any(|r| r.index == entry.index) {
                let reason = format!("index {} is there twice: number recipes apart", entry.index);
                return Err(("recipe", reason));
            }
        }
        if let Camera::V4l2 { format, .. } = &self.camera {
            pixel_format(format).ok_or_else(|| {
                let reason = format!("{format:?} is none of YUYV, MJPG, GREY, RGB3, BGR3, NV12");
                ("camera.format", reason)
            })?;
            if matches!(self.trigger, TriggerFrom::Frame) {
                let reason = "a camera shows a part in many frames: add [trigger] with \
                              from = \"input\" or from = \"presence\"";
                return Err(("trigger", reason.into()));
            }
        }
        self.inputs().map(|_| ())?;
        if let TriggerFrom::Presence { on, off, .. } = &self.trigger
            && on.is_some() != off.is_some()
        {
            return Err((
                "trigger",
                "give both on and off, or none to learn them".into(),
            ));
        }
        if let Some(light) = &self.outputs.light
            && light.rejector.is_some()
            && light.trigger.is_none()
        {
            let reason = "a rejector needs outputs.light.trigger, from which it counts";
            return Err(("outputs.light.rejector", reason.into()));
        }
        Threads::check(self.judging.threads, &self.judging.cores)
            .map_err(|e| ("judging.cores", e.to_string()))?;
        self.settings()
            .check()
            .map_err(|e| ("judging", e.to_string()))
    }

    /// Settings of the state machine.
    pub fn settings(&self) -> Settings {
        let judging = &self.judging;
        let first = RecipeIndex(self.recipes.first().map_or(0, |r| r.index));
        let mut settings = match &self.trigger {
            TriggerFrom::Presence {
                on,
                off,
                learn_s,
                settle_ms,
                gap_ms,
                ..
            } => Settings::free_running(
                first,
                PresenceSettings {
                    threshold: match (on, off) {
                        (Some(on), Some(off)) => Threshold::Given { on: *on, off: *off },
                        _ => Threshold::Learned {
                            during: Duration::from_secs(*learn_s),
                        },
                    },
                    settle: Duration::from_millis(*settle_ms),
                    gap: Duration::from_millis(*gap_ms),
                },
            ),
            TriggerFrom::Frame | TriggerFrom::Input => Settings::triggered(first),
        };
        settings.deadline = Duration::from_millis(judging.deadline_ms);
        if matches!(self.camera, Camera::V4l2 { .. }) {
            settings.frame_timeout = Some(Duration::from_secs(2));
        }
        settings.hold = if judging.hold_until_ack {
            Hold::UntilAck
        } else {
            Hold::UntilTrigger
        };
        settings.on_error = if judging.block_on_error {
            OnError::Block
        } else {
            OnError::Continue
        };
        settings.alarm = match judging.alarm_s {
            Some(seconds) => Debounce::For(Duration::from_secs(seconds)),
            None => Debounce::Parts(judging.alarm_parts),
        };
        settings.buzzer = judging.buzzer;
        settings.challenge = ChallengeSettings {
            at_start: judging.challenge_at_start,
            every: judging
                .challenge_every_min
                .map(|minutes| Duration::from_secs(60 * minutes)),
            after_switch: false,
        };
        settings
    }

    /// Settings of the camera, if it is one.
    pub fn camera_settings(&self) -> Option<CameraSettings> {
        let Camera::V4l2 {
            device,
            format,
            width,
            height,
            fps,
            exposure_us,
            gain,
            white_balance_kelvin,
        } = &self.camera
        else {
            return None;
        };
        Some(CameraSettings {
            path: device.clone(),
            format: pixel_format(format)?,
            width: *width,
            height: *height,
            frames_per_second: *fps,
            exposure: exposure_us.map(Duration::from_micros),
            gain: *gain,
            white_balance_kelvin: *white_balance_kelvin,
        })
    }

    /// Whether drift is compared with pictures of this size, `[width, height]`, that a recipe was
    /// learned from: only if the camera's are of that size, too.
    pub fn compares_with_recipe(&self, picture: [u32; 2]) -> bool {
        let own = match &self.camera {
            Camera::V4l2 { width, height, .. } => Some([*width, *height]),
            Camera::Replay { folder, .. } => first_size(folder),
            Camera::Rendered { .. } => {
                let line = LineConfig::default();
                Some([line.width, line.height])
            }
        };
        self.judging.drift_from == DriftFrom::Recipe && own == Some(picture)
    }

    /// How the stack light is used.
    pub fn light(&self) -> Option<LightPortSettings> {
        let light = self.outputs.light.as_ref()?;
        let triggering = match light.trigger {
            Some(input) => Triggering::Input {
                input,
                rejector: light.rejector,
            },
            None => Triggering::FreeRunning,
        };
        Some(LightPortSettings {
            port: light.port.clone(),
            light: LightSettings::new(Configuration { triggering }),
        })
    }

    /// The GPIO inputs by their meaning.
    fn inputs(&self) -> Result<Vec<(GpioInput, InputLine)>, (&'static str, String)> {
        let named = |(name, line): (&String, &InputLine)| match name.as_str() {
            "trigger" => Ok((GpioInput::Trigger, line.clone())),
            "acknowledge" => Ok((GpioInput::Acknowledge, line.clone())),
            other => Err((
                "outputs.input",
                format!("{other:?} is no input: name it trigger or acknowledge"),
            )),
        };
        self.outputs.inputs.iter().map(named).collect()
    }

    /// The GPIO inputs by their meaning; a file that was read has only known ones.
    pub fn gpio_inputs(&self) -> Vec<(GpioInput, InputLine)> {
        self.inputs().unwrap_or_default()
    }
}

/// Size of the first image of a folder that can be read.
fn first_size(folder: &Path) -> Option<[u32; 2]> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    let size = |path: PathBuf| crate::image::read_dimensions(&path).ok();
    paths.into_iter().find_map(size).map(Into::into)
}

fn pixel_format(name: &str) -> Option<PixelFormat> {
    let code: [u8; 4] = name.to_ascii_uppercase().into_bytes().try_into().ok()?;
    PixelFormat::from_fourcc(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: &str = r#"
name = "press 4"
[camera]
source = "replay"
folder = "parts"
[[recipe]]
index = 1
file = "bracket.andon"
[record]
folder = "record"
"#;

    fn read(text: &str) -> Result<StationFile, StationFileError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("station.toml");
        std::fs::write(&path, text).expect("a file");
        let mut file = StationFile::read(&path)?;
        file.record.folder = file.record.folder.file_name().expect("a name").into();
        Ok(file)
    }

    #[test]
    fn the_smallest_file_is_a_station() {
        let file = read(SMALLEST).expect("a station");
        assert_eq!(file.settings().deadline, Duration::from_secs(3));
        assert!(file.camera.shows_a_part_a_frame());
    }

    #[test]
    fn an_error_names_the_line_or_the_entry() {
        let line = read(&SMALLEST.replace("index = 1", "indx = 1")).expect_err("no such key");
        assert!(line.to_string().contains("line 7"), "{line}");
        let camera = r#"source = "v4l2"
device = "/dev/video0"
width = 640
height = 480
"#;
        let text = SMALLEST.replace("source = \"replay\"\nfolder = \"parts\"\n", camera);
        let trigger = read(&text).expect_err("no trigger").to_string();
        assert!(trigger.contains("[trigger]"), "{trigger}");
        let text = text.replace("width", "format = \"RAW8\"\nwidth");
        let format = read(&text).expect_err("no such format").to_string();
        assert!(format.contains("camera.format"), "{format}");
    }

    #[test]
    fn cores_are_named_once_and_agree_with_the_number_of_threads() {
        let judging = |text: &str| read(&format!("{SMALLEST}\n[judging]\n{text}\n"));
        let refused = |text: &str| judging(text).expect_err(text).to_string();
        for text in ["cores = [2, 0]", "cores = [2, 0]\nthreads = 2"] {
            assert_eq!(judging(text).expect(text).judging.cores, [2, 0]);
        }
        let differ = refused("cores = [1, 2, 3]\nthreads = 2");
        for word in ["judging.cores", "threads is 2", "named is 3", "leave"] {
            assert!(differ.contains(word), "{differ}");
        }
        let twice = refused("cores = [1, 3, 1]");
        assert!(
            twice.contains("judging.cores: core 1 is named twice"),
            "{twice}"
        );
        assert!(refused("cores = [-1]").contains("line"));
    }

    #[test]
    fn a_recipe_number_is_used_once() {
        let twice = format!("{SMALLEST}\n[[recipe]]\nindex = 1\nfile = \"b.andon\"\n");
        let error = read(&twice).expect_err("twice").to_string();
        assert!(error.contains("index 1 is there twice"), "{error}");
    }
}
