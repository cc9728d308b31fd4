//! What frames are like (light, focus, position): measured beside the network, on a thread of its
//! own that is started once, so that no result waits for it.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use andon_station::{Grey, Measures, Meter, Thumbnail};

use super::cut::Cut;

/// What a frame was like.
pub(super) enum Sight {
    /// Against what the recipe carries, or the first good part.
    Compared(Measures),
    /// There was nothing to compare with: it is what others are compared with, if its part is good.
    First(Box<Meter>, Measures),
}

/// A frame to measure.
struct Question {
    cut: Arc<Cut>,
    meter: Option<Arc<Meter>>,
}

/// The thread.
pub(super) struct Beside {
    questions: Option<SyncSender<Question>>,
    sights: Receiver<Option<Sight>>,
    thread: Option<JoinHandle<()>>,
}

impl Beside {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system's, when there is no thread left.
    pub fn start() -> io::Result<Self> {
        // One frame at a time; these channels hold it without allocating.
        let (questions, asked) = sync_channel::<Question>(1);
        let (give, sights) = sync_channel(1);
        let work = move || {
            for Question { cut, meter } in asked {
                let measured = catch_unwind(AssertUnwindSafe(|| sight(&cut, meter.as_deref())));
                // Whoever waits may go on with the frame.
                drop((cut, meter));
                // After a panic the part is judged all the same, without measures.
                if give.send(measured.unwrap_or(None)).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("measure".into()).spawn(work)?;
        Ok(Self {
            questions: Some(questions),
            sights,
            thread: Some(thread),
        })
    }

    /// Measures a frame against `meter` while this thread does something else; `None` when the frame
    /// is too small for that.
    pub fn measure<T>(
        &self,
        cut: &Arc<Cut>,
        meter: Option<&Arc<Meter>>,
        meanwhile: impl FnOnce() -> T,
    ) -> (T, Option<Sight>) {
        let question = Question {
            cut: Arc::clone(cut),
            meter: meter.cloned(),
        };
        let asked = self.questions.as_ref().map(|to| to.send(question));
        let done = catch_unwind(AssertUnwindSafe(meanwhile));
        // In any case, so that it is never taken for what the next frame is like.
        let sight = match asked {
            Some(Ok(())) => self.sights.recv().unwrap_or(None),
            _ => None,
        };
        (done.unwrap_or_else(|panic| resume_unwind(panic)), sight)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.questions = None;
        if let Some(thread) = self.thread.take() {
            // It catches what measuring throws.
            let _ = thread.join();
        }
    }
}

/// Measures a frame; `None` when it is too small for that.
fn sight(cut: &Cut, meter: Option<&Meter>) -> Option<Sight> {
    let grey = cut.grey();
    let view = Grey::new(&grey, grey.width() as usize, grey.height() as usize).ok()?;
    if let Some(meter) = meter {
        return Some(Sight::Compared(meter.measure(&view)));
    }
    let meter = Meter::new(Thumbnail::of(&view));
    let measures = meter.measure(&view);
    Some(Sight::First(Box::new(meter), measures))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use andon_camera::Frame;
    use image::{Rgb, RgbImage};

    use super::*;

    fn cut(grey: u8) -> Arc<Cut> {
        let picture = RgbImage::from_pixel(64, 48, Rgb([grey; 3]));
        let frame = Frame::from_rgb(picture, Duration::ZERO, 0).unwrap();
        Arc::new(Cut::of(&Arc::new(frame), None).unwrap())
    }

    #[test]
    fn every_frame_is_measured_on_one_thread_also_after_a_panic_beside_it() {
        let beside = Beside::start().unwrap();
        let (_, first) = beside.measure(&cut(100), None, || ());
        let Some(Sight::First(meter, _)) = first else {
            panic!("there was nothing to compare with");
        };
        let meter = Arc::from(meter);
        let light = |grey| {
            let (_, sight) = beside.measure(&cut(grey), Some(&meter), || ());
            match sight {
                Some(Sight::Compared(measures)) => format!("{measures:?}"),
                _ => panic!("it was not compared"),
            }
        };
        let (dark, bright) = (light(50), light(200));
        assert_ne!(dark, bright);
        let failed = catch_unwind(AssertUnwindSafe(|| {
            beside.measure(&cut(50), Some(&meter), || panic!("the network failed"))
        }));
        assert!(failed.is_err());
        assert_eq!(light(200), bright);
    }
}
