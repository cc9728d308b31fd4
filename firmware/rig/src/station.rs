//! The host's end of the line, as a station would have it: repeats its state every period, and
//! keeps what the light says.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use andon_link::{
    Answer, Configuration, HostMessage, HostState, LinkCounters, McuMessage, Receiver,
    STATE_PERIOD_MS, Sequence, Status, Transmitter,
};
use anyhow::{Context, Result, bail};

use crate::noise::Noise;

/// A host.
#[derive(Debug)]
pub struct Station {
    socket: UnixStream,
    receiver: Receiver<McuMessage>,
    transmitter: Transmitter,
    alive: Option<HostState>,
    period: Duration,
    due: Instant,
    noise: Option<(Noise, Noise)>,
    heard: Vec<McuMessage>,
}

impl Station {
    /// Takes the serial port at `port`.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect(port: &Path) -> Result<Self> {
        Ok(Self {
            socket: UnixStream::connect(port).context("the board's serial port")?,
            receiver: Receiver::new(),
            transmitter: Transmitter::new(),
            alive: None,
            period: Duration::from_millis(STATE_PERIOD_MS.into()),
            due: Instant::now(),
            noise: None,
            heard: Vec::new(),
        })
    }

    /// Puts noise on the line in both directions, or takes it off and gives it back.
    pub fn set_noise(&mut self, noise: Option<(Noise, Noise)>) -> Option<(Noise, Noise)> {
        std::mem::replace(&mut self.noise, noise)
    }

    /// Repeats the state so often from now on, instead of every period of the protocol.
    pub const fn set_period(&mut self, period: Duration) {
        self.period = period;
    }

    /// Sends a message.
    ///
    /// # Errors
    /// The board has ended.
    pub fn send(&mut self, message: &HostMessage) -> Result<Sequence> {
        let (sequence, frame) = self.transmitter.frame(message);
        self.send_bytes(frame.as_bytes())?;
        Ok(sequence)
    }

    /// Sends bytes that need not be a frame.
    ///
    /// # Errors
    /// The board has ended.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let mut bytes = bytes.to_vec();
        if let Some((out, _)) = &mut self.noise {
            out.spoil(&mut bytes);
        }
        self.socket
            .write_all(&bytes)
            .context("the board's serial port")
    }

    /// Says something new, and repeats it every period from now on while the line is listened to.
    ///
    /// # Errors
    /// The board has ended.
    pub fn say(&mut self, state: HostState) -> Result<Sequence> {
        self.alive = Some(state);
        self.due = Instant::now() + self.period;
        self.send(&HostMessage::State(state))
    }

    /// Sends a configuration until the light has taken it: the light may not listen yet, and the
    /// frame may be lost.
    ///
    /// # Errors
    /// It is not taken within a minute, or the board has ended.
    pub fn configure(&mut self, configuration: Configuration) -> Result<()> {
        let (mut asked, end) = (Vec::new(), Instant::now() + Duration::from_mins(1));
        loop {
            asked.push(self.send(&HostMessage::Configure(configuration))?);
            let patience = Duration::from_millis(200);
            let answer = self.wait("a reply", patience, |message| match message {
                McuMessage::Reply(reply) => asked.contains(&reply.to).then_some(reply.answer),
                _ => None,
            });
            match answer {
                Ok(Answer::Taken) => return Ok(()),
                Ok(other) => bail!("the configuration is {other:?}"),
                Err(error) if Instant::now() > end => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Listens for so long, and keeps what is heard.
    ///
    /// # Errors
    /// The board has ended.
    pub fn listen(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.step(end)?;
        }
        Ok(())
    }

    /// Listens until `wanted` finds what it wants in a message, those already heard included, and
    /// takes that message and all before it off the list.
    ///
    /// # Errors
    /// It does not come within `limit`, or the board has ended.
    pub fn wait<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut wanted: impl FnMut(&McuMessage) -> Option<T>,
    ) -> Result<T> {
        let end = Instant::now() + limit;
        let mut looked = 0;
        loop {
            while let Some(message) = self.heard.get(looked) {
                looked += 1;
                if let Some(found) = wanted(message) {
                    self.heard.drain(..looked);
                    return Ok(found);
                }
            }
            if Instant::now() >= end {
                bail!(
                    "{what} did not come within {limit:?}; heard {:?}, line {:?}",
                    self.heard,
                    self.receiver.counters()
                );
            }
            self.step(end)?;
        }
    }

    /// The next status that answers a frame sent from now on.
    ///
    /// # Errors
    /// It does not come within a minute, or the board has ended.
    pub fn status(&mut self) -> Result<Status> {
        self.heard.clear();
        let sequence = match self.alive {
            Some(state) => self.say(state)?,
            None => self.send(&HostMessage::Ping)?,
        };
        self.wait(
            "a status",
            Duration::from_mins(1),
            |message| match message {
                // Later frames may have gone out meanwhile.
                McuMessage::Status(status) => status
                    .echo
                    .is_some_and(|echo| echo.0.wrapping_sub(sequence.0) < 1000)
                    .then(|| status.clone()),
                _ => None,
            },
        )
    }

    /// What was heard since it was last asked.
    pub fn heard(&mut self) -> Vec<McuMessage> {
        std::mem::take(&mut self.heard)
    }

    /// How the line from the light does.
    #[must_use]
    pub const fn counters(&self) -> LinkCounters {
        self.receiver.counters()
    }

    /// One wait for bytes, no longer than to `end` or to when the state is due again.
    fn step(&mut self, end: Instant) -> Result<()> {
        let now = Instant::now();
        if let Some(state) = self.alive
            && now >= self.due
        {
            self.say(state)?;
        }
        let until = self.alive.map_or(end, |_| end.min(self.due));
        let wait = until
            .saturating_duration_since(now)
            .max(Duration::from_millis(1));
        self.socket.set_read_timeout(Some(wait))?;
        let mut some = [0; 1024];
        match self.socket.read(&mut some) {
            Ok(0) => bail!("the board closed its serial port: QEMU has ended"),
            Ok(count) => {
                let some = &mut some[..count];
                if let Some((_, back)) = &mut self.noise {
                    back.spoil(some);
                }
                let heard = some.iter().filter_map(|&byte| self.receiver.push(byte));
                self.heard
                    .extend(heard.flatten().map(|received| received.message));
                Ok(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Ok(())
            }
            Err(error) => Err(error).context("the board's serial port"),
        }
    }
}
