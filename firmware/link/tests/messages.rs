//! What a frame can and cannot say, case by case.

#![allow(
    clippy::unwrap_used,
    reason = "what a helper cannot unwrap fails the test"
)]

use andon_link::{
    Alarms, BAUD, Configuration, Decoder, Edge, Epoch, ErrorCode, HostMessage, HostState, Identity,
    Inputs, Label, LabelError, Lamps, LampsError, LineCounters, LinkCounters, MAX_WIRE, McuMessage,
    Mode, Outcome, Outputs, PartResult, Received, Receiver, RecipeIndex, Refusal, Rejector,
    RejectorError, ResetCause, STATE_PERIOD_MS, Sequence, Signal, Status, Transmitter, TriggerId,
    TriggerInput, Triggering, Unit, ValidFor, Verdict, encode,
};

const PART: TriggerId = TriggerId {
    epoch: Epoch(u16::MAX),
    number: u32::MAX,
};

fn longest_state() -> HostMessage {
    let verdict = Verdict::Error(ErrorCode(core::num::NonZeroU8::MAX));
    HostMessage::State(HostState {
        lamps: Lamps::RED_FLASHING,
        buzzer: andon_link::Buzzer::Continuous,
        ready: true,
        seen: Some(PART),
        outcome: Outcome::Part(PartResult {
            part: PART,
            verdict,
            recipe: RecipeIndex(u16::MAX),
        }),
        valid_for: ValidFor::from_ms(ValidFor::MAX_MS).unwrap(),
    })
}

fn longest_status() -> McuMessage {
    let most = u32::MAX;
    McuMessage::Status(Status {
        echo: Some(Sequence(u16::MAX)),
        uptime_ms: u64::MAX,
        mode: Mode::VersionMismatch { theirs: 255 },
        outputs: Outputs::default(),
        inputs: Inputs::default(),
        alarms: Alarms::default(),
        reset: ResetCause::Unknown,
        epoch: Epoch(u16::MAX),
        last_trigger: Some(PART),
        pending: 255,
        acknowledgements: u16::MAX,
        position: i32::MIN,
        link: LinkCounters {
            good: most,
            bad: most,
            foreign: most,
            senseless: most,
            lost: most,
            overruns: most,
        },
        line: LineCounters {
            triggers: most,
            untaken: most,
            passed: most,
            rejected: most,
            missing: most,
            missed: most,
            events_lost: most,
        },
    })
}

fn longest_identity() -> McuMessage {
    let label = Label::try_from("abcdefghijklmnopqrstuvwx").unwrap();
    McuMessage::Identity(Identity {
        answers: Some(Sequence(u16::MAX)),
        revision: label.clone(),
        board: label,
        reset: ResetCause::Unknown,
        epoch: Epoch(u16::MAX),
    })
}

#[test]
fn the_longest_message_of_each_side_takes_less_than_a_fifth_of_its_period() {
    let state = encode(Sequence(u16::MAX), &longest_state());
    let status = encode(Sequence(u16::MAX), &longest_status());
    let identity = encode(Sequence(u16::MAX), &longest_identity());
    // Figures of this version; a change here is a change of the protocol.
    let lengths = [state, status, identity].map(|frame| frame.as_bytes().len());
    assert_eq!(lengths, [43, 132, 70]);
    assert!(lengths.iter().all(|&bytes| bytes <= MAX_WIRE));
    let symbols_a_period = BAUD * STATE_PERIOD_MS / 1000;
    assert!(
        lengths
            .iter()
            .all(|&bytes| bytes as u32 * 10 * 5 < symbols_a_period)
    );
}

#[test]
fn dark_lamps_cannot_be_asked_for() {
    let dark = Signal::Dark;
    assert_eq!(Lamps::new(dark, dark, dark, dark), Err(LampsError));
    assert!(Lamps::new(dark, dark, dark, Signal::Flashing).is_ok());
}

#[test]
fn a_rejector_that_would_strike_the_next_part_cannot_be_made() {
    let make = |delay, width, spacing| Rejector::new(Unit::EncoderTicks, delay, width, spacing);
    assert_eq!(make(100, 21, 20), Err(RejectorError::WiderThanSpacing));
    assert_eq!(make(0, 1, 1), Err(RejectorError::NoDelay));
    assert_eq!(make(1, 0, 1), Err(RejectorError::NoWidth));
    assert_eq!(make(1 << 30, 1, 1), Err(RejectorError::TooFar));
    assert_eq!(
        make(u32::MAX, u32::MAX, u32::MAX),
        Err(RejectorError::TooFar)
    );
    assert_eq!(make(1, 1, (1 << 30) + 1), Err(RejectorError::TooFar));
    assert!(make(100, 20, 20).is_ok());
}

#[test]
fn a_validity_outside_of_its_bounds_cannot_be_made() {
    assert_eq!(ValidFor::from_ms(19), None);
    assert_eq!(ValidFor::from_ms(10_001), None);
    assert_eq!(ValidFor::from_ms(20).map(ValidFor::as_ms), Some(20));
    assert_eq!(ValidFor::THREE_PERIODS.as_ms(), 300);
}

#[test]
fn a_label_holds_24_printable_characters() {
    assert_eq!(
        Label::try_from("abcdefghijklmnopqrstuvwxy"),
        Err(LabelError::TooLong)
    );
    assert_eq!(Label::try_from("tab\t"), Err(LabelError::NotPrintable));
    assert_eq!(Label::try_from("grün"), Err(LabelError::NotPrintable));
    assert_eq!(
        Label::try_from("0.1.0 ab12cd").unwrap().as_str(),
        "0.1.0 ab12cd"
    );
}

#[test]
fn a_transmit_line_wired_to_the_own_receive_line_is_named_as_such() {
    let mut decoder = Decoder::<McuMessage>::new();
    let frame = encode(Sequence(0), &HostMessage::Ping);
    let outcome = frame
        .as_bytes()
        .iter()
        .find_map(|&b| decoder.push(b))
        .unwrap();
    assert_eq!(outcome, Err(Refusal::Kind { kind: 0x04 }));
    assert!(
        outcome
            .unwrap_err()
            .to_string()
            .contains("wired to the own transmit line")
    );
}

#[test]
fn a_flood_without_delimiters_is_one_refusal() {
    let mut receiver = Receiver::<HostMessage>::new();
    for _ in 0..100_000 {
        assert_eq!(receiver.push(0x55), None);
    }
    assert_eq!(receiver.push(0), Some(Err(Refusal::TooLong)));
    assert_eq!(receiver.counters().bad, 1);
}

#[test]
fn frames_that_went_missing_are_counted_and_a_restart_is_not() {
    let mut receiver = Receiver::<HostMessage>::new();
    let mut take = |sequence| {
        let frame = encode(Sequence(sequence), &HostMessage::Ping);
        frame.as_bytes().iter().for_each(|&b| {
            receiver.push(b);
        });
        receiver.counters().lost
    };
    assert_eq!(take(65_534), 0);
    assert_eq!(take(65_535), 0);
    assert_eq!(take(2), 2);
    assert_eq!(take(3), 2);
    assert_eq!(take(0), 2, "a host that starts again at 0 has lost nothing");
    assert_eq!(take(1), 2);
}

#[test]
fn a_transmitter_counts_its_frames_around_the_end() {
    let mut transmitter = Transmitter::new();
    let mut receiver = Receiver::<HostMessage>::new();
    for expected in (0..=u16::MAX).chain([0, 1]) {
        let (sequence, frame) = transmitter.frame(&HostMessage::Ping);
        assert_eq!(sequence, Sequence(expected));
        let received = frame.as_bytes().iter().find_map(|&b| receiver.push(b));
        assert_eq!(
            received,
            Some(Ok(Received {
                sequence,
                message: HostMessage::Ping
            }))
        );
    }
    assert_eq!(receiver.counters().lost, 0);
}

#[test]
fn a_configuration_survives_the_trip() {
    let configuration = HostMessage::Configure(Configuration {
        triggering: Triggering::Input {
            input: TriggerInput {
                edge: Edge::Falling,
                debounce_ms: 2,
            },
            rejector: Some(Rejector::new(Unit::Milliseconds, 1500, 80, 200).unwrap()),
        },
    });
    let mut decoder = Decoder::<HostMessage>::new();
    let frame = encode(Sequence(9), &configuration);
    let received = frame
        .as_bytes()
        .iter()
        .find_map(|&b| decoder.push(b))
        .unwrap()
        .unwrap();
    assert_eq!(received.message, configuration);
}
