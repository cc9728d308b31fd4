//! The thread around the session on a real terminal device, unplugged and plugged in again.

mod common;

use andon_alert::{Bell, LightEvent, LightPort, LightPortSettings, Sink};
use andon_link::{Mode, ResetCause};
use common::{Mcu, fresh, ms, outputs, settings};
use serialport::{SerialPort, TTYPort};
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

/// An MCU on a cable that ends in a terminal device to which `link` points.
struct Cable {
    master: TTYPort,
    mcu: Mcu,
    since: Instant,
}

impl Cable {
    fn plug(link: &Path, epoch: u16) -> Self {
        let (mut master, slave) = TTYPort::pair().unwrap();
        master.set_timeout(ms(1)).unwrap();
        let _ = std::fs::remove_file(link);
        symlink(slave.name().unwrap(), link).unwrap();
        Self {
            master,
            mcu: Mcu::new(epoch, ResetCause::PowerOn),
            since: Instant::now(),
        }
    }

    fn turn(&mut self) {
        let mut bytes = [0; 512];
        if let Ok(count) = self.master.read(&mut bytes) {
            self.mcu.hear(&bytes[..count]);
        }
        let uptime = u64::try_from(self.since.elapsed().as_millis()).unwrap();
        for (_, bytes) in self.mcu.turn(uptime) {
            // While nobody has the other end open, this fails as it may.
            let _ = self.master.write_all(&bytes);
        }
        std::thread::sleep(ms(1));
    }
}

fn wait(what: &str, limit: Duration, mut done: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !done() {
        assert!(
            begun.elapsed() < limit,
            "{what} did not come within {limit:?}"
        );
    }
    begun.elapsed()
}

#[test]
fn an_unplugged_light_is_noticed_tried_again_and_works_after_it_is_plugged_in() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("light");
    let epoch = Instant::now();
    let mut cable = Cable::plug(&link, 1);
    let port = LightPortSettings {
        port: link.clone(),
        light: settings(),
    };
    let mut light = LightPort::spawn(port, epoch, Bell::silent()).unwrap();
    let shown = outputs();

    wait("the light", ms(5000), || {
        light.show(&fresh(&shown, epoch.elapsed())).unwrap();
        cable.turn();
        cable.mcu.light.mode() == Mode::Running
    });
    assert_eq!(light.health().fault, None);

    drop(cable);
    std::fs::remove_file(&link).unwrap();
    wait("the fault", ms(5000), || {
        light.show(&fresh(&shown, epoch.elapsed())).unwrap();
        std::thread::sleep(ms(1));
        light.health().fault.is_some()
    });
    assert!(light.health().fault.unwrap().contains("check the cable"));

    let mut cable = Cable::plug(&link, 2);
    let took = wait("the light after it was plugged in", ms(5000), || {
        light.show(&fresh(&shown, epoch.elapsed())).unwrap();
        cable.turn();
        cable.mcu.light.mode() == Mode::Running
    });
    eprintln!("running {took:?} after it was plugged in");
    assert_eq!((light.health().fault, light.health().reconnects), (None, 1));
    let events: Vec<_> = light.events().try_iter().collect();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, LightEvent::Began { epoch, .. } if epoch.0 == 2))
    );

    // The station stops: nothing more is said, and the light notices by itself.
    light.leave().unwrap();
    wait("host lost", ms(2000), || {
        cable.turn();
        cable.mcu.light.mode() == Mode::HostLost
    });
    assert!(light.show(&fresh(&shown, epoch.elapsed())).is_err());
}

#[test]
fn a_station_that_stops_showing_loses_its_light_although_the_thread_lives() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("light");
    let epoch = Instant::now();
    let mut cable = Cable::plug(&link, 1);
    let port = LightPortSettings {
        port: link,
        light: settings(),
    };
    let mut light = LightPort::spawn(port, epoch, Bell::silent()).unwrap();
    let shown = outputs();
    light.show(&fresh(&shown, epoch.elapsed())).unwrap();
    wait("the light", ms(5000), || {
        cable.turn();
        cable.mcu.light.mode() == Mode::Running
    });
    wait("host lost", ms(3000), || {
        cable.turn();
        cable.mcu.light.mode() == Mode::HostLost
    });
}
