//! Processes, each with all that it starts: begun together, and ended together.
//!
//! On Unix each is the first of a process group of its own. Whatever of the group still lives is killed when the group
//! goes out of scope, also where a panic unwinds; only what left the group by its own doing (`setsid`) is out of reach.
//! On other systems the process alone is ended.

use std::collections::BTreeSet;
use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use super::producer::Stop;

/// The groups that live, by the number of their first process. It is taken out before that is waited for: from then on
/// the number may be another's.
static LIVING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Whether no group may be started any more. Read-locked while one is, so that none is missed when all are ended.
static OVER: RwLock<bool> = RwLock::new(false);

fn living() -> MutexGuard<'static, BTreeSet<u32>> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends all groups, and lets none be started from now on: for the end of the program, however it comes.
pub fn end_all() {
    *OVER.write().unwrap_or_else(PoisonError::into_inner) = true;
    for group in &*living() {
        kill(*group);
    }
}

/// A process and all that it starts.
pub struct Group {
    first: Child,
    ended: bool,
}

impl Group {
    /// Starts a process in a group of its own.
    ///
    /// # Errors
    ///
    /// When it cannot be started, or the program is about to end.
    pub fn start(command: &mut Command) -> io::Result<Group> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let over = OVER.read().unwrap_or_else(PoisonError::into_inner);
        if *over {
            return Err(io::Error::other("the program is about to end"));
        }
        let first = command.spawn()?;
        living().insert(first.id());
        Ok(Group { first, ended: false })
    }

    /// The first process, for its pipes.
    pub fn first(&mut self) -> &mut Child {
        &mut self.first
    }

    /// Waits until the first process has ended by itself. Where it has not in time, or the run is stopped, the group is
    /// killed.
    pub fn wait(&mut self, until: Instant, stop: &Stop) -> bool {
        wait::until_ended(&mut self.first, until, stop)
    }

    /// Kills what lives of the group; tells how the first process ended.
    ///
    /// # Errors
    ///
    /// When it cannot be waited for.
    pub fn end(&mut self) -> io::Result<ExitStatus> {
        if !self.ended {
            self.ended = true;
            let mut living = living();
            kill(self.first.id());
            living.remove(&self.first.id());
        }
        // Where there are no groups. On Unix it was killed by now.
        let _ = self.first.kill();
        self.first.wait()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// Kills a group whose first process was not waited for yet.
#[cfg(unix)]
fn kill(group: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};

    if let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw) {
        // Nothing of it may live any more.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// What is left alone here finds its pipes closed when this program ends.
#[cfg(not(unix))]
fn kill(_: u32) {}

#[cfg(unix)]
mod wait {
    use std::process::Child;
    use std::sync::mpsc::{RecvTimeoutError, sync_channel};
    use std::thread;
    use std::time::Instant;

    use rustix::io::retry_on_intr;
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

    use super::super::producer::Stop;
    use super::super::running::LOOK;

    /// The process stays there as what has ended, so that its number, and the group's, stays its own.
    pub fn until_ended(child: &mut Child, until: Instant, stop: &Stop) -> bool {
        let (id, options) = (Pid::from_child(child), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        let wait = |options| retry_on_intr(|| waitid(WaitId::Pid(id), options));
        if wait(options | WaitIdOptions::NOHANG).is_ok_and(|ended| ended.is_some()) {
            return true;
        }
        thread::scope(|scope| {
            let (say, said) = sync_channel(1);
            scope.spawn(move || {
                let _ = wait(options);
                // Nobody waits for it if it was too late.
                let _ = say.send(());
            });
            loop {
                let left = until.saturating_duration_since(Instant::now());
                match said.recv_timeout(left.min(LOOK)) {
                    Err(RecvTimeoutError::Timeout) if left.is_zero() || stop.is_said() => {
                        super::kill(child.id());
                        return false;
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return true,
                }
            }
        })
    }
}

#[cfg(not(unix))]
mod wait {
    use std::process::Child;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::super::producer::Stop;

    /// Between two looks at the process.
    const PAUSE: Duration = Duration::from_millis(1);

    pub fn until_ended(child: &mut Child, until: Instant, stop: &Stop) -> bool {
        loop {
            match child.try_wait() {
                Ok(Some(_)) => return true,
                Ok(None) if Instant::now() < until && !stop.is_said() => thread::sleep(PAUSE),
                _ => return false,
            }
        }
    }
}
