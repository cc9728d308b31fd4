use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;
use crate::frame::{Layout, PixelFormat};

const LONG: Duration = Duration::from_secs(10);

/// A source that gives what the test sends, and ends when the test hangs up.
struct Scripted(Receiver<Result<Frame, FrameError>>);

impl FrameSource for Scripted {
    fn next(&mut self, _: Duration) -> Result<Frame, FrameError> {
        self.0.recv().unwrap_or(Err(FrameError::End {
            name: "script".into(),
        }))
    }

    fn describe(&self) -> String {
        "script".into()
    }
}

fn frame(sequence: u64) -> Result<Frame, FrameError> {
    let layout = Layout::packed(PixelFormat::Grey, 1, 1);
    Ok(Frame::new(vec![0], layout, Duration::ZERO, sequence).unwrap())
}

fn start(delivery: Delivery) -> (Sender<Result<Frame, FrameError>>, Newest) {
    let (send, receive) = channel();
    (
        send,
        Newest::start(Scripted(receive), LONG, delivery).unwrap(),
    )
}

fn until_captured(newest: &Newest, count: u64) {
    let deadline = Instant::now() + LONG;
    while newest.counts().captured < count {
        assert!(Instant::now() < deadline, "only {:?}", newest.counts());
        thread::yield_now();
    }
}

#[test]
fn a_slow_reader_gets_the_newest_frame_and_sees_how_many_it_skipped() {
    let (send, newest) = start(Delivery::Newest);
    (0..5).for_each(|n| send.send(frame(n)).unwrap());
    until_captured(&newest, 5);
    assert_eq!(newest.wait(None, LONG).unwrap().sequence(), 4);
    assert_eq!(newest.counts().skipped, 4);
}

#[test]
fn a_reader_that_wants_every_frame_gets_every_frame() {
    let (send, newest) = start(Delivery::Every);
    (0..50).for_each(|n| send.send(frame(n)).unwrap());
    for n in 0..50 {
        assert_eq!(newest.wait(None, LONG).unwrap().sequence(), n);
    }
    assert_eq!(newest.counts().skipped, 0);
}

#[test]
fn the_end_of_the_source_is_said_again_and_again() {
    let (send, newest) = start(Delivery::Newest);
    send.send(frame(0)).unwrap();
    drop(send);
    newest.wait(None, LONG).unwrap();
    for _ in 0..3 {
        assert!(matches!(
            newest.wait(None, LONG),
            Err(FrameError::End { .. })
        ));
    }
}

#[test]
fn a_wait_without_frames_ends_at_its_deadline_also_when_a_stale_frame_comes() {
    let (send, newest) = start(Delivery::Every);
    send.send(frame(7)).unwrap();
    let waited = newest.wait(Some(7), Duration::from_millis(30));
    assert!(matches!(waited, Err(FrameError::TimedOut { .. })));
    // The stale one is gone, also where every frame is wanted, and the next one follows.
    send.send(frame(8)).unwrap();
    assert_eq!(newest.wait(Some(7), LONG).unwrap().sequence(), 8);
}

#[test]
fn stopping_ends_the_thread() {
    for delivery in [Delivery::Newest, Delivery::Every] {
        let (send, newest) = start(delivery);
        send.send(frame(0)).unwrap();
        until_captured(&newest, 1);
        drop(send);
        newest.stop(LONG).unwrap();
    }
}

#[test]
fn a_source_that_hangs_is_named_when_it_cannot_be_stopped() {
    /// Says that it was asked, and then waits for the test to hang up.
    struct Hanging(Sender<()>, Receiver<()>);
    impl FrameSource for Hanging {
        fn next(&mut self, patience: Duration) -> Result<Frame, FrameError> {
            self.0.send(()).unwrap();
            let _ = self.1.recv();
            Err(FrameError::TimedOut {
                name: self.describe(),
                waited: patience,
            })
        }
        fn describe(&self) -> String {
            "hanging".into()
        }
    }
    let (asked, is_asked) = channel();
    let (_hold, held) = channel();
    let newest = Newest::start(Hanging(asked, held), LONG, Delivery::Newest).unwrap();
    is_asked.recv().unwrap();
    let error = newest.stop(Duration::from_millis(20)).unwrap_err();
    assert_eq!(error.name, "hanging");
}

#[test]
fn a_source_that_panics_is_an_error_and_no_endless_wait() {
    struct Broken;
    impl FrameSource for Broken {
        fn next(&mut self, _: Duration) -> Result<Frame, FrameError> {
            std::panic::resume_unwind(Box::new("broken"));
        }
        fn describe(&self) -> String {
            "broken".into()
        }
    }
    let newest = Newest::start(Broken, LONG, Delivery::Newest).unwrap();
    assert!(matches!(
        newest.wait(None, LONG),
        Err(FrameError::Refused { .. })
    ));
}

#[test]
fn a_waker_ends_the_wait_under_way_and_else_the_next_one_but_never_hides_a_frame() {
    let (send, newest) = start(Delivery::Newest);
    let begun = Instant::now();
    let waker = newest.waker();
    let woken = |item| matches!(item, Err(FrameError::TimedOut { waited, .. }) if waited == LONG);
    waker.wake();
    assert!(woken(newest.wait(None, LONG)));
    let waking = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        waker.wake();
    });
    assert!(woken(newest.wait(None, LONG)));
    waking.join().unwrap();
    assert!(begun.elapsed() < LONG);
    newest.waker().wake();
    send.send(frame(7)).unwrap();
    until_captured(&newest, 1);
    assert_eq!(newest.wait(None, LONG).unwrap().sequence(), 7);
}
