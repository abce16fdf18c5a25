//! One-time codes as a person's telephone makes them (RFC 6238), each used once (rule C2).

use crate::clock;
use std::sync::Mutex;
use std::time::Duration;
use totp_rs::Builder;

const STEP: u64 = 30;
/// A step is used so long after it opens, and no sooner.
const OPENS: Duration = Duration::from_millis(100);

/// A person's authenticator: hands out a code that was not handed out before, waiting for the next thirty seconds where it must. The
/// directory takes one step either way, so three log-ins in a row need no waiting.
pub struct Authenticator {
    secret: Vec<u8>,
    next_step: Mutex<u64>,
}

impl Authenticator {
    /// From the secret as enrolment shows it: base32 (RFC 4648), with padding or without.
    ///
    /// # Panics
    /// Where it is not base32.
    #[must_use]
    pub fn of(base32: &str) -> Self {
        let bare = base32.trim().trim_end_matches('=').to_ascii_uppercase();
        let secret = data_encoding::BASE32_NOPAD.decode(bare.as_bytes()).expect("a code secret in base32");
        Self { secret, next_step: Mutex::new(0) }
    }

    /// A code that works now and was not handed out before.
    ///
    /// # Panics
    /// Where the secret cannot make codes.
    pub async fn code(&self) -> String {
        self.code_ahead(Duration::ZERO).await
    }

    /// The same for a directory whose calendar is ahead by this.
    ///
    /// # Panics
    /// Where the secret cannot make codes.
    pub async fn code_ahead(&self, ahead: Duration) -> String {
        let (step, wait) = self.take_step(clock::now() + ahead);
        tokio::time::sleep(wait).await;
        self.code_of(step)
    }

    /// The code of a step (seconds since 1970 over 30), whether it was handed out or not: for tests of replays.
    ///
    /// # Panics
    /// Where the secret cannot make codes.
    #[must_use]
    pub fn code_of(&self, step: u64) -> String {
        let totp = Builder::new().with_step_duration(STEP).with_secret(self.secret.clone()).build().expect("a secret of 20 bytes");
        totp.generate(step * STEP).to_string()
    }

    /// The step of this moment.
    #[must_use]
    pub fn step_now() -> u64 {
        clock::now().as_secs() / STEP
    }

    /// How many codes it shows that work at this moment and were not handed out.
    pub(crate) fn left(&self) -> u64 {
        let (now, next) = (clock::now(), *self.next_step.lock().expect("no test thread died here"));
        let newest = now.saturating_sub(OPENS).as_secs() / STEP + 1;
        (newest + 1).saturating_sub(oldest(now).max(next))
    }

    fn take_step(&self, now: Duration) -> (u64, Duration) {
        let mut next = self.next_step.lock().expect("no test thread died here");
        let step = oldest(now).max(*next);
        *next = step + 1;
        let opens = Duration::from_secs((step - 1) * STEP) + OPENS;
        (step, opens.saturating_sub(now))
    }
}

/// Three seconds before the turn the step before is no longer safe to use.
fn oldest(now: Duration) -> u64 {
    (now.as_secs() + 3) / STEP - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_handed_out_twice_and_three_come_at_once() {
        // C2: a code works once
        let authenticator = Authenticator::of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let taken: Vec<(u64, Duration)> = (0..4).map(|_| authenticator.take_step(clock::now())).collect();
        assert!(taken.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(taken[0].1.is_zero() && taken[1].1.is_zero());
        assert!(taken[3].1 > Duration::from_secs(1));
    }

    #[test]
    fn the_codes_are_the_standards() {
        // RFC 6238, appendix B, the last six of its eight digits
        let authenticator = Authenticator::of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(authenticator.code_of(59 / 30), "287082");
        assert_eq!(authenticator.code_of(1_111_111_109 / 30), "081804");
    }
}
