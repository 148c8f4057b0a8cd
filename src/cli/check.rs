//! `sessionlint check`: checks recorded streams and stored records.

use sessionlint_core::finding::Severity;
use sessionlint_core::text::visible;

use super::judging::{Job, JobResult, JudgingArguments, UnreadJob};
use super::selection::SelectionArguments;
use super::{CliError, Exit, follow};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    judging: JudgingArguments,

    #[command(flatten)]
    selection: SelectionArguments,

    /// Print counts of events by type, turns, tool calls, bytes and time
    #[arg(long)]
    stats: bool,

    /// Check rotated logs (app.log, app.log.1, app.log.2.gz) and shards (part-0000, part-0001) as one recording
    #[arg(long, conflicts_with = "follow")]
    join: bool,

    /// Follow one growing file, and report findings at once, until interrupted (Ctrl-C)
    #[arg(long)]
    follow: bool,
}

impl Arguments {
    /// Returns whether a growing file is followed, until a signal ends that.
    pub fn follows(&self) -> bool {
        self.follow
    }
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    let judging = &arguments.judging;
    let input = &judging.input;
    let (protocol, config) = input.load()?;
    let options = judging.options(protocol.rules_of_run())?;
    let selection = arguments.selection.selection(protocol.rules_of_run())?;
    let growing = match arguments.follow {
        true if judging.records.are_given() => return Err(follow::records_error()),
        true => Some(follow::open(input.paths(), &protocol)?),
        false => None,
    };
    let mut found = input.expand(config.as_ref());
    judging.name_standard_input(&mut found)?;
    let job = Job {
        judging,
        protocol: &protocol,
        config: config.as_deref(),
        options,
        selection,
        is_live: growing.is_some(),
        all: judging.all || arguments.follow,
        shows_progress: growing.is_none(),
        besides: "",
        joins: arguments.join,
        makes_pages: true,
        unread: if arguments.follow { UnreadJob::Ends } else { UnreadJob::EndsWhenCertain },
    };
    job.run(found, |work, baseline, reporter, bar| {
        if arguments.join && work.targets.len() > 1 && !work.run.has_parts(work.targets) {
            complain!(
                "sessionlint: --join has joined nothing: no two of the files are named like app.log and app.log.1, or \
                 like part-0000 and part-0001"
            );
        }
        let outcome = match (growing, bar) {
            (Some(mut growing), _) => {
                let (outcome, told) = work.run.check_live(&growing.name(), &mut growing, baseline, reporter);
                told.map(|()| outcome)?
            }
            (None, Some(bar)) => {
                bar.show_reading(work.run.progress, work.targets, || work.run.check(work.targets, baseline, reporter))?
            }
            (None, None) => work.run.check(work.targets, baseline, reporter)?,
        };
        // A mistake in the id must not look like a clean stream.
        if let Some(stream) = arguments.selection.stream().filter(|_| outcome.summary.at_least(Severity::Note) == 0) {
            complain!("sessionlint: no finding belongs to the stream {}", visible(stream));
        }
        Ok(JobResult { outcome, linted: None, shows_stats: arguments.stats })
    })
}
