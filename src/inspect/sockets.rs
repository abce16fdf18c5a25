//! The kernel's tables of sockets, by inode: /proc/net/tcp, tcp6 and unix (proc_pid_net(5)).

use crate::reading::Reading;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// State TCP_LISTEN in the kernel's table.
const LISTEN: &str = "0A";

/// Sockets of the machine's network namespace, and the Unix sockets of the process's own as well.
#[derive(Debug, Clone, Default)]
pub struct Sockets {
    tcp: BTreeMap<String, Tcp>,
    /// By inode, where it listens; nothing for one that does not.
    unix: BTreeMap<String, Option<String>>,
    unread: Option<String>,
}

/// One TCP socket.
#[derive(Debug, Clone)]
pub(crate) struct Tcp {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    listens: bool,
}

impl Sockets {
    /// From the texts of the tables. A table that could not be read is told by [`Sockets::unread`]; /proc/net/tcp6 may be missing.
    #[must_use]
    pub fn of(tcp: &[Reading], unix: &[Reading]) -> Self {
        let mut sockets = Self::default();
        for table in tcp {
            match &table.text {
                Ok(text) => sockets.tcp.extend(text.lines().skip(1).filter_map(tcp_line)),
                Err(_) if table.source.ends_with("tcp6") => {}
                Err(why) => sockets.unread = Some(format!("{}: {why}", table.source)),
            }
        }
        for table in unix {
            match &table.text {
                Ok(text) => sockets.unix.extend(text.lines().skip(1).filter_map(unix_line)),
                Err(why) => sockets.unread = Some(format!("{}: {why}", table.source)),
            }
        }
        sockets
    }

    pub(crate) fn unread(&self) -> Option<String> {
        self.unread.clone()
    }

    /// `target` as a descriptor shows it: "socket:[4711]".
    pub(crate) fn is_unix(&self, target: &str) -> bool {
        inode(target).is_some_and(|inode| self.unix.contains_key(inode))
    }

    pub(crate) fn tcp(&self, target: &str) -> Option<&Tcp> {
        self.tcp.get(inode(target)?)
    }

    /// Where the sockets among `held` listen.
    #[must_use]
    pub fn listening(&self, held: &[&str]) -> Vec<SocketAddr> {
        held.iter().filter_map(|target| self.tcp(target)).filter(|tcp| tcp.listens).map(|tcp| tcp.local).collect()
    }

    /// The paths at which Unix sockets among `held` listen.
    pub(crate) fn listening_unix(&self, held: &[&str]) -> Vec<String> {
        held.iter().filter_map(|target| self.unix.get(inode(target)?)?.clone()).collect()
    }
}

fn inode(target: &str) -> Option<&str> {
    target.strip_prefix("socket:[")?.strip_suffix(']')
}

/// "Num: RefCount Protocol Flags Type St Inode Path"; of the flags 00010000 is a socket that listens (__SO_ACCEPTCON).
fn unix_line(line: &str) -> Option<(String, Option<String>)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let listens = words.get(3) == Some(&"00010000");
    Some(((*words.get(6)?).to_owned(), listens.then(|| words.get(7).copied().unwrap_or("(no name)").to_owned())))
}

fn tcp_line(line: &str) -> Option<(String, Tcp)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let tcp = Tcp { local: address(words.get(1)?)?, remote: address(words.get(2)?)?, listens: words.get(3) == Some(&LISTEN) };
    Some(((*words.get(9)?).to_owned(), tcp))
}

/// "0100007F:20FB": 32-bit words in the machine's order (little-endian where Debian's servers are), then the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.split_once(':')?;
    let words: Vec<u32> =
        (0..host.len() / 8).map(|at| u32::from_str_radix(&host[at * 8..at * 8 + 8], 16)).collect::<Result<_, _>>().ok()?;
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let ip = match bytes.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(bytes).map(Ipv4Addr::from).ok()?),
        16 => IpAddr::from(<[u8; 16]>::try_from(bytes).map(Ipv6Addr::from).ok()?),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read_by_inode() {
        let tcp = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1234 1 0 100 0 0 10 0\n";
        let tcp6 = "  sl  local_address\n   0: 00000000000000000000000000000000:20FB 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 77 1 0\n";
        let unix = "Num       RefCount Protocol Flags    Type St Inode Path\n0: 00000003 00000000 00000000 0001 03 18265 /run/x\n";
        let sockets = Sockets::of(&[Reading::seen("tcp", tcp), Reading::seen("tcp6", tcp6)], &[Reading::seen("unix", unix)]);
        assert_eq!(sockets.listening(&["socket:[1234]"])[0].to_string(), "127.0.0.1:8443");
        assert_eq!(sockets.listening(&["socket:[77]"])[0].to_string(), "[::]:8443");
        assert!(sockets.is_unix("socket:[18265]") && !sockets.is_unix("socket:[1234]") && sockets.unread().is_none());
        assert!(Sockets::of(&[Reading::unseen("tcp", "no")], &[]).unread().is_some());
    }
}
