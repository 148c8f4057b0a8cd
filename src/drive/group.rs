//! Process groups: a process and everything it starts, which are killed together.
//!
//! On Unix each process leads a process group of its own. Whatever is still alive in the group is killed when the
//! [`ProcessGroup`] goes out of scope, even during unwinding; only a process that left the group by itself (`setsid`)
//! is out of reach. On other systems only the first process is killed.

use std::collections::BTreeSet;
use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use super::producer::StopFlag;

/// The live groups, by the process ID of their first process. A group is removed before its first process is reaped:
/// after that the ID may be reused.
static LIVE_GROUPS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Whether starting groups is forbidden. Read-locked while a group starts, so that [`kill_all`] misses none.
static SHUT_DOWN: RwLock<bool> = RwLock::new(false);

fn live_groups() -> MutexGuard<'static, BTreeSet<u32>> {
    LIVE_GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills all groups and forbids starting new ones. Called when the program is about to end, for whatever reason.
pub fn kill_all() {
    *SHUT_DOWN.write().unwrap_or_else(PoisonError::into_inner) = true;
    for group in &*live_groups() {
        kill(*group);
    }
}

/// A process and everything it starts.
pub struct ProcessGroup {
    first: Child,
    ended: bool,
}

impl ProcessGroup {
    /// Starts a process in a group of its own.
    ///
    /// # Errors
    ///
    /// Fails if the process cannot be started, or if [`kill_all`] was called.
    pub fn start(command: &mut Command) -> io::Result<ProcessGroup> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let is_shut_down = SHUT_DOWN.read().unwrap_or_else(PoisonError::into_inner);
        if *is_shut_down {
            return Err(io::Error::other("the program is about to end"));
        }
        let first = command.spawn()?;
        live_groups().insert(first.id());
        Ok(ProcessGroup { first, ended: false })
    }

    /// Returns the first process, for access to its pipes.
    pub fn first(&mut self) -> &mut Child {
        &mut self.first
    }

    /// Waits for the first process to end by itself and returns `true`. If it does not end before `until`, or the run
    /// is stopped, kills the group and returns `false`.
    pub fn wait(&mut self, until: Instant, stop: &StopFlag) -> bool {
        wait::wait_until_ended(&mut self.first, until, stop)
    }

    /// Kills what is left of the group, and returns the exit status of the first process.
    ///
    /// # Errors
    ///
    /// Fails if the process cannot be waited for.
    pub fn end(&mut self) -> io::Result<ExitStatus> {
        if !self.ended {
            self.ended = true;
            let mut living = live_groups();
            kill(self.first.id());
            living.remove(&self.first.id());
        }
        // For systems without process groups; on Unix the process is dead by now.
        let _ = self.first.kill();
        self.first.wait()
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// Kills a group whose first process has not been reaped yet.
#[cfg(unix)]
fn kill(group: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};

    if let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw) {
        // An error means that the group has no process left.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Does nothing: processes that are left over find their pipes closed when this program ends.
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

    use super::super::producer::StopFlag;
    use super::super::subprocess::POLL_INTERVAL;

    /// Waits without reaping the process, so that its ID, which is also the group's, is not reused.
    pub fn wait_until_ended(child: &mut Child, until: Instant, stop: &StopFlag) -> bool {
        let (id, options) = (Pid::from_child(child), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        let wait = |options| retry_on_intr(|| waitid(WaitId::Pid(id), options));
        if wait(options | WaitIdOptions::NOHANG).is_ok_and(|ended| ended.is_some()) {
            return true;
        }
        thread::scope(|scope| {
            let (sender, receiver) = sync_channel(1);
            let waiter = thread::Builder::new().spawn_scoped(scope, move || {
                let _ = wait(options);
                // Nobody receives this if the process ended too late.
                let _ = sender.send(());
            });
            let has_ended = || wait(options | WaitIdOptions::NOHANG).is_ok_and(|ended| ended.is_some());
            loop {
                let left = until.saturating_duration_since(Instant::now());
                match receiver.recv_timeout(left.min(POLL_INTERVAL)) {
                    Err(RecvTimeoutError::Timeout) if left.is_zero() || stop.is_set() => {
                        super::kill(child.id());
                        return false;
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) => return true,
                    // Without a thread that waits, the process is looked at again and again.
                    Err(RecvTimeoutError::Disconnected) if waiter.is_ok() || has_ended() => return true,
                    Err(RecvTimeoutError::Disconnected) if left.is_zero() || stop.is_set() => {
                        super::kill(child.id());
                        return false;
                    }
                    Err(RecvTimeoutError::Disconnected) => thread::sleep(left.min(POLL_INTERVAL)),
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

    use super::super::producer::StopFlag;

    /// The pause between two checks of the process.
    const PAUSE: Duration = Duration::from_millis(1);

    pub fn wait_until_ended(child: &mut Child, until: Instant, stop: &StopFlag) -> bool {
        loop {
            match child.try_wait() {
                Ok(Some(_)) => return true,
                Ok(None) if Instant::now() < until && !stop.is_set() => thread::sleep(PAUSE),
                _ => return false,
            }
        }
    }
}
