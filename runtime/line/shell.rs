//! The loop that turns: frames, triggers and answers go into the station, what comes out goes to
//! outputs and record.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use andon_alert::{Asked, Input, Request, Response, Service, Shown, SocketError, StatusSocket};
use andon_camera::health::{self, Expected};
use andon_camera::{Frame, FrameError, RgbView, clock};
use andon_journal::JournalError;
use andon_link::RecipeIndex;
use andon_station::{
    ChangeMeter, Event, Fault, FrameHealth, FrameSeen, Grey, Output, Outputs, PartRecord, Quantity,
    Recipe, SettingsError, Source, State, Station, Trigger,
};
use image::RgbImage;
use serde_json::json;

use super::config::{StationFile, TriggerFrom};
use super::cut::Cut;
use super::inspector::{Answer, Bench, FromInspector, Inspector, Order, RecipeName, Wanted};
use super::ledger::{Judged, Ledger, ResultRecord, Start};
use super::outputs::AllOutputs;
use super::source::Feed;
use super::watch;
use crate::image::{self as pictures, ImageError, Roi, grey};
use crate::vit::ThreadsError;

/// Longest wait of one turn. Whatever comes from outside ends it by ringing the feed's bell.
const TURN: Duration = Duration::from_millis(2);

/// Outputs are shown at least this often.
const SHOW_EVERY: Duration = Duration::from_millis(50);

/// Slow things are looked at this often: disk, ports, temperature.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Time within which somebody who asks must be answered.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// How long the capture thread may take to end.
const STOP_CAMERA: Duration = Duration::from_secs(3);

/// Answers that are remembered until their result comes.
const ANSWERS: usize = 8;

/// Why a line cannot run.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The source of frames.
    #[error(transparent)]
    Source(#[from] FrameError),
    /// The record.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The local socket.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The picture of the empty place.
    #[error("the image of the empty place: {0}")]
    Empty(#[from] ImageError),
    /// An output that another program holds.
    #[error("an output cannot be opened: {0}")]
    Output(std::io::Error),
    /// No thread.
    #[error("the system gives no thread: {0}")]
    Thread(std::io::Error),
    /// A core that the system has taken away.
    #[error("the inspector cannot be bound to its core: {0}")]
    Cores(ThreadsError),
}

/// How somebody outside ends or reloads a line.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    stop: Arc<AtomicBool>,
    reload: Arc<AtomicBool>,
}

impl Stop {
    /// Set to end.
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Set to read the station file again.
    pub fn reload_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.reload)
    }
}

/// Why a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Somebody wanted it to.
    Stopped,
    /// The station file is to be read again.
    Reload,
    /// There are no more frames.
    NoMoreFrames,
}

/// A station that runs.
pub struct Line {
    station: Station,
    camera: Feed,
    inspector: Inspector,
    outputs: AllOutputs,
    ledger: Ledger,
    asked: Option<(StatusSocket, Receiver<Asked>)>,
    service: Service,
    names: Vec<RecipeName>,
    recipes: BTreeMap<u16, Recipe>,
    trigger: TriggerFrom,
    change: Option<ChangeMeter>,
    roi: Option<Roi>,
    expected: Expected,
    newest: Option<(Arc<Frame>, Option<Arc<Cut>>)>,
    answers: VecDeque<Answer>,
    shown: Outputs,
    showed: Duration,
    looked: Duration,
    /// When an order was given that is not answered yet.
    ordered: Option<Duration>,
    overdue: Duration,
    progress: Duration,
    last: Option<PartRecord>,
    last_regions: Vec<String>,
    sketch: Option<RgbImage>,
    messages: VecDeque<String>,
    started: Instant,
    name: String,
    camera_ended: bool,
    camera_fault: Option<String>,
    view: Option<watch::View>,
    quiet: bool,
}

/// How a line tells people at the terminal what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tell {
    /// One line a result.
    Results,
    /// A live view.
    View,
    /// Nothing but warnings.
    Nothing,
}

impl Line {
    /// Opens camera, outputs and record.
    ///
    /// # Errors
    /// [`LineError`]. A camera or an output that is merely absent is none: it is waited for.
    pub fn open(file: &StationFile, bench: Bench, tell: Tell) -> Result<Self, LineError> {
        Self::open_on(file, bench, tell, Feed::of(file))
    }

    /// The same with frames of another source. What the file says of its camera, such as the size
    /// of frames, is still what is expected of them.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn open_on(
        file: &StationFile,
        bench: Bench,
        tell: Tell,
        mut camera: Feed,
    ) -> Result<Self, LineError> {
        let Start {
            mut ledger,
            counters,
            notes,
        } = Ledger::open(file)?;
        let recipes = bench.recipes();
        let mut settings = file.settings();
        if let Some(recipe) = recipes.get(&settings.recipe.index.0) {
            settings.recipe = recipe.clone();
        }
        let overdue = settings.deadline + settings.inspector_patience;
        let resumed = counters.is_some();
        let station = match counters {
            Some(counters) => Station::resume(settings, counters)?,
            None => Station::new(settings)?,
        };
        let names: Vec<RecipeName> = bench.names().cloned().collect();
        let first = RecipeIndex(file.recipes.first().map_or(0, |r| r.index));
        let roi = bench.roi(first);
        let change = match &file.trigger {
            TriggerFrom::Presence { empty, .. } => {
                let grey = grey(&pictures::read(empty)?, roi);
                let (width, height) = (grey.width() as usize, grey.height() as usize);
                Grey::new(&grey, width, height)
                    .ok()
                    .map(|view| ChangeMeter::new(&view))
            }
            TriggerFrom::Frame | TriggerFrom::Input => None,
        };
        let expected = Expected {
            size: file.camera_settings().map(|c| (c.width, c.height)),
            ..Expected::default()
        };
        let now = clock::now();
        let epoch = Instant::now().checked_sub(now).unwrap_or_else(Instant::now);
        camera.begin()?;
        let bell = camera.bell();
        let outputs = AllOutputs::open(file, epoch, &bell).map_err(LineError::Output)?;
        let prefix = jiff::Timestamp::now()
            .strftime("%Y%m%dT%H%M%SZ")
            .to_string();
        let wanted = Wanted {
            prefix,
            keep_every_nth_ok: file.record.keep_every_nth_ok,
            sketches: tell == Tell::View,
        };
        let inspector = Inspector::start(bench, wanted, expected)?;
        let asked = file
            .outputs
            .socket
            .as_ref()
            .map(|path| StatusSocket::bind(path, ANSWER_WITHIN, bell.clone()))
            .transpose()?;
        ledger.note(
            "configuration",
            &json!({ "program": crate::VERSION, "recipes": names, "resumed": resumed }),
        );
        let shown = station.outputs();
        let mut line = Self {
            station,
            camera,
            inspector,
            outputs,
            ledger,
            asked,
            service: Service::new(),
            names,
            recipes,
            trigger: file.trigger.clone(),
            change,
            roi,
            expected,
            newest: None,
            answers: VecDeque::new(),
            shown,
            showed: Duration::ZERO,
            looked: Duration::ZERO,
            ordered: None,
            overdue,
            progress: now,
            last: None,
            last_regions: Vec::new(),
            sketch: None,
            messages: VecDeque::new(),
            started: Instant::now(),
            name: file.name.clone(),
            camera_ended: false,
            camera_fault: None,
            view: (tell == Tell::View).then(watch::View::new),
            quiet: tell == Tell::Nothing,
        };
        notes.into_iter().for_each(|note| line.say(note));
        Ok(line)
    }

    /// Runs until told to stop, or until a folder has no more images.
    pub fn run(mut self, stop: &Stop) -> Ended {
        self.station.handle_start(clock::now());
        self.drain();
        self.tell(self.service.ready());
        let ended = loop {
            if stop.stop.load(Ordering::Relaxed) {
                break Ended::Stopped;
            }
            if stop.reload.swap(false, Ordering::Relaxed) {
                break Ended::Reload;
            }
            if self.camera_ended && self.ordered.is_none() && self.station_is_idle() {
                break Ended::NoMoreFrames;
            }
            self.turn();
        };
        self.finish();
        ended
    }

    fn station_is_idle(&self) -> bool {
        self.station.state() != State::SingleExecution
    }

    fn turn(&mut self) {
        self.take_frame();
        self.take_answers();
        self.take_inputs();
        self.take_requests();
        let now = clock::now();
        if self.station.poll_deadline().is_some_and(|due| now >= due) {
            self.station.handle_tick(now);
            self.drain();
        }
        // The loop got somewhere if nobody waits too long for the inspector.
        if self
            .ordered
            .is_none_or(|since| now.saturating_sub(since) < self.overdue)
        {
            self.progress = now;
            let fed = self.service.progress(now);
            self.tell(fed);
        }
        if now.saturating_sub(self.showed) >= SHOW_EVERY {
            self.show(now);
        }
        if now.saturating_sub(self.looked) >= LOOK_EVERY {
            self.looked = now;
            self.look(now);
        }
    }

    /// Waits a moment for whoever will have something to say next: the inspector while it judges,
    /// else the camera.
    fn take_frame(&mut self) {
        let judging = self.ordered.is_some();
        if judging || self.camera_ended {
            if let Ok(message) = self.inspector.answers().recv_timeout(TURN) {
                self.take_answer(message);
            }
            if self.camera_ended || self.camera.shows_a_part_a_frame() {
                return;
            }
        }
        let patience = if judging { Duration::ZERO } else { TURN };
        match self.camera.wait(patience) {
            Some(Ok(mut frame)) => {
                self.camera_works();
                if self.camera.shows_a_part_a_frame() {
                    // It was read ahead and waited for its turn: this is when its part comes.
                    let sequence = frame.sequence();
                    frame = frame.renumbered(clock::now(), sequence);
                }
                self.see(Arc::new(frame));
            }
            Some(Err(error)) => {
                if !error.may_pass() {
                    // It is said again at once whenever it is asked.
                    std::thread::sleep(patience);
                }
                self.camera_failed(&error);
            }
            None => {}
        }
    }

    fn camera_works(&mut self) {
        if self.camera_fault.take().is_some() {
            let now = clock::now();
            self.station.handle_recovery(now, Fault::CameraRetrying);
            self.station.handle_recovery(now, Fault::CameraLost);
            self.drain();
        }
    }

    fn camera_failed(&mut self, error: &FrameError) {
        let now = clock::now();
        match error {
            FrameError::End { .. } => self.camera_ended = true,
            FrameError::Corrupt { .. } => {
                self.say(format!("{error}"));
                if self.camera.shows_a_part_a_frame() && matches!(self.trigger, TriggerFrom::Frame)
                {
                    // A part whose picture cannot be read is a part that cannot be judged.
                    self.refuse_part(now);
                }
            }
            _ => {
                let reason = error.to_string();
                if self.camera_fault.as_ref() != Some(&reason) {
                    self.say(reason.clone());
                    self.camera_fault = Some(reason);
                }
                let lost = match error {
                    FrameError::Refused { .. } | FrameError::Unplugged { .. } => Fault::CameraLost,
                    _ => Fault::CameraRetrying,
                };
                self.station.handle_fault(now, lost);
                self.drain();
            }
        }
    }

    /// A part that came without a usable frame.
    fn refuse_part(&mut self, now: Duration) {
        let refused = Some(andon_station::Cause::NoFrame);
        let trigger = Trigger {
            refused,
            ..Trigger::new(Source::Presence)
        };
        self.station.handle_trigger(now, trigger);
        self.drain();
    }

    fn see(&mut self, frame: Arc<Frame>) {
        let now = clock::now();
        let presence_wanted = self.change.is_some();
        let every_frame =
            self.camera.shows_a_part_a_frame() && matches!(self.trigger, TriggerFrom::Frame);
        let awaited = self.station.state() == State::SingleExecution;
        let mut health = match health::check_frame(&frame, now, &self.expected) {
            Ok(()) => FrameHealth::Sound,
            Err(health::Unhealthy::WrongSize { .. }) => FrameHealth::WrongSize,
            Err(_) => FrameHealth::Corrupt,
        };
        let mut cut = None;
        let mut presence = None;
        // Pixels are only made when somebody looks at them.
        if health == FrameHealth::Sound && (presence_wanted || awaited || every_frame) {
            match Cut::of(&frame, self.roi) {
                Ok(seen) => {
                    health = light(&seen.pixels(), &self.expected);
                    if let Some(change) = &mut self.change {
                        let grey = seen.grey();
                        let (width, height) = (grey.width() as usize, grey.height() as usize);
                        presence = Grey::new(&grey, width, height)
                            .ok()
                            .and_then(|view| change.change(&view));
                    }
                    cut = Some(Arc::new(seen));
                }
                Err(_) => health = FrameHealth::Corrupt,
            }
        }
        let seen = FrameSeen {
            sequence: frame.sequence(),
            captured: frame.captured(),
            health,
            presence,
        };
        self.newest = Some((Arc::clone(&frame), cut));
        if every_frame {
            let trigger = Trigger {
                at: Some(frame.captured()),
                ..Trigger::new(Source::Presence)
            };
            self.station.handle_trigger(now, trigger);
            self.drain();
        }
        self.station.handle_frame(now, seen);
        self.drain();
        if every_frame && health != FrameHealth::Sound && self.ordered.is_none() {
            // No other frame shows this part; its deadline need not be waited for.
            let due = self.station.poll_deadline().unwrap_or(now);
            self.station.handle_tick(due.max(now));
            self.drain();
        }
    }

    fn take_answers(&mut self) {
        while let Ok(message) = self.inspector.answers().try_recv() {
            self.take_answer(message);
        }
    }

    fn take_answer(&mut self, message: FromInspector) {
        match message {
            FromInspector::Answer(answer) => {
                self.ordered = None;
                let done = answer.done.clone();
                self.answers.push_back(*answer);
                while self.answers.len() > ANSWERS {
                    self.answers.pop_front();
                }
                self.station.handle_inspection(clock::now(), done);
                self.drain();
            }
            FromInspector::Sketch(sketch) => self.sketch = Some(sketch),
            FromInspector::Picture(picture) => self.ledger.picture(picture),
            FromInspector::Panicked => {
                self.say("the inspector failed at an image and goes on with the next".into());
            }
        }
    }

    fn take_inputs(&mut self) {
        for event in self.outputs.light_events() {
            let now = clock::now();
            if let Some(trigger) = event.trigger() {
                self.station.handle_trigger(now, trigger);
            } else if matches!(event, andon_alert::LightEvent::Acknowledge) {
                self.acknowledge(now);
            } else if let andon_alert::LightEvent::VersionMismatch { theirs } = event {
                self.say(andon_alert::version_mismatch(theirs));
            }
            self.drain();
        }
        for event in self.outputs.edges() {
            let now = clock::now();
            let event = match event {
                Ok(event) => event,
                Err(error) => {
                    self.say(error.to_string());
                    continue;
                }
            };
            match event.input {
                Input::Trigger => {
                    let trigger = Trigger {
                        at: Some(now.saturating_sub(event.age)),
                        ..Trigger::new(Source::Input)
                    };
                    self.station.handle_trigger(now, trigger);
                }
                Input::Acknowledge => self.acknowledge(now),
            }
            self.drain();
        }
    }

    /// Somebody has seen what is wrong. A camera that was given up is opened anew.
    fn acknowledge(&mut self, now: Duration) {
        self.station.handle_ack(now);
        if !self.camera_ended
            && let Err(error) = self.camera.begin()
        {
            self.say(error.to_string());
        }
    }

    fn take_requests(&mut self) {
        loop {
            let Some(asked) = self
                .asked
                .as_ref()
                .and_then(|(_, asked)| asked.try_recv().ok())
            else {
                return;
            };
            let response = self.answer(&asked.request);
            asked.answer(response);
        }
    }

    fn answer(&mut self, request: &Request) -> Response {
        let now = clock::now();
        match request {
            Request::Status => return Response::Status(self.status()),
            Request::Trigger => self
                .station
                .handle_trigger(now, Trigger::new(Source::Command)),
            Request::Ack => self.acknowledge(now),
            Request::Challenge { who } => self.station.handle_challenge(now, who),
            Request::ResetCounters { who } => self.station.handle_counters_reset(now, who),
            Request::Recipe { recipe } => {
                let found = self
                    .names
                    .iter()
                    .find(|name| name.name == *recipe || name.index.to_string() == *recipe);
                let Some(name) = found else {
                    let known: Vec<String> = self
                        .names
                        .iter()
                        .map(|name| format!("{} {:?}", name.index, name.name))
                        .collect();
                    return Response::Refused(format!(
                        "no recipe is called {recipe:?}; there are {}",
                        known.join(", ")
                    ));
                };
                let index = name.index;
                let recipe = self.recipes.get(&index).cloned();
                let recipe = recipe.unwrap_or_else(|| Recipe::new(RecipeIndex(index)));
                self.station.handle_recipe_switch(now, recipe);
            }
        }
        self.drain();
        Response::Done
    }

    /// The whole status, as the local socket tells it.
    fn status(&self) -> serde_json::Value {
        let outputs = self.station.outputs();
        let faults: Vec<_> = Fault::ALL
            .into_iter()
            .map(|fault| (fault, self.station.fault(fault)))
            .filter(|(_, status)| status.active || status.raised > 0)
            .map(|(fault, status)| json!({ "fault": fault, "status": status }))
            .collect();
        let drift: serde_json::Map<_, _> = Quantity::ALL
            .into_iter()
            .map(|quantity| {
                let status = self.station.drift().status(quantity);
                let name = json!(quantity).as_str().unwrap_or_default().to_string();
                (
                    name,
                    json!({ "status": status, "meaning": quantity.to_string() }),
                )
            })
            .collect();
        let camera = self.camera.counts();
        let journal = self.ledger.health();
        json!({
            "station": self.name,
            "state": outputs.state,
            "lamps": outputs.lamps,
            "outputs": outputs,
            "counters": self.station.counters(),
            "last": self.last,
            "drift": drift,
            "faults": faults,
            "recipe": self.names.iter().find(|n| n.index == outputs.recipe.0),
            "frames": { "captured": camera.captured, "skipped": camera.skipped,
                        "stale": camera.stale, "errors": camera.errors },
            "light": self.outputs.light().map(|light| json!({ "trouble": light.trouble(),
                        "reconnects": light.reconnects, "state": light.light })),
            "journal": { "fault": journal.fault, "written": journal.written, "lost": journal.lost },
            "temperatures": crate::host::temperatures(),
            "uptime_s": self.started.elapsed().as_secs(),
        })
    }

    /// Carries out what the station wants, until it wants no more.
    fn drain(&mut self) {
        while let Some(output) = self.station.poll_output() {
            match output {
                Output::Inspect(inspect) => {
                    let Some((frame, cut)) = &self.newest else {
                        continue;
                    };
                    let order = Order {
                        inspect,
                        frame: Arc::clone(frame),
                        cut: cut.clone(),
                    };
                    if self.inspector.order(order) {
                        self.ordered = Some(clock::now());
                    } else {
                        self.station
                            .handle_fault(clock::now(), Fault::InspectorDied);
                    }
                }
                Output::Result(record) => self.result(record),
                Output::Show(outputs) => {
                    self.shown = outputs;
                    self.show(clock::now());
                }
                Output::Event(event) => self.event(&event),
            }
        }
    }

    fn result(&mut self, record: PartRecord) {
        // First what the line waits for, then what is written about it.
        self.outputs.result(&record);
        self.shown = self.station.outputs();
        self.show(clock::now());
        let answer = self
            .answers
            .iter()
            .rposition(|answer| record.frame == Some(answer.done.frame))
            .and_then(|at| self.answers.remove(at));
        let file = self
            .newest
            .as_ref()
            .filter(|(frame, _)| record.frame.is_none_or(|number| number == frame.sequence()))
            .and_then(|(frame, _)| frame.file())
            .map(|file| file.display().to_string());
        let inspection = answer.as_ref().and_then(|a| a.inspection.as_ref());
        self.ledger.result(&ResultRecord {
            part: &record,
            file: file.clone(),
            recipe: self.names.iter().find(|n| n.index == record.recipe.0),
            inspection: answer.as_ref().and_then(Judged::of),
            image: answer.as_ref().and_then(|a| a.image.as_deref()),
            counters: self.station.counters(),
        });
        self.last_regions = inspection
            .map(|inspection| inspection.regions.iter().map(ToString::to_string).collect())
            .unwrap_or_default();
        if self.view.is_none() && !self.quiet {
            println!(
                "{}",
                watch::result_line(&record, file.as_deref(), &self.last_regions)
            );
        }
        self.last = Some(record);
    }

    fn event(&mut self, event: &Event) {
        self.ledger.event(event);
        if matches!(event, Event::CountersReset { .. }) {
            let counters = self.station.counters().clone();
            self.ledger.counters(&counters);
        }
        // The record has it; who wants warnings only is spared.
        if self.view.is_some() {
            self.say(watch::event_line(event));
        } else if !self.quiet {
            self.say(serde_json::to_string(event).unwrap_or_default());
        }
    }

    /// Something a person at the terminal should know.
    fn say(&mut self, text: String) {
        if self.view.is_none() {
            eprintln!("{text}");
        }
        self.messages.push_back(text);
        while self.messages.len() > 6 {
            self.messages.pop_front();
        }
    }

    fn show(&mut self, now: Duration) {
        self.showed = now;
        let shown = Shown {
            outputs: &self.shown,
            now,
            progress_age: now.saturating_sub(self.progress),
        };
        self.outputs.show(&shown);
    }

    /// Looks at what changes slowly: disk, ports, the terminal.
    fn look(&mut self, now: Duration) {
        let disk = self.ledger.fault();
        for fault in [Fault::DiskFull, Fault::DiskReadOnly, Fault::DiskLow] {
            let active = disk.as_ref().is_some_and(|(found, _)| *found == fault);
            self.raise(now, fault, active);
        }
        let light = self.outputs.light().and_then(|light| light.trouble());
        self.raise(now, Fault::SerialLost, light.is_some());
        let outputs = self.outputs.faults();
        self.raise(now, Fault::OutputLost, !outputs.is_empty());
        self.raise(now, Fault::Overheated, crate::host::is_hot());
        let reasons = disk.map(|(_, reason)| reason).into_iter().chain(light);
        let reasons: Vec<String> = reasons.chain(outputs).collect();
        let state = format!(
            "{:?}, {} parts",
            self.station.state(),
            self.station.counters().triggers
        );
        self.tell(self.service.status(&state));
        if let Some(view) = &self.view {
            let screen = watch::Screen {
                name: &self.name,
                outputs: &self.shown,
                counters: self.station.counters(),
                last: self.last.as_ref(),
                sketch: self.sketch.as_ref(),
                regions: &self.last_regions,
                recipe: self.names.iter().find(|n| n.index == self.shown.recipe.0),
                drift: Quantity::ALL
                    .into_iter()
                    .map(|q| (q, self.station.drift().status(q)))
                    .collect(),
                reasons: &reasons,
                messages: &self.messages,
                camera: self.camera.counts(),
                uptime: self.started.elapsed(),
            };
            view.draw(&screen);
        }
    }

    fn raise(&mut self, now: Duration, fault: Fault, active: bool) {
        if active == self.station.fault(fault).active {
            return;
        }
        if active {
            self.station.handle_fault(now, fault);
        } else {
            self.station.handle_recovery(now, fault);
        }
        self.drain();
    }

    /// The service manager is a convenience: its absence stops nothing.
    fn tell(&self, result: std::io::Result<()>) {
        static TOLD: AtomicU32 = AtomicU32::new(0);
        if let Err(error) = result
            && TOLD.fetch_add(1, Ordering::Relaxed) == 0
        {
            eprintln!("warning: the service manager is not reached: {error}");
        }
    }

    /// Finishes the part under way, leaves "host lost" behind and brings everything to the disk.
    fn finish(mut self) {
        self.tell(self.service.stopping());
        let until = clock::now() + self.overdue;
        while self.ordered.is_some() && clock::now() < until {
            if let Ok(message) = self.inspector.answers().recv_timeout(TURN) {
                self.take_answer(message);
            }
        }
        self.station.handle_stop(clock::now());
        self.drain();
        let counters = self.station.counters().clone();
        self.ledger.counters(&counters);
        self.outputs.leave();
        if self.ordered.is_none() {
            for message in self.inspector.finish() {
                if let FromInspector::Picture(picture) = message {
                    self.ledger.picture(picture);
                }
            }
        }
        if let Err(error) = self.camera.stop(STOP_CAMERA) {
            eprintln!("warning: {error}");
        }
        let health = self.ledger.health();
        if !self.ledger.finish() {
            eprintln!(
                "warning: not all records are on the disk: {}",
                health.fault.unwrap_or_else(|| "it is slow".into())
            );
        }
        if let Some(view) = &self.view {
            view.leave();
        }
        if !self.quiet {
            eprintln!("{}", watch::summary(&counters));
        }
    }
}

fn light(pixels: &RgbView<'_>, expected: &Expected) -> FrameHealth {
    match health::check_light(pixels, expected) {
        Ok(()) => FrameHealth::Sound,
        Err(health::Unhealthy::Black { .. }) => FrameHealth::Black,
        Err(health::Unhealthy::OverExposed { .. }) => FrameHealth::Overexposed,
        Err(_) => FrameHealth::WrongSize,
    }
}
