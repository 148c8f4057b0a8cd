//! What interrupts a run: the first time it comes to its end as it should, the second time at once.

use std::io;
use std::sync::Arc;
#[cfg(unix)]
use std::time::{Duration, Instant};

use super::group::end_all;
use super::producer::Stop;

/// What comes so soon after the first signal is the same one: `timeout` signals its child and then its group, and a
/// terminal's window that is closed may say it twice.
#[cfg(unix)]
const SAME: Duration = Duration::from_millis(500);

/// Hears what interrupts the program (Ctrl-C, SIGTERM, SIGHUP) until it goes out of scope. Producers have process groups
/// of their own, so that a terminal interrupts this program alone. Where a panic unwinds through it, all producers are
/// ended, and none can be started any more.
pub struct Interrupts {
    #[cfg(unix)]
    heard: signal_hook::iterator::Handle,
}

impl Interrupts {
    /// From now on, the first signal says `stop`; the second one, half a second after it or later, ends all producers and
    /// the program. What the program was told to ignore (by `nohup`, or because it runs in the background of a script) it
    /// goes on to ignore.
    ///
    /// # Errors
    ///
    /// When signals cannot be heard.
    #[cfg(unix)]
    pub fn hear(stop: Arc<Stop>) -> io::Result<Interrupts> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

        let heard = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !is_ignored(*signal));
        let mut signals = signal_hook::iterator::Signals::new(heard)?;
        let heard = signals.handle();
        std::thread::spawn(move || {
            let mut signals = signals.forever();
            if signals.next().is_none() {
                return;
            }
            stop.say();
            let first = Instant::now();
            if let Some(signal) = signals.find(|_| first.elapsed() >= SAME) {
                end_all();
                let _ = signal_hook::low_level::emulate_default_handler(signal);
                std::process::exit(128 + signal);
            }
        });
        Ok(Interrupts { heard })
    }

    /// Here Ctrl-C ends the program as ever, and the producers that the console runs with it.
    ///
    /// # Errors
    ///
    /// None.
    #[cfg(not(unix))]
    pub fn hear(_: Arc<Stop>) -> io::Result<Interrupts> {
        Ok(Interrupts {})
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        #[cfg(unix)]
        self.heard.close();
        if std::thread::panicking() {
            end_all();
        }
    }
}

/// Whether this program was started to ignore a signal. Only Linux tells it.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or_default();
    ignored & (1 << (signal - 1)) != 0
}
