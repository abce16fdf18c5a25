//! Where the attacks aim. The rigs (tests/appliance/inside.sh) lay out exactly these things, so that without a lock each attack succeeds.

use std::ffi::{CStr, CString};

/// The state directory: the one place that may be written.
pub(crate) const STATE: &CStr = c"/var/lib/contactpoint";
/// A file that a duty writes there.
pub(crate) const STATE_FILE: &CStr = c"/var/lib/contactpoint/prisoner";
/// A device that an attack makes there.
pub(crate) const STATE_NODE: &CStr = c"/var/lib/contactpoint/prisoner-device";
/// A place of another service, root's.
pub(crate) const OUTSIDE: &CStr = c"/srv/prisoner";
/// A file in the shared folder for temporary files, which anyone may write.
pub(crate) const SHARED: &CStr = c"/var/tmp/contactpoint-prison";
/// A file of another user, readable for that user alone.
pub(crate) const ANOTHERS: &CStr = c"/etc/shadow";
/// A place on a stick that somebody mounted so that anyone may write on it.
pub(crate) const STICK: &CStr = c"/mnt/stick/prisoner";
/// Physical memory.
pub(crate) const MEMORY: &CStr = c"/dev/mem";
/// A USB device as libusb would open it.
pub(crate) const USB: &CStr = c"/dev/bus/usb/001/001";
/// Somebody outside the cage listens here: the rig's own address, which is not the loopback's.
pub(crate) const OUTSIDE_HOST: [u8; 4] = [10, 0, 2, 15];
/// And this is the port.
pub(crate) const OUTSIDE_PORT: u16 = 18_080;
/// Nobody listens here.
pub(crate) const FREE_PORT: u16 = 18_081;

/// The listener that was handed over, by its descriptor: the first that systemd hands over has this one. Somebody outside keeps calling.
pub(crate) const LISTENER: i64 = 3;
/// Two more like it, for an attack each: afterwards they listen no more.
pub(crate) const LISTENER_FOR_CONNECT: i64 = 4;
pub(crate) const LISTENER_FOR_FAST_OPEN: i64 = 5;

/// What differs between the rigs.
pub(crate) struct Prison {
    /// A block device.
    pub(crate) disk: CString,
    /// A process of root's, which does nothing.
    pub(crate) victim: i32,
}
