//! The whole station with the real network on bad days: every fault of a camera at random, an
//! operator who acknowledges, switches recipes and shows challenge parts, triggers that come too
//! quickly, and readers that come and go.
//!
//! `ANDON_SOAK_S=600 cargo bench --bench soak` runs for 600 seconds, which is also what is taken
//! when nothing is said. It fails when a trigger is lost, answered twice or late, when a part is OK
//! by a frame that is spoiled or older than its trigger, when a recovery is not counted, or when
//! memory grows. (The state machine alone does 100 000 triggers in `runtime/station/tests/soak.rs`.)

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use andon::camera::rendered::{DefectKind, LineConfig, RenderedLine};
use andon::camera::{
    Delivery, Fault, FaultPlan, Faulty, Frame, FrameError, FrameSource, Newest, Recovering,
    RecoverySettings, RecoveryWatch, clock,
};
use andon::line::{Bench, Ended, Feed, Line, StationFile, Stop, Tell};
use andon::timing::{PICTURE, pictures, rehearsal};
use andon::vit::{Model, Threads};
use andon_alert::{Request, Response, ask};
use andon_journal::{Filter, Record, read, verify};
use anyhow::{Context, Result, bail, ensure};
use image::RgbImage;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Side of the network's input, pixels: small, so that many parts are judged.
const SIDE: usize = 112;
/// Time between frames.
const FRAME: Duration = Duration::from_millis(60);
/// Share of frames with a fault.
const FAULTS: f64 = 0.03;
/// Parts must have a result within this.
const DEADLINE_MS: u64 = 3000;
/// What a turn of the loop may take on a machine that many others keep busy: the loop can only find
/// a deadline missed when it gets the processor.
const TURN_MS: u64 = 250;
/// How much the resident memory may grow after the first fifth of the time: room for what an
/// allocator keeps, far less than one frame a fault would make.
const GROWTH_MB: f64 = 24.0;
/// How long the station may take to answer a question.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> Result<()> {
    let seconds = match std::env::var("ANDON_SOAK_S") {
        Ok(text) => text
            .parse()
            .context("ANDON_SOAK_S is no number of seconds")?,
        Err(_) => 600,
    };
    soak(Duration::from_secs(seconds))
}

/// What is known about the frames, beside the station.
#[derive(Clone)]
struct Witness {
    plan: FaultPlan,
    /// Frames that must not be judged OK, by number.
    spoiled: Arc<Mutex<HashMap<u64, Fault>>>,
    /// When frames were captured, by number.
    captured: Arc<Mutex<HashMap<u64, Duration>>>,
    /// The greatest number that was given.
    last: Arc<AtomicU64>,
}

/// A camera that shows one picture after the other.
struct Pictures {
    pictures: Arc<[RgbImage]>,
    next: u64,
    due: Duration,
}

impl FrameSource for Pictures {
    fn next(&mut self, _: Duration) -> Result<Frame, FrameError> {
        thread::sleep(self.due.saturating_sub(clock::now()));
        let (captured, sequence) = (clock::now(), self.next);
        self.due = captured + FRAME;
        self.next += 1;
        let picture = self.pictures[sequence as usize % self.pictures.len()].clone();
        Frame::from_rgb(picture, captured, sequence).map_err(|reason| FrameError::Corrupt {
            name: self.describe(),
            sequence,
            reason,
        })
    }

    fn describe(&self) -> String {
        "pictures".into()
    }
}

/// A camera whose faults are written down.
struct Watched {
    source: Faulty<Pictures>,
    witness: Witness,
}

impl FrameSource for Watched {
    fn next(&mut self, timeout: Duration) -> Result<Frame, FrameError> {
        let frame = self.source.next(timeout)?;
        let number = frame.sequence();
        self.witness.last.fetch_max(number, Ordering::Relaxed);
        let fault = self.witness.plan.fault_of(number);
        if let Some(fault) = fault.filter(|fault| !fault.leaves_a_sound_frame()) {
            lock(&self.witness.spoiled).insert(number, fault);
        }
        lock(&self.witness.captured)
            .entry(number)
            .or_insert(frame.captured());
        Ok(frame)
    }

    fn describe(&self) -> String {
        self.source.describe()
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A camera that is opened again whenever it fails, and the count of that.
fn camera(pictures: Arc<[RgbImage]>, witness: Witness) -> (Feed, RecoveryWatch) {
    let mut opened = false;
    let open = move || {
        // Numbers as `Recovering` gives them, so that a frame has one number for everyone.
        let next = if std::mem::replace(&mut opened, true) {
            witness.last.load(Ordering::Relaxed) + 2
        } else {
            0
        };
        let pictures = Pictures {
            pictures: Arc::clone(&pictures),
            next,
            due: Duration::ZERO,
        };
        Ok(Box::new(Watched {
            source: Faulty::new(pictures, witness.plan.clone()),
            witness: witness.clone(),
        }) as Box<dyn FrameSource>)
    };
    let settings = RecoverySettings {
        first_pause: Duration::from_millis(100),
        // Here every second frame-time is a bad day; a real camera would be given up long before.
        restarts: u32::MAX,
        ..RecoverySettings::default()
    };
    let source = Recovering::new("soaked camera", settings, Box::new(open));
    let watch = source.watch();
    let mut source = Some(source);
    let feed = Feed::camera(move || {
        let refused = |reason: String| FrameError::Refused {
            name: "soaked camera".into(),
            reason,
        };
        let source = source.take().ok_or_else(|| refused("it is gone".into()))?;
        Newest::start(source, Duration::from_millis(700), Delivery::Newest)
            .map_err(|e| refused(e.to_string()))
    });
    (feed, watch)
}

/// Good parts, and one bad part in five.
fn parts() -> Result<Arc<[RgbImage]>> {
    let line = RenderedLine::new(LineConfig::default())?;
    let part = |n: u64| {
        let defect = n.is_multiple_of(5).then_some(DefectKind::MissingLabel);
        line.part(n, defect).image
    };
    Ok((100..115).map(part).collect())
}

fn station_file(folder: &Path, address: SocketAddr) -> Result<StationFile> {
    let text = format!(
        "name = \"soak\"\n[camera]\nsource = \"v4l2\"\ndevice = \"/dev/video99\"\nwidth = 640\n\
         height = 480\n[trigger]\nfrom = \"input\"\n[[recipe]]\nindex = 1\nfile = \"a.andon\"\n\
         [[recipe]]\nindex = 2\nfile = \"a.andon\"\n[judging]\ndeadline_ms = {DEADLINE_MS}\n\
         [outputs]\nsocket = {:?}\ntcp = {{ address = \"{address}\" }}\n[record]\nfolder = \
         \"record\"\nimages_mb = 20\nleave_free_mb = 1\nkeep_every_nth_ok = 10\n",
        socket(folder)
    );
    std::fs::write(folder.join("station.toml"), text)?;
    Ok(StationFile::read(&folder.join("station.toml"))?)
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("s.sock")
}

fn soak(time: Duration) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let model = Model::embedded()?;
    eprintln!("learns {SIDE} px from the rendered line, then runs for {time:?}");
    let mut recipe = rehearsal(
        &model,
        &pictures(8, PICTURE, None)?,
        SIDE,
        &Threads::new(2)?,
        || {},
    )?;
    recipe.write(&folder.path().join("a.andon"))?;
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let file = station_file(folder.path(), address)?;
    let bench = Bench::load(&file, None, |_| {})?;
    let witness = Witness {
        plan: FaultPlan::random(4, FAULTS, &Fault::ALL),
        spoiled: Arc::default(),
        captured: Arc::default(),
        last: Arc::default(),
    };
    let (feed, recoveries) = camera(parts()?, witness.clone());
    let stop = Stop::default();
    let line = thread::spawn({
        let (file, stop) = (file.clone(), stop.clone());
        move || Line::open_on(&file, bench, Tell::Nothing, feed).map(|line| line.run(&stop))
    });
    let over = Arc::new(AtomicBool::new(false));
    let until = Instant::now() + PATIENCE;
    while ask(&socket(folder.path()), &Request::Status, PATIENCE).is_err() {
        ensure!(
            Instant::now() < until && !line.is_finished(),
            "the station does not start"
        );
        thread::sleep(Duration::from_millis(50));
    }
    let reader = reader(address, Arc::clone(&over));
    thread::sleep(Duration::from_secs(1));
    let operator = operator(socket(folder.path()), Arc::clone(&over));
    let (triggers, memory) = triggers(&socket(folder.path()), time)?;
    over.store(true, Ordering::Relaxed);
    join(operator)??;
    // The last part has its result by then.
    thread::sleep(Duration::from_millis(DEADLINE_MS + 500));
    stop.stop_flag().store(true, Ordering::Relaxed);
    let ended = join(line)??;
    ensure!(ended == Ended::Stopped, "{ended:?}");
    let mut lines = join(reader)?;
    // A trigger that is refused is answered before the part under way.
    lines.sort_unstable();

    let journal = file.record.folder.join("journal");
    let report = verify(&journal)?;
    ensure!(report.fault.is_none(), "journal: {:?}", report.fault);
    let results = results(&journal, &witness, triggers)?;
    let heard: Vec<u64> = results.keys().copied().collect();
    ensure!(
        lines == heard,
        "{} lines for {} results",
        lines.len(),
        heard.len()
    );
    events(&journal)?;
    println!("camera      {:?}", recoveries.counts());
    for fault in Fault::ALL {
        println!("  {fault:?} {}", witness.plan.count(fault));
        ensure!(
            time.as_secs() < 120 || witness.plan.count(fault) > 0,
            "{fault:?} never came"
        );
    }
    let (early, late) = memory;
    println!("memory      {early:.1} MB after the first fifth, {late:.1} MB at the end");
    ensure!(late < early + GROWTH_MB, "memory grows");
    println!("journal     {} records, whole", report.records);
    println!("passed");
    Ok(())
}

fn join<T>(thread: JoinHandle<T>) -> Result<T> {
    thread.join().ok().context("a thread failed")
}

/// Sends triggers for so long; gives their number, and the resident memory after the first fifth
/// and at the end, in MB.
fn triggers(socket: &Path, time: Duration) -> Result<(u64, (f64, f64))> {
    let mut dice = ChaCha8Rng::seed_from_u64(9);
    let start = Instant::now();
    let (mut sent, mut early) = (0, None);
    while start.elapsed() < time {
        match ask(socket, &Request::Trigger, PATIENCE)? {
            Response::Done => sent += 1,
            other => bail!("a trigger was answered by {other:?}"),
        }
        // Now and then sooner than a part can be judged.
        let pause = if dice.random_bool(0.1) {
            0..20
        } else {
            50..400
        };
        thread::sleep(Duration::from_millis(dice.random_range(pause)));
        if early.is_none() && start.elapsed() > time / 5 {
            early = Some(resident_mb()?);
        }
    }
    let late = resident_mb()?;
    Ok((sent, (early.unwrap_or(late), late)))
}

/// Acknowledges, switches recipes, asks for challenge parts and for the status.
fn operator(socket: PathBuf, over: Arc<AtomicBool>) -> JoinHandle<Result<()>> {
    thread::spawn(move || {
        let mut dice = ChaCha8Rng::seed_from_u64(5);
        while !over.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(700));
            let request = match dice.random_range(0..60) {
                0 => Request::Challenge { who: "soak".into() },
                1..4 => Request::Recipe {
                    recipe: dice.random_range(1..3).to_string(),
                },
                4..20 => Request::Status,
                _ => Request::Ack,
            };
            ask(&socket, &request, PATIENCE)?;
        }
        Ok(())
    })
}

/// Reads the lines of all parts, while other readers come and go; gives the numbers of the parts.
fn reader(address: SocketAddr, over: Arc<AtomicBool>) -> JoinHandle<Vec<u64>> {
    thread::spawn(move || {
        let come_and_go = thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                drop(TcpStream::connect(address));
                thread::sleep(Duration::from_secs(5));
            }
        });
        let stream = TcpStream::connect(address);
        let lines = stream.map(|stream| BufReader::new(stream).lines().map_while(Result::ok));
        let part = |line: String| line.split(';').nth(2)?.parse().ok();
        let parts = lines.map(|lines| lines.filter_map(part).collect());
        let _ = come_and_go.join();
        parts.unwrap_or_default()
    })
}

/// Checks every result; gives them by the number of the part.
fn results(journal: &Path, witness: &Witness, triggers: u64) -> Result<BTreeMap<u64, Record>> {
    let mut by_part = BTreeMap::new();
    let mut counts = BTreeMap::<String, u64>::new();
    let (mut latest, mut slowest_ok) = (0, 0);
    for record in records(journal, "result")? {
        let part = &record.data["part"];
        let number = part["number"].as_u64().context("a result without a part")?;
        let latency = part["latency_us"].as_u64().context("no latency")?;
        latest = latest.max(latency);
        ensure!(
            latency <= 1000 * (DEADLINE_MS + TURN_MS),
            "part {number} was late: {latency} us"
        );
        let verdict = part["verdict"].as_str().unwrap_or("error").to_lowercase();
        if verdict == "ok" {
            let frame = part["frame"].as_u64().context("OK of no frame")?;
            let spoiled = lock(&witness.spoiled).get(&frame).copied();
            ensure!(
                spoiled.is_none(),
                "part {number} is OK by a frame with {spoiled:?}"
            );
            let captured = lock(&witness.captured).get(&frame).copied();
            let captured = captured.context("OK of a frame that was never given")?;
            let triggered = part["triggered_us"].as_u64().context("no time")?;
            ensure!(
                captured >= Duration::from_micros(triggered),
                "part {number} is OK by a frame from before its trigger"
            );
            slowest_ok = slowest_ok.max(latency);
        }
        let skipped = part["skipped"].as_bool().unwrap_or(false);
        let kind = if skipped { "skipped".into() } else { verdict };
        *counts.entry(kind).or_default() += 1;
        ensure!(
            by_part.insert(number, record).is_none(),
            "part {number} was answered twice"
        );
    }
    ensure!(
        by_part.keys().copied().eq(1..=triggers),
        "{triggers} triggers, {} results",
        by_part.len()
    );
    println!("triggers    {triggers}: {counts:?}");
    println!(
        "latency     at most {:.0} ms, of a good part {:.0} ms, deadline {DEADLINE_MS} ms",
        latest as f64 / 1e3,
        slowest_ok as f64 / 1e3
    );
    let judged = |kind: &str| counts.get(kind).copied().unwrap_or(0);
    ensure!(
        judged("ok") > triggers / 10 && judged("ng") > 0 && judged("error") > 0,
        "too few"
    );
    Ok(by_part)
}

/// Checks that each fault and each recovery was counted, one after the other.
fn events(journal: &Path) -> Result<()> {
    let mut counts = BTreeMap::<(String, String), u64>::new();
    let mut others = BTreeMap::<String, u64>::new();
    for record in records(journal, "event")? {
        let word = |key: &str| record.data[key].as_str().unwrap_or_default().to_string();
        let event = word("event");
        if let Some(count) = record.data["count"].as_u64()
            && event.starts_with("fault")
        {
            let so_far = counts.entry((word("fault"), event)).or_default();
            *so_far += 1;
            ensure!(*so_far == count, "{}: {so_far} seen", record.data);
        } else {
            *others.entry(event).or_default() += 1;
        }
    }
    for ((fault, event), count) in &counts {
        println!("  {fault}: {event} {count}");
        let raised = counts.get(&(fault.clone(), "fault_raised".into()));
        ensure!(
            raised.is_some_and(|raised| raised - count <= 1),
            "{fault} did not recover"
        );
    }
    println!("events      {others:?}");
    Ok(())
}

fn records(journal: &Path, kind: &str) -> Result<Vec<Record>> {
    let filter = Filter {
        kinds: vec![kind.into()],
        ..Filter::default()
    };
    Ok(read(journal, filter)?.collect::<Result<_, _>>()?)
}

/// Resident memory of this process in MB.
fn resident_mb() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes: f64 = line
        .and_then(|line| line.split_whitespace().nth(1))
        .context("the system does not tell the resident memory")?
        .parse()?;
    Ok(kilobytes / 1000.0)
}
