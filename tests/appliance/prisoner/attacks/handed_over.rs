//! The sockets that the daemon has anyway: the listener that systemd hands over, and what is accepted on it (rule B5). Both belong to
//! the machine's network, not to the unit's empty one, and nobody needs `socket` to have them. A socket that is connected to nobody can
//! call: an accepted one after `connect` with AF_UNSPEC, a listener after `shutdown`. With TCP Fast Open it is `sendto` that connects,
//! where no look at `connect` sees it.

use super::network::{address, connect_outside, outside};
use super::{Attack, Outcome};
use crate::kernel::{call, Argument, Errno};
use crate::prison::{Prison, LISTENER, LISTENER_FOR_CONNECT, LISTENER_FOR_FAST_OPEN};
use crate::verdict::NO_ATTEMPT;

pub(super) const ATTACKS: &[Attack] = &[
    Attack { name: "duty-accept", tries: "take a connection on the handed-over listener (a duty: must work)", passed: &[], run: take },
    Attack { name: "turn-around", tries: "dissolve an accepted connection and connect out with its socket", passed: &[], run: turn_around },
    Attack {
        name: "turn-around-fast-open",
        tries: "dissolve an accepted connection and send out with its socket (TCP Fast Open)",
        passed: &[],
        run: turn_around_fast_open,
    },
    Attack { name: "turn-listener", tries: "shut the handed-over listener down and connect out with it", passed: &[], run: turn_listener },
    Attack {
        name: "turn-listener-fast-open",
        tries: "shut the handed-over listener down and send out with it (TCP Fast Open)",
        passed: &[],
        run: turn_listener_fast_open,
    },
];

fn accept(listener: i64) -> Result<i64, Errno> {
    let nobody_asked = || Argument::Number(0);
    call(libc::SYS_accept4, [Argument::Number(listener), nobody_asked(), nobody_asked(), Argument::Number(0)])
}

/// An accepted connection; without one there is no attempt, whatever the reason.
fn accepted() -> Result<i64, Errno> {
    accept(LISTENER).map_err(|_| Errno(NO_ATTEMPT.into()))
}

/// Ends what the socket is connected to, and leaves the socket.
fn dissolve(socket: i64) -> Outcome {
    let nobody = &mut address(libc::AF_UNSPEC, [0; 4], 0);
    call(libc::SYS_connect, [Argument::Number(socket), Argument::Bytes(nobody), Argument::Number(16)]).map(drop)
}

fn shut_down(listener: i64) -> Outcome {
    call(libc::SYS_shutdown, [Argument::Number(listener), Argument::Number(libc::SHUT_RDWR.into())]).map(drop)
}

fn send_outside_at_once(socket: i64) -> Outcome {
    let (data, to) = (&mut b"out".to_vec(), &mut outside());
    let (length, how) = (Argument::Number(3), Argument::Number(libc::MSG_FASTOPEN.into()));
    call(libc::SYS_sendto, [Argument::Number(socket), Argument::Bytes(data), length, how, Argument::Bytes(to), Argument::Number(16)])
        .map(drop)
}

fn take(_: &Prison) -> Outcome {
    accept(LISTENER).map(drop)
}

fn turn_around(_: &Prison) -> Outcome {
    let socket = accepted()?;
    dissolve(socket)?;
    connect_outside(socket)
}

fn turn_around_fast_open(_: &Prison) -> Outcome {
    let socket = accepted()?;
    // refused or not: what is asked here is whether the second call gets through
    let _ = dissolve(socket);
    send_outside_at_once(socket)
}

fn turn_listener(_: &Prison) -> Outcome {
    shut_down(LISTENER_FOR_CONNECT)?;
    connect_outside(LISTENER_FOR_CONNECT)
}

fn turn_listener_fast_open(_: &Prison) -> Outcome {
    shut_down(LISTENER_FOR_FAST_OPEN)?;
    send_outside_at_once(LISTENER_FOR_FAST_OPEN)
}
