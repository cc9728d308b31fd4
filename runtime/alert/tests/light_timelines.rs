//! The host's end of the line against the firmware's own logic, as timelines of one millisecond a
//! step, with whatever frames a test chooses to lose.

mod common;

use andon_alert::{LightEvent, LightSession, PortHealth};
use andon_link::{
    Admission, Answer, Frame, Lamps, McuMessage, Mode, Outcome, ResetCause, TriggerId, VERSION,
    Verdict,
};
use andon_station::{Cause, Outputs};
use common::{Mcu, ms, outputs, part, result, settings};
use std::time::Duration;

/// The MCU was switched on this long before the host's clock began.
const EARLIER: u64 = 5000;

struct Line {
    session: LightSession,
    mcu: Mcu,
    /// Uptime of the MCU at time 0 of the host.
    earlier: u64,
    now: u64,
    shown: Outputs,
    /// Progress stopped then.
    stuck_since: Option<u64>,
    events: Vec<LightEvent>,
    /// Frames to lose, host to MCU.
    lose_frames: u32,
    /// Messages to lose, MCU to host.
    lose: fn(&McuMessage) -> bool,
    /// The station takes note of triggers, as it would.
    notes_triggers: bool,
}

impl Line {
    fn new() -> Self {
        Self {
            session: LightSession::new(settings()),
            mcu: Mcu::new(7, ResetCause::PowerOn),
            earlier: EARLIER,
            now: 0,
            shown: outputs(),
            stuck_since: None,
            events: Vec::new(),
            lose_frames: 0,
            lose: |_| false,
            notes_triggers: true,
        }
    }

    fn running() -> Self {
        let mut line = Self::new();
        line.until(500);
        assert_eq!(line.mcu.light.mode(), Mode::Running);
        line.events.clear();
        line
    }

    fn until(&mut self, end: u64) {
        while self.now < end {
            self.now += 1;
            let age = self.stuck_since.map_or(0, |since| self.now - since);
            let frames: Vec<Frame> =
                std::iter::from_fn(|| self.session.poll(ms(self.now), &self.shown, ms(age)))
                    .collect();
            for frame in frames {
                if self.lose_frames > 0 {
                    self.lose_frames -= 1;
                } else {
                    self.mcu.hear(frame.as_bytes());
                }
            }
            for (message, bytes) in self.mcu.turn(self.earlier + self.now) {
                if !(self.lose)(&message) {
                    self.session.handle_bytes(&bytes, ms(self.now));
                }
            }
            while let Some(event) = self.session.poll_event() {
                if let (Some(trigger), true) = (event.trigger(), self.notes_triggers) {
                    self.shown.seen = trigger.part;
                }
                self.events.push(event);
            }
        }
    }

    fn pulse(&mut self) -> u64 {
        self.mcu.trigger = true;
        self.until(self.now + 2);
        self.mcu.trigger = false;
        self.until(self.now + 2);
        self.now - 3
    }

    fn triggers(&self) -> Vec<TriggerId> {
        let triggers = self.events.iter().filter_map(LightEvent::trigger);
        triggers.filter_map(|trigger| trigger.part).collect()
    }

    fn reset(&mut self, epoch: u16) {
        self.mcu = Mcu::new(epoch, ResetCause::Pin);
        self.earlier = 0;
        // Uptime is counted from the host's time of the reset.
        self.session.handle_connected();
        self.now = 0;
    }
}

#[test]
fn the_light_is_configured_identified_and_follows_the_station() {
    let mut line = Line::new();
    line.until(300);
    assert_eq!(line.mcu.light.mode(), Mode::Running);
    assert!(line.mcu.light.poll_outputs().green && line.mcu.light.poll_outputs().ready);
    let told = |wanted: fn(&LightEvent) -> bool| line.events.iter().filter(|e| wanted(e)).count();
    assert_eq!(told(|event| *event == LightEvent::Configured), 1);
    assert_eq!(told(|event| *event == LightEvent::Heard), 1);
    assert!(told(|event| matches!(event, LightEvent::Identified(_))) >= 1);
    let health = line.session.health();
    assert!(
        health.is_heard && health.is_configured && health.resets == 0,
        "{health:?}"
    );
}

#[test]
fn states_go_out_every_period_and_a_change_goes_out_at_once() {
    let mut line = Line::running();
    let before = line.mcu.states;
    line.until(1500);
    assert_eq!(line.mcu.states - before, 10);
    line.until(1530);
    line.shown.lamps = Lamps::RED_FLASHING;
    line.until(1532);
    assert!(!line.mcu.light.poll_outputs().green);
    // A flapping output is held to one state each 10 ms.
    let before = line.mcu.states;
    for step in 0..200 {
        line.shown.lamps = if step % 2 == 0 {
            Lamps::GREEN
        } else {
            Lamps::RED_FLASHING
        };
        line.until(1533 + step);
    }
    assert!(
        (10..=22).contains(&(line.mcu.states - before)),
        "{}",
        line.mcu.states - before
    );
}

#[test]
fn without_progress_no_state_is_sent_and_the_light_shows_host_lost() {
    let mut line = Line::running();
    line.stuck_since = Some(500);
    line.until(1500);
    assert_eq!(line.mcu.light.mode(), Mode::Running);
    let before = line.mcu.states;
    // 1000 ms of progress limit, 300 ms of validity, one period.
    line.until(1500 + 300 + 100);
    assert_eq!(line.mcu.light.mode(), Mode::HostLost);
    assert!(line.mcu.states - before <= 1);
    let pins = line.mcu.light.poll_outputs();
    assert!(!pins.ok && pins.ng && pins.error && pins.red != pins.amber);
    line.stuck_since = None;
    line.until(line.now + 20);
    assert_eq!(line.mcu.light.mode(), Mode::Running);
}

#[test]
fn a_configuration_is_repeated_until_it_is_answered() {
    let mut line = Line::new();
    line.lose_frames = 7;
    line.lose = |message| matches!(message, McuMessage::Reply(_));
    line.until(1000);
    assert_eq!(line.mcu.light.mode(), Mode::Running);
    assert!(line.mcu.configurations > 4 && !line.session.health().is_configured);
    line.lose = |_| false;
    line.until(1200);
    let asked = line.mcu.configurations;
    assert!(line.session.health().is_configured);
    line.until(2200);
    assert_eq!(line.mcu.configurations, asked);
}

#[test]
fn after_a_reset_the_light_is_configured_again_and_old_results_are_given_up() {
    let mut line = Line::running();
    line.session
        .handle_result(result(part(7, 1), Verdict::Ok), ms(line.now));
    line.lose = |message| matches!(message, McuMessage::Reply(_));
    line.until(600);
    line.lose = |_| false;
    line.reset(8);
    line.until(300);
    assert_eq!(line.mcu.light.mode(), Mode::Running);
    let began = |event: &LightEvent| matches!(event, LightEvent::Began { epoch, reset: ResetCause::Pin } if epoch.0 == 8);
    assert_eq!(line.events.iter().filter(|event| began(event)).count(), 1);
    // Whether the host noticed the reset first, or the new life was asked about the old part.
    let answers = line.events.iter().filter_map(|event| match event {
        LightEvent::Answered { part, answer } => Some((*part, *answer)),
        _ => None,
    });
    let answers: Vec<_> = answers.collect();
    assert!(
        matches!(answers[..], [(old, None | Some(Answer::UnknownPart))] if old == part(7, 1)),
        "{answers:?}"
    );
    assert_eq!(line.session.health().resets, 1);
    assert_eq!(line.pulse_taken(), [part(8, 1)]);
}

impl Line {
    fn pulse_taken(&mut self) -> Vec<TriggerId> {
        self.events.clear();
        self.pulse();
        self.triggers()
    }
}

#[test]
fn a_part_is_told_with_the_time_of_its_edge_and_its_result_lights_ok() {
    let mut line = Line::running();
    let edge_at = line.pulse();
    let event = line
        .events
        .iter()
        .find(|event| event.trigger().is_some())
        .unwrap();
    let LightEvent::Trigger { edge, at } = event else {
        panic!("{event:?}")
    };
    assert_eq!((edge.part, edge.admission), (part(7, 1), Admission::Taken));
    assert!(
        at.unwrap().abs_diff(ms(edge_at)) <= ms(1),
        "{at:?} for {edge_at}"
    );

    let verdict = result(part(7, 1), Verdict::Ok);
    line.session.handle_result(verdict, ms(line.now));
    line.shown.outcome = Outcome::Part(verdict);
    line.until(line.now + 20);
    assert!(line.mcu.light.poll_outputs().ok);
    let answered = LightEvent::Answered {
        part: part(7, 1),
        answer: Some(Answer::Taken),
    };
    assert!(line.events.contains(&answered));
    assert_eq!(line.session.health().waiting, 0);
}

#[test]
fn a_result_is_repeated_until_it_is_answered_and_given_up_after_ten_seconds() {
    let mut line = Line::running();
    line.pulse();
    line.lose_frames = 6;
    line.session
        .handle_result(result(part(7, 1), Verdict::Ng), ms(line.now));
    line.until(line.now + 50);
    assert_eq!(line.session.health().waiting, 1);
    line.until(line.now + 600);
    assert_eq!(line.session.health().waiting, 0);

    line.lose = |message| matches!(message, McuMessage::Reply(_));
    line.events.clear();
    line.session
        .handle_result(result(part(7, 1), Verdict::Ng), ms(line.now));
    line.until(line.now + 9900);
    assert_eq!(line.session.health().waiting, 1);
    line.until(line.now + 200);
    let given_up = LightEvent::Answered {
        part: part(7, 1),
        answer: None,
    };
    assert_eq!(line.events, [given_up]);
}

#[test]
fn a_trigger_whose_message_was_lost_is_told_as_lost_and_the_light_gets_ready_again() {
    let mut line = Line::running();
    line.lose = |message| matches!(message, McuMessage::Trigger(_));
    line.pulse();
    line.until(line.now + 120);
    assert_eq!(line.events, [LightEvent::TriggerLost(part(7, 1))]);
    let trigger = line.events[0].trigger().unwrap();
    assert_eq!(trigger.refused, Some(Cause::NoFrame));
    line.until(line.now + 20);
    assert!(line.mcu.light.poll_outputs().ready);
    assert_eq!(line.session.health().triggers_lost, 1);
}

#[test]
fn a_lost_trigger_between_two_heard_ones_is_told_before_the_second() {
    let mut line = Line::running();
    let lossy: fn(&McuMessage) -> bool =
        |message| matches!(message, McuMessage::Trigger(_) | McuMessage::Status(_));
    line.pulse();
    line.lose = lossy;
    line.pulse();
    line.lose = |_| false;
    line.pulse();
    assert_eq!(line.triggers(), [part(7, 1), part(7, 2), part(7, 3)]);
    let lost = line
        .events
        .iter()
        .filter(|event| matches!(event, LightEvent::TriggerLost(_)));
    assert_eq!(lost.count(), 1);
}

#[test]
fn a_light_is_not_ready_before_the_station_has_seen_the_last_trigger() {
    let mut line = Line::running();
    line.notes_triggers = false;
    line.pulse();
    line.until(line.now + 400);
    assert!(!line.mcu.light.poll_outputs().ready);
    line.shown.seen = Some(part(7, 1));
    line.until(line.now + 20);
    assert!(line.mcu.light.poll_outputs().ready);
}

#[test]
fn a_trigger_told_before_the_first_status_is_for_the_station_to_see() {
    let mut line = Line::running();
    line.session = LightSession::new(settings());
    line.shown = outputs();
    line.notes_triggers = false;
    line.lose = |message| matches!(message, McuMessage::Status(_));
    assert_eq!(line.pulse_taken(), [part(7, 1)]);
    line.lose = |_| false;
    line.until(line.now + 400);
    assert!(!line.mcu.light.poll_outputs().ready);
    line.shown.seen = Some(part(7, 1));
    line.until(line.now + 20);
    assert!(line.mcu.light.poll_outputs().ready);
}

#[test]
fn a_host_that_starts_again_leaves_old_parts_alone_and_is_ready() {
    let mut line = Line::running();
    for _ in 0..3 {
        line.pulse();
        line.until(line.now + 20);
    }
    line.session = LightSession::new(settings());
    line.shown = outputs();
    line.events.clear();
    line.until(line.now + 400);
    assert_eq!(line.triggers(), []);
    assert!(line.mcu.light.poll_outputs().ready);
    assert_eq!(line.pulse_taken(), [part(7, 4)]);
}

#[test]
fn a_press_whose_message_was_lost_is_told_once_from_the_count() {
    let mut line = Line::running();
    line.lose = |message| matches!(message, McuMessage::Acknowledge(_));
    line.mcu.button = true;
    line.until(line.now + 200);
    line.mcu.button = false;
    line.until(line.now + 300);
    assert_eq!(line.events, [LightEvent::Acknowledge]);
    line.lose = |_| false;
    line.mcu.button = true;
    line.until(line.now + 300);
    assert_eq!(
        line.events,
        [LightEvent::Acknowledge, LightEvent::Acknowledge]
    );
}

#[test]
fn silence_is_told_once_and_so_is_its_end() {
    let mut line = Line::running();
    line.lose = |_| true;
    line.until(1600);
    assert_eq!(line.events, [LightEvent::Lost]);
    assert!(!line.session.health().is_heard);
    line.lose = |_| false;
    line.until(1800);
    assert_eq!(line.events[1], LightEvent::Heard);
}

#[test]
fn another_version_of_the_protocol_is_told_by_name_and_noise_is_counted() {
    let mut session = LightSession::new(settings());
    let mut packet = vec![VERSION + 1, 9, 0x81, 0, 0];
    let checksum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&packet);
    packet.extend(checksum.to_le_bytes());
    let mut frame = vec![0];
    frame.extend(cobs::encode_vec(&packet));
    frame.push(0);
    for _ in 0..3 {
        session.handle_bytes(&frame, Duration::ZERO);
    }
    let told = LightEvent::VersionMismatch {
        theirs: VERSION + 1,
    };
    assert_eq!(
        (session.poll_event(), session.poll_event()),
        (Some(told), None)
    );
    assert_eq!(session.health().foreign_version, Some(VERSION + 1));
    let mut port = PortHealth {
        light: session.health(),
        ..PortHealth::default()
    };
    let told = port.trouble().unwrap();
    for version in [VERSION, VERSION + 1] {
        assert!(told.contains(&format!("version {version}")), "{told}");
    }
    assert!(told.contains("update this program"), "{told}");
    session.handle_bytes(&[0, 5, 6, 7, 0], Duration::ZERO);
    assert_eq!(
        (session.health().line.foreign, session.health().line.bad),
        (3, 1)
    );
    // Unplugged, it is a light that is not heard.
    session.handle_tick(ms(1000));
    port.light = session.health();
    assert_eq!(port.light.foreign_version, None);
    assert!(port.trouble().unwrap().contains("check its cable"));
}

#[test]
fn a_queue_that_nobody_empties_is_bounded_and_counted() {
    let mut line = Line::running();
    for _ in 0..200 {
        for number in 0..10 {
            let judged = result(part(7, number), Verdict::Ng);
            line.session.handle_result(judged, ms(line.now));
        }
    }
    let health = line.session.health();
    assert_eq!(health.waiting, 64);
    assert!(health.events_dropped > 800, "{health:?}");
}
