//! Strategies that draw every message the types can hold, shared by the property tests.

use core::num::NonZeroU8;

use andon_link::{
    Acknowledge, Admission, Alarms, Answer, Buzzer, Configuration, Edge, Epoch, ErrorCode,
    HostMessage, HostState, Identity, Inputs, Label, Lamps, LineCounters, LinkCounters, McuMessage,
    Mode, Outcome, Outputs, PartResult, RecipeIndex, Rejector, Reply, ResetCause, Sequence, Signal,
    Status, TriggerEdge, TriggerId, TriggerInput, Triggering, Unit, ValidFor, Verdict,
};
use proptest::prelude::*;

fn part() -> impl Strategy<Value = TriggerId> {
    any::<(u16, u32)>().prop_map(|(epoch, number)| TriggerId {
        epoch: Epoch(epoch),
        number,
    })
}

fn code() -> impl Strategy<Value = ErrorCode> {
    any::<NonZeroU8>().prop_map(ErrorCode)
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        Just(Verdict::Ok),
        Just(Verdict::Ng),
        code().prop_map(Verdict::Error)
    ]
}

fn signal() -> impl Strategy<Value = Signal> {
    prop_oneof![
        Just(Signal::Dark),
        Just(Signal::Steady),
        Just(Signal::Flashing)
    ]
}

fn lamps() -> impl Strategy<Value = Lamps> {
    (signal(), signal(), signal(), signal())
        .prop_filter_map("all dark", |(r, a, g, b)| Lamps::new(r, a, g, b).ok())
}

fn buzzer() -> impl Strategy<Value = Buzzer> {
    prop_oneof![
        Just(Buzzer::Silent),
        Just(Buzzer::Pulsed),
        Just(Buzzer::Continuous)
    ]
}

fn result() -> impl Strategy<Value = PartResult> {
    (part(), verdict(), any::<u16>()).prop_map(|(part, verdict, recipe)| PartResult {
        part,
        verdict,
        recipe: RecipeIndex(recipe),
    })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Nothing),
        result().prop_map(Outcome::Part),
        (verdict(), any::<u16>()).prop_map(|(verdict, r)| Outcome::Stream {
            verdict,
            recipe: RecipeIndex(r)
        }),
        code().prop_map(Outcome::Fault),
    ]
}

fn state() -> impl Strategy<Value = HostState> {
    (
        lamps(),
        buzzer(),
        any::<bool>(),
        proptest::option::of(part()),
        outcome(),
        ValidFor::MIN_MS..=ValidFor::MAX_MS,
    )
        .prop_map(|(lamps, buzzer, ready, seen, outcome, ms)| HostState {
            lamps,
            buzzer,
            ready,
            seen,
            outcome,
            valid_for: ValidFor::from_ms(ms).unwrap(),
        })
}

fn rejector() -> impl Strategy<Value = Rejector> {
    (
        prop_oneof![Just(Unit::Milliseconds), Just(Unit::EncoderTicks)],
        1..=1u32 << 29,
        1..=1u32 << 29,
    )
        .prop_flat_map(|(unit, delay, width)| (Just((unit, delay, width)), width..=1 << 30))
        .prop_map(|((unit, delay, width), spacing)| {
            Rejector::new(unit, delay, width, spacing).unwrap()
        })
}

fn configuration() -> impl Strategy<Value = Configuration> {
    let input = (
        prop_oneof![Just(Edge::Rising), Just(Edge::Falling)],
        any::<u8>(),
    )
        .prop_map(|(edge, debounce_ms)| TriggerInput { edge, debounce_ms });
    prop_oneof![
        Just(Triggering::FreeRunning),
        (input, proptest::option::of(rejector()))
            .prop_map(|(input, rejector)| Triggering::Input { input, rejector }),
    ]
    .prop_map(|triggering| Configuration { triggering })
}

/// Any message from the host.
pub fn host_message() -> impl Strategy<Value = HostMessage> {
    prop_oneof![
        4 => state().prop_map(HostMessage::State),
        2 => result().prop_map(HostMessage::Result),
        2 => configuration().prop_map(HostMessage::Configure),
        1 => Just(HostMessage::Ping),
    ]
}

fn reset() -> impl Strategy<Value = ResetCause> {
    prop_oneof![
        Just(ResetCause::PowerOn),
        Just(ResetCause::Pin),
        Just(ResetCause::Software),
        Just(ResetCause::Watchdog),
        Just(ResetCause::BrownOut),
        Just(ResetCause::Unknown),
    ]
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![
        Just(Mode::HostLost),
        any::<u8>().prop_map(|theirs| Mode::VersionMismatch { theirs }),
        Just(Mode::Unconfigured),
        Just(Mode::Running),
    ]
}

fn outputs() -> impl Strategy<Value = Outputs> {
    any::<[bool; 11]>().prop_map(
        |[
            red,
            amber,
            green,
            blue,
            buzzer,
            ready,
            results_ready,
            ok,
            ng,
            error,
            reject,
        ]| Outputs {
            red,
            amber,
            green,
            blue,
            buzzer,
            ready,
            results_ready,
            ok,
            ng,
            error,
            reject,
        },
    )
}

fn status() -> impl Strategy<Value = Status> {
    let echo = proptest::option::of(any::<u16>().prop_map(Sequence));
    let alarms = any::<[bool; 4]>().prop_map(|[a, b, c, d]| Alarms {
        button_stuck: a,
        trigger_untaken: b,
        unexpected_reset: c,
        reject_missed: d,
    });
    let link = any::<[u32; 6]>().prop_map(|[good, bad, foreign, senseless, lost, overruns]| {
        LinkCounters {
            good,
            bad,
            foreign,
            senseless,
            lost,
            overruns,
        }
    });
    let line = any::<[u32; 7]>().prop_map(
        |[
            triggers,
            untaken,
            passed,
            rejected,
            missing,
            missed,
            events_lost,
        ]| LineCounters {
            triggers,
            untaken,
            passed,
            rejected,
            missing,
            missed,
            events_lost,
        },
    );
    (
        (
            echo,
            any::<u64>(),
            mode(),
            outputs(),
            any::<(bool, bool)>(),
            alarms,
            reset(),
        ),
        (
            any::<u16>(),
            proptest::option::of(part()),
            any::<u8>(),
            any::<u16>(),
            any::<i32>(),
        ),
        link,
        line,
    )
        .prop_map(
            |(
                (echo, uptime_ms, mode, outputs, (trigger, button), alarms, reset),
                rest,
                link,
                line,
            )| {
                let (epoch, last_trigger, pending, acknowledgements, position) = rest;
                Status {
                    echo,
                    uptime_ms,
                    mode,
                    outputs,
                    inputs: Inputs { trigger, button },
                    alarms,
                    reset,
                    epoch: Epoch(epoch),
                    last_trigger,
                    pending,
                    acknowledgements,
                    position,
                    link,
                    line,
                }
            },
        )
}

fn label() -> impl Strategy<Value = Label> {
    "[ -~]{0,24}".prop_map(|text| Label::try_from(text.as_str()).unwrap())
}

/// Any message from the MCU.
pub fn mcu_message() -> impl Strategy<Value = McuMessage> {
    let admission = prop_oneof![
        Just(Admission::Taken),
        Just(Admission::NotReady),
        Just(Admission::HostLost),
        Just(Admission::TooClose),
        Just(Admission::TooMany),
    ];
    let answer = prop_oneof![
        Just(Answer::Taken),
        Just(Answer::UnknownPart),
        Just(Answer::TooLate),
        Just(Answer::AlreadyRejected),
    ];
    prop_oneof![
        4 => status().prop_map(McuMessage::Status),
        1 => (part(), any::<u64>(), admission)
            .prop_map(|(part, at_ms, admission)| McuMessage::Trigger(TriggerEdge { part, at_ms, admission })),
        1 => any::<(u16, u64)>()
            .prop_map(|(number, at_ms)| McuMessage::Acknowledge(Acknowledge { number, at_ms })),
        1 => (any::<u16>(), answer)
            .prop_map(|(to, answer)| McuMessage::Reply(Reply { to: Sequence(to), answer })),
        1 => (proptest::option::of(any::<u16>()), label(), label(), reset(), any::<u16>())
            .prop_map(|(answers, revision, board, reset, epoch)| McuMessage::Identity(Identity {
                answers: answers.map(Sequence),
                revision,
                board,
                reset,
                epoch: Epoch(epoch),
            })),
    ]
}
