//! One keep-alive HTTP/1.1 connection over mutual TLS, as little of it as a load needs: one request, one answer with a stated length.
//!
//! For: the same code in front of both servers. Leaves to others: what is sent, and what an answer means. Does not take chunked answers;
//! neither server sends them.

use crate::fault::Fault;
use rustls::pki_types::ServerName;
use rustls::ClientConfig;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::TlsConnector;

const ROOM: usize = 16 * 1024;

/// An open connection.
pub struct Wire {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
    filled: usize,
    body: usize,
}

/// An answer's head.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    /// HTTP status.
    pub status: u16,
    /// Bytes of head and body.
    pub bytes: usize,
}

impl Wire {
    /// Connects and shakes hands.
    pub async fn open(address: SocketAddr, tls: &Arc<ClientConfig>) -> Result<Self, Fault> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::from(address.ip());
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await?;
        Ok(Self { stream, buffer: vec![0; ROOM], filled: 0, body: 0 })
    }

    /// Sends one request and reads its answer.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Head, Fault> {
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        self.filled = 0;
        loop {
            if let Some((status, head, body)) = parsed(self.buffer.get(..self.filled).unwrap_or_default())? {
                return self.finish(status, head, body).await;
            }
            self.read_on().await?;
        }
    }

    /// The body of the last answer.
    pub fn body(&self) -> &[u8] {
        self.buffer.get(self.body..self.filled).unwrap_or_default()
    }

    /// What was agreed on: cipher suite and key exchange.
    pub fn agreed(&self) -> String {
        let (_, tls) = self.stream.get_ref();
        let suite = tls.negotiated_cipher_suite().map_or_else(String::new, |suite| format!("{:?}", suite.suite()));
        let group = tls.negotiated_key_exchange_group().map_or_else(String::new, |group| format!("{:?}", group.name()));
        format!("{suite}, {group}")
    }

    async fn finish(&mut self, status: u16, head: usize, body: usize) -> Result<Head, Fault> {
        let whole = head + body;
        while self.filled < whole {
            self.read_on().await?;
        }
        if self.filled > whole {
            return Err(Fault::Http("more than one answer to one request"));
        }
        self.body = head;
        Ok(Head { status, bytes: whole })
    }

    async fn read_on(&mut self) -> Result<(), Fault> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(2 * self.filled, 0);
        }
        match self.stream.read(self.buffer.get_mut(self.filled..).unwrap_or_default()).await? {
            0 => Err(Fault::Http("the server closed the connection")),
            read => {
                self.filled += read;
                Ok(())
            }
        }
    }
}

/// Status, length of the head, length of the body; `None` while the head is not whole.
fn parsed(bytes: &[u8]) -> Result<Option<(u16, usize, usize)>, Fault> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(bytes.get(..end).unwrap_or_default()).map_err(|_| Fault::Http("a head that is not UTF-8"))?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")).and_then(|rest| rest.get(..3)?.parse().ok());
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    match (status, length) {
        (Some(204), None) => Ok(Some((204, end + 4, 0))),
        (Some(status), Some(length)) => Ok(Some((status, end + 4, length))),
        _ => Err(Fault::Http("a head without a status or a length")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let answer = b"HTTP/1.1 200 OK\r\nServer: a\r\ncontent-length: 3\r\n\r\nabc";
        assert_eq!(parsed(&answer[..20]).unwrap(), None);
        assert_eq!(parsed(answer).unwrap(), Some((200, answer.len() - 3, 3)));
        assert!(parsed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    }
}
