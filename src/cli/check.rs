//! `sessionlint check`.

use super::judging::{Done, Job, JudgingArguments};
use super::{Exit, Failure, follow};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    judging: JudgingArguments,

    /// Count events by type, turns, tool calls, bytes and time
    #[arg(long)]
    stats: bool,

    /// Watch one file that grows and tell findings at once, until an interrupt (Ctrl-C)
    #[arg(long)]
    follow: bool,
}

pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let judging = &arguments.judging;
    let input = &judging.input;
    let (protocol, config) = input.load()?;
    let options = judging.options(protocol.rules_of_run())?;
    let growing = match arguments.follow {
        true if judging.records.are_said() => return Err(follow::not_of_records()),
        true => Some(follow::open(&input.paths, &protocol)?),
        false => None,
    };
    let found = input.expand(config.as_ref());
    let job = Job {
        judging,
        protocol: &protocol,
        config: config.as_deref(),
        options,
        all: judging.all || arguments.follow,
        shows_progress: growing.is_none(),
        besides: "",
    };
    job.run(found, |work, baseline, reporter, bar| {
        let outcome = match (growing, bar) {
            (Some(mut growing), _) => {
                let (outcome, told) = work.run.check_live(&growing.name(), &mut growing, baseline, reporter);
                told.map(|()| outcome)?
            }
            (None, Some(bar)) => {
                bar.during(work.run.progress, work.targets, || work.run.check(work.targets, baseline, reporter))?
            }
            (None, None) => work.run.check(work.targets, baseline, reporter)?,
        };
        Ok(Done { outcome, linted: None, shows_stats: arguments.stats })
    })
}
