//! The loop on a board of fakes: pins that remember the order of their changes, and a port that can
//! be short of bytes or room, or broken.

#![allow(
    clippy::unwrap_used,
    reason = "what a helper cannot unwrap fails the test"
)]

mod bench;

use core::cell::{Cell, RefCell};
use core::convert::Infallible;
use std::collections::VecDeque;
use std::rc::Rc;

use andon_link::{
    Decoder, HostMessage, McuMessage, Mode, Outcome, ResetCause, Transmitter, Verdict,
};
use andon_stacklight::{InputPins, Instant, Light, Moment, NoEncoder, OutputPins, Shell, Watchdog};
use bench::{boot, result, state, with_trigger};
use embedded_hal::digital::{ErrorType, InputPin, OutputPin};
use embedded_io::{ErrorKind, Read, ReadReady, Write, WriteReady};

type Changes = Rc<RefCell<Vec<(&'static str, bool)>>>;

/// An output pin that notes its changes.
struct Out {
    name: &'static str,
    level: bool,
    changes: Changes,
    broken: Rc<Cell<bool>>,
}

/// A pin whose driver does not answer.
#[derive(Debug)]
struct Broken;

impl embedded_hal::digital::Error for Broken {
    fn kind(&self) -> embedded_hal::digital::ErrorKind {
        embedded_hal::digital::ErrorKind::Other
    }
}

impl ErrorType for Out {
    type Error = Broken;
}

impl OutputPin for Out {
    fn set_low(&mut self) -> Result<(), Broken> {
        self.set(false)
    }

    fn set_high(&mut self) -> Result<(), Broken> {
        self.set(true)
    }
}

impl Out {
    fn set(&mut self, level: bool) -> Result<(), Broken> {
        if self.broken.get() {
            return Err(Broken);
        }
        if self.level != level {
            self.changes.borrow_mut().push((self.name, level));
        }
        self.level = level;
        Ok(())
    }
}

#[derive(Clone, Default)]
struct In(Rc<Cell<bool>>);

impl ErrorType for In {
    type Error = Infallible;
}

impl InputPin for In {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.get())
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        Ok(!self.0.get())
    }
}

#[derive(Clone, Default)]
struct Port(Rc<RefCell<Line>>);

#[derive(Default)]
struct Line {
    to_mcu: VecDeque<u8>,
    from_mcu: Vec<u8>,
    /// Room for bytes to the host; `None` is without end.
    room: Option<usize>,
    overrun: bool,
    read: usize,
}

impl embedded_io::ErrorType for Port {
    type Error = ErrorKind;
}

impl ReadReady for Port {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        let line = self.0.borrow();
        Ok(line.overrun || !line.to_mcu.is_empty())
    }
}

impl Read for Port {
    fn read(&mut self, to: &mut [u8]) -> Result<usize, ErrorKind> {
        let mut line = self.0.borrow_mut();
        if core::mem::take(&mut line.overrun) {
            return Err(ErrorKind::Other);
        }
        line.read += 1;
        let byte = line.to_mcu.pop_front().expect("read without a byte waits");
        to[0] = byte;
        Ok(1)
    }
}

impl WriteReady for Port {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.0.borrow().room != Some(0))
    }
}

impl Write for Port {
    fn write(&mut self, from: &[u8]) -> Result<usize, ErrorKind> {
        let mut line = self.0.borrow_mut();
        let taken = line.room.map_or(from.len(), |room| room.min(from.len()));
        line.room = line.room.map(|room| room - taken);
        line.from_mcu.extend_from_slice(&from[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

#[derive(Clone, Default)]
struct Dog(Rc<Cell<u32>>);

impl Watchdog for Dog {
    fn feed(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

struct Board {
    shell: Shell<Out, In, Port, NoEncoder, Dog, 4>,
    changes: Changes,
    pins_broken: Rc<Cell<bool>>,
    trigger: In,
    port: Port,
    fed: Dog,
    host: Transmitter,
    ms: u64,
}

impl Board {
    fn new() -> Self {
        let changes = Changes::default();
        let pins_broken = Rc::default();
        let out = |name| Out {
            name,
            level: false,
            changes: Rc::clone(&changes),
            broken: Rc::clone(&pins_broken),
        };
        let outputs = OutputPins {
            red: out("red"),
            amber: out("amber"),
            green: out("green"),
            blue: out("blue"),
            buzzer: out("buzzer"),
            ready: out("ready"),
            results_ready: out("results ready"),
            ok: out("ok"),
            ng: out("ng"),
            error: out("error"),
            reject: out("reject"),
        };
        let (trigger, port, fed) = (In::default(), Port::default(), Dog::default());
        let inputs = InputPins {
            trigger: trigger.clone(),
            button: In::default(),
        };
        let light = Light::new(boot(ResetCause::PowerOn), Moment::default());
        let shell = Shell::new(light, outputs, inputs, port.clone(), NoEncoder, fed.clone());
        Self {
            shell,
            changes,
            pins_broken,
            trigger,
            port,
            fed,
            host: Transmitter::new(),
            ms: 0,
        }
    }

    fn turn(&mut self) {
        self.ms += 1;
        self.shell.turn(Instant::from_ms(self.ms));
    }

    fn say(&mut self, message: HostMessage) {
        let (_, frame) = self.host.frame(&message);
        self.port.0.borrow_mut().to_mcu.extend(frame.as_bytes());
        // A frame is longer than what one turn reads.
        for _ in 0..4 {
            self.turn();
        }
    }

    fn changes(&self) -> Vec<(&'static str, bool)> {
        self.changes.take()
    }

    fn heard(&self) -> Vec<McuMessage> {
        let mut decoder = Decoder::<McuMessage>::new();
        let bytes = core::mem::take(&mut self.port.0.borrow_mut().from_mcu);
        bytes
            .iter()
            .filter_map(|&byte| decoder.push(byte))
            .map(|outcome| outcome.unwrap().message)
            .collect()
    }
}

#[test]
fn ok_rises_last_and_falls_first() {
    let mut board = Board::new();
    board.say(HostMessage::Configure(with_trigger(None)));
    board.say(HostMessage::State(state(0, Outcome::Nothing)));
    board.trigger.0.set(true);
    board.turn();
    board.changes();
    board.say(HostMessage::Result(result(1, Verdict::Ok)));
    board.say(HostMessage::State(state(
        1,
        Outcome::Part(result(1, Verdict::Ok)),
    )));
    assert_eq!(
        board.changes(),
        [("ready", true), ("ok", true), ("results ready", true)]
    );
    board.say(HostMessage::Result(result(1, Verdict::Ng)));
    assert_eq!(board.changes(), [("ok", false), ("ng", true)]);
}

#[test]
fn the_outputs_of_a_reset_are_driven_in_the_first_turn() {
    let mut board = Board::new();
    board.turn();
    let mut changes = board.changes();
    changes.sort_unstable();
    assert_eq!(
        changes,
        [
            ("error", true),
            ("ng", true),
            ("red", true),
            ("reject", true)
        ]
    );
}

#[test]
fn bytes_in_become_lamps_and_a_status_out() {
    let mut board = Board::new();
    board.say(HostMessage::Configure(with_trigger(None)));
    board.say(HostMessage::State(state(0, Outcome::Nothing)));
    assert!(board.changes().contains(&("green", true)));
    let heard = board.heard();
    assert!(matches!(heard[0], McuMessage::Identity(_)));
    assert!(matches!(heard[1], McuMessage::Reply(_)));
    let McuMessage::Status(status) = &heard[2] else {
        panic!("no status: {heard:?}")
    };
    assert_eq!(status.mode, Mode::Running);
    assert!(status.outputs.green);
    assert_eq!(status.link.good, 2);
}

#[test]
fn noise_without_end_does_not_keep_the_loop_from_its_pins() {
    let mut board = Board::new();
    board.port.0.borrow_mut().to_mcu.extend([0x55; 10_000]);
    board.turn();
    let read = board.port.0.borrow().read;
    assert!(read < 100, "{read} bytes in one turn");
    assert!(board.changes().contains(&("red", true)));
    assert_eq!(board.fed.0.get(), 1);
}

#[test]
fn bytes_that_the_port_lost_are_counted_and_the_next_frame_is_understood() {
    let mut board = Board::new();
    board.port.0.borrow_mut().overrun = true;
    board.say(HostMessage::State(state(0, Outcome::Nothing)));
    board.heard();
    board.say(HostMessage::State(state(0, Outcome::Nothing)));
    let heard = board.heard();
    let status = heard.iter().find_map(|message| match message {
        McuMessage::Status(status) => Some(status),
        _ => None,
    });
    let link = status.unwrap().link;
    assert_eq!((link.overruns, link.good), (1, 2));
}

#[test]
fn a_port_that_takes_a_byte_a_turn_still_sends_whole_frames() {
    let mut board = Board::new();
    for _ in 0..200 {
        board.port.0.borrow_mut().room = Some(1);
        board.turn();
    }
    assert_eq!(board.fed.0.get(), 200, "slow is no reason to starve");
    let heard = board.heard();
    assert!(
        matches!(
            heard[..],
            [McuMessage::Identity(_), McuMessage::Status(_), ..]
        ),
        "{heard:?}"
    );
}

#[test]
fn a_port_that_takes_nothing_starves_the_watchdog() {
    let mut board = Board::new();
    board.port.0.borrow_mut().room = Some(0);
    for _ in 0..200 {
        board.turn();
    }
    assert_eq!(board.fed.0.get(), 0);
}

#[test]
fn a_pin_that_does_not_take_its_level_starves_the_watchdog() {
    let mut board = Board::new();
    for _ in 0..50 {
        board.turn();
    }
    assert_eq!(board.fed.0.get(), 50);
    board.pins_broken.set(true);
    for _ in 0..50 {
        board.turn();
    }
    // One more at most: a stage may have been done before.
    assert!(board.fed.0.get() <= 51);
}
