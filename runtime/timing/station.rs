//! A whole station from trigger to output, measured from outside: a trigger is sent to its socket,
//! a camera exposes when the station has taken it, and the part's line of text is awaited on TCP.
//! Everything between is the station as `andon run` runs it: its file, threads, outputs and record.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use andon_alert::{Request, Response};
use andon_camera::{Delivery, Frame, FrameError, FrameSource, Newest, clock};
use andon_journal::{Filter, read};
use image::RgbImage;
use serde::Serialize;

use super::statistics::{Spread, spread};
use crate::line::{
    Bench, BenchError, Feed, Line, LineError, StationFile, StationFileError, Stop, Tell,
};
use crate::vit::Threads;

/// Parts that are not counted: the first ones wake threads and fetch memory.
const WARM_UP: usize = 3;

/// How long a station may take to start, and a part to be judged.
const PATIENCE: Duration = Duration::from_secs(60);

/// Pause between parts, so that what follows a result is done.
const PAUSE: Duration = Duration::from_millis(60);

/// How long a station takes beyond its network.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latency {
    /// Parts that were judged.
    pub parts: usize,
    /// The network, milliseconds.
    pub network_ms: Spread,
    /// From trigger to output, milliseconds.
    pub output_ms: Spread,
    /// What is not the network, part by part, milliseconds.
    pub beyond_ms: Spread,
    /// The same as a share of the network's time for the same part.
    pub beyond_of_network: Spread,
}

/// Why a station could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum LatencyError {
    /// A temporary file, or the machine's own network.
    #[error("the station cannot be measured: {0}")]
    Io(#[from] io::Error),
    /// The recipe.
    #[error(transparent)]
    Bench(#[from] BenchError),
    /// The station file that was written for it.
    #[error(transparent)]
    File(#[from] StationFileError),
    /// The station.
    #[error(transparent)]
    Line(#[from] LineError),
    /// It answered something else than what was expected.
    #[error("the station did not judge as expected: {0}")]
    Answer(String),
}

/// Runs a station with this recipe (a file) on `pictures`, until `parts` parts are judged. `model` is
/// the manifest of another model than the built-in one. The station runs on these threads, and the
/// calling one should not be bound to a core: others that it starts would be, too. `step` is called after each part.
///
/// # Errors
/// [`LatencyError`].
pub fn latency(
    recipe: &Path,
    model: Option<&Path>,
    pictures: &[RgbImage],
    threads: &Threads,
    parts: usize,
    mut step: impl FnMut(),
) -> Result<Latency, LatencyError> {
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("station.sock");
    let address = free_address()?;
    let mut file = station_file(folder.path(), recipe, &socket, address, threads)?;
    file.judging.model = model.map(Path::to_path_buf);
    let bench = Bench::load(&file, Some(threads), |_| {})?;
    let (shutter, shots) = channel();
    let camera = Triggered {
        pictures: pictures.to_vec(),
        shots,
        next: 0,
    };
    let mut camera = Some(camera);
    let feed = Feed::camera(move || {
        let camera = camera.take().ok_or_else(|| FrameError::End {
            name: "triggered camera".into(),
        })?;
        Newest::start(camera, 2 * PATIENCE, Delivery::Newest).map_err(|e| FrameError::Refused {
            name: "triggered camera".into(),
            reason: e.to_string(),
        })
    });
    // The line is made in the thread that turns it: its outputs belong to one thread.
    let line = thread::Builder::new().name("line".into()).spawn({
        let file = file.clone();
        move || {
            Line::open_on(&file, bench, Tell::Nothing, feed).map(|line| line.run(&Stop::default()))
        }
    })?;
    let measured = Outside::connect(&socket, address, &|| line.is_finished())
        .and_then(|outside| outside.measure(shutter, parts, &mut step));
    // Without a shutter the camera ends, and so does the line.
    match line.join() {
        Ok(ended) => {
            ended?;
        }
        Err(_) => return Err(LatencyError::Answer("its thread failed: report it".into())),
    }
    summarise(&measured?, &network_times(&file)?)
}

/// A station file of this recipe, and everything else in `folder`.
fn station_file(
    folder: &Path,
    recipe: &Path,
    socket: &Path,
    address: SocketAddr,
    threads: &Threads,
) -> Result<StationFile, LatencyError> {
    let text = |path: &Path| toml::Value::String(path.display().to_string()).to_string();
    let mut station = String::new();
    // Writing into a text cannot fail.
    let _ = write!(
        station,
        "name = \"bench\"\n[camera]\nsource = \"rendered\"\n[trigger]\nfrom = \"input\"\n\
         [[recipe]]\nindex = 1\nfile = {}\n[judging]\nthreads = {}\ncores = {:?}\ndeadline_ms = {}\n\
         [outputs]\nsocket = {}\ntcp = {{ address = \"{address}\" }}\n[record]\nfolder = \
         \"record\"\nimages_mb = 1\nleave_free_mb = 0\n",
        text(&std::path::absolute(recipe)?),
        threads.count(),
        threads.pool().cores(),
        PATIENCE.as_millis(),
        text(socket),
    );
    let path = folder.join("station.toml");
    std::fs::write(&path, station)?;
    Ok(StationFile::read(&path)?)
}

/// An address that nobody listens at; whoever is quicker than the station takes it.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// A camera that exposes when it is told to, like one that is wired to the light barrier.
struct Triggered {
    pictures: Vec<RgbImage>,
    shots: Receiver<()>,
    next: u64,
}

impl FrameSource for Triggered {
    fn next(&mut self, timeout: Duration) -> Result<Frame, FrameError> {
        let name = || "triggered camera".to_string();
        self.shots
            .recv_timeout(timeout)
            .map_err(|error| match error {
                RecvTimeoutError::Timeout => FrameError::TimedOut {
                    name: name(),
                    waited: timeout,
                },
                RecvTimeoutError::Disconnected => FrameError::End { name: name() },
            })?;
        let captured = clock::now();
        let sequence = self.next;
        self.next += 1;
        let picture = self.pictures[sequence as usize % self.pictures.len()].clone();
        Frame::from_rgb(picture, captured, sequence).map_err(|reason| FrameError::Corrupt {
            name: name(),
            sequence,
            reason,
        })
    }

    fn describe(&self) -> String {
        "triggered camera".into()
    }
}

/// Whoever stands outside: sends triggers, reads lines.
struct Outside {
    socket: BufReader<UnixStream>,
    lines: BufReader<TcpStream>,
}

impl Outside {
    /// Waits until the station answers, or until it is `over`.
    fn connect(
        socket: &Path,
        address: SocketAddr,
        over: &dyn Fn() -> bool,
    ) -> Result<Self, LatencyError> {
        let until = Instant::now() + PATIENCE;
        let socket = loop {
            match UnixStream::connect(socket) {
                Ok(stream) => break stream,
                Err(error) if over() || Instant::now() > until => return Err(error.into()),
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
        };
        socket.set_read_timeout(Some(PATIENCE))?;
        // The socket is the last thing that a station opens.
        let lines = TcpStream::connect(address)?;
        lines.set_read_timeout(Some(PATIENCE))?;
        let mut outside = Self {
            socket: BufReader::new(socket),
            lines: BufReader::new(lines),
        };
        outside.ask(&Request::Status)?;
        // The server takes up its readers a few times a second.
        thread::sleep(Duration::from_millis(500));
        Ok(outside)
    }

    fn ask(&mut self, request: &Request) -> Result<(), LatencyError> {
        let mut line = serde_json::to_vec(request).map_err(io::Error::from)?;
        line.push(b'\n');
        self.socket.get_mut().write_all(&line)?;
        line.clear();
        self.socket.read_until(b'\n', &mut line)?;
        match serde_json::from_slice(&line).map_err(io::Error::from)? {
            Response::Refused(why) => Err(LatencyError::Answer(why)),
            Response::Done | Response::Status(_) => Ok(()),
        }
    }

    /// Seconds from trigger to output of each part.
    fn measure(
        mut self,
        shutter: Sender<()>,
        parts: usize,
        step: &mut dyn FnMut(),
    ) -> Result<Vec<f64>, LatencyError> {
        let mut seconds = Vec::with_capacity(parts);
        let mut line = String::new();
        for part in 1..=parts + WARM_UP {
            thread::sleep(PAUSE);
            let start = Instant::now();
            self.ask(&Request::Trigger)?;
            // If the camera is gone no line comes, and that is said.
            let _ = shutter.send(());
            line.clear();
            self.lines.read_line(&mut line)?;
            let took = start.elapsed().as_secs_f64();
            let fields: Vec<&str> = line.trim_end().split(';').collect();
            if fields.get(2) != Some(&part.to_string().as_str())
                || !matches!(fields.get(3), Some(&("OK" | "NG")))
            {
                return Err(LatencyError::Answer(line));
            }
            seconds.push(took);
            if part > WARM_UP {
                step();
            }
        }
        Ok(seconds)
    }
}

/// Seconds that the network took for each part, from the station's own record.
fn network_times(file: &StationFile) -> Result<Vec<f64>, LatencyError> {
    let filter = Filter {
        kinds: vec!["result".into()],
        ..Filter::default()
    };
    let odd = |what: String| LatencyError::Answer(format!("its record: {what}"));
    let records =
        read(&file.record.folder.join("journal"), filter).map_err(|e| odd(e.to_string()))?;
    records
        .map(|record| {
            let record = record.map_err(|e| odd(e.to_string()))?;
            let ms = record.data["inspection"]["ms"]["backbone"].as_f64();
            ms.map(|ms| ms / 1e3)
                .ok_or_else(|| odd("it does not say what the network took".into()))
        })
        .collect()
}

fn summarise(output: &[f64], network: &[f64]) -> Result<Latency, LatencyError> {
    if output.len() != network.len() {
        let (sent, kept) = (output.len(), network.len());
        return Err(LatencyError::Answer(format!(
            "{sent} parts, {kept} records"
        )));
    }
    let pairs = || output.iter().zip(network).skip(WARM_UP);
    let of = |value: fn(f64, f64) -> f64| {
        let values: Vec<f64> = pairs().map(|(out, net)| value(*out, *net)).collect();
        spread(&values)
    };
    Ok(Latency {
        parts: pairs().count(),
        network_ms: of(|_, net| 1e3 * net),
        output_ms: of(|out, _| 1e3 * out),
        beyond_ms: of(|out, net| 1e3 * (out - net)),
        beyond_of_network: of(|out, net| (out - net) / net),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_network_is_taken_part_by_part() {
        let network = [9.0, 9.0, 9.0, 0.100, 0.200, 0.100];
        let output = [9.0, 9.0, 9.0, 0.105, 0.230, 0.120];
        let latency = summarise(&output, &network).expect("as many records as parts");
        assert_eq!(latency.parts, 3);
        assert!((latency.beyond_ms.median - 20.0).abs() < 1e-9);
        assert!((latency.beyond_of_network.median - 0.15).abs() < 1e-9);
        assert!((latency.beyond_of_network.p95 - 0.20).abs() < 1e-9);
        assert!(summarise(&output[..4], &network).is_err());
    }
}
