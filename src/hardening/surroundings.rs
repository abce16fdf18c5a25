//! What the process may still reach once it is locked down, as far as that is not the same everywhere.

use std::path::PathBuf;

/// The directories that systemd handed over and what the HSM's module needs, from the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// STATE_DIRECTORY.
    pub state: PathBuf,
    /// CONFIGURATION_DIRECTORY.
    pub configuration: PathBuf,
    /// `[hsm] reads`: paths that the PKCS#11 module reads at each use.
    pub reads: Vec<PathBuf>,
    /// `[hsm] writes`: paths that it writes.
    pub writes: Vec<PathBuf>,
    /// `[hsm] attachment`.
    pub attachment: HsmAttachment,
}

/// How the PKCS#11 module reaches its HSM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HsmAttachment {
    /// By files alone (SoftHSM).
    Files,
    /// Through a daemon on this machine, over a Unix socket (pcscd, a hardserver).
    UnixSocket,
    /// A device on the USB bus, opened by the module itself.
    Usb,
    /// Over TCP, to one port.
    Network {
        /// The HSM's port.
        port: u16,
    },
}
