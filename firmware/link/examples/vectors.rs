//! Prints the compatibility vectors of the protocol version that this crate speaks. A file that was
//! published is never overwritten with different bytes: a change of bytes is a new version.
//!
//! ```text
//! cargo run -p andon-link --example vectors > firmware/link/vectors/v1.json
//! ```

use core::num::NonZeroU8;

use andon_link::{
    Acknowledge, Admission, Alarms, Answer, Buzzer, Configuration, Edge, Epoch, ErrorCode,
    HostMessage, HostState, Identity, Inputs, Label, Lamps, LineCounters, LinkCounters, McuMessage,
    Message, Mode, Outcome, Outputs, PartResult, RecipeIndex, Rejector, Reply, ResetCause,
    Sequence, Signal, Status, TriggerEdge, TriggerId, TriggerInput, Triggering, Unit, VERSION,
    ValidFor, Verdict, encode,
};
use serde::Serialize;

const PART: TriggerId = TriggerId {
    epoch: Epoch(0x0102),
    number: 300,
};
const RECIPE: RecipeIndex = RecipeIndex(2);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let code = ErrorCode(NonZeroU8::new(7).ok_or("zero")?);
    let ok = PartResult {
        part: PART,
        verdict: Verdict::Ok,
        recipe: RECIPE,
    };
    let good = HostState {
        lamps: Lamps::GREEN,
        buzzer: Buzzer::Silent,
        ready: true,
        seen: Some(PART),
        outcome: Outcome::Part(ok),
        valid_for: ValidFor::THREE_PERIODS,
    };
    let all_lamps = Lamps::new(
        Signal::Steady,
        Signal::Flashing,
        Signal::Steady,
        Signal::Flashing,
    )?;
    let input = TriggerInput {
        edge: Edge::Rising,
        debounce_ms: 2,
    };
    let rejector = Rejector::new(Unit::Milliseconds, 1500, 80, 200)?;
    let encoder = Rejector::new(Unit::EncoderTicks, 1 << 29, 1, 1 << 30)?;
    let configure = |triggering| HostMessage::Configure(Configuration { triggering });

    let host = [
        (
            "state: good part, ready for the next",
            0,
            HostMessage::State(good),
        ),
        (
            "state: every lamp, pulsed buzzer, no part seen, a fault",
            1,
            HostMessage::State(HostState {
                lamps: all_lamps,
                buzzer: Buzzer::Pulsed,
                ready: false,
                seen: None,
                outcome: Outcome::Fault(code),
                valid_for: ValidFor::from_ms(ValidFor::MAX_MS).ok_or("validity")?,
            }),
        ),
        (
            "state: nothing shown",
            2,
            HostMessage::State(HostState {
                lamps: Lamps::RED_FLASHING,
                buzzer: Buzzer::Continuous,
                ready: false,
                seen: None,
                outcome: Outcome::Nothing,
                valid_for: ValidFor::from_ms(ValidFor::MIN_MS).ok_or("validity")?,
            }),
        ),
        (
            "state: free running, NG",
            3,
            HostMessage::State(HostState {
                outcome: Outcome::Stream {
                    verdict: Verdict::Ng,
                    recipe: RECIPE,
                },
                seen: None,
                ..good
            }),
        ),
        ("result: OK", 255, HostMessage::Result(ok)),
        (
            "result: NG",
            256,
            HostMessage::Result(PartResult {
                verdict: Verdict::Ng,
                ..ok
            }),
        ),
        (
            "result: error 7",
            257,
            HostMessage::Result(PartResult {
                verdict: Verdict::Error(code),
                ..ok
            }),
        ),
        (
            "configure: free running",
            258,
            configure(Triggering::FreeRunning),
        ),
        (
            "configure: trigger input, no rejector",
            259,
            configure(Triggering::Input {
                input: TriggerInput {
                    edge: Edge::Falling,
                    debounce_ms: 0,
                },
                rejector: None,
            }),
        ),
        (
            "configure: rejector by time",
            260,
            configure(Triggering::Input {
                input,
                rejector: Some(rejector),
            }),
        ),
        (
            "configure: rejector by encoder",
            261,
            configure(Triggering::Input {
                input,
                rejector: Some(encoder),
            }),
        ),
        ("ping", 65_535, HostMessage::Ping),
    ];

    let status = Status {
        echo: Some(Sequence(511)),
        uptime_ms: 123_456_789_012,
        mode: Mode::Running,
        outputs: Outputs {
            green: true,
            ready: true,
            results_ready: true,
            ok: true,
            ..Outputs::default()
        },
        inputs: Inputs {
            trigger: true,
            button: false,
        },
        alarms: Alarms {
            trigger_untaken: true,
            ..Alarms::default()
        },
        reset: ResetCause::Watchdog,
        epoch: PART.epoch,
        last_trigger: Some(PART),
        pending: 3,
        acknowledgements: 258,
        position: -70_000,
        link: LinkCounters {
            good: 1_000_000,
            bad: 1,
            foreign: 2,
            senseless: 3,
            lost: 4,
            overruns: 5,
        },
        line: LineCounters {
            triggers: 300,
            untaken: 6,
            passed: 290,
            rejected: 7,
            missing: 8,
            missed: 9,
            events_lost: 10,
        },
    };
    let after_reset = Status {
        echo: None,
        uptime_ms: 0,
        mode: Mode::HostLost,
        outputs: Outputs {
            red: true,
            ng: true,
            error: true,
            reject: true,
            ..Outputs::default()
        },
        inputs: Inputs::default(),
        alarms: Alarms {
            unexpected_reset: true,
            ..Alarms::default()
        },
        reset: ResetCause::BrownOut,
        last_trigger: None,
        pending: 0,
        acknowledgements: 0,
        position: 0,
        link: LinkCounters::default(),
        line: LineCounters::default(),
        ..status
    };
    let mut mcu = vec![
        ("status: running", 0, McuMessage::Status(status.clone())),
        (
            "status: just after a dip of the supply",
            1,
            McuMessage::Status(after_reset.clone()),
        ),
        (
            "status: host speaks version 9",
            2,
            McuMessage::Status(Status {
                mode: Mode::VersionMismatch { theirs: 9 },
                reset: ResetCause::Pin,
                alarms: Alarms {
                    button_stuck: true,
                    reject_missed: true,
                    ..Alarms::default()
                },
                outputs: Outputs {
                    amber: true,
                    blue: true,
                    buzzer: true,
                    ..Outputs::default()
                },
                ..after_reset.clone()
            }),
        ),
        (
            "status: waiting for its configuration",
            3,
            McuMessage::Status(Status {
                mode: Mode::Unconfigured,
                reset: ResetCause::Software,
                ..after_reset
            }),
        ),
        (
            "acknowledge: press 258",
            10,
            McuMessage::Acknowledge(Acknowledge {
                number: 258,
                at_ms: 70_000,
            }),
        ),
        (
            "identity: answer to a ping",
            11,
            McuMessage::Identity(Identity {
                answers: Some(Sequence(65_535)),
                revision: Label::try_from("0.1.0 ab12cd")?,
                board: Label::try_from("b-l475e-iot01a")?,
                reset: ResetCause::PowerOn,
                epoch: PART.epoch,
            }),
        ),
        (
            "identity: after a reset",
            12,
            McuMessage::Identity(Identity {
                answers: None,
                revision: Label::default(),
                board: Label::default(),
                reset: ResetCause::Unknown,
                epoch: Epoch(0),
            }),
        ),
    ];
    for (name, admission) in [
        ("trigger: taken", Admission::Taken),
        ("trigger: not ready", Admission::NotReady),
        ("trigger: host lost", Admission::HostLost),
        ("trigger: too close", Admission::TooClose),
        ("trigger: too many in flight", Admission::TooMany),
    ] {
        let edge = TriggerEdge {
            part: PART,
            at_ms: 4_294_967_296,
            admission,
        };
        mcu.push((name, 20, McuMessage::Trigger(edge)));
    }
    for (name, answer) in [
        ("reply: taken", Answer::Taken),
        ("reply: unknown part", Answer::UnknownPart),
        ("reply: too late", Answer::TooLate),
        ("reply: already rejected", Answer::AlreadyRejected),
    ] {
        mcu.push((
            name,
            30,
            McuMessage::Reply(Reply {
                to: Sequence(256),
                answer,
            }),
        ));
    }

    let (host, mcu) = (lines(&host)?, lines(&mcu)?);
    println!("{{\n  \"version\": {VERSION},");
    println!("  \"from_host\": [\n    {host}\n  ],");
    println!("  \"from_mcu\": [\n    {mcu}\n  ]\n}}");
    Ok(())
}

/// One line of the file: what it is, its bytes in hexadecimal, and its meaning.
#[derive(Serialize)]
struct Vector<'a, M> {
    name: &'a str,
    sequence: u16,
    wire: String,
    message: &'a M,
}

/// The lines of one direction.
fn lines<M: Message + Serialize>(messages: &[(&str, u16, M)]) -> serde_json::Result<String> {
    let lines: Result<Vec<String>, _> = messages
        .iter()
        .map(|(name, sequence, message)| {
            let frame = encode(Sequence(*sequence), message);
            let bytes: Vec<String> = frame
                .as_bytes()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            serde_json::to_string(&Vector {
                name,
                sequence: *sequence,
                wire: bytes.join(" "),
                message,
            })
        })
        .collect();
    Ok(lines?.join(",\n    "))
}
