//! `andon status` and `andon tell`: questions and orders to the station that runs.

mod readable;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use andon_alert::{Request, Response, ask};
use anyhow::{Result, bail};
use clap::Subcommand;

use super::output::json_line;

/// How long a station may take for its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the station listens.
#[derive(Debug, clap::Args)]
struct Socket {
    /// Socket of the station, `outputs.socket` in its file
    #[arg(long, value_name = "PATH", default_value = "/run/andon/station.sock")]
    socket: PathBuf,
}

/// Arguments of `andon status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  andon status
  andon status --json | jq .counters

Exit status: 0 it answered, 1 it refused, 2 no station answers.")]
pub struct StatusArgs {
    #[command(flatten)]
    socket: Socket,
    /// Print the answer as one JSON object
    #[arg(long)]
    json: bool,
}

/// Arguments of `andon tell`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  andon tell ack
  andon tell recipe bracket-b
  andon tell challenge \"Ann, early shift\"

Exit status: 0 done, 1 refused, 2 no station answers.")]
pub struct TellArgs {
    #[command(flatten)]
    socket: Socket,
    #[command(subcommand)]
    order: Order,
}

#[derive(Debug, Subcommand)]
enum Order {
    /// A part is there: judge it
    Trigger,
    /// The operator has seen what is shown
    Ack,
    /// Judge from the next part on by another recipe
    Recipe {
        /// Its name or its index
        recipe: String,
    },
    /// Ask for the challenge parts; production waits until they were judged as they should
    Challenge {
        /// Who asks, for the record
        who: String,
    },
    /// Start the counters from zero
    ResetCounters {
        /// Who asks, for the record
        who: String,
    },
}

impl Order {
    fn request(&self) -> Request {
        match self {
            Self::Trigger => Request::Trigger,
            Self::Ack => Request::Ack,
            Self::Recipe { recipe } => Request::Recipe {
                recipe: recipe.clone(),
            },
            Self::Challenge { who } => Request::Challenge { who: who.clone() },
            Self::ResetCounters { who } => Request::ResetCounters { who: who.clone() },
        }
    }
}

/// Shows the status.
pub fn status(args: &StatusArgs) -> Result<ExitCode> {
    match ask(&args.socket.socket, &Request::Status, PATIENCE)? {
        Response::Status(status) if args.json => json_line(&status)?,
        Response::Status(status) => print!("{}", readable::readable(&status)),
        Response::Refused(why) => return Ok(refused(&why)),
        Response::Done => bail!("the answer holds no status: are both sides of one version?"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Gives an order.
pub fn tell(args: &TellArgs) -> Result<ExitCode> {
    match ask(&args.socket.socket, &args.order.request(), PATIENCE)? {
        Response::Refused(why) => Ok(refused(&why)),
        Response::Done | Response::Status(_) => Ok(ExitCode::SUCCESS),
    }
}

fn refused(why: &str) -> ExitCode {
    eprintln!("refused: {why}");
    ExitCode::from(1)
}
