//! The network: no connection goes out, nobody is listened to but on the sockets that were handed over (rule B5).

use super::{Attack, Outcome};
use crate::kernel::{call, Argument, Errno};
use crate::prison::{Prison, FREE_PORT, OUTSIDE_PORT};

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

/// `struct sockaddr_in`, 16 bytes.
fn address(host: [u8; 4], port: u16) -> [u8; 16] {
    let mut address = [0; 16];
    address[..2].copy_from_slice(&2_u16.to_ne_bytes()); // AF_INET
    address[2..4].copy_from_slice(&port.to_be_bytes());
    address[4..8].copy_from_slice(&host);
    address
}

fn connect_out(_: &Prison) -> Outcome {
    let socket = socket(libc::AF_INET, libc::SOCK_STREAM, 0)?;
    let outside = &mut address([127, 0, 0, 1], OUTSIDE_PORT);
    call(libc::SYS_connect, [Argument::Number(socket), Argument::Bytes(outside), Argument::Number(16)]).map(drop)
}

fn listen(_: &Prison) -> Outcome {
    let socket = socket(libc::AF_INET, libc::SOCK_STREAM, 0)?;
    let anywhere = &mut address([0; 4], FREE_PORT);
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
