//! Signals that interrupt a run: the first one ends it in an orderly way, the second one at once.

use std::io;
use std::sync::Arc;
#[cfg(unix)]
use std::time::{Duration, Instant};

use super::group::kill_all;
use super::producer::StopFlag;
#[cfg(unix)]
use crate::temporary::{self, is_ignored};

/// A signal that arrives this soon after the first one counts as the same: `timeout` signals its child and then its
/// group, and closing a terminal window may send a signal twice.
#[cfg(unix)]
const REPEAT_WINDOW: Duration = Duration::from_millis(500);

/// Handles the signals that interrupt the program (Ctrl-C, SIGTERM, SIGHUP) until it goes out of scope. Producers have
/// process groups of their own, so that a terminal interrupts this program alone. If a panic unwinds through the
/// handler, all producers are killed and no more can be started.
pub struct InterruptHandler {
    #[cfg(unix)]
    handle: signal_hook::iterator::Handle,
}

impl InterruptHandler {
    /// Installs the handler. The first signal sets `stop`; a second one, at least half a second later, kills all
    /// producers and ends the program. Signals that the program was started to ignore (by `nohup`, or as a background
    /// job of a script) stay ignored.
    ///
    /// # Errors
    ///
    /// Fails if the signal handlers cannot be registered.
    #[cfg(unix)]
    pub fn install(stop: Arc<StopFlag>) -> io::Result<InterruptHandler> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

        let heard = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !is_ignored(*signal));
        let mut signals = signal_hook::iterator::Signals::new(heard)?;
        let handle = signals.handle();
        std::thread::Builder::new().spawn(move || {
            let mut signals = signals.forever();
            if signals.next().is_none() {
                return;
            }
            stop.set();
            let first = Instant::now();
            if let Some(signal) = signals.find(|_| first.elapsed() >= REPEAT_WINDOW) {
                kill_all();
                temporary::remove_all();
                let _ = signal_hook::low_level::emulate_default_handler(signal);
                std::process::exit(128 + signal);
            }
        })?;
        Ok(InterruptHandler { handle })
    }

    /// Does nothing: on these systems Ctrl-C ends the program, and the producers that share its console, as usual.
    ///
    /// # Errors
    ///
    /// Never fails.
    #[cfg(not(unix))]
    pub fn install(_: Arc<StopFlag>) -> io::Result<InterruptHandler> {
        Ok(InterruptHandler {})
    }
}

impl Drop for InterruptHandler {
    fn drop(&mut self) {
        #[cfg(unix)]
        self.handle.close();
        if std::thread::panicking() {
            kill_all();
        }
    }
}
