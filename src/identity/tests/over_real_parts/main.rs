//! Identity over real parts: SoftHSM, SQLCipher, the log. What is decided without them is tested beside the code.

#[cfg(test)]
mod asked_again;
#[cfg(test)]
mod confirm;
#[cfg(test)]
mod log_in;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod sessions;
