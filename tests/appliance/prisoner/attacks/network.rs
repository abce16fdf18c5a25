//! The network: no connection goes out, nobody is listened to but on the sockets that were handed over (rule B5). Here the attacker makes
//! sockets; what the handed-over ones can be made to do is `handed_over`'s.

use super::{Attack, Outcome};
use crate::kernel::{call, Argument, Errno};
use crate::prison::{Prison, FREE_PORT, OUTSIDE_HOST, OUTSIDE_PORT};

pub(super) const ATTACKS: &[Attack] = &[
    Attack { name: "connect-out", tries: "connect to a TCP port outside", passed: &[], run: connect_out },
    Attack { name: "listen", tries: "bind a TCP port and listen", passed: &[], run: listen },
    Attack { name: "raw-socket", tries: "open a raw IP socket", passed: &[], run: raw_socket },
    Attack { name: "packet-socket", tries: "open a packet socket", passed: &[], run: packet_socket },
    Attack { name: "netlink-socket", tries: "open a netlink socket", passed: &[], run: netlink_socket },
];

fn socket(family: i32, kind: i32, protocol: i32) -> Result<i64, Errno> {
    let number = |it: i32| Argument::Number(it.into());
    call(libc::SYS_socket, [number(family), number(kind), number(protocol)])
}

/// `struct sockaddr_in`, 16 bytes: the family (AF_INET, or AF_UNSPEC for nobody), two bytes of it in the kernel's order.
pub(super) fn address(family: i32, host: [u8; 4], port: u16) -> [u8; 16] {
    let mut address = [0; 16];
    address[..2].copy_from_slice(&u16::try_from(family).unwrap_or_default().to_ne_bytes());
    address[2..4].copy_from_slice(&port.to_be_bytes());
    address[4..8].copy_from_slice(&host);
    address
}

/// Where somebody outside listens.
pub(super) fn outside() -> [u8; 16] {
    address(libc::AF_INET, OUTSIDE_HOST, OUTSIDE_PORT)
}

pub(super) fn connect_outside(socket: i64) -> Outcome {
    call(libc::SYS_connect, [Argument::Number(socket), Argument::Bytes(&mut outside()), Argument::Number(16)]).map(drop)
}

fn connect_out(_: &Prison) -> Outcome {
    connect_outside(socket(libc::AF_INET, libc::SOCK_STREAM, 0)?)
}

fn listen(_: &Prison) -> Outcome {
    let socket = socket(libc::AF_INET, libc::SOCK_STREAM, 0)?;
    let anywhere = &mut address(libc::AF_INET, [0; 4], FREE_PORT);
    call(libc::SYS_bind, [Argument::Number(socket), Argument::Bytes(anywhere), Argument::Number(16)])?;
    call(libc::SYS_listen, [Argument::Number(socket), Argument::Number(1)]).map(drop)
}

fn raw_socket(_: &Prison) -> Outcome {
    socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP).map(drop)
}

fn packet_socket(_: &Prison) -> Outcome {
    socket(libc::AF_PACKET, libc::SOCK_RAW, 0).map(drop)
}

fn netlink_socket(_: &Prison) -> Outcome {
    socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE).map(drop)
}
